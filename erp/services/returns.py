"""What was issued comes back; what was delivered goes back to its supplier."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from common import audit, events, transitions
from common.concurrency import Lock, lock
from common.models import User
from erp import policies, selectors
from erp import policies_returns as rules
from erp.enums import REQUIREMENT_TRANSITIONS, BinKind, MoveKind, RequirementState
from erp.events import StockReceived
from erp.models import Requirement, StockMove, StockQuant
from erp.policies_returns import CannotReturn, check_came_from_customer
from erp.selectors import Identity
from erp.services import booking, moving, reservations, warehouses
from erp.services.booking import Entry, Why
from erp.services.genealogy import Paper
from masterdata import selectors as masterdata
from masterdata.enums import Tracking
from traceability import selectors as traceability
from traceability.enums import IdentityState
from traceability.services import identities

if TYPE_CHECKING:
    from masterdata.models import Item

__all__ = [
    "CannotReturn",
    "Goods",
    "back_to_customer",
    "from_customer",
    "from_work_order",
    "of_delivery",
    "to_supplier",
]

ZERO = Decimal(0)
_GONE = IdentityState.RETURNED


def from_work_order(
    *,
    requirement_id: int,
    quantity: Decimal,
    reference: str,
    by: User | None,
    now: datetime,
    lot_id: int | None = None,
    unit_ids: Collection[int] = (),
    bin_id: int | None = None,
    still_needed: bool = False,
) -> StockMove:
    """Take back what was issued for a requirement; at most that, and the lot or units issued.

    It lies in the bin, without one in the site's storage. ``still_needed`` (the wrong lot was
    taken) opens the need again, otherwise what came back is free. From a closed work order it
    is a favourable variance of usage. Raise CannotReturn.
    """
    with transaction.atomic():
        for site_id in selectors.sites_of([requirement_id]):
            lock(Lock.SUPPLY, site_id)
        requirement = (
            Requirement.objects.select_for_update(no_key=True, of=("self",))
            .select_related("item")
            .get(pk=requirement_id)
        )
        site_id = requirement.site_id
        issued = selectors.issued_of(requirement=requirement, reference=reference)
        rules.check_can_return(requirement, quantity, issued, lot_id, unit_ids)
        rules.check_still_open(requirement, still_needed=still_needed)
        if bin_id is None:
            bin_id = warehouses.bin_for(site_id=site_id, kind=BinKind.STORAGE).pk
        item_id, one = requirement.item_id, Decimal(1)
        entries = [Entry(bin_id, item_id, one, unit_id=pk) for pk in sorted(unit_ids)]
        if not entries:
            entries = [Entry(bin_id, item_id, quantity, lot_id=lot_id)]
        if still_needed:
            _reopen(requirement, quantity)
        why = Why(MoveKind.RETURN, reference, by, now, is_settled=requirement.is_settled)
        moves = booking.book(entries, why=why)
        arrived = StockMove.objects.get(pk=moves[0])
        reservations.give_free(site_id=site_id, item_ids=[item_id])
        audit.record(action="erp.stock.return", target=arrived, by=by, now=now, reason=reference)
        events.publish(StockReceived(item_id=item_id, site_id=site_id), by=by, now=now)
    return arrived


def _reopen(requirement: Requirement, quantity: Decimal) -> None:
    requirement.issued -= quantity
    if requirement.state == RequirementState.FULFILLED:
        old, new = RequirementState(requirement.state), RequirementState.OPEN
        transitions.check(REQUIREMENT_TRANSITIONS, old=old, new=new)
        requirement.state = new
    requirement.save(update_fields=["issued", "state"])


def to_supplier(
    *,
    source: moving.Where,
    quantity: Decimal,
    reference: str,
    by: User | None,
    now: datetime,
) -> StockMove:
    """Send back what lies somewhere, held or not; raise CannotMove or CannotReturn.

    What is reserved stays: put it into quarantine first, where nobody counts on it.
    """
    with transaction.atomic():
        place = selectors.bin_by_id(source.bin_id)
        site_id = place.warehouse.site_id
        lock(Lock.SUPPLY, site_id)
        rows = moving.taken(source, quantity)
        return _leave(rows, site_id, Why(MoveKind.SUPPLIER, reference, by, now, leaves_as=_GONE))


@dataclass(frozen=True, slots=True)
class Goods:
    """Which of the goods are meant: of tracked ones a lot or serial numbers; and where they lie."""

    lot_number: str = ""
    serials: Sequence[str] = ()
    bin_id: int | None = None


def of_delivery(
    *,
    item_id: int,
    site_id: int,
    reference: str,
    quantity: Decimal,
    goods: Goods,
    price: Decimal | None,
    supplier_id: int | None = None,
    by: User | None,
    now: datetime,
) -> StockMove:
    """Send back what came under a reference, out of quarantine first; return the first move.

    It takes its own price out of the average cost of those that stay. Raise CannotReturn where it
    is not said which lot or which units, or where these came otherwise or do not lie here, and
    CannotMove where it is reserved.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        item = masterdata.items_by_id([item_id])[item_id]
        came = selectors.delivered_of(item_id=item_id, site_id=site_id, reference=reference)
        lots, units = _named(item, goods, came)
        rules.check_which_go_back(item, quantity, goods.serials, came, lots, units)
        rows = (
            StockQuant.objects.select_for_update(no_key=True, of=("self",))
            .filter(item=item_id, bin__warehouse__site=site_id)
            .order_by("-is_held", "since", "pk")
        )
        if goods.bin_id is not None:
            rows = rows.filter(bin=goods.bin_id)
        if units:
            rows = rows.filter(unit__in=units)
        elif lots:
            rows = rows.filter(lot__in=lots)
        taken = selectors.allot(rows, quantity, {})
        missing = quantity - sum((take.quantity for take in taken), ZERO)
        rules.check_lies_here(item, missing)
        paper = Paper(order_number=reference, supplier_id=supplier_id)
        kind = MoveKind.SUPPLIER
        why = Why(kind, reference, by, now, leaves_as=_GONE, price=price, paper=paper)
        return _leave([(take.quant, take.quantity) for take in taken], site_id, why)


