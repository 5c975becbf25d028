"""What the planner's board draws: rows, bars and the hours nobody works; and the load of units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet

from aps.models import OperationLock, ScheduledOperation, ScheduleRun
from aps.selectors import load
from aps.selectors.changeovers import changeover_minutes
from aps.selectors.readiness import is_late, waits
from aps.selectors.schedule import current_run
from common.intervals import WorkingTime
from erp import selectors as erp
from masterdata import selectors as masterdata
from masterdata.selectors import UnitInfo
from masterdata.services import calendars
from mes import selectors as mes
from mes.enums import OperationState


@dataclass(frozen=True, slots=True)
class Bar:
    """An operation on the board; ``references`` are the order lines it serves."""

    operation_id: int
    work_order_id: int
    work_order_number: str
    item_code: str
    sequence: int
    name: str
    name_zh: str
    state: str
    work_unit_id: int | None
    starts_at: datetime
    ends_at: datetime
    due_at: datetime
    # What it shares a setup with, for the eye: the family of the operation, else the item.
    family: str
    # Changeovers go by this one, "" included.
    setup_family: str
    # A planner fixed it there.
    is_locked: bool
    # Its people and its tool.
    skill_id: int | None
    people: int
    tool_id: int | None
    references: tuple[str, ...] = ()
    # Ends after the earliest of them that still waits (or the work order) is due.
    is_late: bool = False
    # What its machine takes right before it, since the operation before is of another family.
    changeover_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A work unit with its bars by start, and when it does not work; None is outside work."""

    unit: UnitInfo | None
    bars: tuple[Bar, ...]
    closed: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """A window [starts_at, ends_at) of the live schedule."""

    version: int | None
    starts_at: datetime
    ends_at: datetime
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """How much of a work unit's working time in a window is planned."""

    unit: UnitInfo
    working_minutes: int
    planned_minutes: int

    @property
    def percent(self) -> float:
        """Planned share, 0 where nobody works."""
        return 100 * self.planned_minutes / self.working_minutes if self.working_minutes else 0.0


def board(*, site_id: int, starts_at: datetime, ends_at: datetime) -> Board:
    """All rows of a site with the bars that touch the window; queries grow with BOM levels only."""
    run = current_run(site_id)
    found = bars(run, starts_at, ends_at) if run is not None else []
    units = masterdata.active_units(site_id=site_id)
    times = calendars.unit_times(site_id=site_id, starts_at=starts_at, ends_at=ends_at)
    setups = changeover_minutes(run=run, units=units, starts_at=starts_at, ends_at=ends_at)
    by_unit: dict[int | None, list[Bar]] = {}
    for bar in with_references(found):
        marked = replace(bar, changeover_minutes=setups.get(bar.operation_id, 0))
        by_unit.setdefault(bar.work_unit_id, []).append(marked)
    rows = [
        Row(
            unit=unit,
            bars=tuple(by_unit.get(unit.id, ())),
            closed=_closed(times[unit.id], starts_at, ends_at) if unit.id in times else (),
        )
        for unit in units
    ]
    if None in by_unit:
        rows.append(Row(unit=None, bars=tuple(by_unit[None])))
    return Board(run.version if run else None, starts_at, ends_at, tuple(rows))


def utilisation(*, site_id: int, starts_at: datetime, ends_at: datetime) -> list[Load]:
    """Working and planned minutes of every active work unit in the window, changeovers included.

    A constant number of queries.
    """
    run = current_run(site_id)
    units = masterdata.active_units(site_id=site_id)
    setups = changeover_minutes(run=run, units=units, starts_at=starts_at, ends_at=ends_at)
    times = calendars.unit_times(site_id=site_id, starts_at=starts_at, ends_at=ends_at)
    start, end = calendars.to_minutes(starts_at), calendars.to_minutes(ends_at)
    planned: dict[int | None, int] = {}
    rows = ScheduledOperation.objects.filter(run=run, starts_at__lt=ends_at, ends_at__gt=starts_at)
    found = rows.values_list("operation_id", "work_unit_id", "starts_at", "ends_at")
    for pk, unit_id, begins, ends in found:
        if unit_id in times:
            first, last = calendars.to_minutes(begins), calendars.to_minutes_up(ends)
            span = load.taken(first, last, setups.get(pk, 0), until=end)
            worked = load.loaded(times[unit_id], span, start, end)
            planned[unit_id] = planned.get(unit_id, 0) + worked
    return [
        Load(unit, times[unit.id].worked(start, end), planned.get(unit.id, 0))
        for unit in units
        if unit.id in times
    ]


