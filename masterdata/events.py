"""Facts that the master data publishes."""

from dataclasses import dataclass
from typing import ClassVar

from common.events import DomainEvent


@dataclass(frozen=True)
class CapacityChanged(DomainEvent):
    """A calendar, work center or work unit of the site is not what the schedule reckoned with."""

    topic: ClassVar[str] = "masterdata.capacity.changed"
    site_id: int


@dataclass(frozen=True)
class PlanningDataChanged(DomainEvent):
    """Bills, items, prices or rates are not what planning the site's requirements reckoned with."""

    topic: ClassVar[str] = "masterdata.planning.changed"
    site_id: int
