"""Output goes where it is pegged; scrap cuts the pegs and what is missing is planned anew."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from common import audit, bulk
from common.models import User
from erp import selectors as erp
from erp.enums import MoveKind
from erp.services import reservations, stock
from mes.models import WorkOrder, WorkOrderPeg
from mes.services import supply

ZERO = Decimal(0)


def deliver(
    order: WorkOrder,
    good: Decimal,
    by: User | None,
    now: datetime,
    *,
    lot_number: str = "",
    serials: Sequence[str] = (),
) -> list[int]:
    """Receive good pieces and reserve them for those they are pegged to, the first due first.

    Return the ids of the requirements that got some. What nobody is pegged to is free stock.
    A tracked item gets the lot or the serial numbers; without them the lot of its work order, or
    the next serial numbers.
    """
    stock.receive(
        item_id=order.item_id,
        site_id=order.site_id,
        quantity=good,
        kind=MoveKind.PRODUCTION,
        reference=order.number,
        by=by,
        now=now,
        lot_number=lot_number,
        serials=serials,
    )
    pegs = _open_pegs(order)
    missing = {
        row.requirement_id: row.missing
        for row in erp.coverage([peg.requirement_id for peg in pegs])
        if row.is_open
    }
    given: dict[int, Decimal] = {}
    for peg in pegs:
        share = min(good, peg.quantity - peg.delivered)
        if share <= 0:
            continue
        peg.delivered += share
        good -= share
        # Somebody may have been given stock meanwhile; what it does not need stays free.
        given[peg.requirement_id] = min(share, missing.get(peg.requirement_id, ZERO))
    bulk.save(pegs, ["delivered"])
    reservations.reserve(given)
    return [pk for pk, quantity in given.items() if quantity > 0]


def lose(order: WorkOrder, by: User | None, now: datetime) -> None:
    """Bring a work order's output and pegs down to what its scrap leaves; plan the rest anew.

    The latest due gives way first. In the same transaction, so that nobody's need is forgotten.
    """
    possible = order.quantity - order.scrapped
    if possible >= order.output:
        return
    order.output = possible
    order.save(update_fields=["output"])
    pegs = _open_pegs(order)
    # Delivered pegs are gone; what is still to come is shared among the open ones.
    excess = sum((p.quantity - p.delivered for p in pegs), ZERO) - (possible - order.good)
    cut: dict[int, Decimal] = {}
    for peg in reversed(pegs):
        share = min(excess, peg.quantity - peg.delivered)
        if share > 0:
            peg.quantity -= share
            excess -= share
            cut[peg.requirement_id] = share
    _save(pegs)
    if not cut:
        return
    demands = [supply.Demand(pk, quantity) for pk, quantity in cut.items()]
    plan = supply.plan(site_id=order.site_id, demands=demands, by=by, now=now)
    for sentence in plan.failures.values():
        # Nobody can make it now: the shortage list shows it, and this says why.
        audit.record(
            action="mes.work_order.replan_failed", target=order, by=by, now=now, reason=sentence
        )


def _open_pegs(order: WorkOrder) -> list[WorkOrderPeg]:
    pegs = (
        WorkOrderPeg.objects.select_for_update(no_key=True, of=("self",))
        .filter(work_order=order)
        .select_related("requirement")
    )
    return sorted(
        (peg for peg in pegs if peg.quantity > peg.delivered),
        key=lambda peg: (peg.requirement.due_at, peg.pk),
    )


def _save(pegs: Iterable[WorkOrderPeg]) -> None:
    rows = list(pegs)
    WorkOrderPeg.objects.filter(pk__in=[peg.pk for peg in rows if not peg.quantity]).delete()
    bulk.save([peg for peg in rows if peg.quantity], ["quantity"])
