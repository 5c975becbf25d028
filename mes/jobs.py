"""What the job ledger runs for the floor."""

from datetime import datetime

from common.jobs import JobKind, register
from common.models import User
from mes.services import covering, readiness


@register("mes.refresh_readiness", kind=JobKind.DATABASE)
def refresh_readiness(*, site_id: int, by: User | None, now: datetime) -> None:
    """Bring WAITING and READY of a site's operations up to date."""
    readiness.refresh(site_id=site_id, now=now)


@register("mes.cover_again", kind=JobKind.DATABASE)
def cover_again(*, site_id: int, by: User | None, now: datetime) -> None:
    """Plan anew what a hold or a count took from the needs of a site."""
    covering.cover_again(site_id=site_id, by=by, now=now)
