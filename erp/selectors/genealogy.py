"""What the genealogy asks of the store: what a work order used and made, and where a lot is now."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from erp.enums import MoveKind
from erp.models import StockMove, StockQuant
from traceability import selectors as traceability
from traceability.enums import DocumentKind, EventKind

ZERO = Decimal(0)
# As the index of these moves says it.
_NUMBERED = Q(lot__isnull=False) | Q(unit__isnull=False)


@dataclass(frozen=True, slots=True)
class Used:
    """So much of a lot, or a unit, went to a work order; below zero: it came back."""

    move_id: int
    item_id: int
    quantity: Decimal
    at: datetime
    is_backflush: bool
    lot_id: int | None = None
    unit_id: int | None = None


def used_by(
    *, reference: str, site_id: int, backflushed: Collection[int], since: int
) -> list[Used]:
    """What with a number went to the work order and may be in what it makes now, in order.

    Units that are inside something are left out. Of ``backflushed`` items only the lots that moves
    after ``since`` took; where they took none, all of them (a query more).
    """
    moves = _used_by(reference, site_id)
    moves = moves.exclude(traceability.is_inside("unit_id"))
    before = Q(item__in=backflushed, unit__isnull=True, pk__lte=since)
    found = _rows(moves.exclude(before))
    unknown = set(backflushed) - {row.item_id for row in found}
    if unknown:
        found = sorted(found + _rows(moves.filter(before, item__in=unknown)), key=_by_move)
    return found


def _by_move(row: Used) -> int:
    return row.move_id


def _rows(moves: QuerySet[StockMove]) -> list[Used]:
    return [
        Used(pk, item, -quantity, at, kind == MoveKind.BACKFLUSH, lot, unit)
        for pk, item, quantity, at, kind, lot, unit in moves.order_by("pk").values_list(
            "pk", "item_id", "quantity", "at", "kind", "lot_id", "unit_id"
        )
    ]


def output_of(move: StockMove) -> list[tuple[int, Decimal]]:
    """The lot, or the units, that came in with the move (its first), in their order."""
    return _made(move.reference, move.item_id, move.site_id, Q(pk__gte=move.pk))


def output_at(
    *, reference: str, item_id: int, site_id: int, at: datetime
) -> list[tuple[int, Decimal]]:
    """The lot, or the units, that the work order made at that moment."""
    return _made(reference, item_id, site_id, Q(at=at, quantity__gt=0))


def made_by(*, reference: str, item_id: int, site_id: int) -> list[int]:
    """The lots or units that the work order made and that were not taken back, in their order."""
    left: dict[int, Decimal] = {}
    for thing, quantity in _made(reference, item_id, site_id, Q()):
        left[thing] = left.get(thing, ZERO) + quantity
    return [thing for thing, quantity in left.items() if quantity > 0]


def _made(reference: str, item_id: int, site_id: int, which: Q) -> list[tuple[int, Decimal]]:
    made = {"item": item_id, "site": site_id, "kind": MoveKind.PRODUCTION, "reference": reference}
    moves = StockMove.objects.filter(which, _NUMBERED, **made)
    rows = moves.order_by("pk").values_list("lot_id", "unit_id", "quantity")
    return [(lot or unit, quantity) for lot, unit, quantity in rows]


@dataclass(frozen=True, slots=True)
class HeldPart:
    """A lot or unit on hold that a work order has in it, and why."""

    number: str
    reason: str


def held_in(*, reference: str, site_id: int) -> list[HeldPart]:
    """What the work order has used that is on hold; one query where nothing is."""
    moves = _used_by(reference, site_id)
    open_holds = list(
        traceability.open_holds().filter(
            Q(lot__in=moves.values("lot")) | Q(unit__in=moves.values("unit"))
        )
    )
    if not open_holds:
        return []
    there = {
        (lot, unit)
        for lot, unit, total in moves.order_by()
        .values_list("lot", "unit")
        .annotate(total=Sum("quantity"))
        if total < 0
    }
    return [
        HeldPart(str(hold.lot or hold.unit), hold.reason)
        for hold in open_holds
        if (hold.lot_id, hold.unit_id) in there
    ]


def _used_by(reference: str, site_id: int) -> QuerySet[StockMove]:
    return StockMove.objects.filter(
        _NUMBERED, site=site_id, reference=reference, kind__in=MoveKind.on_orders()
    )


@dataclass(frozen=True, slots=True)
class LotBalance:
    """Where a lot went: received = consumed + on hand + scrapped + shipped + … + difference."""

    # Delivered, made, there at the start, or come out of other lots.
    received: Decimal
    # Net of what work orders brought back.
    consumed: Decimal
    # Net of what customers sent back.
    shipped: Decimal
    sent_back: Decimal
    scrapped: Decimal
    in_transit: Decimal
    # Split off, or put together with others.
    relabelled: Decimal
    # What counts and corrections found (below zero: missed).
    counted: Decimal
    on_hand: Decimal

    @property
    def difference(self) -> Decimal:
        """What is neither here nor gone anywhere that somebody named."""
        gone = self.consumed + self.shipped + self.sent_back + self.scrapped + self.in_transit
        return self.received - gone - self.relabelled - self.on_hand

    @property
    def unexplained(self) -> Decimal:
        """The part of the difference that no count explains: the books contradict the ledger."""
        return self.difference + self.counted


_E, _D = EventKind, DocumentKind
# Which figure a handover counts in, and how.
_FIGURES: dict[tuple[EventKind, DocumentKind], tuple[str, int]] = {
    (_E.RECEIPT, _D.RECEIPT): ("received", 1),
    (_E.RECEIPT, _D.OPENING): ("received", 1),
    (_E.RECEIPT, _D.WORK_ORDER): ("received", 1),
    (_E.CORRECTION, _D.WORK_ORDER): ("received", -1),
    (_E.ISSUE, _D.WORK_ORDER): ("consumed", 1),
    (_E.RETURN, _D.WORK_ORDER): ("consumed", -1),
    (_E.SHIPMENT, _D.SHIPMENT): ("shipped", 1),
    (_E.RETURN, _D.RETURN): ("shipped", -1),
    (_E.RETURN, _D.SUPPLIER_RETURN): ("sent_back", 1),
    (_E.SCRAP, _D.SCRAP): ("scrapped", 1),
    (_E.SHIPMENT, _D.TRANSFER): ("in_transit", 1),
    (_E.RECEIPT, _D.TRANSFER): ("in_transit", -1),
    (_E.RECEIPT, _D.COUNT): ("counted", 1),
    (_E.SCRAP, _D.COUNT): ("counted", -1),
    (_E.SPLIT, _D.LOT_OUT): ("relabelled", 1),
    (_E.MERGE, _D.LOT_OUT): ("relabelled", 1),
    (_E.SPLIT, _D.LOT_IN): ("received", 1),
    (_E.MERGE, _D.LOT_IN): ("received", 1),
}


def lot_balance(lot_id: int) -> LotBalance:
    """The mass balance of a lot, over all sites; two queries."""
    names = [each.name for each in fields(LotBalance) if each.name != "on_hand"]
    figures = dict.fromkeys(names, ZERO)
    for row in traceability.handed_over([lot_id])[lot_id]:
        if (row.event, row.document) == (_E.SCRAP, _D.TRANSFER):
            # Sent and never arrived: it is under way no more, and nobody knows where it is.
            figures["in_transit"] -= row.quantity
            figures["counted"] -= row.quantity
            continue
        name, sign = _FIGURES[row.event, row.document]
        figures[name] += sign * row.quantity
    lies = StockQuant.objects.filter(lot=lot_id).aggregate(total=Sum("quantity"))["total"]
    return LotBalance(**figures, on_hand=lies or ZERO)
