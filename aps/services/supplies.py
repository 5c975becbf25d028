"""What a promise may count on besides new work: free stock, free output, what comes."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from erp import selectors as erp
from masterdata.services import calendars
from mes import selectors as mes

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Lot:
    """A quantity that will be free from a minute on; ``reference`` names its document."""

    quantity: Decimal
    at: int
    reference: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What was found for a need: the rest has to be made or bought."""

    from_stock: Decimal
    # The last lot used, None where stock was enough.
    last: Lot | None
    rest: Decimal


@dataclass
class Supplies:
    """Free quantities by item id; taking from them is how lines compete."""

    stock: dict[int, Decimal] = field(default_factory=dict)
    # Output of work orders, or open purchase order lines; the earliest first.
    lots: dict[int, list[Lot]] = field(default_factory=dict)
    # Free output that the live schedule has no time for yet: not counted on.
    unplanned: dict[int, Decimal] = field(default_factory=dict)

    def copy(self) -> "Supplies":
        """An independent copy to try something with."""
        return Supplies(dict(self.stock), dict(self.lots), self.unplanned)

    def take(self, item_id: int, quantity: Decimal) -> Taken:
        """Take from stock first, then from what comes the earliest."""
        from_stock = min(quantity, self.stock.get(item_id, ZERO))
        if from_stock:
            self.stock[item_id] -= from_stock
        rest, last = quantity - from_stock, None
        lots = list(self.lots.get(item_id, ()))
        while rest > 0 and lots:
            last = lots.pop(0)
            used = min(rest, last.quantity)
            rest -= used
            if used < last.quantity:
                lots.insert(0, Lot(last.quantity - used, last.at, last.reference))
        if last is not None:
            self.lots[item_id] = lots
        return Taken(from_stock, last, rest)


def read(
    *, site_id: int, made: Collection[int], bought: Collection[int], now: datetime
) -> Supplies:
    """What is free of these items; a constant number of queries."""
    supplies = Supplies(stock=erp.free_stock(site_id=site_id, item_ids=[*made, *bought]))
    free = {pk: supplies.stock[pk] for pk in made}
    for owed in mes.owed(site_id=site_id, now=now, free=free):
        supplies.stock[owed.item_id] -= owed.quantity
    minute = calendars.to_minutes_up(now)
    for output in mes.free_output(site_id=site_id, item_ids=made):
        if output.planned_ends_at is None:
            before = supplies.unplanned.get(output.item_id, ZERO)
            supplies.unplanned[output.item_id] = before + output.quantity
            continue
        at = max(minute, calendars.to_minutes_up(output.planned_ends_at))
        lot = Lot(output.quantity, at, output.number)
        supplies.lots.setdefault(output.item_id, []).append(lot)
    for row in mes.transit(site_id=site_id, now=now, item_ids=made).free:
        lot = Lot(row.quantity, calendars.to_minutes_up(row.at), row.reference)
        supplies.lots.setdefault(row.item_id, []).append(lot)
    _read_purchases(supplies, site_id, bought, now)
    for lots in supplies.lots.values():
        lots.sort(key=lambda lot: lot.at)
    return supplies


def _read_purchases(
    supplies: Supplies, site_id: int, bought: Collection[int], now: datetime
) -> None:
    """What is on order and not needed by those who wait already; they were first."""
    waiting: dict[int, Decimal] = {}
    for need in erp.waiting(site_id=site_id, item_ids=bought):
        waiting[need.item_id] = waiting.get(need.item_id, ZERO) + need.quantity
    for line in erp.incoming(site_id=site_id, now=now, item_ids=bought):
        gone = min(line.quantity, waiting.get(line.item_id, ZERO))
        if gone:
            waiting[line.item_id] -= gone
        if line.quantity > gone:
            lot = Lot(line.quantity - gone, calendars.to_minutes_up(line.at), line.reference)
            supplies.lots.setdefault(line.item_id, []).append(lot)
