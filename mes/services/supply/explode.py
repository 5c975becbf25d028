"""From demands to lots, level by level, in memory: nothing is read or written here.

All demand of an item, over all levels, is gathered before its lots are formed (low-level codes):
first free stock, then what comes from other sites, then free output of open work orders, then new
work orders by the lot policy.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from masterdata.enums import LotPolicy
from masterdata.selectors import ItemStructure
from masterdata.services import lots
from mes.services.supply.book import Book, GrowingOrder

ZERO = Decimal(0)
# Work orders that the needs of a fixed-lot item may become in one run, besides one for each need.
MOST_LOTS = 200


@dataclass(slots=True, eq=False)
class Need:
    """A quantity of an item that somebody waits for, and what was found for it."""

    item_id: int
    quantity: Decimal
    due_at: datetime
    priority: int
    # Of an existing requirement; a new one hangs at its material.
    requirement_id: int | None = None
    parent: "DraftOrder | None" = None
    reserved: Decimal = ZERO
    # To be made though nobody waits for it: neither stock nor open work orders will do.
    for_stock: bool = False


@dataclass(slots=True, eq=False)
class DraftMaterial:
    """A frozen BOM line; ``quantity`` is the new whole of its requirement."""

    position: int
    item_id: int
    quantity_per: Decimal
    scrap_rate: Decimal
    quantity: Decimal
    need: Need
    requirement_id: int | None = None


@dataclass(slots=True, eq=False)
class DraftOrder:
    """A work order to be made, or with ``grows`` an existing one with its new figures."""

    item: ItemStructure
    quantity: Decimal
    output: Decimal
    due_at: datetime
    priority: int
    pegs: list[tuple[Need, Decimal]]
    free: Decimal
    period_date: date | None = None
    grows: GrowingOrder | None = None
    # Once it is written.
    order_id: int | None = None
    materials: list[DraftMaterial] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Explosion:
    """The answer: work orders to make or grow, shares of open ones, stock to reserve."""

    orders: list[DraftOrder] = field(default_factory=list)
    # Open work order id, need, quantity: free output that is taken.
    taken: list[tuple[int, Need, Decimal]] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    # By requirement id: stock for those who waited before.
    owed: dict[int, Decimal] = field(default_factory=dict)
    # The need that cannot be made, and why.
    failures: list[tuple[Need, str]] = field(default_factory=list)


class Exploder:
    """One run over a book; the book stays as it was."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._stock = dict(book.stock)
        # Open work orders, and lots of this run, with output that nobody needs yet.
        self._open = {
            item_id: {output.work_order_id: output.quantity for output in outputs}
            for item_id, outputs in book.outputs.items()
        }
        self._coming = dict(book.coming)
        self._surplus: dict[int, list[DraftOrder]] = {}
        self._growing = dict(book.growing)
        self._waiting: dict[int, list[Need]] = {}
        self._queue: list[tuple[int, int]] = []
        self._result = Explosion(owed=dict(book.owed))

    def run(self, needs: Iterable[Need]) -> Explosion:
        """Cover the needs over all levels."""
        self._ask(needs)
        while self._queue:
            item_id = heapq.heappop(self._queue)[1]
            gathered = self._waiting.pop(item_id)
            gathered.sort(key=lambda need: (need.due_at, -need.priority))
            left = self._from_stock(item_id, gathered)
            left = self._from_open(item_id, self._from_transit(item_id, left))
            for order in self._lots(item_id, left):
                self._add_materials(order)
        return self._result

    def _ask(self, needs: Iterable[Need]) -> None:
        for need in needs:
            self._result.needs.append(need)
            if need.item_id not in self._waiting:
                self._waiting[need.item_id] = []
                level = self._book.levels.get(need.item_id, 0)
                heapq.heappush(self._queue, (level, need.item_id))
            self._waiting[need.item_id].append(need)

    def _from_stock(self, item_id: int, needs: list[Need]) -> list[tuple[Need, Decimal]]:
        free = self._stock.get(item_id, ZERO)
        left = []
        for need in needs:
            if need.for_stock:
                left.append((need, need.quantity))
                continue
            need.reserved = max(ZERO, min(free, need.quantity))
            free -= need.reserved
            if need.quantity > need.reserved:
                left.append((need, need.quantity - need.reserved))
        self._stock[item_id] = free
        return left

    def _from_transit(
        self, item_id: int, needs: list[tuple[Need, Decimal]]
    ) -> list[tuple[Need, Decimal]]:
        """What is on its way from another site is not made again; nothing is written for it."""
        left = []
        for need, quantity in needs:
            share = ZERO if need.for_stock else min(self._coming.get(item_id, ZERO), quantity)
            if share > 0:
                self._coming[item_id] -= share
            if quantity > share:
                left.append((need, quantity - share))
        return left

    def _from_open(
        self, item_id: int, needs: list[tuple[Need, Decimal]]
    ) -> list[tuple[Need, Decimal]]:
        outputs = self._open.get(item_id, {})
        left = []
        for need, quantity in needs:
            rest = quantity
            for work_order_id, free in outputs.items():
                share = ZERO if need.for_stock else min(rest, free)
                if share > 0:
                    self._result.taken.append((work_order_id, need, share))
                    outputs[work_order_id] -= share
                    rest -= share
            if rest > 0:
                left.append((need, rest))
        return left

    def _lots(self, item_id: int, needs: list[tuple[Need, Decimal]]) -> Iterator[DraftOrder]:
        if not needs:
            return
        first = self._book.structures.of(item_id, needs[0][0].due_at)
        if not first.is_made:
            return
        if first.lot_policy == LotPolicy.PERIOD and first.lot_period_days:
            yield from self._period_lots(needs, first.lot_period_days)
        elif first.lot_policy == LotPolicy.FIXED and first.lot_size:
            yield from self._fixed_lots(item_id, needs, first.lot_size)
        else:
            for need, quantity in needs:
                yield from self._lot([(need, quantity)])

    def _fixed_lots(
        self, item_id: int, needs: list[tuple[Need, Decimal]], lot_size: Decimal
    ) -> Iterator[DraftOrder]:
        """A work order per lot, so that lots overlap on the floor."""
        total = sum((quantity for _need, quantity in needs), ZERO)
        for need, quantity in needs:
            rest = self._from_surplus(item_id, need, quantity)
            item = self._book.structures.of(item_id, need.due_at)
            one = lots.expected_output(lot_size, scrap_rate=item.scrap_rate, uom=item.uom)
            # A tiny lot size against a huge need: several lots share a work order. Of all needs
            # together, or the lots of a parent's lots would multiply from level to level.
            share = max(one, lots.round_up(total / MOST_LOTS, item.uom))
            while rest > 0:
                part = min(rest, share)
                rest -= part
                for order in self._lot([(need, part)], lot_size=lot_size):
                    self._surplus.setdefault(item_id, []).append(order)
                    yield order

    def _from_surplus(self, item_id: int, need: Need, quantity: Decimal) -> Decimal:
        left = [order for order in self._surplus.get(item_id, []) if order.free > 0]
        for order in left:
            share = min(quantity, order.free)
            if share > 0:
                order.pegs.append((need, share))
                order.free -= share
                quantity -= share
        self._surplus[item_id] = left
        return quantity

    def _period_lots(self, needs: list[tuple[Need, Decimal]], days: int) -> Iterator[DraftOrder]:
        periods: dict[date, list[tuple[Need, Decimal]]] = {}
        for need, quantity in needs:
            day = lots.period_start(self._book.structures.day(need.due_at), days)
            periods.setdefault(day, []).append((need, quantity))
        for day, gathered in periods.items():
            yield from self._lot(gathered, period_date=day)

    def _lot(
        self,
        pegs: list[tuple[Need, Decimal]],
        *,
        lot_size: Decimal | None = None,
        period_date: date | None = None,
    ) -> Iterator[DraftOrder]:
        """A work order for the needs; none, and a failure for each, where it cannot be made."""
        first = pegs[0][0]
        item = self._book.structures.of(first.item_id, first.due_at)
        grows = None
        if period_date is not None:
            grows = self._growing.pop((item.item_id, period_date), None)
        if grows is None and not item.operations:
            sentence = _cannot_be_made(item)
            self._result.failures.extend((need, sentence) for need, _quantity in pegs)
            return
        needed = sum((quantity for _need, quantity in pegs), grows.pegged if grows else ZERO)
        quantity = lots.to_start(
            needed, scrap_rate=item.scrap_rate, uom=item.uom, lot_size=lot_size
        )
        if grows:
            quantity = max(quantity, grows.quantity)
        output = lots.expected_output(quantity, scrap_rate=item.scrap_rate, uom=item.uom)
        due_at, priority = first.due_at, max(need.priority for need, _quantity in pegs)
        order = DraftOrder(
            item=item,
            quantity=quantity,
            output=output,
            due_at=min(due_at, grows.due_at) if grows else due_at,
            priority=max(priority, grows.priority) if grows else priority,
            pegs=pegs,
            free=output - needed,
            period_date=period_date,
            grows=grows,
        )
        self._result.orders.append(order)
        yield order

    def _add_materials(self, order: DraftOrder) -> None:
        due_at = order.due_at - timedelta(days=order.item.lead_time_days)
        lines = _grown_lines(order) if order.grows else self._new_lines(order)
        for position, item_id, per, scrap_rate, uom, requirement_id, before in lines:
            total = lots.component_need(
                order.quantity, quantity_per=per, scrap_rate=scrap_rate, uom=uom
            )
            need = Need(
                item_id, total - before, due_at, order.priority, requirement_id, parent=order
            )
            order.materials.append(
                DraftMaterial(position, item_id, per, scrap_rate, total, need, requirement_id)
            )
        self._ask(m.need for m in order.materials if m.need.quantity > 0)

    def _new_lines(self, order: DraftOrder) -> Iterator["_Line"]:
        due_at = order.due_at - timedelta(days=order.item.lead_time_days)
        for line in order.item.components:
            # The unit of the item rules: a whole piece is a whole piece wherever it goes.
            uom = self._book.structures.of(line.item_id, due_at).uom
            yield (
                line.position,
                line.item_id,
                line.quantity_per,
                line.scrap_rate,
                uom,
                None,
                ZERO,
            )


_Line = tuple[int, int, Decimal, Decimal, str, int | None, Decimal]


def _grown_lines(order: DraftOrder) -> Iterator[_Line]:
    """The frozen lines, not today's: an order is made as it was planned."""
    assert order.grows is not None  # noqa: S101 - for the type checker
    for m in order.grows.materials:
        yield (
            m.position,
            m.item_id,
            m.quantity_per,
            m.scrap_rate,
            m.uom,
            m.requirement_id,
            m.quantity,
        )


def _cannot_be_made(item: ItemStructure) -> str:
    if item.components:
        return _("%(item)s has no routing on the day its work would start.") % {"item": item.code}
    return _("%(item)s has neither a bill of material nor a routing.") % {"item": item.code}


def roots(need: Need) -> set[int]:
    """The demanded requirements that a need serves, up all levels."""
    found: set[int] = set()
    seen: set[int] = set()
    stack = [need]
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if current.parent is not None:
            stack.extend(above for above, _quantity in current.parent.pegs)
        elif current.requirement_id is not None:
            found.add(current.requirement_id)
    return found
