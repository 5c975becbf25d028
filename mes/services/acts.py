"""What every act at a machine shares: the rows it holds, and how states move."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from common import transitions
from common.concurrency import Lock, lock
from common.errors import Refused
from mes import policies, selectors
from mes.enums import (
    OPERATION_TRANSITIONS,
    WORK_ORDER_TRANSITIONS,
    OperationState,
    WorkOrderState,
)
from mes.models import WorkOrder, WorkOrderOperation

_ONE_RUNNING = "mes_workorderoperation_one_running_per_unit"


def locked(
    operation: WorkOrderOperation, *, stock_moves: bool = False, takes_tool: bool = False
) -> WorkOrderOperation:
    """The operation as it is now, its work order's row held: one act at a time on each.

    Who takes a tool comes one after another, where the operation needs one.
    """
    if stock_moves or (takes_tool and operation.tool_id is not None):
        lock(Lock.SUPPLY, operation.work_order.site_id)
    order = (
        WorkOrder.objects.select_for_update(no_key=True, of=("self",))
        .select_related("item")
        .get(pk=operation.work_order_id)
    )
    found = WorkOrderOperation.objects.select_for_update(no_key=True).get(pk=operation.pk)
    found.work_order = order
    return found


def move(operation: WorkOrderOperation, new: OperationState) -> None:
    """Change the state by the table; the caller saves."""
    transitions.check(OPERATION_TRANSITIONS, old=OperationState(operation.state), new=new)
    operation.state = new


def move_order(order: WorkOrder, new: WorkOrderState) -> None:
    """Change the state by the table; the caller saves."""
    transitions.check(WORK_ORDER_TRANSITIONS, old=WorkOrderState(order.state), new=new)
    order.state = new


@contextmanager
def unit_taken_meanwhile(work_unit_id: int | None, error: type[Refused]) -> Iterator[None]:
    """Two starts at once on one work unit: the database lets one through, the other is told."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as conflict:
        if _ONE_RUNNING not in str(conflict) or work_unit_id is None:
            raise
        other = selectors.running_on(work_unit_id)
        if other is None:
            raise
        raise error(policies.busy_sentence(_unit_code(other), other)) from conflict


def is_last(operation: WorkOrderOperation) -> bool:
    """Whether nothing of its work order comes after it."""
    later = WorkOrderOperation.objects.filter(
        work_order=operation.work_order_id, sequence__gt=operation.sequence
    )
    return not later.exclude(state=OperationState.CANCELLED).exists()


def ids(operation: WorkOrderOperation) -> dict[str, int]:
    """What events of operations carry."""
    return {
        "operation_id": operation.pk,
        "work_order_id": operation.work_order_id,
        "site_id": operation.work_order.site_id,
    }


def _unit_code(operation: WorkOrderOperation) -> str:
    return operation.work_unit.code if operation.work_unit else ""
