"""What is already on the machines: read by many promise checks, changed by none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aps.solver.lane import Lane
from aps.solver.plant import make_lanes
from aps.solver.pool_book import PoolBook
from aps.solver.problem import (
    InvalidProblem,
    Mode,
    Need,
    Operation,
    Placement,
    Pool,
    Resource,
    SetupMinutes,
    check_setup,
)
from aps.solver.promise_types import Busy
from common.intervals import FAR_FUTURE, FAR_PAST, CalendarExhausted


class Occupancy:
    """Busy time per resource id; build it once per schedule, ask it as often as one likes.

    ``busy`` may be unsorted; intervals are sorted and joined when a resource is first asked for.
    ``setup_minutes`` and ``pools`` as in ``Problem``. Raises ``InvalidProblem``.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        busy: Mapping[int, Sequence[Busy]],
        setup_minutes: SetupMinutes | None = None,
        pools: Iterable[Pool] = (),
    ) -> None:
        self.resources = {r.id: r for r in resources}
        self._busy = busy
        self._setup = setup_minutes or {}
        self._lanes: dict[int, list[Lane]] = {}
        check_setup(self._setup, self.resources)
        for resource, row in busy.items():
            if resource not in self.resources:
                raise InvalidProblem(f"The unknown resource {resource} is said to be busy.")
            if any(b.end < b.start for b in row):
                raise InvalidProblem(f"Resource {resource} is busy with an end before its start.")
        self.book = PoolBook(pools)
        for resource, row in busy.items():
            times = self.resources[resource].working_time
            for b in row:
                if b.needs:
                    self.book.take(b.needs, times, b.start, b.end)

    def lanes(self, resource: int) -> list[Lane]:
        """The lanes of a resource; none for infinite capacity. Not to be changed."""
        found = self._lanes.get(resource)
        if found is None:
            taken = [(b.start, b.end, b.family or "") for b in self._busy.get(resource, ())]
            one = self.resources[resource]
            found = self._lanes[resource] = make_lanes([one], self._setup, {resource: taken})[0]
        return found


class Overlay:
    """Further busy time on top of an occupancy; only the lanes it writes to are copied."""

    def __init__(self, below: Occupancy | Overlay) -> None:
        self._below = below
        self._own: dict[int, list[Lane]] = {}
        self.resources: Mapping[int, Resource] = below.resources
        self._book: PoolBook | None = None
        # By operation that ``soonest`` placed: the need that kept it from its machine, since when.
        self.pool_waits: dict[int, tuple[Need, int]] = {}

    @property
    def book(self) -> PoolBook:
        """What is left of the pools as this overlay sees them."""
        return self._below.book if self._book is None else self._book

    def lanes(self, resource: int) -> list[Lane]:
        """The lanes of a resource as this overlay sees them."""
        own = self._own.get(resource)
        return own if own is not None else self._below.lanes(resource)

    def soonest(self, operation: Operation, modes: Iterable[Mode], ready: int) -> Placement | None:
        """Where the operation ends first from ``ready``; None when no working time is left."""
        best: Placement | None = None
        alone = 0, 0
        for mode in modes:
            for lane in self._lanes_of(mode):
                try:
                    free = self._slot(lane, operation, mode, ready)
                    slot = self._served(lane, operation, mode, free)
                except CalendarExhausted:
                    continue
                # Of equal ends the machine that is free sooner: only the pool is waited for there.
                is_tie = best is not None and slot[1] == best.end and free < alone
                if best is None or slot[1] < best.end or (is_tie and operation.needs):
                    best, alone = Placement(operation.id, mode.resource, *slot), free
        if best is not None and alone[0] < best.start:
            times = self.resources[best.resource].working_time
            need = self.book.short_of(operation.needs, times, *alone)
            if need is not None:
                self.pool_waits[operation.id] = (need, alone[0])
        return best

    def latest(
        self, operation: Operation, modes: Iterable[Mode], deadline: int
    ) -> Placement | None:
        """Where it starts last and ends by ``deadline``; None when no working time is left."""
        best: Placement | None = None
        for mode in modes:
            for lane in self._lanes_of(mode):
                try:
                    slot = self._latest(lane, operation, mode, deadline)
                except CalendarExhausted:
                    continue
                if best is None or slot[0] > best.start:
                    best = Placement(operation.id, mode.resource, *slot)
        return best

    def _lanes_of(self, mode: Mode) -> list[Lane]:
        return self.lanes(mode.resource) or [Lane(self.resources[mode.resource].working_time)]

    def _slot(self, lane: Lane, operation: Operation, mode: Mode, moment: int) -> tuple[int, int]:
        return lane.earliest(moment, mode.minutes, operation.interruptible, operation.family or "")

    def _served(
        self, lane: Lane, operation: Operation, mode: Mode, slot: tuple[int, int]
    ) -> tuple[int, int]:
        """The first slot from that one on that the pools serve; raises ``CalendarExhausted``."""
        start, end = slot
        while operation.needs:
            later = self.book.later(operation.needs, lane.working_time, start, end)
            if later == start:
                break
            if later >= FAR_FUTURE:
                raise CalendarExhausted("There never are so many units of a pool.")
            start, end = self._slot(lane, operation, mode, later)
        return start, end

    def _latest(
        self, lane: Lane, operation: Operation, mode: Mode, deadline: int
    ) -> tuple[int, int]:
        """The last slot on the lane that the pools serve too; raises ``CalendarExhausted``."""
        family = operation.family or ""
        while True:
            start, end = lane.latest(deadline, mode.minutes, operation.interruptible, family)
            if not operation.needs:
                return start, end
            earlier = self.book.earlier(operation.needs, lane.working_time, start, end)
            if earlier == end:
                return start, end
            if earlier <= FAR_PAST:
                raise CalendarExhausted("There never are so many units of a pool.")
            deadline = earlier

    def take(self, operation: Operation, placed: Placement) -> None:
        """Mark the placement as taken, in this overlay only."""
        if operation.needs:
            if self._book is None:
                self._book = self._below.book.copy()
            times = self.resources[placed.resource].working_time
            self._book.take(operation.needs, times, placed.start, placed.end)
        lanes = self._own.get(placed.resource)
        if lanes is None:
            lanes = [lane.copy() for lane in self._below.lanes(placed.resource)]
            self._own[placed.resource] = lanes
        for lane in lanes:
            if lane.admits(placed.start, placed.end, operation.family or ""):
                lane.insert(placed.start, placed.end, operation.family or "")
                return
