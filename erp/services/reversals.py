"""Output that was booked in by mistake leaves again: the same bin, the same lot, the same units."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.concurrency import Lock, lock
from common.models import User
from erp import policies
from erp.enums import MoveKind
from erp.models import StockBalance, StockMove, StockQuant
from erp.policies import CannotAdjust
from erp.services import booking
from erp.services.booking import Entry, Why
from traceability.enums import IdentityState

__all__ = ["CannotAdjust", "take_back_output"]

ZERO = Decimal(0)


def take_back_output(
    *,
    item_id: int,
    site_id: int,
    quantity: Decimal,
    reference: str,
    made_at: datetime,
    by: User | None,
    now: datetime,
) -> StockMove:
    """Reverse what was booked in from production under the reference at that moment.

    Return the first move. Raise CannotAdjust where it is reserved, was moved elsewhere or is held.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        balance = (
            StockBalance.objects.select_for_update(no_key=True, of=("self",))
            .select_related("item")
            .get(item_id=item_id, site_id=site_id)
        )
        policies.check_can_adjust(balance, -quantity, reference)
        entries = _entries(item_id, site_id, quantity, reference, made_at)
        # A number that was given is given for life: what is made again gets another one.
        why = Why(MoveKind.PRODUCTION, reference, by, now, leaves_as=IdentityState.SCRAPPED)
        move = StockMove.objects.get(pk=booking.book(entries, why=why)[0])
        audit.record(action="erp.stock.take_back", target=move, by=by, now=now, reason=reference)
    return move


def _entries(
    item_id: int, site_id: int, quantity: Decimal, reference: str, made_at: datetime
) -> list[Entry]:
    came = StockMove.objects.filter(
        item_id=item_id,
        site_id=site_id,
        kind=MoveKind.PRODUCTION,
        reference=reference[:60],
        at=made_at,
        quantity__gt=0,
    )
    entries: list[Entry] = []
    for move in came.order_by("-pk"):
        share = min(quantity, move.quantity)
        place: dict[str, Any] = {"lot_id": move.lot_id, "unit_id": move.unit_id}
        quants = StockQuant.objects.filter(bin_id=move.bin_id, item_id=item_id, **place)
        lies = quants.first()
        if share <= 0:
            break
        if lies is None or lies.is_held or lies.quantity - lies.staged < share:
            break
        entries.append(Entry(move.bin_id, item_id, -share, move.lot_id, move.unit_id))
        quantity -= share
    if quantity > 0:
        raise CannotAdjust(_("It does not lie where it was made any more, or is held."))
    return entries
