"""Where another plan of the site has what the plan in force has elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from aps.models import PlanState, ScheduledOperation, ScheduleRun
from aps.selectors.board import Bar, as_bars, with_references
from aps.selectors.scenarios import comparable
from aps.selectors.schedule import current_run
from mes.enums import OperationState


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
    the same work unit has not moved. A constant number of queries but for BOM levels.
    """
    live = current_run(run.site_id)
    if live is None or live.pk == run.pk:
        return Ghosts()
    touching = {"starts_at__lt": ends_at, "ends_at__gt": starts_at}
    theirs = _places(_open(run).filter(**touching))
    ours = _places(_open(live).filter(**touching))
    theirs |= _places(_open(run).filter(operation__in=ours.keys() - theirs.keys()))
    ours |= _places(_open(live).filter(operation__in=theirs.keys() - ours.keys()))
    moved = moves(ours, theirs, tolerance_minutes=tolerance(run.site_id))
    rows = _open(run).filter(operation__in=moved)
    bars = as_bars(rows.order_by("work_unit_id", "starts_at", "ends_at", "operation_id"))
    return Ghosts(tuple(with_references(bars)), tuple(sorted(ours.keys() - theirs.keys())))


def places(*, run: ScheduleRun, operations: Iterable[int]) -> dict[int, Place]:
    """Where a run has these operations, by id; what it has no time for is left out. One query."""
    return _places(ScheduledOperation.objects.filter(run=run, operation__in=list(operations)))


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


def _open(run: ScheduleRun) -> QuerySet[ScheduledOperation]:
    return ScheduledOperation.objects.filter(run=run, operation__state__in=OperationState.open())


def _places(rows: QuerySet[ScheduledOperation]) -> dict[int, Place]:
    found = rows.values_list("operation_id", "work_unit_id", "starts_at", "ends_at")
    return {pk: Place(unit, starts_at, ends_at) for pk, unit, starts_at, ends_at in found}
