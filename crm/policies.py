"""Who may do what with an order in which state: check_can_<verb> raises with the reason."""

from django.utils.translation import gettext as _

from common.errors import Refused
from crm.enums import ORDER_TRANSITIONS, OrderState
from crm.models import SalesOrder, SalesOrderLine, Shipment


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


def check_can_change_quantity(line: SalesOrderLine) -> None:
    order = line.order
    if order.state not in OrderState.open() or line.is_cancelled:
        raise CannotChange(
            _("Order %(number)s is %(state)s; its quantities cannot be changed.")
            % {"number": order.number, "state": _state(order)}
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
