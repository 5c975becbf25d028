"""Whoever works on a ticket hears of it once when it is overdue, and managers with them."""

from datetime import datetime

from django.db.models import Q
from django.urls import reverse

from common.enums import Level, Role
from common.notifications import notify
from crm.enums import TicketState
from crm.models import Ticket

# In one run; the others are told an hour later.
MOST = 200


def remind(*, now: datetime) -> int:
    """Tell of open tickets whose response or answer is overdue, each once; how many."""
    late = Q(first_response_at__isnull=True, response_due_at__lt=now) | Q(
        answered_at__isnull=True, answer_due_at__lt=now
    )
    found = list(
        Ticket.objects.select_for_update(no_key=True, of=("self",))
        .select_related("assigned_to", "customer")
        .filter(late, state=TicketState.OPEN, reminded_at__isnull=True)
        .order_by("pk")[:MOST]
    )
    for ticket in found:
        notify(
            kind="crm.ticket_overdue",
            parameters={"ticket": ticket.number, "title": ticket.title},
            users=[ticket.assigned_to] if ticket.assigned_to else [],
            roles=[Role.MANAGER] if ticket.assigned_to else [Role.MANAGER, Role.AFTER_SALES],
            level=Level.WARNING,
            url=reverse("crm:ticket", args=[ticket.number]),
            now=now,
        )
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in found]).update(reminded_at=now)
    return len(found)
