"""What a customer does with their own complaints: every function takes the customer.

A number that is another customer's and one that nobody has get the same answer.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.errors import Refused
from common.models import User
from crm.enums import MessageKind, TicketChannel
from crm.models import Ticket, TicketMessage, TicketPhoto, TraceReport
from crm.selectors_products import Product, held_by
from crm.selectors_tickets import ticket_of, tickets_of
from crm.services import tickets
from crm.services.ticket_photos import Photo
from crm.services.tickets import About, Contact

__all__ = [
    "NoTicket", "NotYours", "Product", "TooMuch", "answer", "complain", "held_by", "photo",
    "report", "ticket_of", "tickets_of",
]  # fmt: skip


# What one person may send within the time: more than a bad day of complaints needs.
MOST_MESSAGES, MOST_PHOTOS, PACE = 30, 60, timedelta(hours=1)


class TooMuch(Refused):
    """Somebody writes faster than people do; ``wait`` is how long until they may again."""

    def __init__(self, wait: timedelta) -> None:
        minutes = math.ceil(wait / timedelta(minutes=1))
        super().__init__(
            ngettext(
                "You have sent us a great deal within an hour. Send this again in %(n)s minute. "
                "If it cannot wait, call us.",
                "You have sent us a great deal within an hour. Send this again in %(n)s minutes. "
                "If it cannot wait, call us.",
                minutes,
            )
            % {"n": minutes}
        )
        self.wait = wait


class NotYours(Refused):
    """No product of the customer carries the number."""


class NoTicket(Exception):
    """The customer has no such ticket."""


def complain(
    *,
    customer_id: int,
    serial: str,
    title: str,
    body: str,
    by: User,
    now: datetime,
    photos: Sequence[Photo] = (),
) -> Ticket:
    """Open a ticket about one of the customer's products; raise NotYours, CannotOpen or TooMuch."""
    _check_pace(by, len(photos), now)
    found = held_by(customer_id, serial)
    if found is None:
        raise NotYours(
            _("We know no product of yours with the number “%(number)s”. Look at its label again.")
            % {"number": serial.strip()[:60]}
        )
    return tickets.create(
        title=title,
        body=body,
        about=About(customer_id=customer_id, thing=found.thing),
        contact=Contact(str(by), by.email),
        channel=TicketChannel.PORTAL,
        photos=photos,
        by=by,
        now=now,
    )


def answer(
    *,
    customer_id: int,
    number: str,
    body: str,
    by: User,
    now: datetime,
    photos: Sequence[Photo] = (),
) -> TicketMessage:
    """The customer writes; raise NoTicket, CannotWrite or TooMuch."""
    found = Ticket.objects.filter(customer=customer_id, number=number).first()
    if found is None:
        raise NoTicket(number)
    _check_pace(by, len(photos), now)
    return tickets.hear(ticket=found, body=body, name=str(by), photos=photos, by=by, now=now)


def _check_pace(by: User, photos: int, now: datetime) -> None:
    """Raise TooMuch. Counted in what is kept: it holds for all servers, and through restarts.

    Of what arrives at the same moment a little more may pass.
    """
    said = TicketMessage.objects.filter(
        author=by, kind=MessageKind.FROM_CUSTOMER, at__gt=now - PACE
    ).order_by("-at")
    shown = TicketPhoto.objects.filter(message__in=said.order_by()).order_by("-message__at")
    for most, more, moments in (
        (MOST_MESSAGES, 1, said.values_list("at", flat=True)),
        (MOST_PHOTOS, photos, shown.values_list("message__at", flat=True)),
    ):
        # The one that must be older than the hour before so many more fit in.
        in_the_way = moments[most - more : most - more + 1].first() if more else None
        if in_the_way is not None:
            raise TooMuch(in_the_way + PACE - now)


def photo(*, customer_id: int, number: str, pk: int) -> Photo | None:
    """A picture of the customer's ticket; None for another's, and for those of our notes."""
    said = TicketMessage.objects.filter(ticket__customer=customer_id, ticket__number=number)
    found = TicketPhoto.objects.filter(
        pk=pk, message__in=said.exclude(kind=MessageKind.NOTE)
    ).first()
    if found is None:
        return None
    return Photo(found.name, found.content_type, bytes(found.content))


def report(*, customer_id: int, number: str, report: str) -> bytes | None:
    """The PDF that the customer was sent; None where it is not theirs."""
    rows = TraceReport.objects.filter(
        customer=customer_id, ticket__customer=customer_id, ticket__number=number, number=report
    )
    found = rows.values_list("pdf", flat=True).first()
    return bytes(found) if found is not None else None
