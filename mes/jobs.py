"""What the job ledger runs for the floor."""

from datetime import datetime

from common.jobs import JobKind, register
from common.models import User
from mes.services import andon, breakdowns, readiness


@register("mes.refresh_readiness", kind=JobKind.DATABASE)
def refresh_readiness(*, site_id: int, by: User | None, now: datetime) -> None:
    """Bring WAITING and READY of a site's operations up to date."""
    readiness.refresh(site_id=site_id, now=now)


@register("mes.escalate_call", kind=JobKind.DATABASE)
def escalate_call(*, call_id: int, level: int, by: User | None, now: datetime) -> None:
    """Tell more people of a call that nobody has answered."""
    andon.escalate(call_id=call_id, level=level, now=now)


@register("mes.check_estimate", kind=JobKind.DATABASE)
def check_estimate(*, downtime_id: int, by: User | None, now: datetime) -> None:
    """Look whether a machine is back as estimated."""
    breakdowns.check_estimate(downtime_id=downtime_id, now=now)
