from erp.models.counts import CountLine, CountSession
from erp.models.demand import Requirement, Reservation, Staging
from erp.models.places import Bin, Warehouse
from erp.models.purchasing import PurchaseOrder, PurchaseOrderLine
from erp.models.stock import StockBalance, StockMove, StockQuant

__all__ = [
    "Bin",
    "CountLine",
    "CountSession",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "Requirement",
    "Reservation",
    "Staging",
    "StockBalance",
    "StockMove",
    "StockQuant",
    "Warehouse",
]
