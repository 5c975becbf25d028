"""What customers complain about becomes part of the ledger."""

from datetime import datetime

from django.db import transaction

from traceability import policies
from traceability.models import Complaint
from traceability.policies import CannotLink

__all__ = ["CannotLink", "note"]


def note(
    *,
    reference: str,
    item_id: int,
    thing: int | None,
    symptom: str,
    at: datetime,
) -> Complaint:
    """What a ticket complains about, as it is known by now; ``at`` is when the customer said so.

    The last word on a reference counts; noting the same again writes nothing. No symptom: it was no
    complaint after all. Called with the ticket locked. Raise CannotLink for an unknown thing.
    """
    told = {"item_id": item_id, "thing": thing, "symptom": symptom.strip()[:40], "at": at}
    with transaction.atomic():
        if thing is not None:
            policies.check_known([thing])
        last = Complaint.objects.filter(reference=reference).order_by("-pk").first()
        if last is not None and all(getattr(last, name) == given for name, given in told.items()):
            return last
        return Complaint.objects.create(reference=reference, **told)