def from_customer(
    *,
    item_id: int,
    site_id: int,
    quantity: Decimal,
    reference: str,
    customer_id: int,
    by: User | None,
    now: datetime,
    lot_id: int | None = None,
    unit_ids: Collection[int] = (),
    order_number: str = "",
) -> StockMove:
    """Book in what a customer sends back under a reference (the RMA); return the first move.

    It lies in quarantine, kept from everybody until somebody decides. Raise CannotReturn for
    units that are not with a customer, or more of a lot than was shipped.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        if lot_id is not None:
            # The same lot may come back at another site at this moment.
            identities.lock_lot(lot_id)
        item = masterdata.items_by_id([item_id])[item_id]
        check_came_from_customer(item, quantity, lot_id, unit_ids)
        place = warehouses.bin_for(site_id=site_id, kind=BinKind.QUARANTINE).pk
        one = Decimal(1)
        entries = [Entry(place, item_id, one, unit_id=pk) for pk in sorted(unit_ids)]
        if not entries:
            entries = [Entry(place, item_id, quantity, lot_id=lot_id)]
        paper = Paper(order_number=order_number, customer_id=customer_id)
        why = Why(MoveKind.CUSTOMER, reference, by, now, paper=paper)
        arrived = StockMove.objects.get(pk=booking.book(entries, why=why)[0])
        audit.record(
            action="erp.stock.take_from_customer", target=arrived, by=by, now=now, reason=reference
        )
    return arrived


def back_to_customer(
    *,
    item_id: int,
    site_id: int,
    unit_ids: Collection[int],
    reference: str,
    customer_id: int,
    by: User | None,
    now: datetime,
) -> StockMove:
    """Units that a customer sent in leave for them again; return the first move.

    From wherever they lie, quarantine too: whoever settles the return has decided. Raise
    CannotReturn for a unit that does not lie here.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        rows = list(
            StockQuant.objects.filter(
                unit__in=list(unit_ids), bin__warehouse__site=site_id, quantity__gt=0
            ).order_by("pk")
        )
        item = masterdata.items_by_id([item_id])[item_id]
        rules.check_lies_here(item, Decimal(len(unit_ids) - len(rows)))
        paper = Paper(customer_id=customer_id)
        leaves_as = IdentityState.SHIPPED
        why = Why(MoveKind.SHIPMENT, reference, by, now, leaves_as=leaves_as, paper=paper)
        return _leave([(row, row.quantity) for row in rows], site_id, why)


def _named(
    item: "Item", goods: Goods, came: Mapping[Identity, Decimal]
) -> tuple[list[int], list[int]]:
    """Lots and units that are meant; without a name the only lot that came."""
    if item.tracking == Tracking.SERIAL:
        known = traceability.units_of(item_id=item.pk, numbers=goods.serials)
        rules.check_serials_are_known(item, goods.serials, known)
        return [], [unit.pk for unit in known.values()]
    if item.tracking == Tracking.LOT and goods.lot_number.strip():
        lot = traceability.lot_of(item_id=item.pk, number=goods.lot_number)
        return ([lot.pk] if lot else [0]), []
    return [lot for (lot, _unit), left in came.items() if lot and left > 0], []


def _leave(rows: Sequence[tuple[StockQuant, Decimal]], site_id: int, why: Why) -> StockMove:
    item_id = rows[0][0].item_id
    leaving = sum((share for quant, share in rows if not quant.is_held), ZERO)
    free = selectors.free_stock(site_id=site_id, item_ids=[item_id])[item_id]
    policies.check_may_leave_site(leaving, free)
    moves = booking.book(
        [Entry(q.bin_id, q.item_id, -share, q.lot_id, q.unit_id) for q, share in rows], why=why
    )
    left = StockMove.objects.get(pk=moves[0])
    audit.record(
        action="erp.stock.send_back", target=left, by=why.by, now=why.now, reason=why.reference
    )
    return left
