"""The changeovers in a plan: which operation makes its machine take some, and how many minutes."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from django.db.models import F, QuerySet

from aps.models import ScheduledOperation, ScheduleRun
from masterdata import selectors as masterdata
from masterdata.selectors import UnitInfo
from mes import selectors as mes
from mes.enums import OperationState

# Work unit and operation; with the setup family between: in the plan's order.
_Place = tuple[int, int]
_Row = tuple[int, str, int]


def changeover_minutes(
    *,
    run: ScheduleRun | None,
    units: Collection[UnitInfo],
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> dict[int, int]:
    """By operation id the minutes on the clock right before it, where there are any.

    Of what the plan has on these work units in a window (without one: at all). At most six
    queries, one where no work center has changeovers; none joins the plan's rows with their
    operations, see ``mes.selectors.standing``.
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
    )
    inside = rows
    if starts_at is not None:
        inside = inside.filter(ends_at__gt=starts_at)
    if ends_at is not None:
        inside = inside.filter(starts_at__lt=ends_at)
    found = _read(inside.order_by("work_unit_id", "starts_at", "ends_at"))
    over = rows.filter(ends_at__lte=starts_at) if starts_at is not None else rows.none()
    return _minutes(_standing(_last(over), found, over), centers, rules)


def _last(rows: QuerySet[ScheduledOperation]) -> list[_Place]:
    """The last operation of each unit."""
    last = rows.order_by("work_unit_id", "-ends_at", "-starts_at")
    return _read(last.distinct("work_unit_id"))


def _standing(
    last: Sequence[_Place], inside: Sequence[_Place], over: QuerySet[ScheduledOperation]
) -> list[_Row]:
    """The operations with their families; what is cancelled leaves its turn to the one before.

    ``last`` has one of each unit, out of ``over``, which is read where one of them is cancelled.
    """
    needs = mes.operation_needs({pk for _unit, pk in (*last, *inside)})
    gone = {unit for unit, pk in last if _is_cancelled(needs.get(pk))}
    if gone:
        found = over.filter(work_unit__in=gone).order_by("work_unit_id", "starts_at", "ends_at")
        before = _read(found)
        needs |= mes.operation_needs({pk for _unit, pk in before})
        last = [row for row in last if row[0] not in gone] + before
    return [
        (unit, need.setup_family, pk)
        for unit, pk in (*last, *inside)
        if (need := needs.get(pk)) is not None and not _is_cancelled(need)
    ]


def _is_cancelled(need: mes.OperationNeeds | None) -> bool:
    return need is None or need.state == OperationState.CANCELLED


def _read(rows: QuerySet[ScheduledOperation]) -> list[_Place]:
    found = rows.values_list("work_unit_id", "operation_id")
    return [(unit, pk) for unit, pk in found if unit is not None]


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
