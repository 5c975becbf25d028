"""What may be done with a count of the store; each refusal is a sentence."""

from collections.abc import Collection
from decimal import Decimal

from django.utils.translation import gettext as _

from common.errors import Refused
from common.models import User
from erp.enums import CountState
from erp.models import Bin, CountLine, CountSession
from masterdata import selectors as masterdata
from masterdata.enums import Tracking
from traceability import selectors as traceability


class CannotCount(Refused):
    """The count cannot go on like this."""


def check_can_enter(session: CountSession) -> None:
    """Raise CannotCount once the count is handed in."""
    if session.state != CountState.OPEN:
        raise CannotCount(
            _("%(count)s is %(state)s; start another count.")
            % {"count": session.number, "state": CountState(session.state).label.lower()}
        )


def check_is_here(session: CountSession, bin_id: int) -> None:
    """Raise CannotCount for a bin of another site."""
    if not Bin.objects.filter(pk=bin_id, warehouse__site=session.site_id).exists():
        raise CannotCount(_("This bin is another site's."))


def check_place_to_count(
    session: CountSession,
    *,
    counted: Decimal,
    expected: Decimal,
    bin_id: int,
    item_id: int,
    lot_id: int | None,
    unit_id: int | None,
) -> None:
    """Raise CannotCount for a place of another site, or a lot or unit of another item.

    Of a tracked item nothing is found without its number: it would be nobody's lot, held by no
    hold. What the books have so (from before it was tracked) can be counted away.
    """
    if counted < 0:
        raise CannotCount(_("Nothing is counted below zero."))
    check_is_here(session, bin_id)
    named = [
        *traceability.lots([lot_id] if lot_id else []).values(),
        *traceability.units([unit_id] if unit_id else []).values(),
    ]
    if any(thing.item_id != item_id for thing in named):
        raise CannotCount(_("This number belongs to another item."))
    if unit_id and counted not in (0, 1):
        raise CannotCount(_("A serial number is one piece, or none."))
    if not named and counted > expected:
        tracking = masterdata.items_by_id([item_id])[item_id].tracking
        if tracking == Tracking.LOT:
            raise CannotCount(_("This item is kept by lots: scan the lot."))
        if tracking == Tracking.SERIAL:
            raise CannotCount(_("This item has serial numbers: scan each piece."))


def check_can_submit(session: CountSession, lines: int) -> None:
    """Raise CannotCount for a count without a line, or one that is handed in."""
    check_can_enter(session)
    if not lines:
        raise CannotCount(_("Count at least one place."))


def check_can_approve(
    session: CountSession, counters: Collection[int | None], by: User | None
) -> None:
    """Raise CannotCount unless another person than those who counted looks at it."""
    if session.state != CountState.SUBMITTED:
        raise CannotCount(_("%(count)s waits for no approval.") % {"count": session.number})
    if by is not None and by.pk in {*counters, session.submitted_by_id}:
        raise CannotCount(_("Somebody who did not count has to approve it."))


def check_can_send_back(session: CountSession, reason: str) -> None:
    """Raise CannotCount without a reason, or where nothing waits."""
    if session.state != CountState.SUBMITTED:
        raise CannotCount(_("%(count)s waits for no approval.") % {"count": session.number})
    if not reason.strip():
        raise CannotCount(_("Say why."))


def check_can_cancel_count(session: CountSession) -> None:
    """Raise CannotCount for a count that is over."""
    if session.state not in (CountState.OPEN, CountState.SUBMITTED):
        raise CannotCount(_("%(count)s is over.") % {"count": session.number})


def check_still_there(line: CountLine, quantity: Decimal) -> None:
    """Raise CannotCount where less lies there now than the count takes away."""
    if quantity + line.counted - line.expected < 0 and not line.item.may_be_negative:
        raise CannotCount(
            _("%(item)s in %(bin)s was moved after it was counted; count it again.")
            % {"item": line.item.code, "bin": line.bin.code}
        )
