"""What is already on the machines: read by many promise checks, changed by none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aps.solver.lane import Lane
from aps.solver.plant import make_lanes
from aps.solver.problem import (
    InvalidProblem,
    Mode,
    Operation,
    Placement,
    Resource,
    SetupMinutes,
    check_setup,
)
from aps.solver.promise_types import Busy
from common.intervals import CalendarExhausted


class Occupancy:
    """Busy time per resource id; build it once per schedule, ask it as often as one likes.

    ``busy`` may be unsorted; intervals are sorted and joined when a resource is first asked for.
    ``setup_minutes`` as in ``Problem``. Raises ``InvalidProblem``.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        busy: Mapping[int, Sequence[Busy]],
        setup_minutes: SetupMinutes | None = None,
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

    def lanes(self, resource: int) -> list[Lane]:
        """The lanes of a resource as this overlay sees them."""
        own = self._own.get(resource)
        return own if own is not None else self._below.lanes(resource)

    def soonest(self, operation: Operation, modes: Iterable[Mode], ready: int) -> Placement | None:
        """Where the operation ends first from ``ready``; None when no working time is left."""
        best: Placement | None = None
        for mode in modes:
            for start, end in self._slots(operation, mode, ready, backwards=False):
                if best is None or end < best.end:
                    best = Placement(operation.id, mode.resource, start, end)
        return best

    def latest(
        self, operation: Operation, modes: Iterable[Mode], deadline: int
    ) -> Placement | None:
        """Where it starts last and ends by ``deadline``; None when no working time is left."""
        best: Placement | None = None
        for mode in modes:
            for start, end in self._slots(operation, mode, deadline, backwards=True):
                if best is None or start > best.start:
                    best = Placement(operation.id, mode.resource, start, end)
        return best

    def _slots(
        self, operation: Operation, mode: Mode, moment: int, *, backwards: bool
    ) -> list[tuple[int, int]]:
        """One slot per lane, those left out whose working time is exhausted."""
        lanes = self.lanes(mode.resource) or [Lane(self.resources[mode.resource].working_time)]
        found = []
        for lane in lanes:
            search = lane.latest if backwards else lane.earliest
            try:
                found.append(
                    search(moment, mode.minutes, operation.interruptible, operation.family or "")
                )
            except CalendarExhausted:
                continue
        return found

    def take(self, operation: Operation, placed: Placement) -> None:
        """Mark the placement as taken, in this overlay only."""
        lanes = self._own.get(placed.resource)
        if lanes is None:
            lanes = [lane.copy() for lane in self._below.lanes(placed.resource)]
            self._own[placed.resource] = lanes
        for lane in lanes:
            if lane.admits(placed.start, placed.end, operation.family or ""):
                lane.insert(placed.start, placed.end, operation.family or "")
                return
