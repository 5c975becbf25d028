"""What a person may write into a purchase order; each refusal is a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from erp.policies import plain
from erp.policies_days import check_day
from erp.policies_purchasing import CannotChangeOrder, CannotOrder
from masterdata.enums import Supply
from masterdata.services import lots

if TYPE_CHECKING:
    from masterdata.models import Item, Supplier

# Lines of one order; a paper with more is nobody's.
MOST_LINES = 150
# Of a quantity or a price: fourteen digits, four of them behind the point.
LARGEST = Decimal("9999999999.9999")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line, by its number from nought on and the field that is meant."""

    number: int
    field: str
    sentence: str


class CannotEnter(CannotOrder):
    """Lines of which nothing can be ordered; says the first fault, and carries all."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults[0].sentence)
        self.faults = faults


def check_can_buy_from(supplier: "Supplier") -> None:
    """Raise CannotOrder for a supplier that is out of use."""
    if not supplier.is_active:
        raise CannotOrder(
            _("%(supplier)s is not active: nothing can be ordered there.")
            % {"supplier": supplier.code}
        )


def check_can_buy(item: "Item") -> None:
    """Raise CannotOrder for an item that is out of use, or that we make ourselves."""
    if not item.is_active:
        raise CannotOrder(_("%(item)s is not active: it cannot be ordered.") % {"item": item.code})
    if item.supply != Supply.BUY:
        raise CannotOrder(
            _("%(item)s is made here, not bought: a work order makes it.") % {"item": item.code}
        )


def check_quantity(item: "Item", quantity: Decimal) -> None:
    """Raise CannotChangeOrder for a quantity that nobody can deliver of the item."""
    if not quantity.is_finite() or quantity <= 0 or quantity > LARGEST:
        raise CannotChangeOrder(
            _("%(item)s: enter a quantity above zero, with ten digits at most.")
            % {"item": item.code}
        )
    if item.uom in lots.WHOLE and quantity != quantity.to_integral_value():
        raise CannotChangeOrder(
            _("%(item)s is counted in whole pieces, so %(quantity)s cannot be ordered.")
            % {"item": item.code, "quantity": plain(quantity)}
        )


def check_due_date(item: "Item", due_date: date, today: date) -> None:
    """Raise CannotChangeOrder for a day that is over, or that no plan can say."""
    check_day(due_date, CannotChangeOrder)
    if due_date < today:
        raise CannotChangeOrder(
            _("%(item)s: the day it comes on is over already.") % {"item": item.code}
        )


def check_price(
    item: "Item", price: Decimal | None, *, currency: str, unknown_currency: str
) -> None:
    """Raise CannotChangeOrder for a price that nobody knows, below zero, or longer than any.

    An order without its prices would pass below the limit from which on it has to be approved.
    """
    if price is None and unknown_currency:
        raise CannotChangeOrder(
            _(
                "%(item)s: its price is in %(source)s, and there is no exchange rate to "
                "%(target)s. Enter a price, or the rate in the master data."
            )
            % {"item": item.code, "source": unknown_currency, "target": currency}
        )
    if price is None:
        raise CannotChangeOrder(
            _(
                "%(item)s: no price is known. Enter one, zero if it costs nothing, "
                "or put it on the supplier's price list."
            )
            % {"item": item.code}
        )
    if not price.is_finite() or price < 0 or price > LARGEST:
        raise CannotChangeOrder(
            _("%(item)s: a price is zero or above, with ten digits at most.") % {"item": item.code}
        )


def check_number_of_lines(count: int) -> None:
    """Raise CannotOrder for an order without lines, or with more than a paper can bear."""
    if not count:
        raise CannotOrder(_("Order at least one item."))
    if count > MOST_LINES:
        raise CannotOrder(too_many_lines())


def too_many_lines() -> str:
    """What is said of more lines than an order can have."""
    return ngettext(
        "An order has %(most)s line at most: write a second one.",
        "An order has %(most)s lines at most: write a second one.",
        MOST_LINES,
    ) % {"most": MOST_LINES}
