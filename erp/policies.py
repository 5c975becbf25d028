"""What may be done with stock and requirements; each refusal is a sentence."""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from common.errors import Refused
from erp.enums import BinKind, MoveKind, RequirementState
from erp.models import Bin, Requirement, StockBalance
from erp.policies_days import check_day
from masterdata.enums import Tracking
from traceability import selectors as traceability
from traceability.enums import IdentityState

if TYPE_CHECKING:
    from masterdata.models import Item
    from traceability.models import Lot, SerialUnit


class CannotReceive(Refused):
    """The goods cannot be booked in."""


class CannotAdjust(Refused):
    """The count cannot be corrected like this."""


class CannotIssue(Refused):
    """The quantity cannot leave the stock."""


class CannotStage(Refused):
    """The quantity cannot be picked or staged."""


class CannotMove(Refused):
    """The quantity cannot be brought there."""


class CannotReserve(Refused):
    """There is not so much free stock."""


class CannotChange(Refused):
    """The requirement cannot have this quantity."""


# Serial numbers that one booking may give or take: more is a slip of the finger, and would keep
# the store waiting for minutes.
MOST_SERIALS = 20_000


def plain(quantity: Decimal) -> str:
    """A quantity as people write it: 5, not 5.0000."""
    return f"{quantity.normalize():f}"


def check_can_receive(quantity: Decimal, kind: MoveKind) -> None:
    """Raise CannotReceive for nothing, or for a kind that brings nothing in."""
    if quantity <= 0:
        raise CannotReceive(_("Enter a quantity above zero."))
    if kind not in (MoveKind.RECEIPT, MoveKind.PRODUCTION, MoveKind.OPENING):
        raise CannotReceive(_("“%(kind)s” brings nothing in.") % {"kind": MoveKind(kind).label})


def check_identity(
    item: "Item",
    kind: MoveKind,
    *,
    quantity: Decimal,
    lot_number: str,
    serials: Sequence[str],
) -> None:
    """Raise CannotReceive where lot or serial numbers do not fit the item or the quantity."""
    if lot_number and item.tracking != Tracking.LOT:
        raise CannotReceive(_("%(item)s is not kept by lots.") % {"item": item.code})
    if serials and item.tracking != Tracking.SERIAL:
        raise CannotReceive(_("%(item)s has no serial numbers.") % {"item": item.code})
    if item.tracking != Tracking.SERIAL:
        return
    if quantity != quantity.to_integral_value():
        raise CannotReceive(
            _("%(item)s has serial numbers: only whole pieces count.") % {"item": item.code}
        )
    if quantity > MOST_SERIALS:
        raise CannotReceive(
            _("%(item)s has serial numbers: at most %(most)s pieces at once.")
            % {"item": item.code, "most": MOST_SERIALS}
        )
    if serials and len(serials) != quantity:
        raise CannotReceive(
            _("%(count)s serial numbers are given for %(quantity)s of %(item)s.")
            % {"count": len(serials), "quantity": plain(quantity), "item": item.code}
        )


def check_origin(
    item: "Item", kind: MoveKind, *, supplier_lot: str, expires_on: date | None, today: date
) -> None:
    """Raise CannotReceive where a delivery does not say what the item's policy asks for."""
    if kind != MoveKind.RECEIPT:
        return
    if item.supplier_lot_required and not supplier_lot.strip():
        raise CannotReceive(_("%(item)s needs the supplier's lot.") % {"item": item.code})
    if item.expiry_required and expires_on is None:
        raise CannotReceive(_("%(item)s needs the day of expiry.") % {"item": item.code})
    check_day(expires_on, CannotReceive)
    if expires_on is not None and expires_on < today:
        raise CannotReceive(
            _("It expired on %(day)s; receive it into quarantine without the day, or send it back.")
            % {"day": expires_on.isoformat()}
        )


def is_expired(thing: "Lot | SerialUnit | None", on: date) -> bool:
    """Whether the lot or unit may not be used any more on the day."""
    return thing is not None and thing.expires_on is not None and thing.expires_on < on


