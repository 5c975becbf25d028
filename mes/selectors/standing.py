"""Where operations stand, by their ids: for those above who keep plans of them.

A plan's rows are never joined with operations in one statement: of rows that have just been written
PostgreSQL's statistics know nothing, and such a join of 5,000 has taken minutes.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from mes.enums import OperationState
from mes.models import WorkOrderOperation


@dataclass(frozen=True, slots=True)
class Standing:
    """What the floor has done with an operation; unit and start are None before it starts."""

    work_order_id: int
    state: OperationState
    work_unit_id: int | None
    started_at: datetime | None


def standings(operation_ids: Collection[int]) -> dict[int, Standing]:
    """Those of the operations that exist; one query of one table."""
    rows = WorkOrderOperation.objects.filter(pk__in=operation_ids)
    return {
        pk: Standing(order, OperationState(state), unit, at)
        for pk, order, state, unit, at in rows.values_list(
            "pk", "work_order_id", "state", "work_unit_id", "started_at"
        )
    }


def open_operations_of(work_order_ids: Collection[int]) -> dict[int, int]:
    """The open operations of work orders, each with its work order; one query of one table."""
    rows = WorkOrderOperation.objects.filter(
        work_order__in=work_order_ids, state__in=OperationState.open()
    )
    return dict(rows.values_list("pk", "work_order_id"))
