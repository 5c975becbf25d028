"""What the job ledger runs for aps."""

from datetime import datetime

from aps.services import runs, scenario_solving
from common.jobs import Claim, JobKind, register
from common.memory import without_cycle_collection
from common.models import User


@register("aps.replan_site", kind=JobKind.LONG, queue="solver")
def replan_site(*, site_id: int, by: User | None, now: datetime, claim: Claim) -> None:
    """Make the site's plan anew and publish it; a store has nothing to plan."""
    if not runs.makes_anything(site_id):
        return
    with without_cycle_collection():
        runs.replan(site_id=site_id, by=by, now=now, claim=claim)


@register("aps.solve_scenario", kind=JobKind.LONG, queue="solver")
def solve_scenario(*, run_id: int, by: User | None, now: datetime, claim: Claim) -> None:
    """Solve a scenario and compare it with the live plan."""
    with without_cycle_collection():
        scenario_solving.solve(run_id=run_id, by=by, now=now, claim=claim)
