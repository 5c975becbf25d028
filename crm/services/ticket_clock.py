"""The clock of a ticket: when it is to be answered, in business hours, less the time it waited.

It stands while we wait for the customer and once the ticket is resolved. The stopwatch from the
complaint to the answer is another thing: it is plain time, and nothing stops it but the answer.
"""

from datetime import datetime

from crm.enums import TicketPriority
from crm.models import Ticket, TicketTarget
from masterdata.services.business_time import BusinessTime, NoBusinessHours

# Where nobody has said otherwise: first response and answer, in business minutes.
USUAL: dict[TicketPriority, tuple[int, int]] = {
    TicketPriority.URGENT: (15, 120),
    TicketPriority.HIGH: (60, 480),
    TicketPriority.NORMAL: (240, 960),
    TicketPriority.LOW: (480, 2400),
}


def targets() -> dict[TicketPriority, tuple[int, int]]:
    """Minutes to the first response and to the answer, by priority; one query."""
    said = {
        TicketPriority(row.priority): (row.response_minutes, row.answer_minutes)
        for row in TicketTarget.objects.all()
    }
    return USUAL | said


def reckon(ticket: Ticket) -> None:
    """Set both due moments of the ticket from its priority and what it waited; saves nothing.

    Without business hours in the site's calendar there are none.
    """
    response, answer = targets()[TicketPriority(ticket.priority)]
    times = BusinessTime(ticket.site)
    try:
        ticket.response_due_at = times.after(ticket.opened_at, response + ticket.paused_minutes)
        ticket.answer_due_at = times.after(ticket.opened_at, answer + ticket.paused_minutes)
    except NoBusinessHours:
        ticket.response_due_at = ticket.answer_due_at = None


def stop(ticket: Ticket, *, now: datetime) -> None:
    """The clock stands from now on; one that stands goes on standing."""
    ticket.stopped_at = ticket.stopped_at or now


def go_on(ticket: Ticket, *, now: datetime) -> None:
    """The clock goes on; the business hours in which it stood do not count."""
    if ticket.stopped_at is None:
        return
    stood = BusinessTime(ticket.site).between(ticket.stopped_at, now)
    ticket.paused_minutes += stood
    ticket.stopped_at = None
    reckon(ticket)
