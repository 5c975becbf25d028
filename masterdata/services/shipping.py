"""From the moment of readiness to the day at the customer's door, and back.

delivery day = local day of the first shipping moment at or after readiness + transit days
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from django.utils.translation import gettext as _

from common.errors import Refused
from common.intervals import CalendarExhausted, WorkingTime
from masterdata.models import Calendar, Customer, Site
from masterdata.services import calendars
from masterdata.services.calendars import Rules

_STEP = timedelta(days=120)
_DAY = timedelta(days=1)
# A shipping calendar without a working minute in this time is taken for a mistake.
_LOOK = (timedelta(days=30), timedelta(days=800))


class NoShippingTime(Refused):
    """The site's shipping calendar has no working time near the asked-for day."""


class ShippingCalendar:
    """One site's shipping days with everything cached: make one, ask it thousands of times."""

    def __init__(self, site: Site, instead: Mapping[int, Rules] | None = None) -> None:
        """``instead``: rules of calendars, by id, as they would be."""
        self.site = site
        self.zone = calendars.zone(site.time_zone)
        self._rules = (instead or {}).get(site.shipping_calendar_id)
        self._calendar = Calendar.objects.prefetch_related("shifts", "exceptions").get(
            pk=site.shipping_calendar_id
        )
        self._times = WorkingTime([])
        self._from = self._to = 0

    def delivery_date(self, *, ready_at: datetime, transit_days: int) -> date:
        """The day it reaches the customer when ready at that moment. Raises NoShippingTime."""
        ready = calendars.to_minutes_up(ready_at)
        for look in _LOOK:
            try:
                leaves = self._covering(ready, ready + _minutes(look)).next_working(ready)
            except CalendarExhausted:
                continue
            return calendars.local_date(leaves, self.zone) + transit_days * _DAY
        raise self._no_time(ready_at.date())

    def latest_ready_at(self, *, day: date, transit_days: int) -> datetime:
        """The latest minute of readiness that still arrives by ``day``. Raises NoShippingTime."""
        midnight = calendars.local_minute(day - transit_days * _DAY + _DAY, time.min, self.zone)
        for look in _LOOK:
            try:
                times = self._covering(midnight - _minutes(look), midnight)
                return calendars.to_datetime(times.previous_working(midnight) - 1)
            except CalendarExhausted:
                continue
        raise self._no_time(day)

    def _covering(self, start: int, end: int) -> WorkingTime:
        """Working time known at least over [start, end]; widened by whole steps when asked."""
        if self._from == self._to or start < self._from or end > self._to:
            margin = _minutes(_STEP)
            known = self._from != self._to
            self._from = min(start - margin, self._from) if known else start - margin
            self._to = max(end + margin, self._to) if known else end + margin
            span = {
                "starts_at": calendars.to_datetime(self._from),
                "ends_at": calendars.to_datetime(self._to),
            }
            self._times = (
                self._rules.working_time(**span)
                if self._rules is not None
                else calendars.working_time(self._calendar, **span)
            )
        return self._times

    def _no_time(self, day: date) -> NoShippingTime:
        return NoShippingTime(
            _("The shipping calendar %(calendar)s of %(site)s has no working time near %(day)s.")
            % {"calendar": self._calendar.code, "site": self.site.code, "day": day}
        )


def delivery_date(*, site: Site, customer: Customer, ready_at: datetime) -> date:
    """The day at the customer's door of what is ready at that moment. Raises NoShippingTime."""
    return ShippingCalendar(site).delivery_date(
        ready_at=ready_at, transit_days=customer.transit_days
    )


def latest_ready_at(*, site: Site, customer: Customer, day: date) -> datetime:
    """The latest moment of readiness (UTC, whole minute) that keeps the day at the door.

    Raises NoShippingTime.
    """
    return ShippingCalendar(site).latest_ready_at(day=day, transit_days=customer.transit_days)


def today(site: Site, *, now: datetime) -> date:
    """The day on the wall of the site."""
    return now.astimezone(calendars.zone(site.time_zone)).date()


def _minutes(span: timedelta) -> int:
    return span // timedelta(minutes=1)
