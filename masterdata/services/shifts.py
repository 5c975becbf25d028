"""The shifts that a site's machines work on a day, as moments."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models.functions import Coalesce

from masterdata.models import Shift, Site, WorkUnit
from masterdata.services import calendars


@dataclass(frozen=True)
class Span:
    """``[starts_at, ends_at)``; the label is the wall time, "06:00–14:00"."""

    label: str
    starts_at: datetime
    ends_at: datetime


def whole_day(site: Site, day: date) -> Span:
    """The local day of the site."""
    zone = calendars.zone(site.time_zone)
    bounds = [
        calendars.to_datetime(calendars.local_minute(at, datetime.min.time(), zone))
        for at in (day, day + timedelta(days=1))
    ]
    return Span("", bounds[0], bounds[1])


def on(site: Site, day: date) -> list[Span]:
    """The different shifts that begin on the day, by their begin; two queries."""
    used = (
        WorkUnit.objects.filter(is_active=True, work_center__site=site)
        .annotate(used=Coalesce("calendar_id", "work_center__calendar_id"))
        .values("used")
    )
    rows = Shift.objects.filter(calendar__in=used, weekday=day.weekday())
    zone = calendars.zone(site.time_zone)
    found = {}
    for starts_at, ends_at in rows.values_list("starts_at", "ends_at").distinct():
        end_day = day if ends_at > starts_at else day + timedelta(days=1)
        span = Span(
            f"{starts_at:%H:%M}–{ends_at:%H:%M}",
            calendars.to_datetime(calendars.local_minute(day, starts_at, zone)),
            calendars.to_datetime(calendars.local_minute(end_day, ends_at, zone)),
        )
        found[span.starts_at, span.ends_at] = span
    return [found[key] for key in sorted(found)]
