"""What may be done with purchase orders and proposals; each refusal is a sentence."""

from decimal import Decimal

from django.utils.translation import gettext as _

from common.errors import Refused
from common.models import User
from erp.enums import (
    PURCHASE_ORDER_TRANSITIONS,
    ProposalState,
    PurchaseOrderState,
)
from erp.models import Proposal, PurchaseOrder, PurchaseOrderLine, SupplyRule
from erp.policies import CannotReceive, plain


class CannotOrder(Refused):
    """The purchase order cannot be placed."""


class CannotApprove(Refused):
    """Somebody else has to approve it, or there is nothing to approve."""


class CannotChangeOrder(Refused):
    """The purchase order is past the point where this can be changed."""


class CannotReturn(Refused):
    """The goods cannot go back."""


class CannotDecide(Refused):
    """The proposal cannot be changed or accepted."""


def value_of(order: PurchaseOrder) -> Decimal:
    """What the order costs, in its currency; one query."""
    return sum((line.value for line in order.lines.all()), Decimal(0))


def needs_approval(order: PurchaseOrder, rule: SupplyRule) -> bool:
    """Whether another person has to approve the order before it goes out."""
    return rule.approval_limit is not None and value_of(order) > rule.approval_limit


def check_can_move(order: PurchaseOrder, new: PurchaseOrderState) -> None:
    """Raise CannotChangeOrder where the state table does not lead there."""
    if new not in PURCHASE_ORDER_TRANSITIONS[PurchaseOrderState(order.state)]:
        raise CannotChangeOrder(
            _("%(order)s is “%(state)s”; it cannot become “%(new)s”.")
            % {
                "order": order.number,
                "state": PurchaseOrderState(order.state).label,
                "new": new.label,
            }
        )


def check_can_submit(order: PurchaseOrder) -> None:
    """Raise CannotOrder for an order without lines, CannotChangeOrder for one that is no draft."""
    if order.state != PurchaseOrderState.DRAFT:
        check_can_move(order, PurchaseOrderState.SENT)
        raise CannotChangeOrder(_("%(order)s waits for approval.") % {"order": order.number})
    if not order.lines.exists():
        raise CannotOrder(_("Order at least one item."))


def check_can_approve(order: PurchaseOrder, by: User | None) -> None:
    """Raise CannotApprove where nothing waits, or where its own buyer would approve it."""
    if order.state != PurchaseOrderState.TO_APPROVE:
        raise CannotApprove(_("%(order)s does not wait for approval.") % {"order": order.number})
    if by is not None and by.pk == order.ordered_by_id:
        raise CannotApprove(
            _("You ordered %(order)s yourself: another person has to approve it.")
            % {"order": order.number}
        )


def check_can_edit_line(order: PurchaseOrder) -> None:
    """Raise CannotChangeOrder once the order left the house."""
    if order.state != PurchaseOrderState.DRAFT:
        raise CannotChangeOrder(
            _("%(order)s is “%(state)s”: only a draft can be changed.")
            % {"order": order.number, "state": PurchaseOrderState(order.state).label}
        )


def check_can_confirm(order: PurchaseOrder) -> None:
    """Raise CannotChangeOrder where the supplier has nothing to confirm."""
    if order.state not in PurchaseOrderState.on_order():
        raise CannotChangeOrder(
            _("%(order)s is “%(state)s”: there is nothing to confirm.")
            % {"order": order.number, "state": PurchaseOrderState(order.state).label}
        )


def check_can_promise(line: PurchaseOrderLine, quantity: Decimal) -> None:
    """Raise CannotChangeOrder for a quantity below what came already."""
    least = line.received + line.rejected
    if quantity < least or quantity <= 0:
        raise CannotChangeOrder(
            _("Position %(position)s: %(least)s came already, so %(quantity)s is too few.")
            % {
                "position": line.position,
                "least": plain(least),
                "quantity": plain(quantity),
            }
        )


def check_is_to_come(order: PurchaseOrder) -> None:
    """Raise CannotReceive where nothing of the order is to come."""
    if order.state not in PurchaseOrderState.on_order():
        raise CannotReceive(
            _("%(order)s is “%(state)s”: nothing is to come.")
            % {"order": order.number, "state": PurchaseOrderState(order.state).label}
        )


def check_can_take_in(
    order: PurchaseOrder, line: PurchaseOrderLine, quantity: Decimal, rule: SupplyRule
) -> None:
    """Raise CannotReceive: nothing is to come, or more came than the tolerance lets in."""
    check_is_to_come(order)
    left = line.quantity - line.received - line.rejected
    most = left + line.quantity * rule.over_delivery
    if quantity > most:
        raise CannotReceive(
            _("%(order)s, position %(position)s: %(left)s is open, not %(quantity)s.")
            % {
                "order": order.number,
                "position": line.position,
                "left": plain(left),
                "quantity": plain(quantity),
            }
        )


def check_can_return(
    line: PurchaseOrderLine, quantity: Decimal, reason: str, *, replace: bool
) -> None:
    """Raise CannotReturn for more than was received, without a reason, or where nothing comes."""
    if not reason.strip():
        raise CannotReturn(_("Say why the goods go back."))
    if replace and line.order.state not in (
        PurchaseOrderState.PARTLY_RECEIVED,
        PurchaseOrderState.RECEIVED,
    ):
        raise CannotReturn(
            _("%(order)s is “%(state)s”: nothing is to come.")
            % {
                "order": line.order.number,
                "state": PurchaseOrderState(line.order.state).label,
            }
        )
    if quantity <= 0 or quantity > line.received:
        raise CannotReturn(
            _("Position %(position)s: %(received)s was received, so %(quantity)s cannot go back.")
            % {
                "position": line.position,
                "received": plain(line.received),
                "quantity": plain(quantity),
            }
        )


def check_can_decide(proposal: Proposal) -> None:
    """Raise CannotDecide for a proposal that was accepted already."""
    if proposal.state != ProposalState.OPEN:
        raise CannotDecide(_("This proposal was accepted already."))
