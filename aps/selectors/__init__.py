"""Reads of schedules, for this room and those above."""

from aps.selectors.board import Bar, Board, Load, Row, board, utilisation
from aps.selectors.readiness import LateLine, Ready, ReadyCause, late_orders, ready_dates
from aps.selectors.schedule import (
    Planned,
    Schedule,
    current_run,
    current_schedule,
    kpis,
    plan_state,
    run_under_way,
    runs,
)

__all__ = [
    "Bar",
    "Board",
    "LateLine",
    "Load",
    "Planned",
    "Ready",
    "ReadyCause",
    "Row",
    "Schedule",
    "board",
    "current_run",
    "current_schedule",
    "kpis",
    "late_orders",
    "plan_state",
    "ready_dates",
    "run_under_way",
    "runs",
    "utilisation",
]
