"""What planning supply takes and gives."""

from dataclasses import dataclass, field
from decimal import Decimal

from common.errors import Refused


class CannotUnplan(Refused):
    """The requirement cannot be reduced to this quantity."""


class CannotMake(Refused):
    """The item cannot be made; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Demand:
    """A quantity of a requirement that supply is wanted for."""

    requirement_id: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class SupplyPlan:
    """What planning made, by id; a demand that failed has a sentence and left nothing behind."""

    # Work orders that were created, resized, or whose surplus was taken.
    work_order_ids: tuple[int, ...] = ()
    failures: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StartedWork:
    """Work that goes on although nobody needs that much of it any more."""

    work_order_id: int
    number: str
    item_code: str
    # What of its output was for the demand; it is free for others now.
    quantity: Decimal

    def __str__(self) -> str:
        return self.number


@dataclass(frozen=True, slots=True)
class Unplanned:
    """What came of a reduction."""

    # Numbers of the work orders that were cancelled or made smaller.
    undone: tuple[str, ...] = ()
    started: tuple[StartedWork, ...] = ()

    @property
    def remaining(self) -> tuple[str, ...]:
        """Numbers of the work orders that had started and go on."""
        return tuple(work.number for work in self.started)