def check_named(
    requirement: Requirement, lot_id: int | None, unit_ids: Collection[int], on: date
) -> None:
    """Raise CannotIssue for a scanned lot or unit that is another item's, held or expired."""
    named: list[Lot | SerialUnit] = [
        *traceability.lots([lot_id] if lot_id else []).values(),
        *traceability.units(unit_ids).values(),
    ]
    for thing in named:
        if thing.item_id != requirement.item_id:
            raise CannotIssue(
                _("%(number)s is %(item)s, and %(wanted)s is needed.")
                % {
                    "number": thing.number,
                    "item": thing.item.code,
                    "wanted": requirement.item.code,
                }
            )
        if thing.state == IdentityState.ON_HOLD:
            raise CannotIssue(
                _("%(number)s is on hold. Take another one and tell quality.")
                % {"number": thing.number}
            )
        if is_expired(thing, on):
            raise CannotIssue(
                _("%(number)s expired on %(day)s. Take another one.")
                % {"number": thing.number, "day": str(thing.expires_on)}
            )


def check_enough_usable(requirement: Requirement, missing: Decimal, *, is_named: bool) -> None:
    """Raise CannotIssue where what is reserved cannot all be taken from where it lies."""
    if missing <= 0 or (requirement.item.may_be_negative and not is_named):
        return
    if is_named:
        sentence = _("%(missing)s of %(item)s are missing there. Scan another lot or place too.")
    else:
        sentence = _("%(missing)s of %(item)s cannot be used: expired, or staged for others.")
    raise CannotIssue(sentence % {"missing": plain(missing), "item": requirement.item.code})


def check_can_adjust(balance: StockBalance, quantity: Decimal, reason: str) -> None:
    """Raise CannotAdjust without a reason, or where reserved stock would vanish."""
    if not reason.strip():
        raise CannotAdjust(_("Say why the stock is corrected."))
    if quantity == 0:
        raise CannotAdjust(_("Enter a quantity other than zero."))
    free = balance.on_hand - balance.held - balance.reserved
    if free + quantity < 0 and not balance.item.may_be_negative:
        raise CannotAdjust(
            _("Only %(free)s of %(item)s is free; the rest is reserved.")
            % {"free": plain(free), "item": balance.item.code}
        )


def check_may_correct_alone(
    item: "Item", quantity: Decimal, *, price: Decimal, today: Decimal, limit: Decimal
) -> None:
    """Raise CannotAdjust for more than one person may correct without another's approval.

    ``price`` is what a piece is worth, ``today`` the pieces of the item corrected already: many
    small corrections are one large one.
    """
    if not price:
        raise CannotAdjust(
            _(
                "Nobody knows what %(item)s costs: count its place instead, and somebody else "
                "approves what differs."
            )
            % {"item": item.code}
        )
    if (abs(quantity) + today) * price > limit:
        raise CannotAdjust(
            _(
                "This is worth more than one person may correct of %(item)s in a day: count its "
                "place instead, and somebody else approves what differs."
            )
            % {"item": item.code}
        )


def check_enough_to_correct(item: "Item", missing: Decimal) -> None:
    """Raise CannotAdjust where what is to be written off is staged or expired."""
    if missing > 0 and not item.may_be_negative:
        raise CannotAdjust(
            _("%(missing)s of %(item)s stand ready for somebody or are expired; count the place.")
            % {"missing": plain(missing), "item": item.code}
        )


def check_bin(place: Bin, site_id: int) -> Bin:
    """The bin; raise CannotMove where it is another site's or out of use."""
    if place.warehouse.site_id != site_id or not place.is_active:
        raise CannotMove(_("%(bin)s is no bin in use here.") % {"bin": place.code})
    return place


