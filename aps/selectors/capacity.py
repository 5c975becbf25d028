"""Capacity by work center and week: what is open, what is planned, and for whom."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from aps.models import ScheduledOperation, ScheduleRun
from aps.selectors import load
from aps.selectors.changeovers import changeover_minutes
from aps.selectors.schedule import current_run
from common.intervals import Interval, WorkingTime
from erp import selectors as erp
from masterdata import selectors as masterdata
from masterdata.selectors import UnitInfo
from masterdata.services import calendars
from mes import selectors as mes
from mes.enums import OperationState

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CustomerShare:
    """Minutes planned for a customer; the code is "" for stock and what nobody ordered."""

    customer_code: str
    minutes: int


@dataclass(frozen=True, slots=True)
class WeekLoad:
    """A week of a work center, Monday to Monday on the site's clock, in working minutes."""

    monday: date
    available_minutes: int
    loaded_minutes: int
    # The largest first; they add up to ``loaded_minutes``.
    customers: tuple[CustomerShare, ...]

    @property
    def free_minutes(self) -> int:
        """What could still be planned; 0 where more is planned than open."""
        return max(0, self.available_minutes - self.loaded_minutes)

    @property
    def percent(self) -> float:
        """Planned share of what is open, 0 where nobody works."""
        if not self.available_minutes:
            return 0.0
        return 100 * self.loaded_minutes / self.available_minutes

    @property
    def is_over(self) -> bool:
        return self.loaded_minutes > self.available_minutes

    def of(self, customer_code: str) -> int:
        """Minutes for one customer."""
        return sum(s.minutes for s in self.customers if s.customer_code == customer_code)


@dataclass(frozen=True, slots=True)
class CenterCapacity:
    """A work center over the weeks, in their order."""

    code: str
    units: int
    weeks: tuple[WeekLoad, ...]


@dataclass(frozen=True, slots=True)
class Capacity:
    """All work centers of a site over some weeks of the live schedule."""

    version: int | None
    mondays: tuple[date, ...]
    centers: tuple[CenterCapacity, ...]

    @property
    def customer_codes(self) -> tuple[str, ...]:
        """Who has work in it, by code."""
        codes = {s.customer_code for c in self.centers for w in c.weeks for s in w.customers}
        return tuple(sorted(codes))


@dataclass(frozen=True, slots=True)
class _Planned:
    """A scheduled operation on a machine, with the changeover before it."""

    work_order_id: int
    work_unit_id: int
    span: Interval | None


def capacity(
    *,
    site_id: int,
    monday: date,
    weeks: int,
    now: datetime,
    centers: Collection[str] | None = None,
) -> Capacity:
    """The site's work centers over so many weeks; queries grow with BOM levels only.

    Of the week that runs, what is left of it. An operation that serves lines of several customers
    counts for each by ordered quantity, and a changeover for whom the machine is changed over.
    """
    zone = ZoneInfo(masterdata.site(site_id).time_zone)
    mondays = tuple(monday + n * WEEK for n in range(weeks))
    bounds = [_begin(day, zone) for day in (*mondays, monday + weeks * WEEK)]
    window = calendars.to_datetime(bounds[0]), calendars.to_datetime(bounds[-1])
    times = calendars.unit_times(site_id=site_id, starts_at=window[0], ends_at=window[1])
    units = [
        unit
        for unit in masterdata.active_units(site_id=site_id)
        if unit.id in times and (centers is None or unit.work_center_code in centers)
    ]
    run = current_run(site_id)
    planned = _planned(run, units, *window)
    shares = _shares({row.work_order_id for row in planned})
    rows = _by_center(units, times, planned)
    spans = _spans(mondays, bounds, calendars.to_minutes(now))
    found = tuple(
        CenterCapacity(
            code=code,
            units=len(mine),
            weeks=tuple(_week(*span, mine, shares) for span in spans),
        )
        for code, mine in sorted(rows.items())
    )
    return Capacity(run.version if run else None, mondays, found)


