"""Another calendar for a work unit or a work center: read from plain data, tried, saved.

What planning shows of it ("what moves?") and what is saved in the end are read from the same data.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from common.concurrency import check_version
from common.errors import Refused
from common.models import User
from masterdata.models import Calendar, WorkCenter, WorkUnit
from masterdata.services import records


class InvalidChoice(Refused):
    """There is no such machine or calendar, or a work center would have none."""


@dataclass(frozen=True)
class Choice:
    """A work unit or a work center that would work by another calendar; None: its center's."""

    owner: WorkUnit | WorkCenter
    calendar: Calendar | None
    version: int

    def calendars_of_units(self) -> dict[int, int]:
        """By work unit: the calendar, by id, that it would work by."""
        if isinstance(self.owner, WorkUnit):
            used = self.calendar or self.owner.work_center.calendar
            return {self.owner.pk: used.pk}
        assert self.calendar is not None  # noqa: S101 - read refuses
        units = WorkUnit.objects.filter(work_center=self.owner, calendar=None)
        return dict.fromkeys(units.values_list("pk", flat=True), self.calendar.pk)


def written(
    *, owner: WorkUnit | WorkCenter, calendar: Calendar | None, version: int
) -> dict[str, Any]:
    """The choice as plain data that ``read`` reads again."""
    name = "work_unit" if isinstance(owner, WorkUnit) else "work_center"
    return {name: owner.code, "calendar": calendar.code if calendar else "", "version": version}


def read(*, work_unit: str, work_center: str, calendar: str, version: int) -> Choice:
    """The machine, or the center, as it would be.

    Raises InvalidChoice, and StaleWrite where somebody has saved it meanwhile.
    """
    owner: WorkUnit | WorkCenter | None
    if work_unit:
        units = WorkUnit.objects.select_related("work_center__calendar")
        owner = units.filter(code=work_unit).first()
    else:
        owner = WorkCenter.objects.filter(code=work_center).first()
    if owner is None:
        raise InvalidChoice(
            _("There is no work unit or work center %(code)s.") % {"code": work_unit or work_center}
        )
    found = Calendar.objects.filter(code=calendar).first() if calendar else None
    if found is None and (calendar or not work_unit):
        raise InvalidChoice(_("There is no calendar %(code)s.") % {"code": calendar})
    check_version(owner, opened=version)
    return Choice(owner, found, version)


def save(
    choice: Choice, *, by: User | None, now: datetime, planned_site_id: int | None = None
) -> None:
    """Write it, as ``records.edit`` does and refuses to."""
    what: dict[str, Any] = {
        "values": {"calendar": choice.calendar},
        "version": choice.version,
        "by": by,
        "now": now,
        "planned_site_id": planned_site_id,
    }
    if isinstance(choice.owner, WorkUnit):
        records.edit(choice.owner, **what)
    else:
        records.edit(choice.owner, **what)
