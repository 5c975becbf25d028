"""Reads of work orders, for this room and those above."""

from mes.selectors.costs import (
    CostRow,
    closed_orders,
    cost_rows,
    orders_in_progress,
    work_in_progress,
)
from mes.selectors.floor import (
    DispatchRow,
    dispatch_list,
    eligible_units,
    free_unit,
    operations_to_make,
    running_on,
    uncovered_requirements,
    work_order_detail,
)
from mes.selectors.labels import OperationLabel, operation_labels
from mes.selectors.open_shares import (
    OpenShare,
    open_operation_counts,
    open_shares,
    waiting_lines,
)
from mes.selectors.open_work import OpenOperation, OpenUnit, open_operations
from mes.selectors.output import FreeOutput, free_output
from mes.selectors.progress import Progress, progress
from mes.selectors.rows import WorkOrderRow, work_order_rows, work_orders
from mes.selectors.standing import Standing, open_operations_of, standings
from mes.selectors.tree import (
    SupplyTree,
    pegged_quantities,
    promised_quantities,
    requirements_served,
    requirements_served_by,
    requirements_started,
    supply_tree,
    work_orders_serving,
)

__all__ = [
    "CostRow",
    "DispatchRow",
    "FreeOutput",
    "OpenOperation",
    "OpenShare",
    "OpenUnit",
    "OperationLabel",
    "Progress",
    "Standing",
    "SupplyTree",
    "WorkOrderRow",
    "closed_orders",
    "cost_rows",
    "dispatch_list",
    "eligible_units",
    "free_output",
    "free_unit",
    "open_operation_counts",
    "open_operations",
    "open_operations_of",
    "open_shares",
    "operation_labels",
    "operations_to_make",
    "orders_in_progress",
    "pegged_quantities",
    "progress",
    "promised_quantities",
    "requirements_served",
    "requirements_served_by",
    "requirements_started",
    "running_on",
    "standings",
    "supply_tree",
    "uncovered_requirements",
    "waiting_lines",
    "work_in_progress",
    "work_order_detail",
    "work_order_rows",
    "work_orders",
    "work_orders_serving",
]
