"""What happens when: every reaction to a fact, in one table. Read this file to know the chain.

Left the topic of an event, right the jobs that it asks for. ``common.events.publish`` writes one
job row per entry in the transaction of the fact.
"""

from django.conf import settings

from common.events import Reaction


def _debounce() -> float:
    return float(settings.REPLAN_DEBOUNCE_SECONDS)


def _mrp_look() -> float:
    return min(float(settings.MRP_QUIET_SECONDS), float(settings.MRP_LOOK_SECONDS))


def _closing() -> float:
    return float(settings.WORK_ORDER_CLOSING_SECONDS)


# The plan of a site has to be made anew, a moment after the last change.
_REPLAN = Reaction(
    job="aps.replan_site",
    key="replan:{site_id}",
    arguments=("site_id",),
    group_key="plan:{site_id}",
    coalesce=True,
    delay_seconds=_debounce,
)
# What is needed or comes is not what requirements planning reckoned with.
_PLAN_SUPPLY = Reaction(
    job="erp.plan_after_changes",
    key="plan_supply:{site_id}",
    arguments=("site_id",),
    group_key="plan_supply:{site_id}",
    coalesce=True,
    delay_seconds=_mrp_look,
)
# Milestones and state of the orders that a work order serves.
_PROGRESS = Reaction(
    job="crm.note_progress",
    key="progress:{work_order_id}:{event_id}",
    arguments=("work_order_id",),
    group_key="progress:{work_order_id}",
    coalesce=True,
)
# Which operations of a work order and of its parents may start now.
_READINESS = Reaction(
    job="mes.refresh_readiness",
    key="readiness:{site_id}",
    arguments=("site_id",),
    group_key="readiness:{site_id}",
    coalesce=True,
)

# Needs that lost what they counted on are planned for again.
_COVER_AGAIN = Reaction(
    job="mes.cover_again",
    key="cover_again:{site_id}:{event_id}",
    arguments=("site_id",),
    group_key="cover_again:{site_id}",
    coalesce=True,
)

# What it cost is explained, once a last report cannot be taken back any more.
_CLOSE = Reaction(
    job="mes.close_work_order",
    key="close:{work_order_id}:{event_id}",
    arguments=("work_order_id",),
    delay_seconds=_closing,
)

# One job converts everything that waits at the site; crm.Conversion is the identity.
_CONVERT = Reaction(
    job="crm.convert_waiting",
    key="convert:{site_id}:{event_id}",
    arguments=("site_id",),
    group_key="convert:{site_id}",
    coalesce=True,
)
# Orders that only waited for stock may be ready to ship.
_REFRESH = Reaction(
    job="crm.refresh_site",
    key="refresh:{site_id}:{event_id}",
    arguments=("site_id",),
    group_key="refresh:{site_id}",
    coalesce=True,
)

