"""Minutes of a site's business hours: when so many of them are over, and how many went by.

The hours are those of the site's calendar, holidays and overtime included.
"""

from datetime import datetime, timedelta

from common.errors import Refused
from common.intervals import CalendarExhausted
from masterdata.models import Calendar, Site
from masterdata.services import calendars

# How far it looks for working time before it takes the calendar for a mistake.
_LOOK = (timedelta(days=14), timedelta(days=120), timedelta(days=800))


class NoBusinessHours(Refused):
    """The site's calendar has no working time near the moment."""


class BusinessTime:
    """One site's business hours: make one, ask it often."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._calendar = Calendar.objects.prefetch_related("shifts", "exceptions").get(
            pk=site.calendar_id
        )

    def after(self, start: datetime, minutes: int) -> datetime:
        """When so many business minutes from ``start`` are over. Raise NoBusinessHours."""
        first = calendars.to_minutes_up(start)
        for look in _LOOK:
            times = calendars.working_time(
                self._calendar, starts_at=start - timedelta(minutes=1), ends_at=start + look
            )
            try:
                return calendars.to_datetime(times.add(first, minutes))
            except CalendarExhausted:
                continue
        raise NoBusinessHours(f"{self._calendar.code}: {start:%Y-%m-%d}")

    def between(self, start: datetime, end: datetime) -> int:
        """The business minutes in ``[start, end)``; 0 where ``end`` is not after ``start``."""
        if end <= start:
            return 0
        times = calendars.working_time(self._calendar, starts_at=start, ends_at=end)
        return times.worked(calendars.to_minutes_up(start), calendars.to_minutes(end))
