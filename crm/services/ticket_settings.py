"""The master lists of after-sales: symptoms, texts, times, and who is told how much."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.errors import Refused
from common.models import User
from crm.enums import ReportTier, TicketPriority
from crm.models import ReportAccess, TicketMacro, TicketSymptom, TicketTarget
from masterdata import selectors as masterdata

# A year of minutes: more was mistyped.
MOST_MINUTES = 525_600


class CannotSave(Refused):
    """The setting is not complete, or names nobody."""


def save(row: TicketSymptom | TicketMacro, *, by: User, now: datetime) -> None:
    """Keep a symptom or a text that a form has checked."""
    with transaction.atomic():
        row.save()
        audit.record(action="crm.ticket.settings", target=row, by=by, now=now)


def set_target(
    *, priority: TicketPriority, response: int, answer: int, by: User, now: datetime
) -> TicketTarget:
    """How soon tickets of a priority are answered, in business minutes; raise CannotSave.

    Tickets that are open keep the moments that they were told.
    """
    if not 0 < response <= answer <= MOST_MINUTES:
        raise CannotSave(_("The answer comes with the first response, or after it."))
    with transaction.atomic():
        row, _is_new = TicketTarget.objects.update_or_create(
            priority=priority,
            defaults={"response_minutes": response, "answer_minutes": answer},
        )
        audit.record(
            action="crm.ticket.settings",
            target=row,
            by=by,
            now=now,
            changes={"minutes": [None, f"{response} / {answer}"]},
        )
    return row


def set_access(*, customer_code: str, tier: ReportTier | None, by: User, now: datetime) -> None:
    """How much of a product's history a customer is told; None: as everybody. Raise CannotSave."""
    customer = masterdata.customer_by_code(customer_code)
    if customer is None:
        raise CannotSave(_("There is no customer “%(code)s”.") % {"code": customer_code.strip()})
    with transaction.atomic():
        if tier is None:
            ReportAccess.objects.filter(customer=customer).delete()
        else:
            ReportAccess.objects.update_or_create(customer=customer, defaults={"tier": tier})
        audit.record(
            action="crm.ticket.settings",
            target=customer,
            by=by,
            now=now,
            changes={"reports": [None, tier.value if tier else ""]},
        )
