"""What the job ledger runs for the genealogy."""

from datetime import datetime

from common.jobs import JobKind, register
from common.models import User
from traceability.services import upkeep


@register("traceability.make_months", kind=JobKind.DATABASE, is_hourly=True)
def make_months(*, by: User | None, now: datetime) -> None:
    """Make the partitions of the readings of the months to come."""
    upkeep.make_months(now=now)


@register("traceability.audit_by_night", kind=JobKind.DATABASE, queue="documents", is_hourly=True)
def audit_by_night(*, by: User | None, now: datetime) -> None:
    """Look through the whole ledger once a night."""
    upkeep.audit_by_night(now=now)
