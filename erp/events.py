"""Facts that erp publishes."""

from dataclasses import dataclass
from typing import ClassVar

from common.events import DomainEvent


@dataclass(frozen=True)
class StockReceived(DomainEvent):
    """Goods came in and were given to the requirements that waited for them."""

    topic: ClassVar[str] = "erp.stock.received"
    item_id: int
    site_id: int


@dataclass(frozen=True)
class PurchaseOrdersChanged(DomainEvent):
    """Quantities, days or states of a site's purchase orders changed, and with them what comes."""

    topic: ClassVar[str] = "erp.purchase_orders.changed"
    site_id: int


@dataclass(frozen=True)
class TransfersChanged(DomainEvent):
    """More or less is on its way to the site from another one, or comes on another day."""

    topic: ClassVar[str] = "erp.transfers.changed"
    site_id: int


@dataclass(frozen=True)
class ProposalsAccepted(DomainEvent):
    """Somebody accepted proposals that the floor carries out: work orders to make or change."""

    topic: ClassVar[str] = "erp.proposals.accepted"
    site_id: int


@dataclass(frozen=True)
class MrpRunChanged(DomainEvent):
    """A run of requirements planning was asked for, or is over."""

    topic: ClassVar[str] = "erp.mrp_run.changed"
    run_id: int
    site_id: int


@dataclass(frozen=True)
class StockWithheld(DomainEvent):
    """A hold, the quarantine or a count took stock that somebody may have counted on."""

    topic: ClassVar[str] = "erp.stock.withheld"
    item_id: int
    site_id: int
