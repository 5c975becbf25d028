"""What a promise check is asked and what it answers; pure data, the words are made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aps.solver.problem import Need, Operation, Placement


class InfeasibleHorizon(Exception):
    """The working time known to the check ends before the work fits in; one sentence."""


class Status(StrEnum):
    """Whether the due moment can be kept."""

    FEASIBLE = "feasible"
    AT_RISK = "at_risk"
    INFEASIBLE = "infeasible"


class LinkKind(StrEnum):
    """What the time of one link goes into."""

    WORK = "work"
    CAPACITY = "capacity"
    CALENDAR = "calendar"
    MATERIAL = "material"
    PRECEDENCE = "precedence"
    POOL = "pool"
    WAIT = "wait"
    MINIMUM = "minimum"


@dataclass(frozen=True, slots=True)
class Busy:
    """A resource is taken in [start, end); ``family`` matters where setups depend on it.

    ``needs``: what it holds of the pools meanwhile.
    """

    start: int
    end: int
    family: str | None = None
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One order line: its operations over all levels of the BOM, due at ``due``.

    ``Operation.release`` is the moment the material is there; ``release_labels`` says why, by
    operation id. ``Operation.job`` is free for the caller to use.
    """

    id: int
    operations: tuple[Operation, ...]
    due: int
    release_labels: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """One stretch of the chain that decides the earliest finish: [start, end) went into ``kind``.

    work: processing. capacity: the resource was taken. calendar: nobody works. material: the
    release lies later (``label`` says what is missing). precedence: waiting for a predecessor
    that no other kind explains. pool: the resource is free, the people or the tool are not
    (``pool`` says which). wait: the pieces rest (cool, dry). minimum (only as the binding link):
    nothing waits, the work itself takes that long.
    """

    kind: LinkKind
    operation: int
    resource: int | None
    start: int
    end: int
    label: str = ""
    pool: int | None = None

    @property
    def minutes(self) -> int:
        """Clock minutes."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Answer:
    """What can be promised for one request.

    ``earliest_finish``: when the last operation can have ended. ``latest_start``: when work must
    begin at the latest to keep ``due`` (None when it cannot be kept). ``slack_minutes``: clock
    minutes every operation can still be put off, 0 when infeasible. ``late_minutes``: clock
    minutes the earliest finish lies after ``due``. ``forward`` and ``backward`` are the schedules
    behind both dates (``backward`` empty when infeasible). ``chain`` leads, without a hole, from
    now to the earliest finish; ``binding`` is its costliest wait, or the minimum lead time.
    """

    request: int
    status: Status
    due: int
    earliest_finish: int
    latest_start: int | None
    slack_minutes: int
    forward: tuple[Placement, ...]
    backward: tuple[Placement, ...]
    chain: tuple[Link, ...]
    binding: Link | None

    @property
    def late_minutes(self) -> int:
        """Clock minutes the earliest finish lies after the due moment."""
        return max(0, self.earliest_finish - self.due)
