from erp.models.cost import CostEntry
from erp.models.demand import Requirement, Reservation
from erp.models.purchasing import PurchaseOrder, PurchaseOrderLine
from erp.models.stock import StockBalance, StockMove

__all__ = [
    "CostEntry",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "Requirement",
    "Reservation",
    "StockBalance",
    "StockMove",
]
