"""Reads of work orders, for this room and those above."""

from mes.selectors.andon import (
    CustomerReason,
    Incident,
    active_reasons,
    customer_words,
    incident_by_number,
    incidents,
    open_calls,
    reason_behind,
    standing_because_of,
)
from mes.selectors.checks import (
    CheckStanding,
    check_results_of,
    check_standings,
    check_standings_of,
    fetched_standings,
    open_fault,
    reports_of,
)
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
from mes.selectors.hurts import Hurt, order_lines_above
from mes.selectors.labels import OperationLabel, operation_labels
from mes.selectors.materials import ScanLine, scan_lines, takes_serials
from mes.selectors.open_shares import (
    OpenShare,
    open_operation_counts,
    open_shares,
    waiting_lines,
)
from mes.selectors.open_work import OpenOperation, OpenUnit, open_operations
from mes.selectors.order_costs import MadeCost, Money, Part, made_costs
from mes.selectors.output import FreeOutput, free_output
from mes.selectors.people import FloorPerson, badge_numbers, floor_people, is_at, worked_on
from mes.selectors.progress import Progress, progress
from mes.selectors.rows import WorkOrderRow, work_order_rows, work_orders
from mes.selectors.standing import Standing, open_operations_of, standings
from mes.selectors.states import StateNow, states_now
from mes.selectors.terminal import Job, UnitWork, reasons, recent_people, unit_work
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
    "CheckStanding",
    "CostRow",
    "CustomerReason",
    "DispatchRow",
    "FloorPerson",
    "FreeOutput",
    "Hurt",
    "Incident",
    "Job",
    "MadeCost",
    "Money",
    "OpenOperation",
    "OpenShare",
    "OpenUnit",
    "OperationLabel",
    "Part",
    "Progress",
    "ScanLine",
    "Standing",
    "StateNow",
    "SupplyTree",
    "UnitWork",
    "WorkOrderRow",
    "active_reasons",
    "badge_numbers",
    "check_results_of",
    "check_standings",
    "check_standings_of",
    "closed_orders",
    "cost_rows",
    "customer_words",
    "dispatch_list",
    "eligible_units",
    "fetched_standings",
    "floor_people",
    "free_output",
    "free_unit",
    "incident_by_number",
    "incidents",
    "is_at",
    "made_costs",
    "open_calls",
    "open_fault",
    "open_operation_counts",
    "open_operations",
    "open_operations_of",
    "open_shares",
    "operation_labels",
    "operations_to_make",
    "order_lines_above",
    "orders_in_progress",
    "pegged_quantities",
    "progress",
    "promised_quantities",
    "reason_behind",
    "reasons",
    "recent_people",
    "reports_of",
    "requirements_served",
    "requirements_served_by",
    "requirements_started",
    "running_on",
    "scan_lines",
    "standing_because_of",
    "standings",
    "states_now",
    "supply_tree",
    "takes_serials",
    "uncovered_requirements",
    "unit_work",
    "waiting_lines",
    "work_in_progress",
    "work_order_detail",
    "work_order_rows",
    "work_orders",
    "work_orders_serving",
    "worked_on",
]
