"""Level by level: stock and receipts against needs, planned orders for what is left, explosion."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal

from erp.mrp.facts import ZERO, Item, Need, Order, Plan, Receipt, Situation
from erp.mrp.messages import messages_about
from erp.mrp.sizing import planned_orders
from masterdata.services import lots


def run(situation: Situation, *, tick: Callable[[int, int], None] | None = None) -> Plan:
    """Plan everything; ``tick(items done, items in all)`` is called after each item."""
    return _Run(situation).run(tick or (lambda _done, _all: None))


class _Stock:
    """What lies there, first expired first out; asked for by day, the earliest first."""

    def __init__(self, quantity: Decimal, expiring: Sequence[tuple[date, Decimal]]) -> None:
        self._lots: list[tuple[date, Decimal]] = []
        for last_day, lot in sorted(expiring):
            share = min(lot, quantity)
            quantity -= share
            self._lots.append((last_day, share))
        self._lots.append((date.max, quantity))

    def take(self, wanted: Decimal, day: date) -> Decimal:
        """Take what there is of a quantity that may still be used on the day; return it."""
        taken = ZERO
        for place, (last_day, lot) in enumerate(self._lots):
            if last_day >= day:
                share = min(wanted - taken, lot)
                self._lots[place] = (last_day, lot - share)
                taken += share
        return taken


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
        for order in planned_orders(item, short, self._s.today):
            self._plan.orders.append(order)
            if item.is_made:
                self._explode(order)
        for receipt in receipts:
            if receipt.speaks:
                self._plan.messages += messages_about(
                    receipt,
                    uses[receipt.key],
                    item=item,
                    today=self._s.today,
                    tolerance_days=self._s.tolerance_days,
                )

    def _cover(
        self,
        item: Item,
        needs: Iterable[Need],
        receipts: Sequence[Receipt],
        uses: dict[int, list[tuple[Need, Decimal]]],
    ) -> list[tuple[Need, Decimal]]:
        """Stock, then receipts by day; what is left of each need, by day."""
        stock = _Stock(
            max(ZERO, self._s.stock.get(item.id, ZERO)), self._s.expiring.get(item.id, ())
        )
        left = [receipt.quantity for receipt in receipts]
        place = 0
        short = []
        for need in needs:
            rest = need.quantity
            share = stock.take(rest, need.day)
            if share > 0:
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
