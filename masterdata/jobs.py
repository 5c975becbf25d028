"""What the job ledger runs for the master data."""

from datetime import datetime

from common.jobs import Claim, JobKind, register
from common.models import User
from masterdata.services import uploads


@register(uploads.CHECK_JOB, kind=JobKind.LONG, max_attempts=3, lease_seconds=180)
def check_upload(*, upload_id: int, by: User | None, now: datetime, claim: Claim) -> None:
    """The dry run of a long file."""
    uploads.check_long(upload_id=upload_id, now=now, claim=claim)


@register(uploads.IMPORT_JOB, kind=JobKind.LONG, max_attempts=3, lease_seconds=180)
def import_upload(*, upload_id: int, by: User | None, now: datetime, claim: Claim) -> None:
    """The import of a long file that somebody confirmed."""
    uploads.import_long(upload_id=upload_id, by=by, now=now, claim=claim)
