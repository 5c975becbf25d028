"""A judged solution becomes the site's live schedule, in the claim's final transaction."""

from typing import Any

from aps.enums import RUN_TRANSITIONS, RunState
from aps.events import SchedulePublished
from aps.models import PlanState, ScheduledOperation, ScheduleRun
from aps.services import floor
from aps.services.plant import MILESTONE, SUBCONTRACT
from aps.services.problems import Built
from aps.services.solving import Solved
from aps.solver import Placement
from common import audit, bulk, events, transitions
from common.models import User
from masterdata.services import calendars
from mes.services import plans

# Older runs keep their figures, not their operations.
KEEP_RUNS = 20
MOST_TOLD = 20


def publish(
    *, run: ScheduleRun, state: PlanState, built: Built, solved: Solved, by: User | None
) -> None:
    """Make a run that has just turned PUBLISHED the next version; ``state`` is locked.

    Operations that were finished or cancelled while it was solved are left out.
    """
    previous = ScheduleRun.objects.filter(site_id=run.site_id, state=RunState.PUBLISHED).first()
    if previous is not None:
        transitions.check(RUN_TRANSITIONS, old=RunState.PUBLISHED, new=RunState.SUPERSEDED)
        previous.state = RunState.SUPERSEDED
        previous.save(update_fields=["state"])
    state.last_version += 1
    state.save(update_fields=["last_version"])
    run.version = state.last_version
    run.published_at = solved.at
    run.progress = {"phase": "published", "percent": 100}
    run.save()
    rows = _write(run, built, solved)
    plans.write(
        [
            plans.PlannedOperation(
                operation_id=row.operation_id,
                work_unit_id=row.work_unit_id,
                starts_at=row.starts_at,
                ends_at=row.ends_at,
            )
            for row in rows
        ]
    )
    _prune(run.site_id)
    audit.record(action="aps.run.publish", target=run, by=by, now=solved.at, reason=run.cause)
    events.publish(
        SchedulePublished(run_id=run.pk, site_id=run.site_id, version=run.version),
        by=by,
        now=solved.at,
    )


def figures(built: Built, solved: Solved) -> dict[str, Any]:
    """What the run's page says about the solution."""
    found = solved.solution.figures
    return {
        "operations": len(built.problem.operations),
        "work_orders": len(built.problem.jobs),
        "weighted_tardiness_minutes": found.weighted_tardiness,
        "late_work_orders": found.late_jobs,
        "max_tardiness_minutes": found.max_tardiness,
        "setup_minutes": found.setup_minutes,
        "flow_minutes": found.flow_minutes,
        "makespan_minutes": found.makespan,
        "solve_seconds": round(solved.seconds, 2),
        "left_out": len(built.left_out),
        "left_out_causes": sorted({(b.kind.value, b.reference) for b in built.left_out.values()})[
            :MOST_TOLD
        ],
    }


def _write(run: ScheduleRun, built: Built, solved: Solved) -> list[ScheduledOperation]:
    """The run's rows, as the floor has left them meanwhile.

    What was done or cancelled is dropped; what was started is where it really runs, for as long
    as it was planned to. (The start asked for another plan, which will know better.)
    """
    rows = [_row(run, placed) for placed in solved.solution.placements]
    ScheduledOperation.objects.bulk_create(rows, batch_size=5000)
    over = floor.closed(run)
    ScheduledOperation.objects.filter(run=run, operation__in=over).delete()
    begun = floor.begun(run)
    known = {operation.id for operation in built.problem.operations if operation.fixed}
    moved = [row for row in rows if row.operation_id in begun.keys() - known]
    for row in moved:
        real = begun[row.operation_id]
        row.ends_at = max(real.started_at + (row.ends_at - row.starts_at), solved.at)
        row.starts_at = real.started_at
        row.work_unit_id = real.work_unit_id
    bulk.save(moved, ["starts_at", "ends_at", "work_unit"])
    return [row for row in rows if row.operation_id not in over]


def _row(run: ScheduleRun, placed: Placement) -> ScheduledOperation:
    outside = placed.resource in (SUBCONTRACT, MILESTONE)
    return ScheduledOperation(
        run=run,
        operation_id=placed.operation,
        work_unit_id=None if outside else placed.resource,
        starts_at=calendars.to_datetime(placed.start),
        ends_at=calendars.to_datetime(placed.end),
    )


def _prune(site_id: int) -> None:
    """Drop the operations of all but the newest runs."""
    with_version = ScheduleRun.objects.filter(site_id=site_id, version__isnull=False)
    kept = list(with_version.order_by("-version").values_list("pk", flat=True)[:KEEP_RUNS])
    ScheduledOperation.objects.filter(run__site_id=site_id).exclude(run__in=kept).delete()
