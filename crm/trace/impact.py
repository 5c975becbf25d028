"""What a suspect reached: three lists of units, and the lots, with certain and possible apart."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from crm.enums_trace import WHEREABOUTS, Whereabouts, states_of
from erp import selectors as erp
from masterdata import selectors as masterdata
from traceability import selectors as ledger
from traceability.enums import DocumentKind, IdentityState

if TYPE_CHECKING:
    from masterdata.models import Customer, Item
    from traceability.models import Document, Lot

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Count:
    """So many surely concerned, so many perhaps."""

    confirmed: int = 0
    possible: int = 0

    @property
    def total(self) -> int:
        return self.confirmed + self.possible

    def __add__(self, other: "Count") -> "Count":
        return Count(self.confirmed + other.confirmed, self.possible + other.possible)


@dataclass
class Row:
    """A line of a list: a customer and an item, or a state and an item."""

    item: "Item"
    customer: "Customer | None" = None
    state: IdentityState | None = None
    count: Count = Count()
    documents: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts: by list, and the lines of each list; their sums are equal."""

    total: Count
    by_list: dict[Whereabouts, Count]
    rows: dict[Whereabouts, list[Row]]
    customers: int

    def row_sum(self, where: Whereabouts) -> Count:
        """The lines of a list together."""
        return sum((row.count for row in self.rows[where]), Count())


def summary(start: ledger.Start) -> Summary:
    """Count what the start reached; each distinct unit is in one line of one list."""
    groups = ledger.groups_reached(start)
    papers = ledger.documents({g.document_id for g in groups if g.document_id is not None})
    items = masterdata.items_by_id({group.item_id for group in groups})
    by_list = dict.fromkeys(Whereabouts, Count())
    rows: dict[Whereabouts, dict[tuple[object, ...], Row]] = {where: {} for where in Whereabouts}
    for group in groups:
        where = WHEREABOUTS[group.state]
        one = Count(group.units, 0) if group.is_confirmed else Count(0, group.units)
        by_list[where] += one
        paper = papers.get(group.document_id or 0)
        row = _row(rows[where], where, group, items[group.item_id], paper)
        row.count += one
        if where == Whereabouts.SHIPPED and group.document_id is not None:
            row.documents.add(group.document_id)
    told = {where: sorted(found.values(), key=_order) for where, found in rows.items()}
    customers = {row.customer.pk for row in told[Whereabouts.SHIPPED] if row.customer}
    return Summary(sum(by_list.values(), Count()), by_list, told, len(customers))


def _row(
    rows: dict[tuple[object, ...], Row],
    where: Whereabouts,
    group: ledger.Group,
    item: "Item",
    paper: "Document | None",
) -> Row:
    if where == Whereabouts.SHIPPED:
        customer = paper.customer if paper else None
        key: tuple[object, ...] = (customer.pk if customer else None, item.pk)
        return rows.setdefault(key, Row(item, customer=customer))
    return rows.setdefault((group.state, item.pk), Row(item, state=group.state))


def _order(row: Row) -> tuple[object, ...]:
    return (-row.count.total, row.customer.code if row.customer else "", row.item.code)


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit of a list."""

    unit: ledger.ReachedUnit
    item: "Item"
    document: "Document | None"
    host: str


def unit_rows(
    start: ledger.Start, *lists: Whereabouts, limit: int | None = None, offset: int = 0
) -> list[UnitRow]:
    """Units of these lists with what is known of them; the surely concerned first."""
    states = [state for where in lists for state in states_of(where)]
    found = list(ledger.rows_reached(start, states=states, limit=limit, offset=offset))
    items = masterdata.items_by_id({unit.item_id for unit in found})
    papers = ledger.documents({u.document_id for u in found if u.document_id is not None})
    hosts = ledger.numbers({unit.host_id for unit in found if unit.host_id is not None})
    return [
        UnitRow(
            unit,
            items[unit.item_id],
            papers.get(unit.document_id or 0),
            hosts.get(unit.host_id or 0, ""),
        )
        for unit in found
    ]


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot that the cause reached: what of it lies here and what left, in the item's unit."""

    lot: "Lot"
    is_confirmed: bool
    is_suspect: bool
    on_hand: Decimal
    shipped: Decimal
    customers: tuple[str, ...]

    @property
    def is_stoppable(self) -> bool:
        return WHEREABOUTS[IdentityState(self.lot.state)] == Whereabouts.STOPPABLE


def lot_rows(start: ledger.Start) -> list[LotRow]:
    """The lots reached, suspected ones first; so many queries however many they are."""
    reached = ledger.lots_reached(start)
    lots = ledger.lots(reached)
    on_hand = erp.on_hand_of_lots(reached.keys())
    shipped: dict[int, Decimal] = {}
    customers: dict[int, set[str]] = {}
    for row in ledger.custodies_of(reached.keys()):
        if row.document.kind == DocumentKind.SHIPMENT:
            shipped[row.thing] = shipped.get(row.thing, ZERO) + row.quantity
            if row.document.customer:
                customers.setdefault(row.thing, set()).add(row.document.customer.label)
        elif row.document.kind == DocumentKind.RETURN:
            shipped[row.thing] = shipped.get(row.thing, ZERO) - row.quantity
    found = [
        LotRow(
            lot=lot,
            is_confirmed=reached[pk],
            is_suspect=pk in start.lots,
            on_hand=on_hand.get(pk, ZERO),
            shipped=shipped.get(pk, ZERO),
            customers=tuple(sorted(customers.get(pk, ()))),
        )
        for pk, lot in lots.items()
    ]
    return sorted(found, key=lambda r: (not r.is_suspect, not r.is_stoppable, -r.lot.pk))


def items_reached(found: Summary, lots: Iterable[LotRow]) -> "list[Item]":
    """Each item that the cause reached: what customers have or may get before what is inside it."""
    outside = (Whereabouts.SHIPPED, Whereabouts.STOPPABLE)
    rows = [row for where in outside for row in found.rows[where]]
    counts: dict[int, int] = {}
    for row in rows:
        counts[row.item.pk] = counts.get(row.item.pk, 0) + row.count.total
    rows.sort(key=lambda row: -counts[row.item.pk])
    items = [row.item for row in rows]
    items += [row.item for row in found.rows[Whereabouts.GONE]]
    items += [row.lot.item for row in lots]
    return list({item.pk: item for item in items}.values())


def stoppable(start: ledger.Start) -> tuple[list[int], list[int]]:
    """Ids of the lots and of the units that are still in our hands."""
    lots = [row.lot.pk for row in lot_rows(start) if row.is_stoppable]
    states = states_of(Whereabouts.STOPPABLE)
    return sorted(lots), sorted(unit.pk for unit in ledger.rows_reached(start, states=states))


def export_rows(start: ledger.Start) -> list[UnitRow]:
    """Every unit, list by list, for a file."""
    order = {state: place for place, where in enumerate(Whereabouts) for state in states_of(where)}
    return sorted(unit_rows(start, *Whereabouts), key=lambda row: order[row.unit.state])
