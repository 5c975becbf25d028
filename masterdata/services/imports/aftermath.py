"""What an import owes to others: forms, schedules and plans that knew the old rows go stale."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db.models import F, Model

from common.models import User
from masterdata.models import (
    Bom,
    BomLine,
    Calendar,
    CalendarException,
    Changeover,
    CostRate,
    Crew,
    OperationAlternative,
    Routing,
    RoutingOperation,
    Shift,
    Skill,
    WorkCenter,
)
from masterdata.services import capacity, planning

if TYPE_CHECKING:
    from masterdata.services.imports.engine import Plan

# Whose version counts the edits of rows like these, and how it is found from their foreign key.
_OWNERS: dict[type[Model], tuple[type[Model], str, str]] = {
    Shift: (Calendar, "pk__in", "calendar_id"),
    CalendarException: (Calendar, "pk__in", "calendar_id"),
    Changeover: (WorkCenter, "pk__in", "work_center_id"),
    CostRate: (WorkCenter, "pk__in", "work_center_id"),
    Crew: (Skill, "pk__in", "skill_id"),
    BomLine: (Bom, "pk__in", "bom_id"),
    RoutingOperation: (Routing, "pk__in", "routing_id"),
    OperationAlternative: (Routing, "operations__in", "operation_id"),
}
_CHUNK = 5000


def sites_before(plan: Plan) -> set[int]:
    """The sites that reckon with what will be changed, as it is now."""
    counted = [change for change in plan.changed if capacity.counts(change.fields)]
    return capacity.sites_of(change.target for change in counted)


def settle(plan: Plan, *, sites: set[int], by: User | None, now: datetime) -> None:
    """Count up the versions of what the rows belong to; tell schedules and planning of the sites.

    Call it in the import's transaction, once all is written; ``sites`` are those from before.
    """
    counted = [change.target for change in plan.changed if capacity.counts(change.fields)]
    written = [row for row, _parsed in plan.new]
    capacity.changed(site_ids=sites | capacity.sites_of(chain(written, counted)), by=by, now=now)
    edited = any(
        planning.counts(type(change.target), change.fields)
        for change in chain(plan.changed, plan.changed_parents)
    )
    if edited or (written and planning.is_read(plan.resource.model)):
        planning.changed(by=by, now=now)
    _count_up(plan, [*written, *(change.target for change in plan.changed)])


def _count_up(plan: Plan, rows: list[Any]) -> None:
    if plan.resource.model not in _OWNERS:
        return
    owner, lookup, attribute = _OWNERS[plan.resource.model]
    ids = sorted({getattr(row, attribute) for row in rows})
    for start in range(0, len(ids), _CHUNK):
        found = owner._default_manager.filter(**{lookup: ids[start : start + _CHUNK]})
        # By key: the join to operations cannot be part of an update.
        keys = list(found.values_list("pk", flat=True).distinct())
        owner._default_manager.filter(pk__in=keys).update(version=F("version") + 1)
