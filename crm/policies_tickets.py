"""What may be done with a ticket, a return and a report in which state; each check raises."""

from datetime import datetime

from django.utils.translation import gettext as _

from common.errors import Refused
from crm.enums import (
    RMA_TRANSITIONS,
    TICKET_TRANSITIONS,
    MessageKind,
    ReportTier,
    RmaDisposition,
    RmaState,
    TicketChannel,
    TicketState,
)
from crm.models import ReportShare, Rma, Ticket
from crm.selectors_products import Product
from masterdata import selectors as masterdata

# A share never lives longer, whatever somebody types.
LONGEST_SHARE_DAYS = 90


class CannotOpen(Refused):
    """The ticket is not complete, or names what is not there."""


class CannotEdit(Refused):
    """The ticket is closed, or was changed meanwhile."""


class CannotWrite(Refused):
    """Nothing is said, or the ticket is closed."""


class CannotMove(Refused):
    """The ticket is not in the state from which this is done."""


class CannotAttach(Refused):
    """The file is no picture, or too large."""


class CannotDecide(Refused):
    """The warranty cannot be decided like this."""


class CannotReturn(Refused):
    """The return is not at that step, or what it needs is missing."""


class CannotReport(Refused):
    """This customer cannot be sent a report on this product."""


class CannotShare(Refused):
    """The link cannot be made, or is over."""


class CannotFreeze(Refused):
    """There is nothing of which a list could be frozen."""


class CannotSettle(Refused):
    """The alert is settled already, or nobody says why."""


def _is(ticket: Ticket) -> str:
    return _("Ticket %(ticket)s: %(state)s.") % {
        "ticket": ticket.number,
        "state": TicketState(ticket.state).label,
    }


def check_can_open(title: str, body: str) -> None:
    """Raise CannotOpen without a subject or a text."""
    if not title.strip() or not body.strip():
        raise CannotOpen(_("Say in a subject and a text what is wrong."))


def check_can_edit(ticket: Ticket) -> None:
    """Raise CannotEdit once it is closed."""
    if ticket.state == TicketState.CLOSED:
        raise CannotEdit(_is(ticket))


def check_can_give_to(ticket: Ticket, customer_id: int | None) -> None:
    """Raise CannotEdit where another customer would read what this one wrote or was told."""
    if ticket.customer_id in (None, customer_id):
        return
    is_said = ticket.messages.filter(kind=MessageKind.TO_CUSTOMER).exists()
    if is_said or _wrote_in(ticket) or ticket.rmas.exists():
        raise CannotEdit(
            _("%(customer)s wrote in this ticket or was answered: open another one.")
            % {"customer": ticket.customer.label if ticket.customer else ""}
        )


def _wrote_in(ticket: Ticket) -> bool:
    """Whether its customer wrote themselves: in the portal, or from an address of theirs."""
    written = ticket.messages.filter(kind=MessageKind.FROM_CUSTOMER)
    if ticket.channel == TicketChannel.PORTAL or written.filter(author__isnull=False).exists():
        return True
    owner = masterdata.customer_by_email(ticket.contact_email)
    is_theirs = owner is not None and owner.pk == ticket.customer_id
    return is_theirs and written.exclude(message_id="").exists()


def check_can_write(ticket: Ticket, body: str) -> None:
    """Raise CannotWrite for a closed ticket and for no text."""
    if ticket.state == TicketState.CLOSED:
        raise CannotWrite(_is(ticket))
    if not body.strip():
        raise CannotWrite(_("Write what you want to say."))


def check_can_move(ticket: Ticket, new: TicketState) -> None:
    """Raise CannotMove where the state does not lead there."""
    if new not in TICKET_TRANSITIONS[TicketState(ticket.state)]:
        raise CannotMove(_is(ticket))


def check_can_resolve(ticket: Ticket) -> None:
    """Raise CannotMove while nobody has answered, or goods are on their way."""
    check_can_move(ticket, TicketState.RESOLVED)
    if ticket.answered_at is None:
        raise CannotMove(_("Answer the customer first: send the report, or a reply that answers."))
    if ticket.rmas.filter(state__in=RmaState.open()).exists():
        raise CannotMove(_("A return of this ticket is not closed yet."))


def check_can_move_rma(rma: Rma, new: RmaState) -> None:
    """Raise CannotReturn where the return is not at that step."""
    if new not in RMA_TRANSITIONS[RmaState(rma.state)]:
        raise CannotReturn(
            _("Return %(rma)s: %(state)s.")
            % {"rma": rma.number, "state": RmaState(rma.state).label}
        )


def check_not_under_way(found: Product) -> None:
    """Raise CannotReturn where another return of the unit is open, at whatever site."""
    if Rma.objects.filter(thing=found.thing, state__in=RmaState.open()).exists():
        raise CannotReturn(
            _("A return of %(number)s is under way already.") % {"number": found.number}
        )


def check_can_close_rma(rma: Rma) -> None:
    """Raise CannotReturn: not evaluated, not repaired, or no replacement named."""
    check_can_move_rma(rma, RmaState.CLOSED)
    if rma.disposition == RmaDisposition.REPAIR and rma.state != RmaState.IN_REPAIR:
        raise CannotReturn(_("Open the repair order first."))


def check_tier(asked: ReportTier, most: ReportTier) -> None:
    """Raise CannotReport for more than the customer may be told."""
    if not most.reaches(asked):
        raise CannotReport(_("This customer is told “%(most)s” at most.") % {"most": most.label})


def check_share_days(days: int) -> None:
    """Raise CannotShare for no days, or too many."""
    if not 1 <= days <= LONGEST_SHARE_DAYS:
        raise CannotShare(_("A link lives from 1 to %(most)s days.") % {"most": LONGEST_SHARE_DAYS})


def is_over(share: ReportShare, *, now: datetime) -> bool:
    """Whether the link leads nowhere any more."""
    return share.revoked_at is not None or now >= share.expires_at
