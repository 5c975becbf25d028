"""Reads of stock, demand and what is on order, for this room and those above."""

from erp.selectors.demand import (
    Coverage,
    Waiting,
    coverage,
    customer_codes,
    places,
    requirements,
    reserved_quantities,
    sites_of,
    waiting,
)
from erp.selectors.planning import (
    CannotPlan,
    Reading,
    local_day,
    offer,
    read_situation,
    supply_rule,
)
from erp.selectors.proposals import (
    ToDo,
    mrp_runs,
    proposal_counts,
    proposals,
    to_carry_out,
)
from erp.selectors.purchasing import (
    MaterialDate,
    MaterialKind,
    Shortage,
    incoming,
    material_dates,
    shortages,
)
from erp.selectors.stock import balances, free_stock, moves_of

__all__ = [
    "CannotPlan",
    "Coverage",
    "MaterialDate",
    "MaterialKind",
    "Reading",
    "Shortage",
    "ToDo",
    "Waiting",
    "balances",
    "coverage",
    "customer_codes",
    "free_stock",
    "incoming",
    "local_day",
    "material_dates",
    "moves_of",
    "mrp_runs",
    "offer",
    "places",
    "proposal_counts",
    "proposals",
    "read_situation",
    "requirements",
    "reserved_quantities",
    "shortages",
    "sites_of",
    "supply_rule",
    "to_carry_out",
    "waiting",
]
