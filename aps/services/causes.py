"""What happened since a plan was made, counted by kind: why another one differs from it."""

import enum
from datetime import datetime

from django.db.models import Count

from aps.enums import RunKind
from aps.models import ScheduleRun
from common.models import Event

# The cause of a run that nobody asked for by hand.
AUTOMATIC = "change"


class PlanCause(enum.StrEnum):
    """The one thing that a plan is made for, as far as one can be named."""

    CAPACITY = "capacity"  # hours, machines, people or tools
    MATERIAL = "material"
    ORDERS = "orders"
    REPORT = "report"  # from the floor
    RUSH = "rush"
    MANUAL = "manual"  # a planner asked for it, or published what they had changed
    CHANGE = "change"  # nobody knows


# Facts that ask for another plan (config.subscriptions), the weightiest first.
TOPICS = {
    "masterdata.capacity.changed": PlanCause.CAPACITY,
    "erp.stock.withheld": PlanCause.MATERIAL,
    "erp.stock.received": PlanCause.MATERIAL,
    "erp.purchase_orders.changed": PlanCause.MATERIAL,
    "erp.transfers.changed": PlanCause.MATERIAL,
    "crm.order.changed": PlanCause.ORDERS,
    "crm.order.converted": PlanCause.ORDERS,
    "crm.order.cancelled": PlanCause.ORDERS,
    "mes.operation.started": PlanCause.REPORT,
    "mes.operation.reported": PlanCause.REPORT,
    "mes.operation.finished": PlanCause.REPORT,
    "mes.report.taken_back": PlanCause.REPORT,
    "mes.work_orders.changed": PlanCause.ORDERS,
}


def of_plan(run: ScheduleRun) -> PlanCause:
    """What the plan was made for; no query."""
    if run.kind == RunKind.RUSH:
        return PlanCause.RUSH
    if run.cause != AUTOMATIC:
        return PlanCause.MANUAL
    counts = run.comparison.get("cause", {})
    return next((TOPICS[topic] for topic in TOPICS if counts.get(topic)), PlanCause.CHANGE)


def since(*, site_id: int, after: datetime) -> dict[str, int]:
    """How many facts of each topic the site has published after a moment; one query."""
    rows = (
        Event.objects.filter(at__gt=after, topic__in=list(TOPICS), payload__site_id=site_id)
        .order_by()
        .values_list("topic")
        .annotate(count=Count("pk"))
    )
    return dict(rows)
