"""Material requirements planning: net by low-level code, lots, dates, pegs, messages. Pure.

The textbook's regenerative MRP (Orlicky; Vollmann et al., "Manufacturing Planning and Control"):
parents before components, stock and scheduled receipts before new orders, receipts assumed to be
movable (so that a message asks for it). Days are calendar days of the site.
"""

from erp.mrp.facts import (
    Action,
    Component,
    Demand,
    Item,
    Message,
    Need,
    Offer,
    Order,
    Plan,
    Receipt,
    Situation,
)
from erp.mrp.levels import low_level_codes
from erp.mrp.netting import run

__all__ = [
    "Action",
    "Component",
    "Demand",
    "Item",
    "Message",
    "Need",
    "Offer",
    "Order",
    "Plan",
    "Receipt",
    "Situation",
    "low_level_codes",
    "run",
]
