"""Carries out what planning proposed and somebody accepted: work orders to make or to change."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction

from common.concurrency import Lock, lock
from common.errors import Refused
from common.models import User
from erp import selectors as erp
from erp.enums import ProposalAction
from erp.selectors import ToDo
from erp.services import proposals
from masterdata import selectors as masterdata
from mes.models import WorkOrder, WorkOrderPeg
from mes.services import supply, work_order_changes, work_orders

ZERO = Decimal(0)


def carry_out(*, site_id: int, by: User | None, now: datetime) -> None:
    """Carry out what waits at the site; what cannot be done is open again and says why.

    Done twice it does nothing the second time: what is carried out does not wait any more.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        zone = ZoneInfo(masterdata.site(site_id).time_zone)
        waiting = erp.to_carry_out(site_id=site_id)
        failures = _serve(site_id, waiting, by, now)
        for to_do in waiting:
            try:
                with transaction.atomic():
                    reference = _do(to_do, failures, site_id, zone, by, now)
                    proposals.carried_out(
                        proposal_id=to_do.proposal_id, reference=reference, by=by, now=now
                    )
            except Refused as refusal:
                proposals.not_carried_out(
                    proposal_id=to_do.proposal_id, sentence=str(refusal), by=by, now=now
                )


def _serve(site_id: int, waiting: Sequence[ToDo], by: User | None, now: datetime) -> dict[int, str]:
    """Plan for the requirements that wait, all at once; the sentences of those that fail."""
    wanted: dict[int, Decimal] = {}
    for to_do in waiting:
        left = to_do.quantity
        for requirement_id, share in to_do.demands:
            if left > 0:
                wanted[requirement_id] = wanted.get(requirement_id, ZERO) + min(left, share)
                left -= share
    demands = [supply.Demand(pk, quantity) for pk, quantity in _with_stock(wanted).items()]
    plan = supply.plan(site_id=site_id, demands=demands, by=by, now=now)
    return plan.failures


def _with_stock(wanted: dict[int, Decimal]) -> dict[int, Decimal]:
    """What is proposed came on top of stock: together they are what the requirement misses.

    Asked for the share alone, planning would take it from the stock and make nothing.
    """
    missing = {row.requirement_id: row.missing for row in erp.coverage(wanted)}
    items = erp.places(wanted)
    free: dict[tuple[int, int], Decimal] = {}
    for site_id in {site for _item, site in items.values()}:
        ids = [item for item, site in items.values() if site == site_id]
        for item_id, quantity in erp.free_stock(site_id=site_id, item_ids=ids).items():
            free[item_id, site_id] = quantity
    asked = {}
    for pk, share in wanted.items():
        from_stock = max(ZERO, min(free[items[pk]], missing[pk] - share))
        free[items[pk]] -= from_stock
        asked[pk] = share + from_stock
    return asked


def _do(
    to_do: ToDo,
    failures: dict[int, str],
    site_id: int,
    zone: ZoneInfo,
    by: User | None,
    now: datetime,
) -> str:
    """Carry one out; return the number of the work order it is about."""
    if to_do.action == ProposalAction.MAKE:
        return _make(to_do, failures, site_id, zone, by, now)
    order = WorkOrder.objects.get(pk=to_do.work_order_id or 0)
    match to_do.action:
        case ProposalAction.CANCEL:
            work_orders.cancel(order=order, reason=_reason(to_do), by=by, now=now)
        case ProposalAction.REDUCE:
            work_order_changes.shrink(order=order, output=to_do.quantity, by=by, now=now)
        case _:
            due_at = _moment(to_do.due_date, zone)
            work_order_changes.move_due(order=order, due_at=due_at, by=by, now=now)
    return order.number


def _make(
    to_do: ToDo,
    failures: dict[int, str],
    site_id: int,
    zone: ZoneInfo,
    by: User | None,
    now: datetime,
) -> str:
    demanded = [pk for pk, _quantity in to_do.demands]
    refused = [failures[pk] for pk in demanded if pk in failures]
    if refused:
        raise supply.CannotMake(refused[0])
    stock = to_do.for_stock + to_do.difference
    ids: tuple[int, ...] = ()
    if stock > 0:
        due_at = _moment(to_do.due_date, zone)
        ids = supply.plan_stock(
            site_id=site_id, item_id=to_do.item_id, quantity=stock, due_at=due_at, by=by, now=now
        )
    pegged = WorkOrderPeg.objects.filter(requirement__in=demanded)
    serving = set(ids) | set(pegged.values_list("work_order_id", flat=True))
    found = WorkOrder.objects.filter(pk__in=serving).order_by("-pk")
    return found.values_list("number", flat=True).first() or ""


def _reason(to_do: ToDo) -> str:
    return f"MRP {to_do.proposal_id}"


def _moment(day: date, zone: ZoneInfo) -> datetime:
    """The end of the day at the site."""
    return datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)
