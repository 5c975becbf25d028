"""What may be done with stock and requirements; each refusal is a sentence."""

from decimal import Decimal

from django.utils.translation import gettext as _

from common.errors import Refused
from erp.enums import MoveKind, RequirementState
from erp.models import Requirement, StockBalance


class CannotReceive(Refused):
    """The goods cannot be booked in."""


class CannotAdjust(Refused):
    """The count cannot be corrected like this."""


class CannotIssue(Refused):
    """The quantity cannot leave the stock."""


class CannotReserve(Refused):
    """There is not so much free stock."""


class CannotChange(Refused):
    """The requirement cannot have this quantity."""


def plain(quantity: Decimal) -> str:
    """A quantity as people write it: 5, not 5.0000."""
    return f"{quantity.normalize():f}"


def check_can_receive(quantity: Decimal, kind: MoveKind) -> None:
    """Raise CannotReceive for nothing, or for a kind that brings nothing in."""
    if quantity <= 0:
        raise CannotReceive(_("Enter a quantity above zero."))
    if kind not in (MoveKind.RECEIPT, MoveKind.PRODUCTION, MoveKind.OPENING):
        raise CannotReceive(_("“%(kind)s” brings nothing in.") % {"kind": MoveKind(kind).label})


def check_can_adjust(balance: StockBalance, quantity: Decimal, reason: str) -> None:
    """Raise CannotAdjust without a reason, or where reserved stock would vanish."""
    if not reason.strip():
        raise CannotAdjust(_("Say why the stock is corrected."))
    if quantity == 0:
        raise CannotAdjust(_("Enter a quantity other than zero."))
    free = balance.on_hand - balance.reserved
    if free + quantity < 0:
        raise CannotAdjust(
            _("Only %(free)s of %(item)s is free; the rest is reserved.")
            % {"free": plain(free), "item": balance.item.code}
        )


def check_can_issue(requirement: Requirement, quantity: Decimal, reserved: Decimal) -> None:
    """Raise CannotIssue for nothing, for a closed requirement, or for more than is reserved."""
    if quantity <= 0:
        raise CannotIssue(_("Enter a quantity above zero."))
    if requirement.state != RequirementState.OPEN:
        raise CannotIssue(
            _("%(reference)s needs nothing more.") % {"reference": requirement.reference}
        )
    if quantity > reserved:
        raise CannotIssue(
            _("%(reference)s: %(reserved)s of %(item)s is ready, not %(quantity)s.")
            % {
                "reference": requirement.reference,
                "reserved": plain(reserved),
                "item": requirement.item.code,
                "quantity": plain(quantity),
            }
        )


def check_can_change(requirement: Requirement, quantity: Decimal) -> None:
    """Raise CannotChange for a closed requirement or less than has already left the stock."""
    if requirement.state != RequirementState.OPEN:
        raise CannotChange(
            _("%(reference)s is %(state)s and keeps its quantity.")
            % {
                "reference": requirement.reference,
                "state": RequirementState(requirement.state).label,
            }
        )
    if quantity < requirement.issued:
        raise CannotChange(
            _("%(reference)s: %(issued)s already left the stock, so %(quantity)s is too few.")
            % {
                "reference": requirement.reference,
                "issued": plain(requirement.issued),
                "quantity": plain(quantity),
            }
        )
