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


@dataclass(frozen=True)
class ScenarioSolved(DomainEvent):
    """``state`` is solved, stale or failed."""

    topic: ClassVar[str] = "aps.scenario.solved"
    run_id: int
    site_id: int
    kind: str
    state: str
