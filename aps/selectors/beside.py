"""Where another plan of the site has what the plan in force has elsewhere."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from aps.enums import RunState
from aps.models import PlanState, ScheduledOperation, ScheduleRun
from aps.selectors.board import Bar, as_bars, with_references
from aps.selectors.scenarios import comparable
from aps.selectors.schedule import current_run
from mes import selectors as mes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plan has an operation; no work unit is outside work."""

    work_unit_id: int | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Ghosts:
    """What another plan moves within a window: bars as it has them, and what it has no time for."""

    bars: tuple[Bar, ...] = ()
    removed: tuple[int, ...] = ()


def shown_run(*, site_id: int, pk: int) -> ScheduleRun | None:
    """A version or solved scenario of the site whose operations are kept; None for others."""
    return comparable(site_id).filter(pk=pk).first()


def ghosts(*, run: ScheduleRun, starts_at: datetime, ends_at: datetime) -> Ghosts:
    """Open operations that the run has elsewhere than the plan in force, or not at all.

    Counted is what touches the window in either plan; what starts within the site's tolerance on
    the same work unit has not moved, nor has what only time pushes on (``own_moves``). A constant
    number of queries but for BOM levels.
    """
    live = current_run(run.site_id)
    if live is None or live.pk == run.pk:
        return Ghosts()
    touching = {"starts_at__lt": ends_at, "ends_at__gt": starts_at}
    theirs = _places(run.operations.filter(**touching))
    ours = _places(live.operations.filter(**touching))
    theirs |= places(run=run, operations=ours.keys() - theirs.keys())
    ours |= places(run=live, operations=theirs.keys() - ours.keys())
    # Not joined: see mes.selectors.standing.
    open_ids = mes.still_open(ours.keys() | theirs.keys())
    ours, theirs = (
        {pk: place for pk, place in found.items() if pk in open_ids} for found in (ours, theirs)
    )
    moved = moves(ours, theirs, tolerance_minutes=tolerance(run.site_id))
    own = own_moves(run, live)
    if own is not None:
        moved = [pk for pk in moved if pk in own]
    rows = run.operations.filter(operation__in=moved)
    bars = as_bars(rows.order_by("work_unit_id", "starts_at", "ends_at", "operation_id"))
    return Ghosts(tuple(with_references(bars)), tuple(sorted(ours.keys() - theirs.keys())))


def places(*, run: ScheduleRun, operations: Iterable[int]) -> dict[int, Place]:
    """Where a run has these operations, by id; what it has no time for is left out. One query."""
    return _places(ScheduledOperation.objects.filter(run=run, operation__in=list(operations)))


def own_moves(run: ScheduleRun, live: ScheduleRun | None) -> set[int] | None:
    """What a scenario on the plan in force moves; the rest only time has pushed on meanwhile.

    None where that is not known: of other runs, and where it moves more than are kept by name.
    """
    if live is None or run.state != RunState.SOLVED or run.base_version != live.version:
        return None
    return moved_by(run)


def moved_by(run: ScheduleRun) -> set[int] | None:
    """What the run's changes move against the plan that it was made on; None: not known for all."""
    rows = run.comparison.get("moved", [])
    if run.comparison.get("moved_operations", math.inf) > len(rows):
        return None
    touched = {one["operation"] for one in run.changes[: run.cursor] if "operation" in one}
    return touched.union(row["operation"] for row in rows)


def moves(
    ours: Mapping[int, Place], theirs: Mapping[int, Place], *, tolerance_minutes: int
) -> list[int]:
    """The operations that the other plan has elsewhere, or alone."""
    return [pk for pk, place in theirs.items() if differs(ours.get(pk), place, tolerance_minutes)]


def differs(one: Place | None, other: Place | None, tolerance_minutes: int) -> bool:
    """Whether the other place is another one; what one plan alone has differs."""
    if one is None or other is None:
        return one is not other
    shift = (other.starts_at - one.starts_at).total_seconds() / 60
    return has_moved(one.work_unit_id, other.work_unit_id, shift, tolerance_minutes)


def has_moved(
    unit: int | None, other_unit: int | None, shift_minutes: float, tolerance_minutes: int
) -> bool:
    """Whether an operation is elsewhere: on another unit, or its start beyond the tolerance.

    The one place that says so, for stored plans and for those that are tried.
    """
    return unit != other_unit or abs(shift_minutes) > tolerance_minutes


def tolerance(site_id: int) -> int:
    """So many minutes a start may shift without having moved; one query."""
    found = PlanState.objects.filter(site_id=site_id).values_list("tolerance_minutes", flat=True)
    return found.first() or 0


def _places(rows: QuerySet[ScheduledOperation]) -> dict[int, Place]:
    found = rows.values_list("operation_id", "work_unit_id", "starts_at", "ends_at")
    return {pk: Place(unit, starts_at, ends_at) for pk, unit, starts_at, ends_at in found}
