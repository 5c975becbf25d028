"""A work unit or a work center as typed, as far as it is capacity: read, tried, saved.

Of a unit the calendar, the work center it stands in and whether it is active, of a center the
calendar.

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
from masterdata.selectors.plant import UnitInfo, unit_info
from masterdata.services import records


class InvalidChoice(Refused):
    """There is no such machine or calendar, or a work center would have none."""


@dataclass(frozen=True)
class Choice:
    """What would be of a work unit or a work center; no calendar of a unit: its center's."""

    owner: WorkUnit | WorkCenter
    calendar: Calendar | None
    version: int
    # Of a work unit: where it would stand, and whether it would work at all.
    center: WorkCenter | None = None
    is_active: bool = True

    @property
    def unit_id(self) -> int | None:
        """Of the work unit; None for a center."""
        return self.owner.pk if isinstance(self.owner, WorkUnit) else None

    def unit_at(self, site_id: int) -> UnitInfo | None:
        """The work unit as it would be; None where it would not work at the site."""
        if not isinstance(self.owner, WorkUnit) or not self.is_active or self.center is None:
            return None
        return unit_info(self.owner, self.center) if self.center.site_id == site_id else None

    def calendars_of_units(self) -> dict[int, int]:
        """By work unit: the calendar, by id, that it would work by."""
        if isinstance(self.owner, WorkUnit):
            assert self.center is not None  # noqa: S101 - read sees to it
            used = self.calendar or self.center.calendar
            return {self.owner.pk: used.pk}
        assert self.calendar is not None  # noqa: S101 - read refuses
        units = WorkUnit.objects.filter(work_center=self.owner, calendar=None)
        return dict.fromkeys(units.values_list("pk", flat=True), self.calendar.pk)


def written(
    *,
    owner: WorkUnit | WorkCenter,
    calendar: Calendar | None,
    version: int,
    center: WorkCenter | None = None,
    is_active: bool | None = None,
) -> dict[str, Any]:
    """The choice as plain data that ``read`` reads again; what stays as it is is not in it."""
    data = {"calendar": calendar.code if calendar else "", "version": version}
    if not isinstance(owner, WorkUnit):
        return {"work_center": owner.code, **data}
    if center is not None and center != owner.work_center:
        data["moved_to"] = center.code
    if is_active is not None and is_active != owner.is_active:
        data["is_active"] = is_active
    return {"work_unit": owner.code, **data}


def read(
    *,
    work_unit: str,
    work_center: str,
    calendar: str,
    version: int,
    moved_to: str = "",
    is_active: bool | None = None,
) -> Choice:
    """The machine, or the center, as it would be; what is not given stays.

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
    if not isinstance(owner, WorkUnit):
        return Choice(owner, found, version)
    works = owner.is_active if is_active is None else is_active
    return Choice(owner, found, version, _center(owner, moved_to), works)


def _center(unit: WorkUnit, moved_to: str) -> WorkCenter:
    if not moved_to:
        return unit.work_center
    center = WorkCenter.objects.select_related("calendar").filter(code=moved_to).first()
    if center is None:
        raise InvalidChoice(
            _("There is no work unit or work center %(code)s.") % {"code": moved_to}
        )
    return center


def save(
    choice: Choice, *, by: User | None, now: datetime, planned_site_id: int | None = None
) -> None:
    """Write it, as ``records.edit`` does and refuses to."""
    values: dict[str, Any] = {"calendar": choice.calendar}
    if isinstance(choice.owner, WorkUnit):
        values |= {"work_center": choice.center, "is_active": choice.is_active}
    what: dict[str, Any] = {
        "values": values,
        "version": choice.version,
        "by": by,
        "now": now,
        "planned_site_id": planned_site_id,
    }
    if isinstance(choice.owner, WorkUnit):
        records.edit(choice.owner, **what)
    else:
        records.edit(choice.owner, **what)
