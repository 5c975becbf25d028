"""Output goes where it is pegged; scrap cuts the pegs and what is missing is planned anew."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from common import audit, bulk, events
from common.models import User
from erp import selectors as erp
from erp.enums import MoveKind, RequirementKind
from erp.services import requirements, reservations, reversals, stock
from mes import policies, report_policies, selectors
from mes.events import PiecesScrapped
from mes.models import WorkOrder, WorkOrderPeg
from mes.services import costs, supply

if TYPE_CHECKING:
    from erp.models import StockMove

ZERO = Decimal(0)


def deliver(
    order: WorkOrder,
    good: Decimal,
    by: User | None,
    now: datetime,
    *,
    lot_number: str = "",
    serials: Sequence[str] = (),
    line: str | None = None,
) -> "Delivered":
    """Receive good pieces and reserve them for those they are pegged to, the first due first.

    ``serials`` are the numbers of the pieces where somebody scanned them, else they are given.
    What nobody is pegged to is free stock.
    A tracked item gets the lot or the serial numbers; without them the lot of its work order, or
    the next serial numbers. ``line`` is the order line of the costs, where the caller knows it.
    """
    price = costs.unit_cost(order)
    move = stock.receive(
        item_id=order.item_id,
        site_id=order.site_id,
        quantity=good,
        kind=MoveKind.PRODUCTION,
        reference=order.number,
        price=price or None,
        by=by,
        now=now,
        lot_number=lot_number,
        serials=serials,
    )
    source = f"move:{move.pk}"
    costs.book_output(order, good, price=price, source=source, by=by, now=now, line=line)
    pegs = _open_pegs(order)
    given = _give(pegs, good)
    # Order lines wait for nothing that the floor could begin.
    components = {
        peg.requirement_id for peg in pegs if peg.requirement.kind == RequirementKind.COMPONENT
    }
    return Delivered(move, [pk for pk, n in given.items() if n > 0 and pk in components])


def _give(pegs: Sequence[WorkOrderPeg], good: Decimal) -> dict[int, Decimal]:
    """Reserve the pieces for the pegs in their order; what each requirement (by id) got."""
    needs = {row.requirement_id: row for row in erp.coverage([p.requirement_id for p in pegs])}
    missing = {pk: row.missing for pk, row in needs.items() if row.is_open}
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
    reservations.reserve(given, places={pk: (needs[pk].item_id, needs[pk].site_id) for pk in given})
    return given


@dataclass(frozen=True, slots=True)
class Delivered:
    """The first move of what came into stock, and the component requirements that got of it."""

    move: "StockMove"
    served: list[int]


@dataclass(frozen=True, slots=True)
class Lost:
    """What scrap took: output to count on, and by requirement what its pegs gave up."""

    output: Decimal = ZERO
    cut: dict[int, Decimal] = field(default_factory=dict)


def lose(order: WorkOrder, by: User | None, now: datetime) -> Lost:
    """Bring a work order's output and pegs down to what its scrap leaves; plan the rest anew.

    The latest due gives way first. In the same transaction, so that nobody's need is forgotten.
    """
    possible = order.quantity - order.scrapped
    if possible >= order.output:
        return Lost()
    lost = order.output - possible
    order.output = possible
    order.save(update_fields=["output"])
    less = PiecesScrapped(work_order_id=order.pk, site_id=order.site_id)
    events.publish(less, by=by, now=now)
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
        return Lost(lost)
    demands = [supply.Demand(pk, quantity) for pk, quantity in cut.items()]
    plan = supply.plan(site_id=order.site_id, demands=demands, by=by, now=now)
    for sentence in plan.failures.values():
        # Nobody can make it now: the shortage list shows it, and this says why.
        audit.record(
            action="mes.work_order.replan_failed", target=order, by=by, now=now, reason=sentence
        )
    return Lost(lost, cut)


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


def take_back(
    order: WorkOrder, good: Decimal, *, made_at: datetime, by: User | None, now: datetime
) -> list[int]:
    """Take pieces that were reported by mistake out of stock; the reverse of ``deliver``.

    ``order.good`` counts them no longer. Return the ids of the requirements that lost some. What
    went to nobody is taken first, then from the latest due. Raise CannotUndo where they are gone.
    """
    pegs = sorted(
        WorkOrderPeg.objects.select_for_update(no_key=True, of=("self",))
        .filter(work_order=order, delivered__gt=0)
        .select_related("requirement"),
        key=lambda peg: (peg.requirement.due_at, peg.pk),
        reverse=True,
    )
    held = erp.reserved_quantities([peg.requirement_id for peg in pegs])
    # What of all it made is not with its pegs lies free.
    left = good - max(ZERO, order.good + good - sum((p.delivered for p in pegs), ZERO))
    lost: dict[int, Decimal] = {}
    for peg in pegs:
        share = min(left, peg.delivered, held[peg.requirement_id])
        if share > 0:
            peg.delivered -= share
            left -= share
            lost[peg.requirement_id] = share
    if left > 0:
        raise report_policies.CannotUndo(
            _("%(left)s pieces of %(number)s are already used or shipped.")
            % {"left": policies.plain(left), "number": order.number}
        )
    bulk.save(pegs, ["delivered"])
    reservations.release(lost)
    _out_of_stock(order, good, made_at, by, now)
    return list(lost)


def _out_of_stock(
    order: WorkOrder, good: Decimal, made_at: datetime, by: User | None, now: datetime
) -> None:
    try:
        move = reversals.take_back_output(
            item_id=order.item_id,
            site_id=order.site_id,
            quantity=good,
            reference=order.number,
            made_at=made_at,
            by=by,
            now=now,
        )
    except reversals.CannotAdjust as refusal:
        raise report_policies.CannotUndo(
            _("Pieces of %(number)s are kept for others already: %(why)s")
            % {"number": order.number, "why": refusal}
        ) from refusal
    price = costs.unit_cost(order)
    costs.book_output(order, -good, price=price, source=f"move:{move.pk}", by=by, now=now)


def find_again(
    order: WorkOrder,
    output: Decimal,
    cut: dict[int, Decimal],
    by: User | None,
    now: datetime,
) -> None:
    """Scrap was reported by mistake: its output counts again; the reverse of ``lose``.

    What was planned anew for those it was taken from gives way, and they are pegged here again.
    """
    order.output += output
    order.save(update_fields=["output"])
    rows = {row.requirement_id: row for row in erp.coverage(list(cut))}
    promised = selectors.promised_quantities(list(cut))
    wanted: dict[int, Decimal] = {}
    back: dict[int, Decimal] = {}
    for pk, share in cut.items():
        row = rows.get(pk)
        if row is None or not row.is_open:
            continue
        # What has left the stock since then needs no work order any more.
        back[pk] = min(share, row.quantity - row.issued)
        room = row.quantity - row.issued - row.reserved - promised.get(pk, ZERO)
        if back[pk] > room:
            wanted[pk] = row.quantity - (back[pk] - max(room, ZERO))
    if wanted:
        supply.unplan(site_id=order.site_id, quantities=wanted, by=by, now=now)
        # One that this left nothing of is open again.
        requirements.reopen({pk: rows[pk].quantity for pk in wanted})
    for pk, share in back.items():
        if share > 0:
            peg, made = WorkOrderPeg.objects.select_for_update().get_or_create(
                work_order=order, requirement_id=pk, defaults={"quantity": share}
            )
            if not made:
                peg.quantity += share
                peg.save(update_fields=["quantity"])
