"""The one calendar function: working time of a calendar or work unit as whole UTC minutes.

A shift's bound is the first moment at which the local clock reaches it. So where clocks go
forward, a bound that does not exist is the moment of the change, and where they go back, it is
the first of the two; a night shift is then an hour shorter or longer, as it is on the floor.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from common.errors import Refused
from common.intervals import Interval, WorkingTime, intersect, subtract, union
from masterdata.models import Calendar, CalendarException, Crew, Shift, UnitException, WorkUnit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


class UnknownTimeZone(Refused):
    """The calendar or site names a time zone that does not exist."""


@dataclass(frozen=True)
class Rules:
    """What a calendar would say: shifts and exceptions that need not be saved."""

    shifts: tuple[Shift, ...]
    exceptions: tuple[CalendarException, ...]
    time_zone: str

    def working_time(self, *, starts_at: datetime, ends_at: datetime) -> WorkingTime:
        """As ``working_time`` of a stored calendar. Raises UnknownTimeZone."""
        return worked_windows(
            shifts=list(self.shifts),
            exceptions=list(self.exceptions),
            time_zone=zone(self.time_zone),
            starts_at=starts_at,
            ends_at=ends_at,
        )


def to_minutes(moment: datetime) -> int:
    """Whole UTC minutes since 1970, rounded down. Raises ValueError for a naive moment."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone.")
    return (moment - EPOCH) // _MINUTE