def _by_center(
    units: Iterable[UnitInfo], times: Mapping[int, WorkingTime], planned: Iterable[_Planned]
) -> dict[str, list[tuple[WorkingTime, Sequence[_Planned]]]]:
    """By work center: when each of its units works, and what it has to do."""
    by_unit: dict[int, list[_Planned]] = {}
    for row in planned:
        by_unit.setdefault(row.work_unit_id, []).append(row)
    found: dict[str, list[tuple[WorkingTime, Sequence[_Planned]]]] = {}
    for unit in units:
        here = (times[unit.id], by_unit.get(unit.id, []))
        found.setdefault(unit.work_center_code, []).append(here)
    return found


def _spans(
    mondays: Sequence[date], bounds: Sequence[int], moment: int
) -> list[tuple[date, int, int]]:
    """Each week with its first and last minute; of the one that runs what is left."""
    return [
        (day, moment if start < moment < end else start, end)
        for day, start, end in zip(mondays, bounds, bounds[1:], strict=False)
    ]


def monday_of(moment: datetime, zone: ZoneInfo) -> date:
    """The Monday of the week that the local clock shows."""
    day = moment.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def _begin(day: date, zone: ZoneInfo) -> int:
    return calendars.local_minute(day, time(), zone)


def _planned(
    run: ScheduleRun | None, units: Collection[UnitInfo], starts_at: datetime, ends_at: datetime
) -> list[_Planned]:
    """What the units have to do in the window; nothing before the first plan."""
    if run is None:
        return []
    setups = changeover_minutes(run=run, units=units, starts_at=starts_at, ends_at=ends_at)
    rows = ScheduledOperation.objects.filter(
        run=run,
        work_unit__in=[unit.id for unit in units],
        starts_at__lt=ends_at,
        ends_at__gt=starts_at,
    )
    found = list(rows.values_list("operation_id", "work_unit_id", "starts_at", "ends_at"))
    # Not joined: see mes.selectors.standing.
    standing = mes.standings([pk for pk, *_place in found])
    return [
        _Planned(
            standing[pk].work_order_id,
            unit,
            load.taken(
                calendars.to_minutes(begins),
                calendars.to_minutes_up(ends),
                setups.get(pk, 0),
                until=calendars.to_minutes(ends_at),
            ),
        )
        for pk, unit, begins, ends in found
        if unit is not None and pk in standing and standing[pk].state != OperationState.CANCELLED
    ]


def _shares(work_order_ids: Collection[int]) -> dict[int, dict[str, Decimal]]:
    """By work order how much of it is for which customer, as ordered quantities."""
    served = mes.requirements_served_by(work_order_ids)
    wanted = {pk for found in served.values() for pk in found}
    codes = erp.customer_codes(wanted)
    quantities = {row.requirement_id: row.quantity for row in erp.coverage(wanted)}
    shares: dict[int, dict[str, Decimal]] = {}
    for order in work_order_ids:
        mine = shares.setdefault(order, {})
        for pk in sorted(served.get(order, ())):
            code = codes.get(pk, "")
            mine[code] = mine.get(code, Decimal(0)) + quantities.get(pk, Decimal(0))
    return shares


def _week(
    monday: date,
    start: int,
    end: int,
    units: Sequence[tuple[WorkingTime, Iterable[_Planned]]],
    shares: Mapping[int, Mapping[str, Decimal]],
) -> WeekLoad:
    totals: dict[str, int] = {}
    for times, rows in units:
        for row in rows:
            minutes = load.loaded(times, row.span, start, end)
            for code, part in split(minutes, shares.get(row.work_order_id, {})).items():
                totals[code] = totals.get(code, 0) + part
    customers = sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
    return WeekLoad(
        monday=monday,
        available_minutes=sum(times.worked(start, end) for times, _rows in units),
        loaded_minutes=sum(totals.values()),
        customers=tuple(CustomerShare(code, minutes) for code, minutes in customers if minutes),
    )


def split(minutes: int, weights: Mapping[str, Decimal]) -> dict[str, int]:
    """Whole minutes by weight that add up; without weights all are nobody's."""
    whole = sum(weights.values(), Decimal(0))
    if minutes <= 0:
        return {}
    if whole <= 0:
        return {"": minutes}
    parts: dict[str, int] = {}
    gone, given = Decimal(0), 0
    for code, weight in sorted(weights.items()):
        gone += weight
        upto = int(minutes * gone / whole)
        parts[code] = upto - given
        given = upto
    return parts
