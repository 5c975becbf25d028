"""Material requirements planning: net by low-level code, lots, dates, pegs, messages. Pure.

The textbook's regenerative MRP (Orlicky; Vollmann et al., "Manufacturing Planning and Control"):
parents before components, stock and scheduled receipts before new orders, receipts assumed to be
movable (so that a message asks for it). Days are calendar days of the site.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from masterdata.services import lots

ZERO = Decimal(0)
# Orders that one group of needs may become where a supplier takes only small ones.
MOST_PARTS = 100
Action = Literal["expedite", "defer", "reduce", "cancel"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A supplier's terms for an item; ``maximum`` None: as much as we like."""

    supplier_id: int
    price: Decimal
    lead_time_days: int
    minimum: Decimal = ZERO
    maximum: Decimal | None = None
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Item:
    """How an item is planned. ``lot_size`` set: fixed lots; ``period_days`` set: by period."""

    id: int
    is_made: bool
    uom: str = "EA"
    lead_time_days: int = 0
    scrap_rate: Decimal = ZERO
    lot_size: Decimal | None = None
    period_days: int | None = None
    safety_stock: Decimal = ZERO
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    item_id: int
    quantity_per: Decimal
    scrap_rate: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Demand:
    """An open requirement: ``key`` is the caller's."""

    key: int
    item_id: int
    quantity: Decimal
    day: date


@dataclass(frozen=True, slots=True)
class Receipt:
    """What will come already. ``is_started``: its quantity is fixed; not ``speaks``: no message."""

    key: int
    item_id: int
    quantity: Decimal
    day: date
    is_started: bool = False
    speaks: bool = True


@dataclass(slots=True, eq=False)
class Need:
    """A quantity on a day: of a demand, of a planned order's components, or of safety stock."""

    item_id: int
    quantity: Decimal
    day: date
    demand: int | None = None
    parent: "Order | None" = None

    @property
    def is_safety(self) -> bool:
        return self.demand is None and self.parent is None

    @property
    def origin(self) -> "Need":
        """The demand, or the safety stock, at the top: of several the one due first."""
        return self if self.parent is None else self.parent.origin


@dataclass(slots=True, eq=False)
class Order:
    """A planned order: make or buy ``quantity``, which yields ``output``."""

    item_id: int
    quantity: Decimal
    output: Decimal
    due: date
    release: date
    origin: Need
    offer: Offer | None = None
    pegs: list[tuple[Need, Decimal]] = field(default_factory=list)

    @property
    def free(self) -> Decimal:
        """Output that nobody needs."""
        return self.output - sum((quantity for _need, quantity in self.pegs), ZERO)


@dataclass(frozen=True, slots=True)
class Message:
    """What to do with a receipt: its new day (expedite, defer) or new open quantity."""

    receipt: int
    item_id: int
    action: Action
    quantity: Decimal
    day: date
    # The need that asks for the earlier or later day.
    origin: Need | None = None


