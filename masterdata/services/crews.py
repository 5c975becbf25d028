"""The crews of a skill: how many people bring it, at which site and in whose shifts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.concurrency import check_version
from common.errors import Refused
from common.models import User
from masterdata.models import Calendar, Crew, Site, Skill
from masterdata.services import capacity


class InvalidCrew(Refused):
    """A crew has nobody in it, or is there twice."""


@dataclass(frozen=True, slots=True)
class CrewLine:
    """A crew as typed."""

    site: Site
    calendar: Calendar
    people: int


def save(
    *, skill: Skill, crews: Sequence[CrewLine], version: int, by: User | None, now: datetime
) -> Skill:
    """Give the skill exactly these crews and tell the schedules of their sites.

    Raises StaleWrite where somebody saved the skill after it was opened, InvalidCrew.
    """
    _check(crews)
    with transaction.atomic():
        locked = Skill.objects.select_for_update(no_key=True).get(pk=skill.pk)
        check_version(locked, opened=version)
        before = _described(locked)
        stored = {(row.site_id, row.calendar_id): row for row in locked.crews.all()}
        wanted = {(crew.site.pk, crew.calendar.pk): crew for crew in crews}
        gone = [row.pk for key, row in stored.items() if key not in wanted]
        locked.crews.filter(pk__in=gone).delete()
        for key, crew in wanted.items():
            row = stored.get(key) or Crew(skill=locked, site=crew.site, calendar=crew.calendar)
            row.people = crew.people
            row.save()
        locked.version += 1
        locked.save(update_fields=["version"])
        changes = audit.difference({"crews": before}, {"crews": _described(locked)})
        audit.record(action="masterdata.crews.save", target=locked, by=by, now=now, changes=changes)
        if changes:
            sites = {site for site, _calendar in stored.keys() | wanted.keys()}
            capacity.changed(site_ids=sites, by=by, now=now)
    return locked


def _check(crews: Sequence[CrewLine]) -> None:
    seen: set[tuple[int, int]] = set()
    for crew in crews:
        if crew.people < 1:
            raise InvalidCrew(_("At least one person has to be there."))
        key = (crew.site.pk, crew.calendar.pk)
        if key in seen:
            raise InvalidCrew(
                _("The crew of %(site)s in the shifts of %(calendar)s is there twice.")
                % {"site": crew.site.code, "calendar": crew.calendar.code}
            )
        seen.add(key)


def _described(skill: Skill) -> list[str]:
    rows = Crew.objects.filter(skill=skill).select_related("site", "calendar")
    ordered = rows.order_by("site__code", "calendar__code")
    return [f"{row.site.code} {row.calendar.code}: {row.people}" for row in ordered]
