"""Supply of requirements: plan it and take it back."""

from mes.services.supply.coming import note
from mes.services.supply.planning import plan
from mes.services.supply.types import CannotUnplan, Demand, StartedWork, SupplyPlan, Unplanned
from mes.services.supply.unplanning import unplan

__all__ = [
    "CannotUnplan",
    "Demand",
    "StartedWork",
    "SupplyPlan",
    "Unplanned",
    "note",
    "plan",
    "unplan",
]
