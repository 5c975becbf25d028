"""Supply of requirements: plan it and take it back."""

from mes.services.supply.coming import note
from mes.services.supply.planning import plan, plan_stock
from mes.services.supply.types import (
    CannotMake,
    CannotUnplan,
    Demand,
    StartedWork,
    SupplyPlan,
    Unplanned,
)
from mes.services.supply.unplanning import unplan

__all__ = [
    "CannotMake",
    "CannotUnplan",
    "Demand",
    "StartedWork",
    "SupplyPlan",
    "Unplanned",
    "note",
    "plan",
    "plan_stock",
    "unplan",
]
