"""Reads of stock, demand and what is on order, for this room and those above."""

from erp.selectors.costs import (
    CostTotal,
    amounts_by_currency,
    amounts_by_kind,
    average_costs,
    cost_entries,
    cost_totals,
    variances_of,
)
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
    "CostTotal",
    "Coverage",
    "MaterialDate",
    "MaterialKind",
    "Shortage",
    "Waiting",
    "amounts_by_currency",
    "amounts_by_kind",
    "average_costs",
    "balances",
    "cost_entries",
    "cost_totals",
    "coverage",
    "customer_codes",
    "free_stock",
    "incoming",
    "material_dates",
    "moves_of",
    "places",
    "requirements",
    "reserved_quantities",
    "shortages",
    "sites_of",
    "variances_of",
    "waiting",
]
