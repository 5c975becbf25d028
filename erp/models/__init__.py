from erp.models.demand import Requirement, Reservation
from erp.models.purchasing import PurchaseOrder, PurchaseOrderLine
from erp.models.stock import StockBalance, StockMove
from erp.models.supply import Supply

__all__ = [
    "PurchaseOrder",
    "PurchaseOrderLine",
    "Requirement",
    "Reservation",
    "StockBalance",
    "StockMove",
    "Supply",
]
