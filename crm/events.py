"""Facts that crm publishes."""

from dataclasses import dataclass
from typing import ClassVar

from common.events import DomainEvent


@dataclass(frozen=True)
class OrderSubmitted(DomainEvent):
    topic: ClassVar[str] = "crm.order.submitted"
    order_id: int


@dataclass(frozen=True)
class OrderApproved(DomainEvent):
    topic: ClassVar[str] = "crm.order.approved"
    order_id: int
    site_id: int


@dataclass(frozen=True)
class OrderChanged(DomainEvent):
    """An approved order needs another quantity, or a conversion that did not happen so far."""

    topic: ClassVar[str] = "crm.order.changed"
    order_id: int
    site_id: int


@dataclass(frozen=True)
class OrderConverted(DomainEvent):
    """Every line has its work orders or says why not."""

    topic: ClassVar[str] = "crm.order.converted"
    order_id: int
    site_id: int


@dataclass(frozen=True)
class OrderCancelled(DomainEvent):
    topic: ClassVar[str] = "crm.order.cancelled"
    order_id: int
    site_id: int


@dataclass(frozen=True)
class OrderShipped(DomainEvent):
    topic: ClassVar[str] = "crm.order.shipped"
    order_id: int
    shipment_id: int


@dataclass(frozen=True)
class OrderDelivered(DomainEvent):
    """The customer has the whole order: told once, with the last consignment."""

    topic: ClassVar[str] = "crm.order.delivered"
    order_id: int


@dataclass(frozen=True)
class RushApplied(DomainEvent):
    topic: ClassVar[str] = "crm.rush.applied"
    rush_id: int
    order_id: int
    site_id: int


@dataclass(frozen=True)
class TicketDescribed(DomainEvent):
    """A ticket names an item, and perhaps which lot or unit of it and what is wrong."""

    topic: ClassVar[str] = "crm.ticket.described"
    ticket_id: int
    item_id: int