def check_can_move(start: Bin, end: Bin, quantity: Decimal) -> None:
    """Raise CannotMove for nothing, to the same bin, to one out of use, or to another site."""
    if quantity <= 0:
        raise CannotMove(_("Enter a quantity above zero."))
    if start.pk == end.pk:
        raise CannotMove(_("It lies in %(bin)s already.") % {"bin": end.code})
    if not end.is_active:
        raise CannotMove(_("%(bin)s is no bin in use here.") % {"bin": end.code})
    if start.warehouse.site_id != end.warehouse.site_id:
        raise CannotMove(
            _("%(bin)s is at another site: send it by a transfer.") % {"bin": end.label}
        )


def check_enough_to_move(code: str, quantity: Decimal, left: Decimal) -> None:
    """Raise CannotMove where not so much lies there, or it stands ready for somebody."""
    if left == quantity:
        raise CannotMove(_("Nothing that may be moved lies there."))
    if left > 0:
        raise CannotMove(
            _("%(there)s of %(item)s may be moved from there, not %(quantity)s.")
            % {"there": plain(quantity - left), "item": code, "quantity": plain(quantity)}
        )


def refuse_several_lots(item: "Item") -> None:
    """Raise CannotMove: which lot is moved has to be said."""
    raise CannotMove(_("Several lots of %(item)s lie there; say which one.") % {"item": item.code})


def refuse_several_units(item: "Item") -> None:
    """Raise CannotMove: which of the pieces are moved has to be said, unless all of them are."""
    raise CannotMove(
        _("Other pieces of %(item)s lie there too; say which ones.") % {"item": item.code}
    )


def check_may_leave_site(leaving: Decimal, free: Decimal) -> None:
    """Raise CannotMove where reserved stock would go to another site."""
    if leaving > free:
        raise CannotMove(
            _("Only %(free)s is free to leave this site; the rest is reserved.")
            % {"free": plain(max(free, Decimal(0)))}
        )


def check_target(place: Bin, site_id: int) -> Bin:
    """The bin; raise CannotStage where nothing can stand ready in it."""
    if place.warehouse.site_id != site_id or not place.is_active:
        raise CannotStage(_("%(bin)s is no bin in use here.") % {"bin": place.code})
    if place.kind == BinKind.QUARANTINE:
        raise CannotStage(_("Nothing stands ready in quarantine."))
    return place


def check_can_stage(requirement: Requirement, quantity: Decimal, unstaged: Decimal) -> None:
    """Raise CannotStage for nothing, or for more than is reserved and not staged yet."""
    if quantity <= 0:
        raise CannotStage(_("Enter a quantity above zero."))
    if quantity > unstaged:
        raise CannotStage(
            _("%(reference)s: %(open)s of %(item)s is reserved and not staged yet, not %(wanted)s.")
            % {
                "reference": requirement.reference,
                "open": plain(max(unstaged, Decimal(0))),
                "item": requirement.item.code,
                "wanted": plain(quantity),
            }
        )


def check_enough_to_stage(requirement: Requirement, missing: Decimal, *, is_named: bool) -> None:
    """Raise CannotStage where what is reserved cannot all be taken from where it lies."""
    if missing <= 0:
        return
    if is_named:
        sentence = _("%(missing)s of %(item)s are missing there. Scan another lot or place too.")
    else:
        sentence = _("%(missing)s of %(item)s cannot be used: expired, or staged for others.")
    raise CannotStage(sentence % {"missing": plain(missing), "item": requirement.item.code})


def check_can_issue(requirement: Requirement, quantity: Decimal, reserved: Decimal) -> None:
    """Raise CannotIssue for nothing, for a closed requirement, or for more than is reserved."""
    if quantity <= 0:
        raise CannotIssue(_("Enter a quantity above zero."))
    if requirement.state != RequirementState.OPEN:
        raise CannotIssue(
            _("%(reference)s needs nothing more.") % {"reference": requirement.reference}
        )
    if quantity > requirement.quantity - requirement.issued:
        raise CannotIssue(
            _("%(reference)s needs only %(open)s more of %(item)s.")
            % {
                "reference": requirement.reference,
                "open": plain(requirement.quantity - requirement.issued),
                "item": requirement.item.code,
            }
        )
    if quantity > reserved and not requirement.item.may_be_negative:
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
