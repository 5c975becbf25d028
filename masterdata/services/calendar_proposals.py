"""A calendar as somebody has typed it and not saved yet: carried as plain data, tried, saved.

What planning shows of it ("what moves?") and what is saved in the end are read from the same data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from common.concurrency import check_version
from common.errors import Refused
from common.models import User
from masterdata.models import Calendar, CalendarException, Shift
from masterdata.services import calendar_records, calendars, weeks
from masterdata.services.calendar_records import ExceptionLine
from masterdata.services.calendars import Rules

DAYS = 7
MOST_LINES = 200


class InvalidProposal(Refused):
    """The data is not what ``written`` makes of a calendar."""


@dataclass(frozen=True)
class Proposal:
    """A stored calendar with other hours; ``version`` is the one that it was opened with."""

    calendar: Calendar
    version: int
    shifts: tuple[Shift, ...]
    exceptions: tuple[ExceptionLine, ...]
    removed: frozenset[int]
    time_zone: str

    def rules(self) -> Rules:
        """What the calendar would say; one query for the exceptions that stay."""
        typed = {line.pk for line in self.exceptions if line.pk is not None}
        stored = CalendarException.objects.filter(calendar=self.calendar)
        lines = [
            CalendarException(
                starts_at=line.starts_at, ends_at=line.ends_at, is_working=line.is_working
            )
            for line in self.exceptions
        ]
        kept = stored.exclude(pk__in=typed | self.removed)
        return Rules(self.shifts, (*kept, *lines), self.time_zone)


def written(
    *,
    calendar: Calendar,
    version: int,
    shifts: Sequence[Shift],
    exceptions: Sequence[ExceptionLine],
    removed: Sequence[int],
    time_zone: str,
) -> dict[str, Any]:
    """What is typed as plain data that ``read`` reads again."""
    by_day: dict[int, list[Shift]] = {}
    for shift in shifts:
        by_day.setdefault(shift.weekday, []).append(shift)
    return {
        "calendar": calendar.code,
        "version": version,
        "time_zone": time_zone,
        "week": [weeks.day_text(by_day.get(day, [])) for day in range(DAYS)],
        "exceptions": [
            {
                "starts_at": line.starts_at.isoformat(),
                "ends_at": line.ends_at.isoformat(),
                "is_working": line.is_working,
                "reason": line.reason,
                "pk": line.pk,
            }
            for line in exceptions
        ],
        "removed": list(removed),
    }


def read(
    *,
    code: str,
    version: int,
    time_zone: str,
    week: Sequence[str],
    exceptions: Sequence[Mapping[str, Any]],
    removed: Sequence[int],
) -> Proposal:
    """The calendar as it would be.

    Raises InvalidProposal, InvalidWeek, InvalidException, UnknownTimeZone, and StaleWrite where
    somebody has saved the calendar meanwhile.
    """
    calendar = Calendar.objects.filter(code=code).first()
    if calendar is None:
        raise InvalidProposal(_("There is no calendar %(code)s.") % {"code": code[:40]})
    check_version(calendar, opened=version)
    if len(week) != DAYS:
        raise InvalidProposal(_("A week has seven days."))
    calendars.zone(time_zone)
    shifts = [shift for day, line in enumerate(week) for shift in weeks.parse_day(day, line)]
    weeks.check(shifts)
    lines = tuple(_line(row) for row in exceptions)
    calendar_records.check_exceptions(calendar, lines, removed)
    return Proposal(calendar, version, tuple(shifts), lines, frozenset(removed), time_zone)


def save(
    proposal: Proposal, *, by: User | None, now: datetime, planned_site_id: int | None = None
) -> Calendar:
    """Write it, as ``calendar_records.save`` does and refuses to."""
    return calendar_records.save(
        calendar=proposal.calendar,
        values={"time_zone": proposal.time_zone},
        shifts=proposal.shifts,
        exceptions=proposal.exceptions,
        removed=proposal.removed,
        version=proposal.version,
        by=by,
        now=now,
        planned_site_id=planned_site_id,
    )


def exception_rows(value: Any) -> list[dict[str, Any]]:
    """The exceptions of plain data with nothing else in them; raise InvalidProposal."""
    if not isinstance(value, list) or len(value) > MOST_LINES:
        raise InvalidProposal(_("The exceptions could not be read."))
    for row in value:
        if not isinstance(row, Mapping):
            raise InvalidProposal(_("The exceptions could not be read."))
        _line(row)
    return [
        {
            "starts_at": row["starts_at"],
            "ends_at": row["ends_at"],
            "is_working": bool(row.get("is_working")),
            "reason": str(row.get("reason") or "")[:200],
            "pk": row.get("pk"),
        }
        for row in value
    ]


def _line(row: Mapping[str, Any]) -> ExceptionLine:
    pk = row.get("pk")
    if pk is not None and (isinstance(pk, bool) or not isinstance(pk, int)):
        raise InvalidProposal(_("The exceptions could not be read."))
    return ExceptionLine(
        starts_at=_moment(row.get("starts_at")),
        ends_at=_moment(row.get("ends_at")),
        is_working=bool(row.get("is_working")),
        reason=str(row.get("reason") or "")[:200],
        pk=pk,
    )


def _moment(value: Any) -> datetime:
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 1990 <= found.year < 2200:
        raise InvalidProposal(_("The exceptions could not be read."))
    return found
