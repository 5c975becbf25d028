"""How much to order at once, from whom, and for whom: lots, suppliers' terms, pegs."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from erp.mrp.facts import ZERO, Item, Need, Offer, Order
from masterdata.services import lots

# Orders that one group of needs may become where a supplier takes only small ones.
MOST_PARTS = 100


def planned_orders(item: Item, short: Iterable[tuple[Need, Decimal]], today: date) -> list[Order]:
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
    offer = best_offer(item, needed, wanted, today)
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
    quantity, output = sized(item, needed, offer)
    most = _most(item, offer)
    if most is None or quantity <= most:
        return [(quantity, output)]
    count = int((quantity / most).to_integral_value(rounding=ROUND_CEILING))
    if count > MOST_PARTS:
        most = sized(item, needed / MOST_PARTS, offer)[0]
    parts = []
    while quantity > 0:
        part = sized(item, min(most, quantity), offer)[0]
        parts.append((part, part))
        quantity -= part
    return parts


def sized(item: Item, needed: Decimal, offer: Offer | None) -> tuple[Decimal, Decimal]:
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


def best_offer(item: Item, needed: Decimal, wanted: date | None, today: date) -> Offer | None:
    """The cheapest for this quantity among those in time; where none is, the fastest.

    ``wanted`` None: there is time. A minimum above the need counts with all it costs. One whose
    currency nobody can convert comes after the others.
    """
    if item.is_made or not item.offers:
        return None

    def rank(offer: Offer) -> tuple[bool, Decimal, Decimal, Decimal, int]:
        late = wanted is not None and today + timedelta(days=offer.lead_time_days) > wanted
        unknown = Decimal(offer.exchange is None)
        cost = offer.price * (offer.exchange or 1) * max(needed, offer.minimum)
        days = Decimal(offer.lead_time_days)
        order = (days, unknown, cost) if late else (unknown, cost, days)
        return (late, *order, offer.supplier_id)

    return min(item.offers, key=rank)
