from erp.models.cost import CostEntry
from erp.models.counts import CountLine, CountSession
from erp.models.demand import Requirement, Reservation, Staging
from erp.models.places import Bin, Warehouse
from erp.models.planning import AutoOrderRule, MrpRun, Proposal, ProposalPeg, SupplyRule
from erp.models.purchasing import PurchaseOrder, PurchaseOrderLine, PurchaseReceipt
from erp.models.stock import StockBalance, StockMove, StockQuant
from erp.models.supply import Supply
from erp.models.transfers import StockTransfer, TransferLine

__all__ = [
    "AutoOrderRule",
    "Bin",
    "CostEntry",
    "CountLine",
    "CountSession",
    "MrpRun",
    "Proposal",
    "ProposalPeg",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "PurchaseReceipt",
    "Requirement",
    "Reservation",
    "Staging",
    "StockBalance",
    "StockMove",
    "StockQuant",
    "StockTransfer",
    "Supply",
    "SupplyRule",
    "TransferLine",
    "Warehouse",
]
