"""Goods change their place inside a site: put away, pick, stage to a work order, quarantine.

To another site they go by ``erp.services.transfers``.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from common import audit, events, numbers
from common.concurrency import Lock, lock
from common.models import User
from erp import policies, selectors
from erp.enums import BinKind, MoveKind
from erp.events import StockReceived, StockWithheld
from erp.models import Bin, Requirement, StockMove, StockQuant
from erp.policies import CannotMove, CannotStage
from erp.policies_quarantine import check_may_leave_quarantine
from erp.selectors import Take
from erp.services import booking, reservations, stagings, warehouses
from erp.services.booking import Entry, Why
from masterdata import selectors as masterdata
from masterdata.enums import Tracking

__all__ = ["CannotMove", "CannotStage", "Where", "move", "stage", "taken", "unstage"]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Where:
    """What lies in a bin: an item, and its lot or its units where it is tracked."""

    bin_id: int
    item_id: int
    lot_id: int | None = None
    unit_ids: Collection[int] = ()


def move(
    *,
    source: Where,
    to_bin_id: int,
    quantity: Decimal,
    by: User | None,
    now: datetime,
    kind: MoveKind = MoveKind.TRANSFER,
    reason: str = "",
) -> StockMove:
    """Bring a quantity from where it lies into another bin of the site.

    What is staged stays. Into quarantine it is kept from everybody, and who counted on it waits
    again, the latest due first; out of it, it is free, and only quality may bring it there.
    Return the move that brought it. Raise CannotMove with the reason.
    """
    with transaction.atomic():
        start, end = selectors.bin_by_id(source.bin_id), selectors.bin_by_id(to_bin_id)
        site_id = start.warehouse.site_id
        lock(Lock.SUPPLY, site_id)
        policies.check_can_move(start, end, quantity)
        check_may_leave_quarantine(start, end, by)
        rows = taken(source, quantity)
        if end.kind == BinKind.QUARANTINE:
            _make_room(rows, site_id, quantity)
        document = numbers.take("TR", now=now)
        why = Why(kind, reason or document, by, now, document=document)
        moves = booking.book(_entries(rows, to_bin_id), why=why)
        arrived = StockMove.objects.get(pk=moves[-1])
        audit.record(action="erp.stock.move", target=arrived, by=by, now=now, reason=reason)
        if start.kind == BinKind.QUARANTINE:
            reservations.give_free(site_id=site_id, item_ids=[source.item_id])
            fact = StockReceived(item_id=source.item_id, site_id=site_id)
            events.publish(fact, by=by, now=now)
        if end.kind == BinKind.QUARANTINE:
            withheld = StockWithheld(item_id=source.item_id, site_id=site_id)
            events.publish(withheld, by=by, now=now)
    return arrived


def stage(
    *,
    requirement_id: int,
    quantity: Decimal,
    by: User | None,
    now: datetime,
    kind: MoveKind = MoveKind.STAGE,
    lot_id: int | None = None,
    unit_ids: Collection[int] = (),
    bin_id: int | None = None,
    to_bin_id: int | None = None,
) -> None:
    """Bring reserved stock to where it is used, and keep just that for the requirement.

    To the site's staging bin, or for a pick (``kind=MoveKind.PICK``) to the shipping bin, if no
    bin is named. Lot, units or bin name what was scanned; else what expires first is taken. An
    issue or a shipment then takes what stands ready. Raise CannotStage with the reason.
    """
    with transaction.atomic():
        for site_id in selectors.sites_of([requirement_id]):
            lock(Lock.SUPPLY, site_id)
        requirement = (
            Requirement.objects.select_for_update(no_key=True, of=("self",))
            .select_related("item")
            .get(pk=requirement_id)
        )
        policies.check_can_stage(requirement, quantity, _unstaged(requirement_id))
        target = _target(requirement.site_id, kind, to_bin_id)
        on = selectors.today(site_id=requirement.site_id, now=now)
        policies.check_named(requirement, lot_id, unit_ids, on)
        takes = selectors.choose(
            site_id=requirement.site_id,
            item_id=requirement.item_id,
            tracking=requirement.item.tracking,
            quantity=quantity,
            on=on,
            lot_id=lot_id,
            unit_ids=unit_ids,
            bin_id=bin_id,
        )
        missing = quantity - sum((take.quantity for take in takes), ZERO)
        named = bool(lot_id or unit_ids or bin_id)
        policies.check_enough_to_stage(requirement, missing, is_named=named)
        document = numbers.take("TR", now=now)
        why = Why(kind, requirement.reference, by, now, document=document)
        _bring(takes, requirement, target, why)
        audit.record(action="erp.stock.stage", target=requirement, by=by, now=now, reason=document)


def unstage(*, requirement_id: int, by: User | None, now: datetime) -> None:
    """What stood ready for the requirement stays where it is and is promised to nobody there."""
    with transaction.atomic():
        for site_id in selectors.sites_of([requirement_id]):
            lock(Lock.SUPPLY, site_id)
        requirement = Requirement.objects.select_for_update(no_key=True).get(pk=requirement_id)
        stagings.trim({requirement_id: ZERO})
        audit.record(action="erp.stock.unstage", target=requirement, by=by, now=now)


def _unstaged(requirement_id: int) -> Decimal:
    """What is reserved for the requirement and does not stand ready yet."""
    ready = sum((row.quantity for row in selectors.stagings([requirement_id])), ZERO)
    return selectors.reserved_quantities([requirement_id])[requirement_id] - ready


def taken(source: Where, quantity: Decimal) -> list[tuple[StockQuant, Decimal]]:
    """The quants to take from, locked; raise CannotMove where so much does not lie there free."""
    rows = (
        StockQuant.objects.select_for_update(no_key=True, of=("self",))
        .filter(bin=source.bin_id, item=source.item_id)
        .order_by("pk")
    )
    if source.unit_ids:
        rows = rows.filter(unit__in=list(source.unit_ids))
    elif source.lot_id:
        rows = rows.filter(lot=source.lot_id)
    found: list[tuple[StockQuant, Decimal]] = []
    left = quantity
    kinds = set()
    is_rest = False
    for quant in rows:
        free = quant.quantity - quant.staged
        share = min(left, free)
        is_rest = is_rest or share < free
        if share > 0:
            found.append((quant, share))
            kinds.add(quant.lot_id)
            left -= share
    item = masterdata.items_by_id([source.item_id])[source.item_id]
    policies.check_enough_to_move(item.code, quantity, left)
    if item.tracking == Tracking.LOT and len(kinds) > 1:
        policies.refuse_several_lots(item)
    if item.tracking == Tracking.SERIAL and not source.unit_ids and is_rest:
        policies.refuse_several_units(item)
    return found


def _make_room(rows: Sequence[tuple[StockQuant, Decimal]], site_id: int, quantity: Decimal) -> None:
    """Let reservations go that quarantine takes the ground from."""
    leaving = quantity - sum((share for quant, share in rows if quant.is_held), ZERO)
    if leaving > 0:
        reservations.give_way(item_id=rows[0][0].item_id, site_id=site_id, leaving=leaving)


def _entries(rows: Iterable[tuple[StockQuant, Decimal]], to_bin_id: int) -> list[Entry]:
    entries = []
    for quant, share in rows:
        item, lot, unit = quant.item_id, quant.lot_id, quant.unit_id
        entries.append(Entry(quant.bin_id, item, -share, lot, unit))
        entries.append(Entry(to_bin_id, item, share, lot, unit))
    return entries


def _target(site_id: int, kind: MoveKind, to_bin_id: int | None) -> Bin:
    if to_bin_id is not None:
        return policies.check_target(selectors.bin_by_id(to_bin_id), site_id)
    wanted = BinKind.SHIPPING if kind == MoveKind.PICK else BinKind.STAGING
    return warehouses.bin_for(site_id=site_id, kind=wanted)


def _bring(takes: Sequence[Take], requirement: Requirement, target: Bin, why: Why) -> None:
    """Move what is not there yet, and promise it all in the target bin."""
    away = [(take.quant, take.quantity) for take in takes if take.quant.bin_id != target.pk]
    if away:
        booking.book(_entries(away, target.pk), why=why)
    there = {
        (quant.lot_id, quant.unit_id): quant.pk
        for quant in StockQuant.objects.filter(bin=target, item=requirement.item_id)
    }
    totals: dict[int, Decimal] = {}
    for take in takes:
        quant = there[take.quant.lot_id, take.quant.unit_id]
        totals[quant] = totals.get(quant, ZERO) + take.quantity
    stagings.add((requirement.pk, quant, quantity) for quant, quantity in totals.items())
