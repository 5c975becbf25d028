"""A run's result becomes proposals: what nobody touched is replaced, overrides stay."""

from collections import defaultdict
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection

from common import bulk, statistics
from common.concurrency import Lock, lock
from erp import mrp
from erp.enums import ProposalAction, ProposalState
from erp.models import MrpRun, Proposal, ProposalPeg
from erp.selectors import Reading, local_day

ZERO = Decimal(0)
BATCH = 5000
_SYSTEM_FIELDS = [
    "run",
    "action",
    "system_quantity",
    "system_due_date",
    "system_release_date",
    "system_supplier",
    "price",
    "currency",
    "present_quantity",
    "present_due_date",
    "requirement",
    "version",
]
# Two messages of one supply: when it should come, and how much of it.
_ABOUT = {"expedite": "day", "defer": "day", "reduce": "quantity", "cancel": "quantity"}


def write(*, run: MrpRun, reading: Reading, plan: mrp.Plan, zone: ZoneInfo) -> None:
    """Replace the site's open proposals by the plan, in the caller's transaction.

    What was accepted after the reading is in nobody's plan yet: its items get no new proposal.
    """
    lock(Lock.SUPPLY, run.site_id)
    open_rows = list(
        Proposal.objects.select_for_update(no_key=True)
        .filter(site=run.site_id, state=ProposalState.OPEN)
        .order_by("pk")
    )
    kept = [row for row in open_rows if row.is_overridden]
    still = {row.pk for row in open_rows}
    decided = Proposal.objects.filter(pk__in=reading.open_ids - still)
    passed_by = set(decided.values_list("item_id", flat=True))
    _forget([row.pk for row in open_rows if not row.is_overridden])
    orders = [order for order in plan.orders if order.item_id not in passed_by]
    rows = _order_rows(run, reading, orders, [r for r in kept if r.action in ("make", "buy")])
    rows_of_messages = _message_rows(run, reading, plan, kept, zone)
    fresh = [row for row in [*rows.values(), *rows_of_messages] if row.pk is None]
    Proposal.objects.bulk_create(fresh, batch_size=BATCH)
    bulk.save(kept, _SYSTEM_FIELDS)
    _write_pegs(orders, rows, kept)
    statistics.analyze_later(Proposal, ProposalPeg, rows=len(fresh))


def _forget(ids: list[int]) -> None:
    """Two statements for thousands; the ORM would read all that hangs on them first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM erp_proposalpeg WHERE proposal_id = ANY(%s) OR parent_id = ANY(%s)",
            [ids, ids],
        )
        cursor.execute("DELETE FROM erp_proposal WHERE id = ANY(%s)", [ids])


def _order_rows(
    run: MrpRun, reading: Reading, orders: list[mrp.Order], kept: list[Proposal]
) -> dict[int, Proposal]:
    """The proposal of each planned order, by the order's identity; kept ones take the nearest."""
    mine = _nearest(orders, kept)
    rows = {}
    for order in orders:
        row = mine.get(id(order)) or Proposal(site_id=run.site_id, item_id=order.item_id)
        is_made = reading.situation.items[order.item_id].is_made
        row.run = run
        row.action = ProposalAction.MAKE if is_made else ProposalAction.BUY
        row.system_quantity = order.quantity
        row.system_due_date, row.system_release_date = order.due, order.release
        row.system_supplier_id = order.offer.supplier_id if order.offer else None
        if row.override_supplier_id is None:
            row.price = order.offer.price if order.offer else ZERO
            row.currency = order.offer.currency if order.offer else ""
        row.requirement_id = order.origin.demand
        rows[id(order)] = row
    found = {id(row) for row in mine.values()}
    for row in kept:
        row.version += 1
        if id(row) not in found:
            # The person's wish stays; planning sees no need for it any more.
            row.run, row.system_quantity, row.requirement_id = run, ZERO, None
    return rows


def _nearest(orders: list[mrp.Order], kept: list[Proposal]) -> dict[int, Proposal]:
    by_item: dict[int, list[mrp.Order]] = defaultdict(list)
    for order in orders:
        by_item[order.item_id].append(order)
    found = {}
    for row in sorted(kept, key=lambda row: (row.system_due_date, row.pk)):
        free = by_item[row.item_id]
        if free:
            due = row.system_due_date
            nearest = min(free, key=lambda order: abs(order.due - due))
            free.remove(nearest)
            found[id(nearest)] = row
    return found


def _message_rows(
    run: MrpRun, reading: Reading, plan: mrp.Plan, kept: list[Proposal], zone: ZoneInfo
) -> list[Proposal]:
    mine = {
        (r.supply_kind, r.supply_source_id, _ABOUT[r.action]): r for r in kept if r.action in _ABOUT
    }
    rows = []
    for message in plan.messages:
        supply = reading.supplies[message.receipt]
        row = mine.pop((supply.kind, supply.source_id, _ABOUT[message.action]), None) or Proposal(
            site_id=run.site_id,
            item_id=message.item_id,
            supply_kind=supply.kind,
            supply_source_id=supply.source_id,
            reference=supply.reference,
        )
        row.run, row.action = run, ProposalAction(message.action)
        row.system_quantity, row.system_due_date = message.quantity, message.day
        row.system_release_date = min(message.day, local_day(supply.due_at, zone))
        row.present_quantity = supply.quantity
        row.present_due_date = local_day(supply.due_at, zone)
        row.requirement_id = message.origin.demand if message.origin else None
        rows.append(row)
    for row in mine.values():
        # Planning leaves it as it is now.
        row.run = run
        if row.present_quantity is not None and row.present_due_date is not None:
            row.system_quantity, row.system_due_date = row.present_quantity, row.present_due_date
            row.system_release_date = row.present_due_date
    return rows


def _write_pegs(orders: list[mrp.Order], rows: dict[int, Proposal], kept: list[Proposal]) -> None:
    ProposalPeg.objects.filter(proposal__in=[row.pk for row in kept]).delete()
    pegs = []
    for order in orders:
        for need, quantity in order.pegs:
            parent = rows.get(id(need.parent)) if need.parent is not None else None
            if need.parent is not None and parent is None:
                continue
            pegs.append(
                ProposalPeg(
                    proposal=rows[id(order)],
                    requirement_id=need.demand,
                    parent=parent,
                    quantity=quantity,
                )
            )
    ProposalPeg.objects.bulk_create(pegs, batch_size=BATCH)
