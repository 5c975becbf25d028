"""What a person may write into a purchase order; each refusal is a sentence."""

from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from erp.policies import plain
from erp.policies_purchasing import CannotChangeOrder, CannotOrder
from masterdata.enums import Supply
from masterdata.services import lots

if TYPE_CHECKING:
    from masterdata.models import Item, Supplier

# Lines of one order; a paper with more is nobody's.
MOST_LINES = 150
# Of a quantity or a price: fourteen digits, four of them behind the point.
LARGEST = Decimal("9999999999.9999")


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


def check_price(item: "Item", price: Decimal) -> None:
    """Raise CannotChangeOrder for a price below zero, or longer than any."""
    if not price.is_finite() or price < 0 or price > LARGEST:
        raise CannotChangeOrder(
            _("%(item)s: a price is zero or above, with ten digits at most.") % {"item": item.code}
        )


def check_number_of_lines(count: int) -> None:
    """Raise CannotOrder for an order without lines, or with more than a paper can bear."""
    if not count:
        raise CannotOrder(_("Order at least one item."))
    if count > MOST_LINES:
        raise CannotOrder(
            ngettext(
                "An order has %(most)s line at most: write a second one.",
                "An order has %(most)s lines at most: write a second one.",
                MOST_LINES,
            )
            % {"most": MOST_LINES}
        )
