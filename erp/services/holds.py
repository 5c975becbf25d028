"""A hold keeps lots and units from everybody: not picked, not issued, not shipped, not planned.

So does the end of their life: what expired is set aside by ``set_expired_aside``, each hour.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Q, QuerySet

from common import audit, bulk, events
from common.concurrency import Lock, lock
from common.models import User
from erp import selectors
from erp.enums import BinKind, TransferState
from erp.events import StockReceived, StockWithheld, TransfersChanged
from erp.models import StockBalance, StockQuant, TransferLine
from erp.services import reservations, stagings, supplies
from masterdata import selectors as masterdata
from traceability import selectors as traceability
from traceability.services import identities
from traceability.services.identities import CannotHold

__all__ = ["CannotHold", "hold", "release", "set_expired_aside"]

ZERO = Decimal(0)


def hold(
    *,
    lot_ids: Collection[int] = (),
    unit_ids: Collection[int] = (),
    reason: str,
    by: User | None,
    now: datetime,
) -> list[int]:
    """Keep lots and units from everybody, wherever they lie; return the ids of the holds.

    Several may lie on one.

    What stands ready is ready no more, and who counted on it waits again, the latest due first.
    Raise CannotHold without a reason, or for what is no longer here.
    """
    with transaction.atomic():
        _lock_sites()
        placed = identities.hold(lot_ids=lot_ids, unit_ids=unit_ids, reason=reason, by=by, now=now)
        touched = _mark(_lying(lot_ids, unit_ids).filter(is_held=False), True)
        waiting = supplies.note_held(lot_ids=lot_ids, unit_ids=unit_ids)
        for row in traceability.holds(placed[:1]):
            audit.record(action="erp.stock.hold", target=row, by=by, now=now, reason=reason)
        for item_id, site_id in sorted(touched):
            fact = StockWithheld(item_id=item_id, site_id=site_id)
            events.publish(fact, by=by, now=now)
        _tell_waiting(waiting, by, now)
    return placed


def release(*, hold_ids: Collection[int], reason: str, by: User | None, now: datetime) -> None:
    """Lift holds; what no other hold lies on is free, and goes to those who wait.

    Raise CannotHold without a reason, or for a hold that is lifted already.
    """
    with transaction.atomic():
        _lock_sites()
        lots, units = traceability.things_held(hold_ids)
        lying = {pk for pair in _lying(lots, units).values_list("lot", "unit") for pk in pair if pk}
        free_lots, free_units = identities.release(
            hold_ids=hold_ids,
            lying=lying,
            under_way=_under_way(lots, units),
            reason=reason,
            by=by,
            now=now,
        )
        rows = _lying(free_lots, free_units).filter(is_held=True)
        kept = Q(bin__kind=BinKind.QUARANTINE) | _expired(selectors.days(now=now))
        touched = _mark(rows.exclude(kept), False)
        waiting = supplies.note_held(lot_ids=free_lots, unit_ids=free_units)
        for row in traceability.holds(sorted(hold_ids)[:1]):
            audit.record(action="erp.stock.release", target=row, by=by, now=now, reason=reason)
        for item_id, site_id in sorted(touched):
            reservations.give_free(site_id=site_id, item_ids=[item_id])
            events.publish(StockReceived(item_id=item_id, site_id=site_id), by=by, now=now)
        _tell_waiting(waiting, by, now)


def _tell_waiting(site_ids: Iterable[int], by: User | None, now: datetime) -> None:
    """What is under way to these sites counts no longer, or counts again."""
    for site_id in site_ids:
        events.publish(TransfersChanged(site_id=site_id), by=by, now=now)


def set_expired_aside(*, by: User | None, now: datetime) -> int:
    """Keep what may not be used any more from everybody; return how many places there were.

    At each site since its own midnight; repeating it changes nothing. What stood ready or was
    reserved gives way, as for a hold.
    """
    touched: set[tuple[int, int]] = set()
    places = 0
    with transaction.atomic():
        _lock_sites()
        for site_id, today in sorted(selectors.days(now=now).items()):
            rows = StockQuant.objects.filter(_expired({site_id: today}), is_held=False)
            found = list(rows.select_related("lot", "unit").order_by("pk"))
            ids = [row.pk for row in found]
            touched |= _mark(StockQuant.objects.filter(bulk.among("pk", ids)), True)
            audit.record_many(
                action="erp.stock.expire",
                targets=[thing for row in found if (thing := row.lot or row.unit) is not None],
                by=by,
                now=now,
            )
            places += len(found)
        for item_id, site_id in sorted(touched):
            events.publish(StockWithheld(item_id=item_id, site_id=site_id), by=by, now=now)
    return places


def _expired(days: Mapping[int, date]) -> Q:
    """What lies at a site on whose day it may not be used any more; nothing without a site."""
    found = Q(pk__in=[])
    for site_id, today in days.items():
        found |= Q(bin__warehouse__site=site_id) & (
            Q(lot__expires_on__lt=today) | Q(unit__expires_on__lt=today)
        )
    return found


def _under_way(lot_ids: Collection[int], unit_ids: Collection[int]) -> set[int]:
    lines = TransferLine.objects.filter(
        bulk.either(lot=lot_ids, unit=unit_ids),
        transfer__state__in=TransferState.on_the_way(),
        quantity__gt=F("received") + F("missing"),
    )
    return {pk for pair in lines.values_list("lot", "unit") for pk in pair if pk}


def _lying(lot_ids: Collection[int], unit_ids: Collection[int]) -> QuerySet[StockQuant]:
    return StockQuant.objects.filter(bulk.either(lot=lot_ids, unit=unit_ids))


def _lock_sites() -> None:
    """All sites: where a lot lies may change, and more of it may arrive anywhere, until then.

    To look first and to lock what was found would miss what moves in between.
    """
    for site_id in masterdata.site_ids():
        lock(Lock.SUPPLY, site_id)


def _mark(rows: QuerySet[StockQuant], is_held: bool) -> set[tuple[int, int]]:
    """Hold the quants or free them, and what the balances count; return (item, site) of them."""
    found = list(
        rows.select_for_update(no_key=True, of=("self",))
        .order_by("pk")
        .values_list("pk", "item_id", "bin__warehouse__site_id", "quantity")
    )
    totals: dict[tuple[int, int], Decimal] = {}
    for _pk, item_id, site_id, quantity in found:
        totals[item_id, site_id] = totals.get((item_id, site_id), ZERO) + quantity
    ids = [pk for pk, *_rest in found]
    if is_held:
        stagings.clear(quant_ids=ids)
        for (item_id, site_id), quantity in sorted(totals.items()):
            reservations.give_way(item_id=item_id, site_id=site_id, leaving=quantity)
    StockQuant.objects.filter(bulk.among("pk", ids)).update(is_held=is_held)
    sign = 1 if is_held else -1
    for (item_id, site_id), quantity in sorted(totals.items()):
        StockBalance.objects.filter(item=item_id, site=site_id).update(
            held=F("held") + sign * quantity
        )
    return set(totals)
