"""The span of time that a planner looks at, as it stands in the URL."""

from datetime import datetime, time, timedelta

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

BEFORE = timedelta(days=2)
AFTER = timedelta(days=19)
# What one answer may hold; the board asks again where it is moved further.
LONGEST = timedelta(days=300)


def default(now: datetime) -> tuple[datetime, datetime]:
    """From the beginning of the day before yesterday over three weeks, in the site's days."""
    today = datetime.combine(timezone.localdate(now), time(), timezone.get_current_timezone())
    return today - BEFORE, today + AFTER


def chosen(query: QueryDict, now: datetime) -> tuple[datetime, datetime]:
    """``from`` and ``to`` of the URL, days or moments; what is missing or wrong by default."""
    usual = default(now)
    starts_at = _moment(query.get("from", "")) or usual[0]
    ends_at = _moment(query.get("to", ""), is_end=True) or starts_at + (usual[1] - usual[0])
    if ends_at <= starts_at:
        return starts_at, starts_at + (usual[1] - usual[0])
    return starts_at, min(ends_at, starts_at + LONGEST)


def _moment(text: str, *, is_end: bool = False) -> datetime | None:
    """A moment; a day alone is its beginning, or as an end the beginning of the next one."""
    zone = timezone.get_current_timezone()
    try:
        day = parse_date(text)
        moment = datetime.combine(day, time(), zone) if day else parse_datetime(text)
    except ValueError:
        return None
    # Far from both ends of the calendar, so that sums stay within it.
    if moment is None or not 1970 < moment.year < 9000:
        return None
    if day and is_end:
        moment += timedelta(days=1)
    return moment if timezone.is_aware(moment) else moment.replace(tzinfo=zone)
