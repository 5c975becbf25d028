"""What a customer may send back; each refusal is a sentence."""

from collections.abc import Collection
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from erp.policies import CannotReturn, plain
from masterdata.enums import Tracking
from traceability import selectors as traceability
from traceability.enums import DocumentKind, EventKind, IdentityState

if TYPE_CHECKING:
    from masterdata.models import Item

ZERO = Decimal(0)


def check_came_from_customer(
    item: "Item", quantity: Decimal, lot_id: int | None, unit_ids: Collection[int]
) -> None:
    """Raise CannotReturn for units that are not with a customer, or more than was shipped."""
    if quantity <= 0:
        raise CannotReturn(_("Enter a quantity above zero."))
    if item.tracking == Tracking.SERIAL:
        units = traceability.units(unit_ids).values()
        if len(units) != quantity:
            raise CannotReturn(_("Say which lot or which serial numbers come back."))
        for unit in units:
            if unit.item_id != item.pk or unit.state != IdentityState.SHIPPED:
                raise CannotReturn(
                    _("%(number)s of %(item)s is not with a customer: %(state)s.")
                    % {
                        "number": unit.number,
                        "item": item.code,
                        "state": IdentityState(unit.state).label,
                    }
                )
    elif item.tracking == Tracking.LOT:
        if lot_id is None or traceability.lots([lot_id])[lot_id].item_id != item.pk:
            raise CannotReturn(_("Say which lot or which serial numbers come back."))
        away = _with_customers(lot_id)
        if quantity > away:
            raise CannotReturn(
                _("%(item)s: %(there)s of it went there, not %(quantity)s.")
                % {"item": item.code, "there": plain(away), "quantity": plain(quantity)}
            )


def _with_customers(lot_id: int) -> Decimal:
    """So much of the lot was shipped and has not come back."""
    signs = {
        (EventKind.SHIPMENT, DocumentKind.SHIPMENT): 1,
        (EventKind.RETURN, DocumentKind.RETURN): -1,
    }
    rows = traceability.handed_over([lot_id])[lot_id]
    return sum((signs.get((row.event, row.document), 0) * row.quantity for row in rows), ZERO)
