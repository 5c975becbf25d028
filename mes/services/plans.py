"""The published schedule, written down to the operations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common import bulk
from mes.enums import OperationState
from mes.models import WorkOrderOperation


@dataclass(frozen=True, slots=True)
class PlannedOperation:
    """Where and when an operation is to run; a subcontracted one has no work unit."""

    operation_id: int
    work_unit_id: int | None
    starts_at: datetime
    ends_at: datetime


def write(rows: Sequence[PlannedOperation]) -> int:
    """Write planned times to operations that have not started; return how many took them.

    One statement after the lock. What started, ended or was cancelled meanwhile keeps what it has.
    """
    ordered = sorted(rows, key=lambda row: row.operation_id)
    open_ids = set(
        WorkOrderOperation.objects.select_for_update(no_key=True)
        .filter(
            pk__in=[row.operation_id for row in ordered],
            state__in=[OperationState.WAITING, OperationState.READY],
        )
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    taken = [row for row in ordered if row.operation_id in open_ids]
    return bulk.write(
        WorkOrderOperation,
        ["planned_work_unit", "planned_starts_at", "planned_ends_at"],
        [(row.operation_id, row.work_unit_id, row.starts_at, row.ends_at) for row in taken],
    )
