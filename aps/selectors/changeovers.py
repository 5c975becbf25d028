"""The changeovers in a plan: which operation makes its machine take some, and how many minutes."""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import pairwise

from django.db.models import F, QuerySet

from aps.models import ScheduledOperation, ScheduleRun
from masterdata import selectors as masterdata
from masterdata.selectors import UnitInfo
from mes.enums import OperationState

# Work unit, family, operation: in the plan's order.
_Row = tuple[int, str, int]


def changeover_minutes(
    *,
    run: ScheduleRun | None,
    units: Collection[UnitInfo],
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> dict[int, int]:
    """By operation id the minutes on the clock right before it, where there are any.

    Of what the plan has on these work units in a window (without one: at all). Three queries, one
    where no work center has changeovers.
    """
    if run is None or not units:
        return {}
    rules = masterdata.changeovers(site_id=run.site_id)
    centers = {unit.id: unit.work_center_id for unit in units if unit.work_center_id in rules}
    if not centers:
        return {}
    # What takes no time takes no turn either.
    rows = ScheduledOperation.objects.filter(
        run=run, work_unit__in=list(centers), ends_at__gt=F("starts_at")
    ).exclude(operation__state=OperationState.CANCELLED)
    found = _before(rows, starts_at) if starts_at is not None else []
    if starts_at is not None:
        rows = rows.filter(ends_at__gt=starts_at)
    if ends_at is not None:
        rows = rows.filter(starts_at__lt=ends_at)
    found += _in_order(rows)
    return _minutes(found, centers, rules)


def _before(rows: QuerySet[ScheduledOperation], moment: datetime) -> list[_Row]:
    """The last operation of each unit that is over by then."""
    last = rows.filter(ends_at__lte=moment).order_by("work_unit_id", "-ends_at", "-starts_at")
    return _read(last.distinct("work_unit_id"))


def _in_order(rows: QuerySet[ScheduledOperation]) -> list[_Row]:
    return _read(rows.order_by("work_unit_id", "starts_at", "ends_at"))


def _read(rows: QuerySet[ScheduledOperation]) -> list[_Row]:
    found = rows.values_list("work_unit_id", "operation__setup_family", "operation_id")
    return [(unit, family, pk) for unit, family, pk in found if unit is not None]


def _minutes(
    rows: Collection[_Row],
    centers: Mapping[int, int],
    rules: Mapping[int, masterdata.Changeovers],
) -> dict[int, int]:
    by_unit: dict[int, list[_Row]] = {}
    for row in rows:
        by_unit.setdefault(row[0], []).append(row)
    return {
        after[2]: minutes
        for unit, mine in by_unit.items()
        for before, after in pairwise(mine)
        if (minutes := rules[centers[unit]].minutes(before[1], after[1]))
    }
