"""Hours of a calendar as typed and not saved yet; another calendar, or none besides it.

Publishing saves them as the pages of the master data would, so what was shown is what counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Self

from django.utils.translation import gettext as _

from aps.services import shared
from aps.services.changes.base import (
    CannotApply,
    CannotRead,
    Change,
    Writing,
    flag,
    moment,
    number,
    optional,
    required,
    text,
)
from aps.services.inputs import Inputs
from aps.solver import Placement
from common.errors import Refused
from common.intervals import WorkingTime, subtract
from common.templatetags import ui_format
from masterdata.services import calendar_choices, calendar_proposals, calendars, unit_exceptions
from masterdata.services.calendar_choices import Choice
from masterdata.services.calendar_proposals import Proposal
from masterdata.services.calendars import Rules

MOST_DAY = 200


def _week(name: str, value: Any) -> list[str]:
    """Seven lines of shifts, Monday first."""
    is_week = isinstance(value, list) and len(value) == calendar_proposals.DAYS
    if not is_week or any(not isinstance(one, str) or len(one) > MOST_DAY for one in value):
        raise CannotRead(_("The field “%(field)s” has to be seven lines.") % {"field": name})
    return list(value)


def _exceptions(_name: str, value: Any) -> list[dict[str, Any]]:
    try:
        return calendar_proposals.exception_rows(value)
    except Refused as refused:
        raise CannotRead(str(refused)) from None


def _numbers(name: str, value: Any) -> list[int]:
    if not isinstance(value, list) or len(value) > calendar_proposals.MOST_LINES:
        raise CannotRead(_("The field “%(field)s” has to be a list of numbers.") % {"field": name})
    return [number(name, one) for one in value]


class _Hours(Change):
    """Base: machines' working times as the master data would give them, over what was read."""

    def times(self, inputs: Inputs, *, changed: bool) -> dict[int, WorkingTime]:
        """Of the site's work units, with the change and without."""
        raise NotImplementedError

    def adjust(self, inputs: Inputs) -> None:
        old, new = (self.times(inputs, changed=changed) for changed in (False, True))
        for unit, times in new.items():
            if unit in inputs.times and list(times) != list(old[unit]):
                # The difference, so that what else the scenario opens and closes stays.
                inputs.times[unit] = calendars.changed(
                    inputs.times[unit],
                    opened=subtract(times, old[unit]),
                    closed=subtract(old[unit], times),
                )


@dataclass(frozen=True)
class CalendarHours(_Hours):
    """Calendar ``calendar`` (code) with this week, these exceptions and without those removed."""

    kind: ClassVar[str] = "calendar"

    calendar: str = required(text)
    version: int = required(number)
    time_zone: str = required(text)
    week: list[str] = required(_week)
    exceptions: list[dict[str, Any]] = required(_exceptions)
    removed: list[int] = required(_numbers)

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        self._proposal()
        return self

    def _proposal(self) -> Proposal:
        try:
            return calendar_proposals.read(
                code=self.calendar,
                version=self.version,
                time_zone=self.time_zone,
                week=self.week,
                exceptions=self.exceptions,
                removed=self.removed,
            )
        except Refused as refused:
            raise CannotApply(str(refused)) from None

    def rules(self) -> dict[int, Rules]:
        proposal = self._proposal()
        return {proposal.calendar.pk: proposal.rules()}

    def adjust(self, inputs: Inputs) -> None:
        super().adjust(inputs)
        # People come and go by the same calendars as their machines.
        inputs.rules = {**inputs.rules, **self.rules()}
        inputs.shared = shared.read(
            site_id=inputs.site_id,
            starts_at=calendars.to_datetime(inputs.start),
            ends_at=calendars.to_datetime(inputs.end),
            instead=inputs.rules,
        )

    def times(self, inputs: Inputs, *, changed: bool) -> dict[int, WorkingTime]:
        return calendars.unit_times(
            site_id=inputs.site_id,
            starts_at=calendars.to_datetime(inputs.start),
            ends_at=calendars.to_datetime(inputs.end),
            instead=self.rules() if changed else None,
        )

    def describe(self) -> str:
        return _("Other hours of calendar %(calendar)s") % {"calendar": self.calendar}

    def persist(self, writing: Writing) -> None:
        calendar_proposals.save(
            self._proposal(), by=writing.by, now=writing.now, planned_site_id=writing.run.site_id
        )


