"""What was issued comes back; what was delivered goes back to its supplier."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from common import audit, events, transitions
from common.concurrency import Lock, lock
from common.models import User
from erp import policies, selectors
from erp.enums import REQUIREMENT_TRANSITIONS, BinKind, MoveKind, RequirementState
from erp.events import StockReceived
from erp.models import Requirement, StockMove
from erp.policies import CannotReturn
from erp.services import booking, moving, reservations, warehouses
from erp.services.booking import Entry, Why
from traceability.enums import IdentityState

__all__ = ["CannotReturn", "from_work_order", "to_supplier"]

ZERO = Decimal(0)


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
    taken) opens the need again, otherwise what came back is free. Raise CannotReturn.
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
        policies.check_can_return(requirement, quantity, issued, lot_id, unit_ids)
        if bin_id is None:
            bin_id = warehouses.bin_for(site_id=site_id, kind=BinKind.STORAGE).pk
        item_id, one = requirement.item_id, Decimal(1)
        entries = [Entry(bin_id, item_id, one, unit_id=pk) for pk in sorted(unit_ids)]
        if not entries:
            entries = [Entry(bin_id, item_id, quantity, lot_id=lot_id)]
        if still_needed:
            _reopen(requirement, quantity)
        moves = booking.book(entries, why=Why(MoveKind.RETURN, reference, by, now))
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
        leaving = sum((share for quant, share in rows if not quant.is_held), ZERO)
        free = selectors.free_stock(site_id=site_id, item_ids=[source.item_id])[source.item_id]
        policies.check_may_leave_site(leaving, free)
        why = Why(MoveKind.SUPPLIER, reference, by, now, leaves_as=IdentityState.RETURNED)
        moves = booking.book(
            [Entry(q.bin_id, q.item_id, -share, q.lot_id, q.unit_id) for q, share in rows], why=why
        )
        left = StockMove.objects.get(pk=moves[0])
        audit.record(action="erp.stock.send_back", target=left, by=by, now=now, reason=reference)
    return left
