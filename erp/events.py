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
class StockWithheld(DomainEvent):
    """A hold, the quarantine or a count took stock that somebody may have counted on."""

    topic: ClassVar[str] = "erp.stock.withheld"
    item_id: int
    site_id: int
