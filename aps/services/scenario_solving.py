"""A scenario solved, away from any transaction: the live plan with its changes, and what they mean.

Both plans start from the same moment: what the live plan would become by itself now (its own
order, without the changes) is what the scenario is compared with, so that the drift of the day
is not taken for the scenario's doing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from aps.enums import RunKind, RunState
from aps.events import ScenarioSolved
from aps.models import PlanState, ScheduleRun
from aps.services import changes as kinds
from aps.services import (
    doors,
    publishing,
    repair,
    runs,
    rush,
    scenarios,
    solving,
    staleness,
    wishes,
)
from aps.services.changes import CannotApply, Change
from aps.services.changes.demand import Demand
from aps.services.changes.orders import BACKWARD, ReplanOrder
from aps.services.comparison import Comparison, compare, unit_names
from aps.services.doors import Door
from aps.services.inputs import Inputs
from aps.services.trials import Trial, both_sides, reference_of
from aps.solver import InvalidProblem
from common import events
from common.jobs import Claim
from common.models import User
from masterdata.services import calendars
from masterdata.services.shipping import NoShippingTime


def solve(*, run_id: int, by: User | None, now: datetime, claim: Claim) -> ScheduleRun:
    """Solve a queued scenario, compare it with the live plan and store it: SOLVED.

    FAILED with the reason where a change is impossible or the judge objects; STALE where the plan
    moved while it was solved. Raises LostClaim.
    """
    begun = _begin(run_id)
    if begun is None:
        return ScheduleRun.objects.get(pk=run_id)
    run = begun
    counting = scenarios.counted(run)
    try:
        trial = runs.within_horizons(
            site_id=run.site_id,
            now=now,
            attempt=lambda found: _attempt(found, run, counting, claim, now),
        )
    except (*runs.TOO_SHORT, InvalidProblem, CannotApply) as error:
        return _fail(run, runs.why_not(error), claim, now, by)
    if trial.solved.violations:
        missed = wishes.conflicts(trial.built, trial.solved.solution.by_operation, trial.inputs)
        told = " ".join((missed or trial.solved.violations)[: runs.TOLD_VIOLATIONS])
        return _fail(run, told, claim, trial.solved.at, by)
    found: dict[str, Any] = {**run.comparison, **difference(run, trial, counting)}
    if run.kind == RunKind.RUSH:
        found["rush"] = rush.assess(run=run, trial=trial, changes=counting, claim=claim, now=now)
    with claim.finish(now=trial.solved.at):
        run = scenarios.locked(run)
        if run.state != RunState.SOLVING:
            return run  # rejected meanwhile
        keep(run, trial, found)
        if staleness.since(run).is_stale:
            runs.move(run, RunState.STALE)
            run.error = staleness.since(run).sentence()
        run.save()
        _tell(run, by, trial.solved.at)
    return run


def keep(run: ScheduleRun, trial: Trial, found: dict[str, Any]) -> None:
    """Write a solved scenario; the caller saves the row and holds its lock."""
    runs.move(run, RunState.SOLVED)
    run.solved_at = trial.solved.at
    run.figures = publishing.figures(trial.built, trial.solved)
    run.comparison = found
    run.error = ""
    run.progress = {"phase": "solved", "percent": 100}
    publishing.store(run, trial.solved.solution.placements)


def difference(run: ScheduleRun, trial: Trial, counting: Sequence[Change]) -> dict[str, Any]:
    """What the scenario means against the live plan, and what only exists in it."""
    sides = both_sides(trial)
    found: Comparison = compare(
        before=sides[0],
        after=sides[1],
        site_id=run.site_id,
        now=trial.solved.at,
        base_version=run.base_version,
        extra_units=unit_names(trial.built),
        instead=trial.instead,
    )
    return {
        **found,
        # Locks that cannot hold any more, by operation: publishing drops them.
        "dropped_locks": dict(trial.built.dropped),
        "backward": {
            one.order: sorted(one.operations(trial.inputs))
            for one in counting
            if isinstance(one, ReplanOrder) and one.direction == BACKWARD
        },
        "demands": _demands(trial, counting),
        "extra_units": _extra_units(trial),
    }


def _begin(run_id: int) -> ScheduleRun | None:
    """The scenario, SOLVING; None where there is nothing to solve any more."""
    with transaction.atomic():
        run = ScheduleRun.objects.select_for_update(no_key=True).get(pk=run_id)
        if run.state not in (RunState.QUEUED, RunState.SOLVING):
            return None
        state = PlanState.objects.get(site_id=run.site_id)
        runs.move(run, RunState.SOLVING)
        run.base_version = state.last_version
        run.base_change = state.change
        run.progress = {"phase": "reading", "percent": 0}
        run.save()
    return run


def _attempt(
    found: Inputs, run: ScheduleRun, counting: Sequence[Change], claim: Claim, now: datetime
) -> Trial:
    reference_built, reference = reference_of(found)
    built = kinds.build(found, counting)
    if run.kind in (RunKind.WHAT_IF, RunKind.LIVE):
        priced = repair.paying(built) if built.previous else built
        start = solving.keep_order(priced.problem, built.previous) if built.previous else None
        solved = solving.run(row=run, built=priced, claim=claim, now=now, start=start)
    else:
        state = PlanState.objects.get(site_id=run.site_id)
        built, mended = repair.mend(
            row=run,
            built=built,
            frozen_minutes=state.frozen_minutes if run.kind == RunKind.REPAIR else 0,
            tolerance=state.tolerance_minutes,
            first=rush.operations(built, found, counting) if run.kind == RunKind.RUSH else (),
            at_most=rush.seconds_for(built) if run.kind == RunKind.RUSH else None,
            claim=claim,
            now=now,
        )
        solved = mended.solved
    instead = kinds.rules(counting)
    return Trial(found, built, solved, reference_built, reference, instead)


def _fail(
    run: ScheduleRun, sentence: str, claim: Claim, at: datetime, by: User | None
) -> ScheduleRun:
    with claim.finish(now=at):
        run = scenarios.locked(run)
        if run.state == RunState.SOLVING:
            runs.move(run, RunState.FAILED)
            run.solved_at = at
            run.error = sentence
            run.save()
            _tell(run, by, at)
    return run


def _tell(run: ScheduleRun, by: User | None, at: datetime) -> None:
    events.publish(
        ScenarioSolved(run_id=run.pk, site_id=run.site_id, kind=run.kind, state=run.state),
        by=by,
        now=at,
    )


def _demands(trial: Trial, counting: Sequence[Change]) -> list[dict[str, Any]]:
    """When what nobody has ordered yet would be ready."""
    ends: dict[int, int] = {}
    job = {operation.id: operation.job for operation in trial.built.problem.operations}
    for placed in trial.solved.solution.placements:
        ends[job[placed.operation]] = max(ends.get(job[placed.operation], 0), placed.end)
    due = {one.id: one.due for one in trial.built.problem.jobs}
    wanted = [one for one in counting if isinstance(one, Demand)]
    if not wanted:
        return []
    extra = sorted(pk for pk in ends if pk < 0)
    found = doors.several(
        site_id=trial.inputs.site_id,
        customer_ids=[one.customer for one in wanted],
        now=calendars.to_datetime(trial.inputs.now),
    )
    return [
        {
            "item": one.item,
            "line": one.line,
            "quantity": str(one.quantity),
            "requested_date": one.requested_date.isoformat(),
            "due_at": calendars.to_datetime(due[pk] or 0).isoformat(),
            "ready_at": calendars.to_datetime(ends[pk]).isoformat(),
            "day": _arrival(found[one.customer], ends[pk]),
            "kept": ends[pk] <= (due[pk] or 0),
        }
        for one, pk in zip(wanted, extra, strict=True)
    ]


def _arrival(door: Door, ready: int) -> str | None:
    """The day at the customer's door of what is ready at a minute."""
    try:
        return door.arrival(ready).isoformat()
    except NoShippingTime:
        return None


def _extra_units(trial: Trial) -> list[dict[str, Any]]:
    """What runs on machines that do not exist."""
    made_up = {r.id: r.name for r in trial.built.problem.resources if r.id <= kinds.FIRST_EXTRA}
    return [
        {
            "work_unit": made_up[placed.resource],
            "operation": placed.operation,
            "starts_at": calendars.to_datetime(placed.start).isoformat(),
            "ends_at": calendars.to_datetime(placed.end).isoformat(),
        }
        for placed in trial.solved.solution.placements
        if placed.resource in made_up
    ]
