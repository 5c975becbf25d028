"""The live schedule as the promise check reads it: kept in the process while it is in force.

Why a kept one is never out of date: its key is the published run, how many of its operations are
still open and the sum of their ids: one that a report finished and one that an undo opened again
do not look alike. One query per check compares the key with the database. What the key does not
see (calendars, changeovers, crews, tools, an operation that is overdue, work that no plan holds
yet) is read again after KEEP_SECONDS.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, Sum

from aps.enums import RunState
from aps.models import ScheduledOperation, ScheduleRun
from aps.services import plant, shared
from aps.services.shared import Shared, needs_of
from aps.solver import Busy, Need, Occupancy, SetupMinutes
from common.intervals import CalendarExhausted, WorkingTime
from masterdata import selectors as masterdata
from masterdata.selectors import UnitInfo
from masterdata.services import calendars
from mes import selectors as mes
from mes.enums import OperationState

KEEP_SECONDS = 60
# Before now there is nothing to plan, but a running operation began there.
LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class _Key:
    """The published run, and which of its operations are open: how many, and their ids' sum."""

    run_id: int | None = None
    version: int | None = None
    open_count: int = 0
    open_sum: int | None = None


@dataclass(frozen=True)
class Live:
    """What is on the machines, and when they work; shared by threads and changed by none."""

    site_id: int
    key: _Key
    read_at: datetime
    units: Mapping[int, UnitInfo]
    units_by_center: Mapping[int, list[int]]
    occupancy: Occupancy
    busy: Mapping[int, list[Busy]]
    setup_minutes: SetupMinutes
    # People and tools.
    shared: Shared
    # When each work unit works.
    times: Mapping[int, WorkingTime]
    longest_windows: Mapping[int, int]
    # Open operations of the site that the live schedule does not hold.
    unplanned: int
    # The calendars are known until then, in minutes since 1970.
    horizon: int

    @property
    def run_id(self) -> int | None:
        """The published run; None before the first plan."""
        return self.key.run_id

    @property
    def version(self) -> int | None:
        return self.key.version

    def holds(self, key: _Key, now: datetime) -> bool:
        """Whether this is still the live schedule."""
        age = (now - self.read_at).total_seconds()
        return self.key == key and 0 <= age < KEEP_SECONDS


_kept: dict[tuple[int, int], Live] = {}
_reading = threading.Lock()


def read(*, site_id: int, days: int, now: datetime) -> Live:
    """The live schedule with calendars for so many days, kept or read."""
    key = _key(site_id)
    live = _kept.get((site_id, days))
    if live is not None and live.holds(key, now):
        return live
    with _reading:  # One thread reads, the others wait for what it finds.
        live = _kept.get((site_id, days))
        if live is None or not live.holds(key, now):
            live = _read(site_id, days, key, now)
            _kept[site_id, days] = live
    return live


def forget() -> None:
    """Drop what is kept; for tests, where primary keys begin anew."""
    _kept.clear()


def _key(site_id: int) -> _Key:
    still = Q(operations__operation__state__in=OperationState.open())
    found = (
        ScheduleRun.objects.filter(site_id=site_id, state=RunState.PUBLISHED)
        .annotate(
            open=Count("operations", filter=still),
            total=Sum("operations__operation", filter=still),
        )
        .values_list("pk", "version", "open", "total")
        .first()
    )
    return _Key(*found) if found else _Key()


