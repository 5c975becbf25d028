"""Who may do what with an order in which state: check_can_<verb> raises with the reason."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from common.errors import Refused
from crm.enums import ORDER_TRANSITIONS, OrderState, RushState
from crm.models import RushRequest, SalesOrder, SalesOrderLine, Shipment
from masterdata.services import lots

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


class CannotRequest(Refused):
    """The line cannot be rushed, or a rush of it is under way."""


class CannotDecide(Refused):
    """The request does not wait for a decision, or the plan has moved since."""


class CannotWithdraw(Refused):
    """The request is decided already."""


def check_can_request_rush(line: SalesOrderLine, *, wanted_date: date, today: date) -> None:
    """Raise CannotRequest: over, shipped, no such day, under way, or no rush needed."""
    facts = {"order": line.order.number, "line": line.position}
    askable = [OrderState.DRAFT, OrderState.SUBMITTED, *OrderState.open()]
    if line.is_cancelled or line.order.state not in askable or line.shipped >= line.quantity:
        raise CannotRequest(
            _("Order %(order)s, line %(line)s is not open; there is nothing to rush.") % facts
        )
    if not today <= wanted_date <= LAST_DAY:
        raise CannotRequest(_("Give a day from today on."))
    if line.rushes.filter(state__in=RushState.open()).exists():
        raise CannotRequest(
            _("A rush of order %(order)s, line %(line)s is under way already.") % facts
        )
    if line.projected_date is not None and line.projected_date <= wanted_date:
        raise CannotRequest(
            _("Order %(order)s, line %(line)s is estimated for %(day)s; it needs no rush.")
            % {**facts, "day": line.projected_date}
        )


def check_can_submit_rush(rush: RushRequest) -> None:
    """Raise CannotDecide unless it is assessed and nobody was asked yet."""
    if rush.state != RushState.ASSESSED:
        raise CannotDecide(_rush_state(rush))


def check_can_approve_rush(rush: RushRequest) -> None:
    """Raise CannotDecide unless it waits for a decision and its plan has a date for the line."""
    if rush.state != RushState.PENDING:
        raise CannotDecide(_rush_state(rush))
    if rush.line.is_cancelled or rush.line.order.state not in (
        OrderState.DRAFT,
        OrderState.SUBMITTED,
        *OrderState.open(),
    ):
        raise CannotDecide(
            _("Order %(order)s is %(state)s; there is nothing to rush.")
            % {"order": rush.line.order.number, "state": _state(rush.line.order)}
        )
    if not rush.assessment.get("day"):
        raise CannotDecide(
            rush.assessment.get("error") or _("The simulated plan has no date for this line.")
        )


def check_can_reject_rush(rush: RushRequest) -> None:
    """Raise CannotDecide once it is decided."""
    if rush.state not in RushState.undecided():
        raise CannotDecide(_rush_state(rush))


def check_can_withdraw_rush(rush: RushRequest) -> None:
    """Raise CannotWithdraw once it is in the plan or over."""
    if rush.state not in RushState.open():
        raise CannotWithdraw(_rush_state(rush))


def _rush_state(rush: RushRequest) -> str:
    return _("Rush %(rush)s: %(state)s.") % {
        "rush": rush.number,
        "state": RushState(rush.state).label,
    }
