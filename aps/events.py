"""Facts that aps publishes."""

from dataclasses import dataclass
from typing import ClassVar

from common.events import DomainEvent


@dataclass(frozen=True)
class SchedulePublished(DomainEvent):
    topic: ClassVar[str] = "aps.schedule.published"
    run_id: int
    site_id: int
    version: int
