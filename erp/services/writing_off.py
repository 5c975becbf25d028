"""What lies in the store and is good for nothing, or is another item from now on, leaves it."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from common import audit, events
from common.concurrency import Lock, lock
from common.models import User
from erp import policies, selectors
from erp.enums import MoveKind
from erp.events import StockWithheld
from erp.models import StockMove
from erp.policies import CannotMove
from erp.services import booking, moving
from erp.services.booking import Entry, Why
from traceability.enums import IdentityState

__all__ = ["CannotMove", "write_off"]


def write_off(
    *,
    source: moving.Where,
    quantity: Decimal,
    reference: str,
    by: User | None,
    now: datetime,
    kind: MoveKind = MoveKind.SCRAP,
) -> StockMove:
    """Book out what lies somewhere, held or not; return the first move.

    What is reserved and not held stays: hold it first, then nobody counts on it.
    Raise CannotMove with the reason.
    """
    with transaction.atomic():
        site_id = selectors.bin_by_id(source.bin_id).warehouse.site_id
        lock(Lock.SUPPLY, site_id)
        rows = moving.taken(source, quantity)
        leaving = sum((share for quant, share in rows if not quant.is_held), Decimal(0))
        free = selectors.free_stock(site_id=site_id, item_ids=[source.item_id])[source.item_id]
        policies.check_may_leave_site(leaving, free)
        why = Why(kind, reference, by, now, leaves_as=IdentityState.SCRAPPED)
        moves = booking.book(
            [Entry(q.bin_id, q.item_id, -share, q.lot_id, q.unit_id) for q, share in rows], why=why
        )
        left = StockMove.objects.get(pk=moves[0])
        audit.record(action="erp.stock.write_off", target=left, by=by, now=now, reason=reference)
        fact = StockWithheld(item_id=source.item_id, site_id=site_id)
        events.publish(fact, by=by, now=now)
    return left
