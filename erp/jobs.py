"""What the job ledger runs for purchasing and planning."""

from datetime import datetime

from common.jobs import Claim, JobKind, register
from common.memory import without_cycle_collection
from common.models import User
from erp.services import holds, mrp_runs


@register(mrp_runs.JOB, kind=JobKind.LONG, queue="solver", max_attempts=3, lease_seconds=120)
def run_mrp(*, run_id: int, by: User | None, now: datetime, claim: Claim) -> None:
    """Plan the requirements of a site."""
    with without_cycle_collection():
        mrp_runs.run(run_id=run_id, by=by, now=now, claim=claim)


@register("erp.set_expired_aside", kind=JobKind.DATABASE, is_hourly=True)
def set_expired_aside(*, by: User | None, now: datetime) -> None:
    """Keep what has expired from everybody."""
    holds.set_expired_aside(by=by, now=now)
