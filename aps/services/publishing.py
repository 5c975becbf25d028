"""A judged solution becomes the site's live schedule, in one transaction."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef

from aps.enums import RUN_TRANSITIONS, RunKind, RunState
from aps.events import SchedulePublished
from aps.models import PlanState, ScheduledOperation, ScheduleRun
from aps.services import comparison
from aps.services.problems import Built
from aps.services.solving import Solved
from aps.solver import Placement
from common import audit, bulk, events, statistics, transitions
from common.models import User
from masterdata.services import calendars
from mes import selectors as mes
from mes.enums import OperationState
from mes.services import plans

# Older runs keep their figures, not their operations.
KEEP_RUNS = 20
# A start is rounded to minutes, down or up.
KNOWN = timedelta(minutes=2)
MOST_TOLD = 20


def publish(
    *, run: ScheduleRun, state: PlanState, at: datetime, by: User | None, reason: str = ""
) -> None:
    """Make a run that has just turned PUBLISHED, its rows stored, the next version.

    ``state`` is locked. Operations that were finished or cancelled since it was solved are left
    out.
    """
    previous = (
        ScheduleRun.objects.filter(site_id=run.site_id, state=RunState.PUBLISHED)
        .exclude(pk=run.pk)
        .first()
    )
    if previous is not None:
        transitions.check(RUN_TRANSITIONS, old=RunState.PUBLISHED, new=RunState.SUPERSEDED)
        previous.state = RunState.SUPERSEDED
        previous.save(update_fields=["state"])
    state.last_version += 1
    state.save(update_fields=["last_version"])
    run.version = state.last_version
    run.published_at = at
    run.progress = {"phase": "published", "percent": 100}
    run.save()
    plans.write(
        [
            plans.PlannedOperation(
                operation_id=row.operation_id,
                work_unit_id=row.work_unit_id,
                starts_at=row.starts_at,
                ends_at=row.ends_at,
            )
            for row in _as_the_floor_is(run, at)
        ]
    )
    _prune(run.site_id)
    audit.record(action="aps.run.publish", target=run, by=by, now=at, reason=reason or run.cause)
    events.publish(
        SchedulePublished(run_id=run.pk, site_id=run.site_id, version=run.version),
        by=by,
        now=at,
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
        "utilisation_percent": comparison.utilisation(built, solved.solution),
        "solve_seconds": round(solved.seconds, 2),
        "left_out": len(built.left_out),
        "left_out_causes": sorted({(b.kind.value, b.reference) for b in built.left_out.values()})[
            :MOST_TOLD
        ],
    }


def store(run: ScheduleRun, placements: Iterable[Placement]) -> None:
    """Make the run's rows those of the placements; only what differs is written.

    What exists in a scenario only (new demand) has no row.
    """
    wanted = {row.operation_id: row for placed in placements if (row := _row(run, placed))}
    stored = {row.operation_id: row for row in ScheduledOperation.objects.filter(run=run)}
    gone = [row.pk for pk, row in stored.items() if pk not in wanted]
    ScheduledOperation.objects.filter(pk__in=gone).delete()
    changed = []
    for pk, row in stored.items():
        new = wanted.get(pk)
        if new is not None and _place(new) != _place(row):
            row.work_unit_id, row.starts_at, row.ends_at = _place(new)
            changed.append(row)
    bulk.save(changed, ["work_unit", "starts_at", "ends_at"])
    fresh = [row for pk, row in wanted.items() if pk not in stored]
    statistics.analyze_later(ScheduledOperation, rows=len(fresh))
    ScheduledOperation.objects.bulk_create(fresh, batch_size=5000)


def _place(row: ScheduledOperation) -> tuple[int | None, datetime, datetime]:
    return row.work_unit_id, row.starts_at, row.ends_at


def _as_the_floor_is(run: ScheduleRun, at: datetime) -> list[ScheduledOperation]:
    """The run's rows, as the floor has left them meanwhile.

    What was done or cancelled is dropped; what was started is where it really runs, for as long
    as it was planned to. (The start asked for another plan, which will know better.)
    """
    rows = list(ScheduledOperation.objects.filter(run=run))
    found = mes.standings([row.operation_id for row in rows])
    over = [row.pk for row in rows if found[row.operation_id].state not in OperationState.open()]
    ScheduledOperation.objects.filter(pk__in=over).delete()
    gone = set(over)
    rows = [row for row in rows if row.pk not in gone]
    moved = []
    for row in rows:
        real = found[row.operation_id]
        if real.state not in OperationState.started() or real.started_at is None:
            continue
        if _is_there(row, real.work_unit_id, real.started_at):
            continue
        row.ends_at = max(real.started_at + (row.ends_at - row.starts_at), at)
        row.starts_at = real.started_at
        row.work_unit_id = real.work_unit_id
        moved.append(row)
    bulk.save(moved, ["starts_at", "ends_at", "work_unit"])
    return rows


def _is_there(row: ScheduledOperation, unit: int | None, started_at: datetime) -> bool:
    """Whether the plan knew already that it runs: its start is the real one, to the minute."""
    return row.work_unit_id == unit and abs(row.starts_at - started_at) < KNOWN


def _row(run: ScheduleRun, placed: Placement) -> ScheduledOperation | None:
    if placed.operation < 0:
        return None
    # Outside work, and work units that a scenario has made up, have none.
    outside = placed.resource < 0
    return ScheduledOperation(
        run=run,
        operation_id=placed.operation,
        work_unit_id=None if outside else placed.resource,
        starts_at=calendars.to_datetime(placed.start),
        ends_at=calendars.to_datetime(placed.end),
    )


def _prune(site_id: int) -> None:
    """Drop the operations of all but the newest versions and the open scenarios."""
    of_site = ScheduleRun.objects.filter(site_id=site_id)
    versions = of_site.filter(version__isnull=False).order_by("-version")
    scenarios = of_site.filter(state__in=RunState.open()).exclude(kind=RunKind.LIVE)
    kept = [
        *versions.values_list("pk", flat=True)[:KEEP_RUNS],
        *scenarios.values_list("pk", flat=True),
    ]
    rows = ScheduledOperation.objects.filter(run=OuterRef("pk"))
    gone = of_site.exclude(pk__in=kept).filter(Exists(rows))
    # By the runs' ids: joined with them in one statement, deleting has taken minutes.
    ScheduledOperation.objects.filter(run__in=list(gone.values_list("pk", flat=True))).delete()
