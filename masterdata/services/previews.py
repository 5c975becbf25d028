"""What a calendar's rules come to: the picture of its week, and the hours of the coming ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from common.intervals import Interval
from masterdata.models import CalendarException, Shift
from masterdata.services import calendars, weeks

COMING_WEEKS = 4


@dataclass(frozen=True, slots=True)
class Day:
    """One row of the picture: what is worked between two midnights, in minutes of the day."""

    weekday: int
    windows: tuple[Interval, ...]
    minutes: int


@dataclass(frozen=True, slots=True)
class ComingWeek:
    """A week with its exceptions; ``difference`` is against an ordinary one, in minutes."""

    starts_on: date
    minutes: int
    difference: int


@dataclass(frozen=True, slots=True)
class WeekPreview:
    """An ordinary week, and the next ones as they will be."""

    days: tuple[Day, ...]
    minutes: int
    coming: tuple[ComingWeek, ...]


def preview(
    shifts: Sequence[Shift],
    exceptions: Sequence[CalendarException],
    time_zone: str,
    *,
    now: datetime,
) -> WeekPreview:
    """The picture of these rules, saved or not. Raises UnknownTimeZone."""
    days = tuple(
        Day(number, tuple(windows), sum(window.minutes for window in windows))
        for number, windows in enumerate(weeks.day_windows(shifts))
    )
    zone = calendars.zone(time_zone)
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    bounds = [
        datetime.combine(monday + timedelta(weeks=number), time(0), tzinfo=zone)
        for number in range(COMING_WEEKS + 1)
    ]
    planned, worked = (
        calendars.worked_windows(
            shifts=list(shifts),
            exceptions=list(counted),
            time_zone=zone,
            starts_at=bounds[0],
            ends_at=bounds[-1],
        )
        for counted in ((), exceptions)
    )
    minutes = [calendars.to_minutes(bound) for bound in bounds]
    spans = list(zip(minutes, minutes[1:], strict=False))
    hours = [(worked.worked(*span), planned.worked(*span)) for span in spans]
    coming = tuple(
        ComingWeek(bound.date(), real, real - ordinary)
        for bound, (real, ordinary) in zip(bounds, hours, strict=False)
    )
    return WeekPreview(days, sum(day.minutes for day in days), coming)