SUBSCRIPTIONS: dict[str, list[Reaction]] = {
    # Shifts, holidays, machines: what the schedule reckoned with.
    "masterdata.capacity.changed": [_REPLAN],
    # Bills, items, prices, exchange rates: what the requirements were planned with.
    "masterdata.planning.changed": [_PLAN_SUPPLY],
    "crm.order.submitted": [],
    "crm.order.approved": [_CONVERT],
    # Stock that an order gives back serves others.
    "crm.order.changed": [_CONVERT, _REFRESH, _REPLAN, _PLAN_SUPPLY],
    # An order served from stock makes no work orders, but it wants its date as well.
    "crm.order.converted": [_REPLAN, _PLAN_SUPPLY],
    "crm.order.cancelled": [_REFRESH, _REPLAN, _PLAN_SUPPLY],
    "crm.order.shipped": [],
    "crm.order.delivered": [],
    "erp.stock.received": [
        _READINESS,
        _REPLAN,
        _REFRESH,
        _PLAN_SUPPLY,
    ],
    # Dates and quantities of what comes move the material dates, and with them the plan.
    "erp.purchase_orders.changed": [_REPLAN, _PLAN_SUPPLY],
    # What came is given to who waited for it; what does not come is made again.
    "erp.transfers.changed": [_COVER_AGAIN, _REPLAN, _PLAN_SUPPLY],
    # Work orders that planning proposed and somebody accepted.
    "erp.proposals.accepted": [
        Reaction(
            job="mes.carry_out_proposals",
            key="proposals:{site_id}:{event_id}",
            arguments=("site_id",),
            group_key="proposals:{site_id}",
            coalesce=True,
        )
    ],
    # A hold or a count took what somebody counted on: it is made again where it can be.
    "erp.stock.withheld": [
        _COVER_AGAIN,
        _READINESS,
        _REPLAN,
        _REFRESH,
        _PLAN_SUPPLY,
    ],
    # The page of requirements planning looks again (LIVE below).
    "erp.mrp_run.changed": [],
    "mes.work_orders.changed": [_READINESS, _REPLAN, _PLAN_SUPPLY],
    "mes.maintenance.needs_changed": [_PLAN_SUPPLY],
    "mes.needs.covered": [_READINESS, _REFRESH],
    "mes.pieces.scrapped": [_PLAN_SUPPLY],
    "mes.operation.started": [_PROGRESS, _REPLAN],
    "mes.operation.reported": [_REPLAN],
    # What was ready to ship may be work again, and what it went into waits again.
    "mes.report.taken_back": [_PROGRESS, _READINESS, _REPLAN, _PLAN_SUPPLY],
    "mes.operation.finished": [_PROGRESS, _REPLAN],
    "mes.work_order.completed": [_PROGRESS, _READINESS, _CLOSE],
    # Boards of alarms look again (LIVE below); the plan is mended by capacity.changed.
    "mes.incident.changed": [],
    # A rush simulation is done: its request says what it would do to the others.
    "aps.scenario.solved": [
        Reaction(
            job="crm.assess_rush",
            key="assess_rush:{run_id}:{event_id}",
            arguments=("run_id",),
        )
    ],
    "aps.schedule.published": [
        # Many plans in a row, one write-back of dates.
        Reaction(
            job="crm.update_projections",
            key="projections:{site_id}:{version}",
            arguments=("site_id",),
            group_key="projections:{site_id}",
            coalesce=True,
        ),
        # A rush of a line that has work orders now is simulated with these.
        Reaction(
            job="crm.refresh_rushes",
            key="rushes:{site_id}:{version}",
            arguments=("site_id",),
            group_key="rushes:{site_id}",
            coalesce=True,
        ),
    ],
    "crm.rush.applied": [],
    # Several complaints with something in common are an alert.
    "crm.ticket.described": [
        Reaction(
            job="crm.look_for_clusters",
            key="clusters:{item_id}:{event_id}",
            arguments=("item_id",),
            group_key="clusters:{item_id}",
            coalesce=True,
        )
    ],
}

# Which pages look again by themselves after a fact (common.live): topics, by site.
LIVE: dict[str, tuple[str, ...]] = {
    "mes.incident.changed": ("andon:{site_id}", "floor:{site_id}"),
    "mes.work_orders.changed": ("floor:{site_id}", "plan:{site_id}", "supply:{site_id}"),
    "mes.maintenance.needs_changed": ("supply:{site_id}",),
    "masterdata.planning.changed": ("supply:{site_id}",),
    "mes.pieces.scrapped": ("supply:{site_id}",),
    "crm.order.converted": ("supply:{site_id}",),
    "crm.order.changed": ("supply:{site_id}",),
    "crm.order.cancelled": ("supply:{site_id}",),
    "erp.purchase_orders.changed": ("supply:{site_id}",),
    "erp.stock.withheld": ("supply:{site_id}",),
    "erp.transfers.changed": ("supply:{site_id}",),
    "erp.mrp_run.changed": ("supply:{site_id}",),
    "mes.operation.started": ("floor:{site_id}", "plan:{site_id}"),
    "mes.operation.reported": ("floor:{site_id}", "plan:{site_id}"),
    "mes.report.taken_back": ("floor:{site_id}", "plan:{site_id}", "supply:{site_id}"),
    "mes.operation.finished": ("floor:{site_id}", "plan:{site_id}"),
    "erp.stock.received": ("floor:{site_id}", "supply:{site_id}"),
    "aps.schedule.published": ("floor:{site_id}", "plan:{site_id}"),
}
