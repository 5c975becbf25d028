"""What each line of an order costs and earns: planned, so far, expected."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from crm import selectors
from crm.models import SalesOrder, SalesOrderLine
from erp import selectors as erp
from erp.enums import CostKind
from erp.services import costing
from masterdata import selectors as masterdata
from mes import selectors as mes
from mes.selectors import KindRow, Kinds, Money, Part, cost_money

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class LineCost:
    """A line's money, whole cents of the site's currency."""

    position: int
    item_code: str
    item_label: str
    uom: str
    quantity: Decimal
    is_cancelled: bool
    # What the customer pays for it; None: nobody can convert the order's currency.
    revenue: Decimal | None
    # Work orders and stock together.
    by_kind: Kinds
    parts: tuple[Part, ...]
    # Pieces from stock or bought, and what they cost.
    stock_quantity: Decimal
    stock: Money
    # All work orders are closed and all pieces taken: what is expected is what it cost.
    is_final: bool

    @property
    def money(self) -> Money:
        return cost_money.total(self.by_kind)

    @property
    def kinds(self) -> list[KindRow]:
        return cost_money.rows(self.by_kind)

    @property
    def margin(self) -> Decimal | None:
        """What is expected to be left of the revenue."""
        return None if self.revenue is None else self.revenue - self.money.expected

    @property
    def planned_margin(self) -> Decimal | None:
        return None if self.revenue is None else self.revenue - self.money.planned

    @property
    def margin_share(self) -> Decimal | None:
        """The margin as a share of the revenue, in per cent."""
        return _percent(self.margin, self.revenue)


@dataclass(frozen=True, slots=True)
class OrderCost:
    """An order's lines with their money, and the sums over those that are not cancelled."""

    currency: str
    lines: tuple[LineCost, ...]
    by_kind: Kinds
    revenue: Decimal | None
    # Why there is no revenue, for people.
    missing: str = ""
    # Why work is reckoned by standard costs of items and not by rates, for people.
    unpriced: str = ""

    @property
    def money(self) -> Money:
        return cost_money.total(self.by_kind)

    @property
    def kinds(self) -> list[KindRow]:
        return cost_money.rows(self.by_kind)

    @property
    def margin(self) -> Decimal | None:
        return None if self.revenue is None else self.revenue - self.money.expected

    @property
    def planned_margin(self) -> Decimal | None:
        return None if self.revenue is None else self.revenue - self.money.planned

    @property
    def margin_share(self) -> Decimal | None:
        return _percent(self.margin, self.revenue)


def order_cost(order: SalesOrder, *, at: datetime) -> OrderCost:
    """What the lines of an order (with items and site) cost, as things stand at a moment.

    The same queries for any number of lines and of work orders behind them.

    The revenue is converted at the day of the order.
    """
    lines = list(order.lines.all())
    ids = selectors.requirement_ids(lines)
    made = mes.made_costs(ids, at=at)
    taken = erp.taken_quantities(ids)
    prices = erp.average_costs({line.item_id for line in lines}, site_id=order.site_id)
    currency = order.site.currency
    factor, missing = _factor(order)
    found = []
    for line in lines:
        cost = made.get(line.requirement_id or 0, mes.MadeCost())
        price = prices.get(line.item_id, line.item.standard_cost)
        stock_quantity, stock = _from_stock(line, cost, price, taken)
        revenue = None
        if factor is not None:
            revenue = costing.cents(line.quantity * line.unit_price * factor)
        found.append(
            LineCost(
                position=line.position,
                item_code=line.item.code,
                item_label=line.item.label,
                uom=line.item.uom,
                quantity=line.quantity,
                is_cancelled=line.is_cancelled,
                revenue=revenue,
                by_kind=cost_money.plus(cost.kinds, {CostKind.MATERIAL: stock}),
                parts=tuple(cost.parts),
                stock_quantity=stock_quantity,
                stock=stock,
                is_final=line.shipped >= line.quantity and cost.is_closed,
            )
        )
    live = [line for line in found if not line.is_cancelled]
    return OrderCost(
        currency=currency,
        lines=tuple(found),
        by_kind=cost_money.plus(*(line.by_kind for line in live)),
        revenue=None if missing else sum((line.revenue or ZERO for line in live), ZERO),
        missing=missing,
        unpriced=next((cost.missing for cost in made.values() if cost.missing), ""),
    )


def _from_stock(
    line: SalesOrderLine, cost: mes.MadeCost, price: Decimal, taken: dict[int, Decimal]
) -> tuple[Decimal, Money]:
    """What no work order makes for the line: it comes from stock, or is bought."""
    if line.is_cancelled:
        return ZERO, Money()
    quantity = max(ZERO, line.quantity - cost.quantity)
    here = taken.get(line.requirement_id or 0, ZERO)
    # What work orders brought is among what is there; it goes first.
    spent = costing.cents(min(quantity, max(ZERO, here - cost.delivered)) * price)
    planned = costing.cents(quantity * price)
    return quantity, Money(planned=planned, spent=spent, closed=spent, expected=planned)


def _factor(order: SalesOrder) -> tuple[Decimal | None, str]:
    day = order.created_at.astimezone(ZoneInfo(order.site.time_zone)).date()
    try:
        return masterdata.exchange(into=order.site.currency, on=day).rate(order.currency), ""
    except masterdata.NoExchangeRate as refusal:
        return None, str(refusal)


def _percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return part / whole * 100 if part is not None and whole else None
