"""What is left to make for requirements, in an order in which it can be made."""

from collections.abc import Collection

from mes.enums import OperationState
from mes.models import OperationUnit, WorkOrderOperation
from mes.selectors.tree import work_orders_serving


def operations_to_make(requirement_ids: Collection[int]) -> list[WorkOrderOperation]:
    """Open operations of the tree below: work orders needed earlier first, each in sequence."""
    order_ids = [order.pk for order in work_orders_serving(requirement_ids)]
    rank = {pk: number for number, pk in enumerate(order_ids)}
    operations = WorkOrderOperation.objects.filter(
        work_order__in=order_ids, state__in=OperationState.open()
    ).select_related("work_order")
    return sorted(operations, key=lambda row: (rank[row.work_order_id], row.sequence))


def free_unit_id(operation: WorkOrderOperation) -> int | None:
    """The first work unit that may do the operation and runs nothing; None if all are taken."""
    named = OperationUnit.objects.filter(operation=operation).values_list("work_unit", flat=True)
    units = list(named) or list(
        operation.work_center.units.filter(is_active=True).values_list("pk", flat=True)
    )
    busy = set(
        WorkOrderOperation.objects.filter(
            work_unit__in=units, state__in=[OperationState.SETUP, OperationState.RUNNING]
        ).values_list("work_unit", flat=True)
    )
    return next((pk for pk in sorted(units) if pk not in busy), None)
