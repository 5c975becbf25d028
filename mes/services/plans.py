"""The published schedule, written down to the operations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

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
    if not taken:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE mes_workorderoperation AS operation
            SET planned_work_unit_id = plan.unit,
                planned_starts_at = plan.starts_at,
                planned_ends_at = plan.ends_at
            FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
                AS plan (id, unit, starts_at, ends_at)
            WHERE operation.id = plan.id
            """,
            [
                [row.operation_id for row in taken],
                [row.work_unit_id for row in taken],
                [row.starts_at for row in taken],
                [row.ends_at for row in taken],
            ],
        )
    return len(taken)