@dataclass(slots=True)
class Plan:
    orders: list[Order] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    # Need, receipt (None: stock), quantity.
    covered: list[tuple[Need, int | None, Decimal]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a run reads. ``levels`` are low-level codes: components above their parents' one.

    ``components(item_id, day)`` is the bill of material of the day on which work starts.
    """

    today: date
    items: Mapping[int, Item]
    levels: Mapping[int, int]
    components: Callable[[int, date], Sequence[Component]]
    stock: Mapping[int, Decimal]
    demands: Sequence[Demand]
    receipts: Sequence[Receipt]
    tolerance_days: int = 0


def run(situation: Situation, *, tick: Callable[[int, int], None] | None = None) -> Plan:
    """Plan everything; ``tick(items done, items in all)`` is called after each item."""
    return _Run(situation).run(tick or (lambda _done, _all: None))


class _Run:
    def __init__(self, situation: Situation) -> None:
        self._s = situation
        self._plan = Plan()
        self._needs: dict[int, list[Need]] = defaultdict(list)
        self._receipts: dict[int, list[Receipt]] = defaultdict(list)
        for demand in situation.demands:
            day = max(demand.day, situation.today)
            self._needs[demand.item_id].append(
                Need(demand.item_id, demand.quantity, day, demand=demand.key)
            )
        for receipt in situation.receipts:
            self._receipts[receipt.item_id].append(receipt)
        for item in situation.items.values():
            if item.safety_stock > 0:
                self._needs[item.id].append(Need(item.id, item.safety_stock, situation.today))

    def run(self, tick: Callable[[int, int], None]) -> Plan:
        order = sorted(self._s.items, key=lambda pk: (self._s.levels.get(pk, 0), pk))
        for done, item_id in enumerate(order, start=1):
            if item_id in self._needs or item_id in self._receipts:
                self._item(self._s.items[item_id])
            tick(done, len(order))
        return self._plan

    def _item(self, item: Item) -> None:
        needs = self._needs.pop(item.id, [])
        # Safety stock first on its day: it is kept, and what takes it is replaced.
        needs.sort(key=lambda need: (need.day, not need.is_safety))
        receipts = sorted(
            self._receipts.pop(item.id, []), key=lambda r: (max(r.day, self._s.today), r.key)
        )
        uses: dict[int, list[tuple[Need, Decimal]]] = {receipt.key: [] for receipt in receipts}
        short = self._cover(item, needs, receipts, uses)
        for order in _lots(item, short, self._s.today):
            self._plan.orders.append(order)
            if item.is_made:
                self._explode(order)
        for receipt in receipts:
            if receipt.speaks:
                self._plan.messages += self._messages(item, receipt, uses[receipt.key])

    def _cover(
        self,
        item: Item,
        needs: Iterable[Need],
        receipts: Sequence[Receipt],
        uses: dict[int, list[tuple[Need, Decimal]]],
    ) -> list[tuple[Need, Decimal]]:
        """Stock, then receipts by day; what is left of each need, by day."""
        stock = max(ZERO, self._s.stock.get(item.id, ZERO))
        left = [receipt.quantity for receipt in receipts]
        place = 0
        short = []
        for need in needs:
            rest = need.quantity
            share = min(rest, stock)
            if share > 0:
                stock -= share
                rest -= share
                self._plan.covered.append((need, None, share))
            while rest > 0 and place < len(receipts):
                share = min(rest, left[place])
                left[place] -= share
                rest -= share
                if share > 0:
                    uses[receipts[place].key].append((need, share))
                    self._plan.covered.append((need, receipts[place].key, share))
                if not left[place]:
                    place += 1
            if rest > 0:
                short.append((need, rest))
        return short

    def _explode(self, order: Order) -> None:
        day = max(order.release, self._s.today)
        for component in self._s.components(order.item_id, day):
            uom = self._s.items[component.item_id].uom
            quantity = lots.component_need(
                order.quantity,
                quantity_per=component.quantity_per,
                scrap_rate=component.scrap_rate,
                uom=uom,
            )
            if quantity > 0:
                need = Need(component.item_id, quantity, day, parent=order)
                self._needs[component.item_id].append(need)

    def _messages(
        self, item: Item, receipt: Receipt, uses: list[tuple[Need, Decimal]]
    ) -> list[Message]:
        used = sum((quantity for _need, quantity in uses), ZERO)
        day = max(receipt.day, self._s.today)
        if not used:
            if receipt.is_started:
                return []
            return [Message(receipt.key, item.id, "cancel", ZERO, day)]
        found = []
        # Safety stock hurts nobody: it neither hurries nor delays what comes.
        dated = [need for need, _quantity in uses if not need.is_safety]
        first = min(dated, key=lambda need: need.day, default=None)
        tolerance = timedelta(days=self._s.tolerance_days)
        if first is not None and day - first.day > tolerance:
            found.append(
                Message(receipt.key, item.id, "expedite", receipt.quantity, first.day, first.origin)
            )
        elif first is not None and first.day - day > tolerance:
            found.append(
                Message(receipt.key, item.id, "defer", receipt.quantity, first.day, first.origin)
            )
        if not receipt.is_started and used < receipt.quantity:
            target = _sized(item, used, _best_offer(item, used, day, self._s.today))[1]
            if target < receipt.quantity:
                found.append(Message(receipt.key, item.id, "reduce", target, day))
        return found


def _lots(item: Item, short: Iterable[tuple[Need, Decimal]], today: date) -> list[Order]:
    """Planned orders for what is not covered, by day."""
    groups: dict[date, list[tuple[Need, Decimal]]] = {}
    for need, quantity in short:
        day = need.day
        if item.period_days:
            day = lots.period_start(day, item.period_days)
        groups.setdefault(day, []).append((need, quantity))
    orders: list[Order] = []
    # Orders with output that is still free, the first due first.
    open_orders: list[Order] = []
    for group in groups.values():
        left = _peg(group, open_orders)
        if left:
            fresh = _group_orders(item, left, today)
            _peg(left, fresh)
            orders += fresh
            open_orders = [order for order in [*open_orders, *fresh] if order.free > 0]
    return orders


def _peg(needs: list[tuple[Need, Decimal]], orders: list[Order]) -> list[tuple[Need, Decimal]]:
    """Give the orders' free output to the needs; return what is left of them."""
    left = []
    free = [order.free for order in orders]
    place = 0
    for need, quantity in needs:
        rest = quantity
        while rest > 0 and place < len(orders):
            share = min(rest, free[place])
            if share > 0:
                orders[place].pegs.append((need, share))
                free[place] -= share
                rest -= share
            if free[place] <= 0:
                place += 1
        if rest > 0:
            left.append((need, rest))
    return left


def _group_orders(item: Item, needs: list[tuple[Need, Decimal]], today: date) -> list[Order]:
    needed = sum((quantity for _need, quantity in needs), ZERO)
    dated = [need.day for need, _quantity in needs if not need.is_safety]
    wanted = min(dated, default=None)
    offer = _best_offer(item, needed, wanted, today)
    lead = timedelta(days=offer.lead_time_days if offer else item.lead_time_days)
    # Safety stock alone comes when it can: nobody waits for it on a day.
    due = wanted if wanted is not None else today + lead
    origin = min((need.origin for need, _quantity in needs), key=lambda need: need.day)
    return [
        Order(item.id, quantity, output, due, due - lead, origin, offer)
        for quantity, output in _parts(item, needed, offer)
    ]


def _parts(item: Item, needed: Decimal, offer: Offer | None) -> list[tuple[Decimal, Decimal]]:
    """(quantity, output) of each order that together bring what is needed."""
    quantity, output = _sized(item, needed, offer)
    most = _most(item, offer)
    if most is None or quantity <= most:
        return [(quantity, output)]
    count = int((quantity / most).to_integral_value(rounding=ROUND_CEILING))
    if count > MOST_PARTS:
        most = _sized(item, needed / MOST_PARTS, offer)[0]
    parts = []
    while quantity > 0:
        part = _sized(item, min(most, quantity), offer)[0]
        parts.append((part, part))
        quantity -= part
    return parts


def _sized(item: Item, needed: Decimal, offer: Offer | None) -> tuple[Decimal, Decimal]:
    """The order (quantity, output) for a need, by lot size, minimum and scrap."""
    if item.is_made:
        quantity = lots.to_start(
            needed, scrap_rate=item.scrap_rate, uom=item.uom, lot_size=item.lot_size
        )
        return quantity, lots.expected_output(quantity, scrap_rate=item.scrap_rate, uom=item.uom)
    least = max(needed, offer.minimum if offer else ZERO)
    quantity = lots.to_start(least, scrap_rate=ZERO, uom=item.uom, lot_size=item.lot_size)
    return quantity, quantity


def _most(item: Item, offer: Offer | None) -> Decimal | None:
    """The largest order: the supplier's maximum, in whole lots."""
    if offer is None or not offer.maximum:
        return None
    step = item.lot_size or Decimal(1)
    if item.lot_size or item.uom in lots.WHOLE:
        most = (offer.maximum / step).to_integral_value(rounding=ROUND_FLOOR) * step
    else:
        most = offer.maximum
    # A lot larger than the maximum, or a minimum above it: the lot wins.
    return most if most > 0 and most >= offer.minimum else None


def _best_offer(item: Item, needed: Decimal, wanted: date | None, today: date) -> Offer | None:
    """The cheapest for this quantity among those in time; where none is, the fastest.

    ``wanted`` None: there is time. A minimum above the need counts with all it costs.
    """
    if item.is_made or not item.offers:
        return None

    def rank(offer: Offer) -> tuple[bool, Decimal, Decimal, int]:
        late = wanted is not None and today + timedelta(days=offer.lead_time_days) > wanted
        cost = offer.price * max(needed, offer.minimum)
        days = Decimal(offer.lead_time_days)
        return (late, *((days, cost) if late else (cost, days)), offer.supplier_id)

    return min(item.offers, key=rank)


def low_level_codes(below: Mapping[int, Iterable[int]]) -> dict[int, int]:
    """The deepest level of each item, 0 at the top; raise ValueError for an item within itself."""
    levels = dict.fromkeys(below, 0)
    waiting: dict[int, int] = defaultdict(int)
    for children in below.values():
        for child in children:
            waiting[child] += 1
            levels.setdefault(child, 0)
    ready = sorted(pk for pk in levels if not waiting[pk])
    seen = 0
    while ready:
        parent = ready.pop(0)
        seen += 1
        for child in below.get(parent, ()):
            levels[child] = max(levels[child], levels[parent] + 1)
            waiting[child] -= 1
            if not waiting[child]:
                insort(ready, child)
    if seen != len(levels):
        raise ValueError("an item contains itself")
    return levels
