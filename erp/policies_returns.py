"""What may come back into the store or go back to a supplier; each refusal is a sentence."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from common.errors import Refused
from erp.models import Requirement
from erp.policies import plain
from masterdata.enums import Tracking
from traceability import selectors as traceability
from traceability.enums import DocumentKind, EventKind, IdentityState
from traceability.services import identities

if TYPE_CHECKING:
    from masterdata.models import Item
    from traceability.models import SerialUnit

ZERO = Decimal(0)


class CannotReturn(Refused):
    """The quantity cannot come back like this."""


def check_can_return(
    requirement: Requirement,
    quantity: Decimal,
    issued: Mapping[tuple[int | None, int | None], Decimal],
    lot_id: int | None,
    unit_ids: Collection[int],
) -> None:
    """Raise CannotReturn for more than was issued, or for another lot or unit than was."""
    if quantity <= 0:
        raise CannotReturn(_("Enter a quantity above zero."))
    wanted: list[tuple[int | None, int | None]] = [(None, pk) for pk in unit_ids] or [
        (lot_id, None)
    ]
    there = sum((issued.get(place, Decimal(0)) for place in wanted), Decimal(0))
    if lot_id is None and not unit_ids and not there and issued:
        raise CannotReturn(_("Say which lot or which serial numbers come back."))
    if quantity > min(there, requirement.issued) or (unit_ids and len(unit_ids) != quantity):
        raise CannotReturn(
            _("%(item)s: %(there)s of it went there, not %(quantity)s.")
            % {
                "item": requirement.item.code,
                "there": plain(min(there, requirement.issued)),
                "quantity": plain(quantity),
            }
        )


def check_still_open(requirement: Requirement, *, still_needed: bool) -> None:
    """Raise CannotReturn where a closed work order would need something again."""
    if still_needed and requirement.is_settled:
        raise CannotReturn(
            _("%(order)s is closed and needs nothing any more: bring it back as not needed.")
            % {"order": requirement.reference}
        )


def check_serials_are_known(
    item: "Item", serials: Sequence[str], known: Mapping[str, "SerialUnit"]
) -> None:
    """Raise CannotReturn for a number that is twice there, or that no unit of the item has."""
    if len(known) < len(serials):
        unknown = [number for number in serials if traceability.normalised(number) not in known]
        if unknown:
            raise CannotReturn(
                _("%(numbers)s: no serial number of %(item)s.")
                % {"numbers": identities.some_of(unknown), "item": item.code}
            )
        identities.check_numbers(serials)


def check_which_go_back(
    item: "Item",
    quantity: Decimal,
    serials: Sequence[str],
    came: Mapping[tuple[int | None, int | None], Decimal],
    lots: Sequence[int],
    units: Sequence[int],
) -> None:
    """Raise CannotReturn where it is not said which lot or units, or they came otherwise."""
    if item.tracking == Tracking.SERIAL:
        if len(units) != quantity:
            raise CannotReturn(
                _("%(count)s serial numbers are given for %(quantity)s of %(item)s.")
                % {"count": len(units), "quantity": plain(quantity), "item": item.code}
            )
        other = [pk for pk in units if came.get((None, pk), Decimal(0)) <= 0]
        if other:
            named = traceability.units(other).values()
            numbers = identities.some_of([unit.number for unit in named])
            raise CannotReturn(_("%(numbers)s came with another order.") % {"numbers": numbers})
    elif item.tracking == Tracking.LOT:
        if len(lots) != 1:
            raise CannotReturn(_("Say which lot goes back."))
        there = came.get((lots[0], None), Decimal(0))
        if quantity > there:
            raise CannotReturn(
                _("Of this lot %(there)s came with the order, not %(quantity)s.")
                % {"there": plain(max(there, Decimal(0))), "quantity": plain(quantity)}
            )


def check_lies_here(item: "Item", missing: Decimal) -> None:
    """Raise CannotReturn where what goes back is used, elsewhere, or stands ready for somebody."""
    if missing > 0:
        raise CannotReturn(
            _("%(missing)s of %(item)s are not here any more, or stand ready for somebody.")
            % {"missing": plain(missing), "item": item.code}
        )


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
