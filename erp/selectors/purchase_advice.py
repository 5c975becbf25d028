"""What a buyer is told while writing a purchase order: price, minimum, lots, earliest day."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from masterdata import selectors as masterdata
from masterdata.enums import LotPolicy
from masterdata.services import limits

if TYPE_CHECKING:
    from masterdata.models import Item

ZERO = Decimal(0)
_CENT_OF_CENT = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Advice:
    """What is known of buying an item at a supplier on a day; nothing of it is binding."""

    item_id: int
    # In the order's currency; None: nobody knows it, or what its currency is worth.
    price: Decimal | None
    # Whether the price is the supplier's, and not the item's standard cost.
    is_listed: bool
    # The price list's own currency where it is another one and cannot be converted.
    unknown_currency: str
    lead_time_days: int
    earliest: date
    minimum: Decimal
    maximum: Decimal | None
    # The item comes in lots of so many; None: in any number.
    multiple: Decimal | None

    def is_below(self, quantity: Decimal) -> bool:
        """Less than the supplier takes an order for."""
        return quantity < self.minimum

    def is_above(self, quantity: Decimal) -> bool:
        """More than the supplier takes at once."""
        return bool(self.maximum) and self.maximum is not None and quantity > self.maximum

    def is_odd(self, quantity: Decimal) -> bool:
        """No whole number of lots."""
        return self.multiple is not None and quantity % self.multiple != 0

    def is_early(self, due_date: date) -> bool:
        """Before the supplier can."""
        return due_date < self.earliest


def purchase_advice(
    *,
    items: Collection["Item"],
    supplier_id: int | None,
    site_currency: str,
    currency: str,
    today: date,
) -> dict[int, Advice]:
    """By item id; two queries, however many items.

    Without a supplier the item's own lead time and standard cost, which is in the site's currency.
    """
    terms = masterdata.supplier_terms(on=today, item_ids=[item.pk for item in items])
    money = masterdata.exchange(into=currency, on=today)
    found = {}
    for item in items:
        mine = next((t for t in terms.get(item.pk, []) if t.supplier_id == supplier_id), None)
        amount: Decimal | None = mine.price if mine else item.standard_cost or None
        source = mine.currency if mine else site_currency
        known = amount is not None and money.knows(source)
        days = min(mine.lead_time_days if mine else item.lead_time_days, limits.MAX_DAYS)
        lot = item.lot_size if item.lot_policy == LotPolicy.FIXED else None
        found[item.pk] = Advice(
            item_id=item.pk,
            price=money.convert(amount, source).quantize(_CENT_OF_CENT)
            if known and amount is not None
            else None,
            is_listed=mine is not None,
            unknown_currency=source if amount is not None and not known else "",
            lead_time_days=days,
            earliest=today + timedelta(days=days),
            minimum=mine.minimum if mine else ZERO,
            maximum=mine.maximum if mine else None,
            multiple=lot,
        )
    return found
