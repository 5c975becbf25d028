from erp.models.demand import Requirement, Reservation
from erp.models.planning import MrpRun, Proposal, ProposalPeg, SupplyRule
from erp.models.purchasing import PurchaseOrder, PurchaseOrderLine, PurchaseReceipt
from erp.models.stock import StockBalance, StockMove
from erp.models.supply import Supply

__all__ = [
    "MrpRun",
    "Proposal",
    "ProposalPeg",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "PurchaseReceipt",
    "Requirement",
    "Reservation",
    "StockBalance",
    "StockMove",
    "Supply",
    "SupplyRule",
]
