"""What the floor puts on the cost ledger, in the transaction of the fact.

The standard is frozen when the work begins: the frozen BOM and routing at the prices and rates of
that day. Material, time, energy and subcontracted work are booked as they happen, good pieces leave
at the standard, and what is left when the work order closes is explained by variances.
"""

from mes.services.costs.booking import (
    Spent,
    book_energy,
    book_output,
    book_pieces,
    book_subcontract,
    book_time,
    correct_labour,
    order_line,
)
from mes.services.costs.closing import explain
from mes.services.costs.sheet import CostSheet, sheet
from mes.services.costs.standards import freeze, unit_cost

__all__ = [
    "CostSheet",
    "Spent",
    "book_energy",
    "book_output",
    "book_pieces",
    "book_subcontract",
    "book_time",
    "correct_labour",
    "explain",
    "freeze",
    "order_line",
    "sheet",
    "unit_cost",
]
