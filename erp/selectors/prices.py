"""What a supplier charged: the last price of each item, and where prices go."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from erp.enums import PurchaseReceiptKind
from erp.models import PurchaseReceipt

ZERO = Decimal(0)
# Receipts that are looked at, the latest ones.
MOST = 5000


@dataclass(slots=True)
class PricePoint:
    """The last price that was paid for an item, and the one before it changed."""

    item_code: str
    currency: str
    last: Decimal
    day: date
    # The first price of the span, and the last one that differed; None: it never changed.
    first: Decimal
    before: Decimal | None = None
    # Paid for the item in the span.
    value: Decimal = ZERO

    @property
    def change(self) -> Decimal | None:
        """How much dearer the last price is than the one before, as a share of it."""
        return self.last / self.before - 1 if self.before else None

    @property
    def drift(self) -> Decimal:
        """How much dearer than at the start of the span."""
        return self.last / self.first - 1 if self.first else ZERO


@dataclass(frozen=True, slots=True)
class PriceTrend:
    """Prices of a supplier over a span; ``share`` weighs each item by what was paid for it."""

    points: list[PricePoint]
    share: Decimal | None


def price_trend(*, supplier_id: int, since: date, site_id: int | None = None) -> PriceTrend:
    """What was paid since the day at a site or (None) all, what was bought last first; one query.

    An item that is bought in two currencies is two: prices of different money are not compared.
    """
    rows = (
        PurchaseReceipt.objects.filter(
            line__order__supplier=supplier_id,
            kind=PurchaseReceiptKind.ACCEPTED,
            day__gte=since,
            line__unit_price__gt=0,
        )
        .filter(**({} if site_id is None else {"line__order__site": site_id}))
        .order_by("-at", "-pk")
        .values_list(
            "line__item__code", "line__order__currency", "line__unit_price", "day", "quantity"
        )
    )
    found: dict[tuple[str, str], PricePoint] = {}
    for code, currency, price, day, quantity in rows[:MOST]:
        point = found.get((code, currency))
        if point is None:
            point = found[code, currency] = PricePoint(code, currency, price, day, price)
        if point.before is None and price != point.last:
            point.before = price
        point.first = price
        point.value += price * quantity
    points = list(found.values())
    # Different money cannot be weighed together: the one most is paid in tells the trend.
    totals: dict[str, Decimal] = {}
    for point in points:
        totals[point.currency] = totals.get(point.currency, ZERO) + point.value
    if not totals:
        return PriceTrend([], None)
    currency = max(totals, key=lambda code: (totals[code], code))
    drift = sum((p.drift * p.value for p in points if p.currency == currency), ZERO)
    return PriceTrend(points, drift / totals[currency])
