"""What the job ledger runs for purchasing and planning."""

from datetime import datetime

from common.jobs import Claim, JobKind, register
from common.memory import without_cycle_collection
from common.models import User
from erp import selectors
from erp.services import holds, mrp_runs, mrp_timing


@register(mrp_runs.JOB, kind=JobKind.LONG, queue="planning", max_attempts=3)
def run_mrp(*, run_id: int, by: User | None, now: datetime, claim: Claim) -> None:
    """Plan the requirements of a site."""
    with without_cycle_collection():
        mrp_runs.run(run_id=run_id, by=by, now=now, claim=claim)


@register(selectors.AFTER_CHANGES, kind=JobKind.DATABASE)
def plan_after_changes(*, site_id: int, by: User | None, now: datetime) -> None:
    """Have the requirements of a site planned anew when what changed them has gone quiet."""
    mrp_timing.after_changes(site_id=site_id, by=by, now=now)


@register("erp.plan_by_night", kind=JobKind.DATABASE, is_hourly=True)
def plan_by_night(*, by: User | None, now: datetime) -> None:
    """Plan the requirements of each site whose night it is."""
    mrp_timing.by_night(now=now)


@register("erp.set_expired_aside", kind=JobKind.DATABASE, is_hourly=True)
def set_expired_aside(*, by: User | None, now: datetime) -> None:
    """Keep what has expired from everybody."""
    holds.set_expired_aside(by=by, now=now)
