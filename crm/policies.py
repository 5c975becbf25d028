"""Who may do what with an order in which state: check_can_<verb> raises with the reason."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from common.errors import Refused
from crm.enums import ORDER_TRANSITIONS, OrderState
from crm.models import SalesOrder, SalesOrderLine, Shipment
from mes.services.supply import lots

# Calendars and shipping know these days; what is beyond was mistyped.
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2199, 12, 31)


class CannotEdit(Refused):
    """The order is no draft, or a line is not well-formed."""


class CannotSubmit(Refused):
    """The order is no draft, or has no lines."""


class CannotApprove(Refused):
    """The order was not submitted, or may not be delivered to."""


class CannotReject(Refused):
    """The order was not submitted, or no reason was given."""


class CannotHold(Refused):
    """The order cannot be put on hold, or no reason was given."""


class CannotResume(Refused):
    """The order is not on hold."""


class CannotCancel(Refused):
    """The order has left the house, or no reason was given."""


class CannotChange(Refused):
    """The quantity of the line can no longer become what was asked."""


class CannotShip(Refused):
    """Nothing to ship, or more than is ready."""


class CannotDeliver(Refused):
    """The shipment was delivered before."""


def _state(order: SalesOrder) -> str:
    return str(OrderState(order.state).label)


def _allowed(order: SalesOrder, new: OrderState) -> bool:
    return new in ORDER_TRANSITIONS[OrderState(order.state)]


def check_can_edit(order: SalesOrder) -> None:
    """Lines change freely only while the order is a draft."""
    if order.state != OrderState.DRAFT:
        raise CannotEdit(
            _("Order %(number)s is %(state)s; only a draft can be edited.")
            % {"number": order.number, "state": _state(order)}
        )


def check_can_submit(order: SalesOrder) -> None:
    if not _allowed(order, OrderState.SUBMITTED) or order.state == OrderState.ON_HOLD:
        raise CannotSubmit(
            _("Order %(number)s is %(state)s; only a draft can be submitted.")
            % {"number": order.number, "state": _state(order)}
        )
    if not order.lines.exists():
        raise CannotSubmit(
            _("Order %(number)s has no lines; add what the customer wants.")
            % {"number": order.number}
        )


def check_can_approve(order: SalesOrder) -> None:
    if order.state != OrderState.SUBMITTED:
        raise CannotApprove(
            _("Order %(number)s is %(state)s; only a submitted order can be approved.")
            % {"number": order.number, "state": _state(order)}
        )
    if not order.customer.is_active:
        raise CannotApprove(
            _("Customer %(customer)s is not active; activate the customer first.")
            % {"customer": order.customer.label}
        )


def check_can_reject(order: SalesOrder) -> None:
    if order.state != OrderState.SUBMITTED:
        raise CannotReject(
            _("Order %(number)s is %(state)s; only a submitted order can be sent back.")
            % {"number": order.number, "state": _state(order)}
        )


def check_can_hold(order: SalesOrder) -> None:
    if not _allowed(order, OrderState.ON_HOLD):
        raise CannotHold(
            _("Order %(number)s is %(state)s and cannot be put on hold.")
            % {"number": order.number, "state": _state(order)}
        )


def check_can_resume(order: SalesOrder) -> None:
    if order.state != OrderState.ON_HOLD:
        raise CannotResume(_("Order %(number)s is not on hold.") % {"number": order.number})


def check_can_cancel(order: SalesOrder) -> None:
    if not _allowed(order, OrderState.CANCELLED):
        raise CannotCancel(
            _("Order %(number)s is %(state)s and cannot be cancelled any more.")
            % {"number": order.number, "state": _state(order)}
        )
    if any(line.shipped for line in order.lines.all()):
        raise CannotCancel(
            _("Part of order %(number)s has been shipped; reduce the open lines instead.")
            % {"number": order.number}
        )


def check_can_change_quantity(line: SalesOrderLine, quantity: Decimal) -> None:
    """Raise CannotChange: wrong state, cancelled, shipped already, parts of pieces, the last."""
    order = line.order
    if order.state not in OrderState.open():
        raise CannotChange(
            _("Order %(number)s is %(state)s; its quantities cannot be changed.")
            % {"number": order.number, "state": _state(order)}
        )
    if line.is_cancelled:
        raise CannotChange(_("Line %(line)s is cancelled.") % {"line": line.position})
    if quantity < line.shipped or quantity < 0 or quantity == line.quantity:
        raise CannotChange(
            _("The new quantity must differ and be at least the %(shipped)s shipped.")
            % {"shipped": f"{line.shipped.normalize():f}"}
        )
    check_is_whole(quantity, line.item.uom, line.position, CannotChange)
    if quantity == 0 and not order.lines.filter(is_cancelled=False).exclude(pk=line.pk).exists():
        raise CannotChange(
            _("Line %(line)s is the only one; cancel order %(number)s instead.")
            % {"line": line.position, "number": order.number}
        )


def is_whole(quantity: Decimal, uom: str) -> bool:
    """Whether the quantity is none of which a part is counted, not measured."""
    return uom not in lots.WHOLE or not quantity % 1


def check_requested_date(day: date) -> None:
    """Raise CannotEdit for a day beyond any calendar: a slip of the keyboard."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise CannotEdit(
            _("%(day)s is no day to deliver on; give one from %(first)s to %(last)s.")
            % {"day": day, "first": FIRST_DAY, "last": LAST_DAY}
        )


def check_is_whole(quantity: Decimal, uom: str, line: int, error: type[Refused]) -> None:
    """Raise ``error`` for a part of what is counted, not measured: nobody can make half a piece."""
    if not is_whole(quantity, uom):
        raise error(
            _("Line %(line)s is counted in %(unit)s; %(quantity)s is not a whole number.")
            % {"line": line, "unit": uom, "quantity": f"{quantity.normalize():f}"}
        )


def check_can_ship(order: SalesOrder) -> None:
    if order.state not in OrderState.open():
        raise CannotShip(
            _("Order %(number)s is %(state)s; there is nothing to ship.")
            % {"number": order.number, "state": _state(order)}
        )


def check_can_deliver(shipment: Shipment) -> None:
    if shipment.delivered_at is not None:
        raise CannotDeliver(
            _("Shipment %(number)s was delivered already.") % {"number": shipment.number}
        )