def bars(run: ScheduleRun, starts_at: datetime, ends_at: datetime) -> list[Bar]:
    """The bars of a run that touch the window, by work unit and start; one query."""
    return as_bars(
        ScheduledOperation.objects.filter(
            run=run, starts_at__lt=ends_at, ends_at__gt=starts_at
        ).order_by("work_unit_id", "starts_at", "ends_at", "operation_id")
    )


def as_bars(rows: QuerySet[ScheduledOperation]) -> list[Bar]:
    """Scheduled operations as bars that name no orders yet; cancelled ones are left out.

    Four queries: the rows of a plan and their operations are never joined, see
    ``mes.selectors.standing``.
    """
    planned = list(rows.values_list("operation_id", "work_unit_id", "starts_at", "ends_at"))
    faces = mes.operation_faces(pk for pk, *_place in planned)
    locks = OperationLock.objects.filter(operation__in=list(faces), starts_at__isnull=False)
    locked = set(locks.values_list("operation_id", flat=True))
    return [
        _bar(faces[pk], pk, unit, starts_at, ends_at, pk in locked)
        for pk, unit, starts_at, ends_at in planned
        if pk in faces and faces[pk].state != OperationState.CANCELLED
    ]


def _bar(
    face: mes.OperationFace,
    pk: int,
    unit_id: int | None,
    starts_at: datetime,
    ends_at: datetime,
    is_locked: bool,
) -> Bar:
    return Bar(
        operation_id=pk,
        work_order_id=face.work_order_id,
        work_order_number=face.work_order_number,
        item_code=face.item_code,
        sequence=face.sequence,
        name=face.name,
        name_zh=face.name_zh,
        state=face.state,
        work_unit_id=unit_id,
        starts_at=starts_at,
        ends_at=ends_at,
        due_at=face.due_at,
        family=face.setup_family or face.item_code,
        setup_family=face.setup_family,
        is_locked=is_locked,
        skill_id=face.skill_id,
        people=face.people,
        tool_id=face.tool_id,
    )


def with_references(bars: Sequence[Bar]) -> list[Bar]:
    """The bars with the order lines behind them and whether they come too late for one."""
    served = mes.requirements_served_by({bar.work_order_id for bar in bars})
    wanted = {pk for found in served.values() for pk in found}
    lines: Mapping[int, erp.Coverage] = {row.requirement_id: row for row in erp.coverage(wanted)}
    marked = []
    for bar in bars:
        mine = [lines[pk] for pk in sorted(served.get(bar.work_order_id, ())) if pk in lines]
        # What is covered otherwise meanwhile cannot come too late any more.
        due = min((line.due_at for line in mine if waits(line)), default=bar.due_at)
        marked.append(
            replace(
                bar,
                references=tuple(line.reference for line in mine),
                is_late=bar.state != OperationState.DONE and is_late(bar.ends_at, due),
            )
        )
    return marked


def _closed(
    times: WorkingTime, starts_at: datetime, ends_at: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """The parts of the window in which nobody works."""
    found = []
    moment, end = calendars.to_minutes(starts_at), calendars.to_minutes(ends_at)
    for window in times.windows_between(moment, end):
        if window.start > moment:
            found.append((moment, window.start))
        moment = window.end
    if moment < end:
        found.append((moment, end))
    return tuple((calendars.to_datetime(a), calendars.to_datetime(b)) for a, b in found)
