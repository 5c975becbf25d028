"""Saving a calendar from its page: the week, the exceptions, and what they stand for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from common import audit
from common.concurrency import check_version
from common.errors import Refused
from common.models import User
from masterdata.models import Calendar, CalendarException, Shift
from masterdata.services import calendars, capacity, weeks
from masterdata.services.records import unique


class InvalidException(Refused):
    """An exception ends before it starts, or begins when another one does."""


@dataclass(frozen=True, slots=True)
class ExceptionLine:
    """A holiday or overtime as typed; ``pk`` names the one that it changes, None a new one."""

    starts_at: datetime
    ends_at: datetime
    is_working: bool = False
    reason: str = ""
    pk: int | None = None


def save(
    *,
    calendar: Calendar,
    values: dict[str, Any],
    shifts: Sequence[Shift],
    exceptions: Sequence[ExceptionLine],
    removed: Collection[int] = (),
    version: int,
    by: User | None,
    now: datetime,
    planned_site_id: int | None = None,
) -> Calendar:
    """Write the calendar, exactly these shifts, and these exceptions; tell the schedules.

    Exceptions that are neither among these nor ``removed`` stay. An unsaved calendar is made.
    ``planned_site_id``: whose schedule, being published, reckons with it and is not made anew.
    Raises StaleWrite, AlreadyThere, InvalidWeek, InvalidException, UnknownTimeZone; nothing is
    written then.
    """
    calendars.zone(values["time_zone"])
    weeks.check(shifts)
    with unique():
        is_new = calendar.pk is None
        if not is_new:
            calendar = Calendar.objects.select_for_update(no_key=True).get(pk=calendar.pk)
            check_version(calendar, opened=version)
            calendar.version += 1
        before = {} if is_new else _described(calendar)
        for name, value in values.items():
            setattr(calendar, name, value)
        calendar.save()
        _write_shifts(calendar, shifts)
        _write_exceptions(calendar, exceptions, removed)
        changes = audit.difference(before, _described(calendar))
        _tell(calendar, changes, is_new, by, now, planned_site_id)
    return calendar


def _tell(
    calendar: Calendar,
    changes: dict[str, list[Any]],
    is_new: bool,
    by: User | None,
    now: datetime,
    planned_site_id: int | None,
) -> None:
    """The audit trail, and the schedules that reckon with it."""
    audit.record(
        action=f"masterdata.calendar.{'create' if is_new else 'edit'}",
        target=calendar,
        by=by,
        now=now,
        changes={} if is_new else changes,
    )
    if capacity.counts(changes):
        told = capacity.sites_of([calendar]) - {planned_site_id}
        capacity.changed(site_ids=told, by=by, now=now)


def _write_shifts(calendar: Calendar, shifts: Sequence[Shift]) -> None:
    calendar.shifts.all().delete()
    Shift.objects.bulk_create(
        Shift(
            calendar=calendar,
            weekday=shift.weekday,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
        )
        for shift in shifts
    )


def check_exceptions(
    calendar: Calendar, lines: Sequence[ExceptionLine], removed: Collection[int]
) -> None:
    """Raise InvalidException where these would be refused; nothing is written."""
    rows = CalendarException.objects.filter(calendar=calendar).exclude(pk__in=removed)
    _kept(lines, {row.pk: row for row in rows})


def _kept(
    lines: Sequence[ExceptionLine], stored: dict[int, CalendarException]
) -> list[ExceptionLine]:
    """Those that are new or still there; raise InvalidException."""
    kept = [line for line in lines if line.pk is None or line.pk in stored]
    _check_exceptions(kept, stored)
    return kept


def _write_exceptions(
    calendar: Calendar, lines: Sequence[ExceptionLine], removed: Collection[int]
) -> None:
    calendar.exceptions.filter(pk__in=removed).delete()
    stored = {row.pk: row for row in calendar.exceptions.all()}
    for line in _kept(lines, stored):
        row = stored.get(line.pk or 0) or CalendarException(calendar=calendar)
        row.starts_at, row.ends_at = line.starts_at, line.ends_at
        row.is_working, row.reason = line.is_working, line.reason
        row.save()


def _check_exceptions(lines: Sequence[ExceptionLine], stored: dict[int, CalendarException]) -> None:
    typed = {line.pk for line in lines}
    starts = {row.starts_at for pk, row in stored.items() if pk not in typed}
    for line in lines:
        if line.ends_at <= line.starts_at:
            raise InvalidException(
                _("The exception from %(start)s ends before it starts.")
                % {"start": f"{line.starts_at:%Y-%m-%d %H:%M}"}
            )
        # A file of exceptions knows each by its start.
        if line.starts_at in starts:
            raise InvalidException(
                _("Two exceptions start at %(start)s; make them one.")
                % {"start": f"{line.starts_at:%Y-%m-%d %H:%M}"}
            )
        starts.add(line.starts_at)


def _described(calendar: Calendar) -> dict[str, Any]:
    """The calendar as an audit row can hold it; read anew, whatever was prefetched."""
    by_day: dict[int, list[Shift]] = {}
    for shift in Shift.objects.filter(calendar=calendar):
        by_day.setdefault(shift.weekday, []).append(shift)
    zone = calendars.zone(calendar.time_zone)
    exceptions = CalendarException.objects.filter(calendar=calendar).order_by("starts_at", "pk")
    return {
        "code": calendar.code,
        "name": calendar.name,
        "name_zh": calendar.name_zh,
        "time_zone": calendar.time_zone,
        "week": [weeks.day_text(by_day.get(day, [])) for day in range(7)],
        "exceptions": [
            f"{row.starts_at.astimezone(zone):%Y-%m-%d %H:%M} – "
            f"{row.ends_at.astimezone(zone):%Y-%m-%d %H:%M} "
            f"{'+' if row.is_working else '−'} {row.reason}".strip()
            for row in exceptions
        ],
    }
