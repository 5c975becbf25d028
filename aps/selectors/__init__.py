"""Reads of schedules, for this room and those above."""

from aps.selectors.beside import Ghosts, Place, ghosts, shown_run
from aps.selectors.board import (
    Bar,
    Board,
    Load,
    Row,
    as_bars,
    board,
    utilisation,
    with_references,
)
from aps.selectors.capacity import (
    Capacity,
    CenterCapacity,
    CustomerShare,
    WeekLoad,
    capacity,
    monday_of,
)
from aps.selectors.changeovers import changeover_minutes
from aps.selectors.pegging import OrderTree, order_tree
from aps.selectors.readiness import LateLine, Ready, ReadyCause, late_orders, ready_dates
from aps.selectors.schedule import (
    Planned,
    Schedule,
    current_run,
    current_schedule,
    kpis,
    plan_state,
    run_before,
    run_under_way,
    runs,
    versions_since,
)

__all__ = [
    "Bar",
    "Board",
    "Capacity",
    "CenterCapacity",
    "CustomerShare",
    "Ghosts",
    "LateLine",
    "Load",
    "OrderTree",
    "Place",
    "Planned",
    "Ready",
    "ReadyCause",
    "Row",
    "Schedule",
    "WeekLoad",
    "as_bars",
    "board",
    "capacity",
    "changeover_minutes",
    "current_run",
    "current_schedule",
    "ghosts",
    "kpis",
    "late_orders",
    "monday_of",
    "order_tree",
    "plan_state",
    "ready_dates",
    "run_before",
    "run_under_way",
    "runs",
    "shown_run",
    "utilisation",
    "versions_since",
    "with_references",
]