def to_minutes_up(moment: datetime) -> int:
    """Whole UTC minutes since 1970, rounded up: nothing that is ready later counts as ready."""
    return -((EPOCH - moment) // _MINUTE)


def to_datetime(minutes: int) -> datetime:
    """The UTC moment of a number of minutes since 1970."""
    return EPOCH + minutes * _MINUTE


def zone(name: str) -> ZoneInfo:
    """The time zone of that name. Raises UnknownTimeZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownTimeZone(
            _("“%(name)s” is not a time zone; write one like Europe/Berlin.") % {"name": name}
        ) from None


def local_minute(day: date, at: time, time_zone: ZoneInfo) -> int:
    """The first minute at which the local clock shows ``at`` on ``day`` or later."""
    wanted = datetime.combine(day, at)
    minute = to_minutes(wanted.replace(tzinfo=time_zone))
    if to_datetime(minute).astimezone(time_zone).replace(tzinfo=None) == wanted:
        return minute
    # The clock jumps over the bound: find the jump, at most a day before.
    low, high = minute - 24 * 60, minute
    while low < high:
        middle = (low + high) // 2
        if to_datetime(middle).astimezone(time_zone).replace(tzinfo=None) >= wanted:
            high = middle
        else:
            low = middle + 1
    return low


def local_date(minute: int, time_zone: ZoneInfo) -> date:
    """The day that the local clock shows at a minute."""
    return to_datetime(minute).astimezone(time_zone).date()


def with_rules(
    calendars: QuerySet[Calendar], *, starts_at: datetime, ends_at: datetime
) -> QuerySet[Calendar]:
    """The calendars with shifts and the exceptions of the span, in three queries."""
    touching = CalendarException.objects.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)
    return calendars.prefetch_related("shifts", Prefetch("exceptions", queryset=touching))


def working_time(calendar: Calendar, *, starts_at: datetime, ends_at: datetime) -> WorkingTime:
    """The calendar's working windows cut to [starts_at, ends_at), in minutes since 1970.

    Overtime counts even on a holiday. Raises UnknownTimeZone.
    """
    return worked_windows(
        shifts=list(calendar.shifts.all()),
        exceptions=list(calendar.exceptions.all()),
        time_zone=zone(calendar.time_zone),
        starts_at=starts_at,
        ends_at=ends_at,
    )


def worked_windows(
    *,
    shifts: list[Shift],
    exceptions: list[CalendarException],
    time_zone: ZoneInfo,
    starts_at: datetime,
    ends_at: datetime,
) -> WorkingTime:
    """As ``working_time``, of rules that need not be saved."""
    start, end = to_minutes(starts_at), to_minutes(ends_at)
    planned = _expand(shifts, time_zone, starts_at, ends_at)
    worked = subtract(planned, _windows(e for e in exceptions if not e.is_working))
    worked = union([*worked, *_windows(e for e in exceptions if e.is_working)])
    return WorkingTime(
        Interval(max(start, window.start), min(end, window.end))
        for window in worked
        if window.end > start and window.start < end
    )


def unit_times(
    *,
    site_id: int,
    starts_at: datetime,
    ends_at: datetime,
    instead: Mapping[int, Rules] | None = None,
    without: Collection[int] = (),
    other: Mapping[int, int] | None = None,
    as_active: Collection[int] = (),
) -> dict[int, WorkingTime]:
    """The working time of every active work unit of a site, by its id, in five queries.

    Units that share a calendar and have no exceptions of their own share the object. What is tried
    out: ``instead`` are the rules of calendars, by id, as they would be; ``without`` exceptions of
    single units, by id, that would not be; ``other`` calendars, by id, that units would work by;
    ``as_active`` units, by id, that would be active at the site.
    """
    here = Q(is_active=True, work_center__site_id=site_id) | Q(pk__in=list(as_active))
    used = dict(
        WorkUnit.objects.filter(here)
        .annotate(used=Coalesce("calendar_id", "work_center__calendar_id"))
        .values_list("id", "used")
    )
    used |= {unit: calendar for unit, calendar in (other or {}).items() if unit in used}
    calendars = with_rules(
        Calendar.objects.filter(pk__in=set(used.values())), starts_at=starts_at, ends_at=ends_at
    )
    times = {
        calendar.pk: working_time(calendar, starts_at=starts_at, ends_at=ends_at)
        for calendar in calendars
    }
    times |= _tried(times, instead, starts_at, ends_at)
    found = {unit: times[calendar] for unit, calendar in used.items()}
    return found | _with_exceptions(found, starts_at, ends_at, without)


def crew_times(
    *,
    site_id: int,
    starts_at: datetime,
    ends_at: datetime,
    instead: Mapping[int, Rules] | None = None,
) -> dict[int, list[tuple[WorkingTime, int]]]:
    """By skill when its crews at the site work and how many people they have; in four queries.

    ``instead``: as for ``unit_times``.
    """
    crews = list(
        Crew.objects.filter(site_id=site_id)
        .order_by("skill", "pk")
        .values_list("skill_id", "calendar_id", "people")
    )
    calendars = with_rules(
        Calendar.objects.filter(pk__in={calendar for _skill, calendar, _people in crews}),
        starts_at=starts_at,
        ends_at=ends_at,
    )
    times = {
        calendar.pk: working_time(calendar, starts_at=starts_at, ends_at=ends_at)
        for calendar in calendars
    }
    times |= _tried(times, instead, starts_at, ends_at)
    found: dict[int, list[tuple[WorkingTime, int]]] = {}
    for skill, calendar, people in crews:
        found.setdefault(skill, []).append((times[calendar], people))
    return found


def _tried(
    times: Mapping[int, WorkingTime],
    instead: Mapping[int, Rules] | None,
    starts_at: datetime,
    ends_at: datetime,
) -> dict[int, WorkingTime]:
    """Those of the calendars that have other rules, by id, with these."""
    return {
        pk: rules.working_time(starts_at=starts_at, ends_at=ends_at)
        for pk, rules in (instead or {}).items()
        if pk in times
    }


def _with_exceptions(
    times: Mapping[int, WorkingTime],
    starts_at: datetime,
    ends_at: datetime,
    without: Collection[int],
) -> dict[int, WorkingTime]:
    """The units that are closed or open by themselves in the span."""
    own: dict[int, list[UnitException]] = {}
    rows = UnitException.objects.filter(
        work_unit__in=list(times), starts_at__lt=ends_at, ends_at__gt=starts_at
    )
    for row in rows.exclude(pk__in=list(without)).order_by("pk"):
        own.setdefault(row.work_unit_id, []).append(row)
    span = Interval(to_minutes(starts_at), to_minutes(ends_at))
    return {
        unit: changed(
            times[unit],
            closed=intersect([span], _windows(row for row in found if not row.is_working)),
            opened=intersect([span], _windows(row for row in found if row.is_working)),
        )
        for unit, found in own.items()
    }


def changed(
    times: WorkingTime, *, closed: Iterable[Interval] = (), opened: Iterable[Interval] = ()
) -> WorkingTime:
    """The working time with spans closed and opened: who is closed is closed, overtime or not."""
    return WorkingTime(subtract(union([*times, *opened]), closed))


def _expand(
    shifts: list[Shift], time_zone: ZoneInfo, starts_at: datetime, ends_at: datetime
) -> Iterator[Interval]:
    """The shifts of every local day that can touch the span."""
    day = starts_at.astimezone(time_zone).date() - 2 * _DAY
    last = ends_at.astimezone(time_zone).date() + _DAY
    by_weekday: dict[int, list[Shift]] = {}
    for shift in shifts:
        by_weekday.setdefault(shift.weekday, []).append(shift)
    while day <= last:
        for shift in by_weekday.get(day.weekday(), []):
            end_day = day if shift.ends_at > shift.starts_at else day + _DAY
            yield Interval(
                local_minute(day, shift.starts_at, time_zone),
                local_minute(end_day, shift.ends_at, time_zone),
            )
        day += _DAY


def _windows(exceptions: Iterable[CalendarException | UnitException]) -> list[Interval]:
    return [Interval(to_minutes(e.starts_at), to_minutes(e.ends_at)) for e in exceptions]