def _read(site_id: int, days: int, key: _Key, now: datetime) -> Live:
    starts_at, ends_at = now - LOOK_BACK, now + timedelta(days=days)
    start, end = calendars.to_minutes(starts_at), calendars.to_minutes(ends_at)
    units = {unit.id: unit for unit in masterdata.active_units(site_id=site_id)}
    times = calendars.unit_times(site_id=site_id, starts_at=starts_at, ends_at=ends_at)
    people_and_tools = shared.read(site_id=site_id, starts_at=starts_at, ends_at=ends_at)
    planned = _planned(key.run_id, times)
    setups = _setups(site_id, units.values(), planned)
    busy = _busy(planned, times, setups, calendars.to_minutes_up(now))
    return Live(
        site_id=site_id,
        key=key,
        read_at=now,
        units=units,
        units_by_center=masterdata.units_by_center(list(units.values())),
        occupancy=Occupancy(
            plant.resources(units.values(), times, start, end),
            busy,
            setups,
            people_and_tools.pools.values(),
        ),
        busy=busy,
        setup_minutes=setups,
        shared=people_and_tools,
        times=times,
        longest_windows=plant.longest_windows(times),
        unplanned=max(0, mes.open_operation_counts().get(site_id, 0) - key.open_count),
        horizon=end,
    )


def _setups(site_id: int, units: Iterable[UnitInfo], planned: Iterable["_Planned"]) -> SetupMinutes:
    """The changeovers of what may be asked for, and of routings that work orders have frozen."""
    return plant.setup_minutes(
        units,
        masterdata.changeovers(site_id=site_id),
        masterdata.setup_families(site_id=site_id) | {row.family for row in planned},
    )


@dataclass(frozen=True, slots=True)
class _Planned:
    """An open operation of the live schedule on a work unit, in minutes since 1970."""

    work_unit_id: int
    start: int
    end: int
    is_started: bool
    family: str
    needs: tuple[Need, ...]


def _planned(run_id: int | None, times: Mapping[int, WorkingTime]) -> list[_Planned]:
    """What the work units still have to do, in the schedule's order; two queries, never joined."""
    rows = ScheduledOperation.objects.filter(run_id=run_id, work_unit__in=times)
    found = list(
        rows.order_by("work_unit_id", "starts_at", "ends_at").values_list(
            "operation_id", "work_unit_id", "starts_at", "ends_at"
        )
    )
    needs = mes.operation_needs([pk for pk, *_place in found])
    return [
        _Planned(
            unit,
            calendars.to_minutes(starts_at),
            calendars.to_minutes_up(ends_at),
            need.state in OperationState.started(),
            need.setup_family,
            needs_of(need.skill_id, need.people, need.tool_id),
        )
        for pk, unit, starts_at, ends_at in found
        if unit is not None
        and (need := needs.get(pk)) is not None
        and need.state in OperationState.open()
    ]


def _busy(
    planned: Iterable[_Planned],
    times: Mapping[int, WorkingTime],
    setups: SetupMinutes,
    now: int,
) -> dict[int, list[Busy]]:
    """What each work unit still has to do, in the schedule's order.

    What should have been done by now and is not pushes what follows it on the same unit.
    """
    busy: dict[int, list[Busy]] = {unit: [] for unit in times}
    last: dict[int, Busy] = {}
    # What runs is on its unit now, whatever was planned before it.
    for row in sorted(planned, key=lambda row: not row.is_started):
        unit, family = row.work_unit_id, row.family or None
        before = last.get(unit)
        if row.is_started:
            here = Busy(now, max(row.end, now + 1), family, row.needs)
        else:
            setup = 0
            if before is not None and row.end > row.start:
                setup = setups.get(unit, {}).get(before.family or "", {}).get(row.family, 0)
            free_from = before.end + setup if before is not None else now
            start, end = _placed(times[unit], row.start, row.end, free_from)
            here = Busy(start, end, family, row.needs)
        busy[unit].append(here)
        if here.end > here.start and (before is None or here.end >= before.end):
            last[unit] = here
    return busy


def _placed(times: WorkingTime, start: int, end: int, free_from: int) -> tuple[int, int]:
    """[start, end), or the same working minutes as soon as the unit is free."""
    if start >= free_from:
        return start, end
    try:
        return times.place(free_from, max(1, times.worked(start, end)))
    except CalendarExhausted:
        return start, max(end, start)
