"""Whose schedule a change of calendars, machines, changeovers, crews or tools makes stale."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Model, Q

from common.events import publish
from common.models import User
from masterdata.events import CapacityChanged
from masterdata.models import (
    Calendar,
    CalendarException,
    Changeover,
    Crew,
    Shift,
    Site,
    Tool,
    WorkCenter,
    WorkUnit,
)

# What these say about themselves is no capacity.
_WORDS = frozenset({"code", "name", "name_zh", "currency", "version"})


def changed(*, site_ids: Iterable[int], by: User | None, now: datetime) -> None:
    """Publish CapacityChanged once per site. Raises NotInTransaction outside ``atomic()``."""
    for site_id in sorted(set(site_ids)):
        publish(CapacityChanged(site_id=site_id), by=by, now=now)


def counts(fields: Iterable[str]) -> bool:
    """Whether a change of these fields is one of capacity, not only of words."""
    return not _WORDS.issuperset(fields)


def sites_of(rows: Iterable[Model]) -> set[int]:
    """The sites whose schedules reckon with these rows as the database has them.

    Calendars, sites, machines, changeovers, crews and tools do; nothing reckons with other rows.
    """
    calendars: set[int] = set()
    sites: set[int] = set()
    centers: set[int] = set()
    for row in rows:
        match row:
            case Calendar():
                calendars.add(row.pk)
            case Shift() | CalendarException():
                calendars.add(row.calendar_id)
            case Site():
                sites.add(row.pk)
            case WorkCenter() | Crew() | Tool():
                sites.add(row.site_id)
            case WorkUnit() | Changeover():
                centers.add(row.work_center_id)
    if calendars:
        sites |= _using(calendars)
    if centers:
        found = WorkCenter.objects.filter(pk__in=centers)
        sites.update(found.values_list("site_id", flat=True))
    return sites


def _using(calendars: set[int]) -> set[int]:
    """The sites that use one of the calendars anywhere, in four queries."""
    own = Q(calendar__in=calendars) | Q(shipping_calendar__in=calendars)
    found = set(Site.objects.filter(own).values_list("pk", flat=True))
    centers = WorkCenter.objects.filter(calendar__in=calendars)
    found.update(centers.values_list("site_id", flat=True))
    found.update(Crew.objects.filter(calendar__in=calendars).values_list("site_id", flat=True))
    units = WorkUnit.objects.filter(calendar__in=calendars)
    found.update(units.values_list("work_center__site_id", flat=True))
    return found