@dataclass(frozen=True)
class OwnCalendar(_Hours):
    """A work unit, or the units of a work center that name none, by calendar ``calendar`` (codes).

    An empty calendar of a work unit is that of its center. A unit may stand in another center
    (``moved_to``, its code) as well, be taken out of use or back (``is_active``).
    """

    kind: ClassVar[str] = "own_calendar"

    version: int = required(number)
    work_unit: str = optional(text, "")
    work_center: str = optional(text, "")
    calendar: str = optional(text, "")
    moved_to: str = optional(text, "")
    is_active: bool | None = optional(flag, None)

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        self._choice()
        return self

    def adjust(self, inputs: Inputs) -> None:
        choice = self._choice()
        if choice.unit_id is not None and (self.moved_to or self.is_active is not None):
            self._put(inputs, choice, choice.unit_id)
        super().adjust(inputs)

    def _put(self, inputs: Inputs, choice: Choice, pk: int) -> None:
        """The machine where it would stand, or nowhere."""
        inputs.modes = {}
        inputs.units.pop(pk, None)
        unit = choice.unit_at(inputs.site_id)
        if unit is None:
            inputs.times.pop(pk, None)
            return
        inputs.units[pk] = unit
        if pk not in inputs.times:
            inputs.times[pk] = self.times(inputs, changed=False)[pk]

    def _choice(self) -> Choice:
        try:
            return calendar_choices.read(
                work_unit=self.work_unit,
                work_center=self.work_center,
                calendar=self.calendar,
                version=self.version,
                moved_to=self.moved_to,
                is_active=self.is_active,
            )
        except Refused as refused:
            raise CannotApply(str(refused)) from None

    def times(self, inputs: Inputs, *, changed: bool) -> dict[int, WorkingTime]:
        choice = self._choice()
        return calendars.unit_times(
            site_id=inputs.site_id,
            starts_at=calendars.to_datetime(inputs.start),
            ends_at=calendars.to_datetime(inputs.end),
            other=choice.calendars_of_units() if changed else None,
            as_active=[choice.unit_id] if choice.unit_id in inputs.units else (),
        )

    def describe(self) -> str:
        name = {"name": self.work_unit or self.work_center, "calendar": self.calendar}
        name["center"] = self.moved_to
        if self.is_active is False:
            return _("%(name)s out of use") % name
        told = [
            _("%(name)s by calendar %(calendar)s") % name
            if self.calendar
            else _("%(name)s by the calendar of its work center") % name
        ]
        if self.moved_to:
            told.append(_("in work center %(center)s") % name)
        if self.is_active:
            told.append(_("in use again"))
        return ", ".join(told)

    def persist(self, writing: Writing) -> None:
        calendar_choices.save(
            self._choice(), by=writing.by, now=writing.now, planned_site_id=writing.run.site_id
        )


@dataclass(frozen=True)
class Reopen(_Hours):
    """Exception ``exception`` (id) of a work unit is removed: it keeps to its calendar again."""

    kind: ClassVar[str] = "reopen"

    exception: int = required(number)
    work_unit: str = optional(text, "")
    starts_at: datetime | None = optional(moment, None)
    ends_at: datetime | None = optional(moment, None)

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        rows = unit_exceptions.coming(site_id=inputs.site_id, now=calendars.to_datetime(inputs.now))
        row = next((row for row in rows if row.pk == self.exception), None)
        if row is None:
            raise CannotApply(_("This exception is over, or somebody has removed it already."))
        return replace(
            self, work_unit=row.work_unit.code, starts_at=row.starts_at, ends_at=row.ends_at
        )

    def times(self, inputs: Inputs, *, changed: bool) -> dict[int, WorkingTime]:
        return calendars.unit_times(
            site_id=inputs.site_id,
            starts_at=calendars.to_datetime(inputs.start),
            ends_at=calendars.to_datetime(inputs.end),
            without=[self.exception] if changed else (),
        )

    def describe(self) -> str:
        return _("%(unit)s by its calendar from %(start)s until %(end)s") % {
            "unit": self.work_unit,
            "start": ui_format.moment(self.starts_at) if self.starts_at else "",
            "end": ui_format.moment(self.ends_at) if self.ends_at else "",
        }

    def persist(self, writing: Writing) -> None:
        unit_exceptions.remove(
            exception_id=self.exception, by=writing.by, now=writing.now, is_planned=True
        )
