"""The problem by position instead of by id, and the state of a schedule under construction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aps.solver.lane import Lane
from aps.solver.problem import (
    Operation,
    Placement,
    Precedence,
    Problem,
    Resource,
    SetupMinutes,
    topological_order,
)
from common.intervals import CalendarExhausted

NO_DUE = 10**9
LOCK_WEIGHT = 1000


Slot = tuple[int, int, int, Lane | None]
"""start, end, resource position, lane (None where capacity is infinite)."""


class HorizonTooShort(Exception):
    """An operation does not fit before working time ends on all its resources; one sentence."""


@dataclass(frozen=True, slots=True)
class Step:
    """An operation by position: ``modes`` are (resource position, working minutes).

    ``predecessors`` are all it waits for (``plain`` those whose end counts in any case) and
    ``lags`` the shortest waits after their ends; a transfer batch counts here as a plain
    predecessor, which is on the safe side.
    """

    modes: tuple[tuple[int, int], ...]
    ready: int
    interruptible: bool
    family: str
    predecessors: tuple[int, ...]
    lags: tuple[int, ...]
    plain: tuple[int, ...]
    links: tuple[tuple[int, Precedence], ...]
    job: int
    fixed: tuple[int, int, int] | None
    is_lock: bool


class Plant:
    """The problem by position: what the constructors and the neighbourhoods work on."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.resources = problem.resources
        self.ids = [o.id for o in problem.operations]
        self.resource_at = {r.id: i for i, r in enumerate(problem.resources)}
        at = {identity: i for i, identity in enumerate(self.ids)}
        job_at = {j.id: i for i, j in enumerate(problem.jobs)}
        self.steps = [self._step(o, at, job_at[o.job]) for o in problem.operations]
        self.order = [at[identity] for identity in topological_order(problem.operations)]
        self.rank = [0] * len(self.order)
        for rank, step in enumerate(self.order):
            self.rank[step] = rank
        self.successors: list[list[int]] = [[] for _ in self.steps]
        self.of_job: list[list[int]] = [[] for _ in problem.jobs]
        for i, one in enumerate(self.steps):
            self.of_job[one.job].append(i)
            for before in one.predecessors:
                self.successors[before].append(i)
        self.is_rich = any(
            o.needs or any(k.max_lag is not None or k.transfer_minutes is not None for k in o.links)
            for o in problem.operations
        )
        self.planned = {
            at[o]: (p.start, self.resource_at.get(p.resource, -1))
            for o, p in problem.reference.items()
            if o in at
        }
        self.locks = [i for i, step in enumerate(self.steps) if step.is_lock]
        self.locked_after = [
            [a for a in after if self.steps[a].is_lock] for after in self.successors
        ]
        self.lanes = make_lanes(problem.resources, problem.setup_minutes, self._fixed_busy())
        self.stretch = [_stretch(r, problem.now) for r in problem.resources]

    def _step(self, operation: Operation, at: Mapping[int, int], job: int) -> Step:
        problem, fixed = self.problem, operation.fixed
        lag = dict.fromkeys(operation.waits_for, 0)
        for link in operation.links:
            lag[link.before] = max(lag[link.before], link.min_lag)
        return Step(
            modes=tuple((self.resource_at[m.resource], m.minutes) for m in operation.modes),
            ready=max(problem.earliest_start, operation.release),
            interruptible=operation.interruptible,
            family=operation.family or "",
            predecessors=tuple(at[p] for p in lag),
            lags=tuple(lag.values()),
            plain=tuple(at[p] for p in operation.predecessors),
            links=tuple((at[link.before], link) for link in operation.links),
            job=job,
            fixed=self._fixed(fixed),
            is_lock=fixed is not None and fixed.start >= problem.now,
        )

    def _fixed(self, placed: Placement | None) -> tuple[int, int, int] | None:
        if placed is None:
            return None
        return self.resource_at[placed.resource], placed.start, placed.end

    def _fixed_busy(self) -> dict[int, list[tuple[int, int, str]]]:
        busy: dict[int, list[tuple[int, int, str]]] = {}
        for step in self.steps:
            if step.fixed is not None:
                resource, start, end = step.fixed
                row = busy.setdefault(self.resources[resource].id, [])
                row.append((start, end, step.family))
        return busy

    def new_state(self) -> State:
        """An empty schedule that holds the fixed operations."""
        return State(self)


class State:
    """A schedule under construction: resource position, start and end per step, -1 when open."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.lanes = [[lane.copy() for lane in row] for row in plant.lanes]
        count = len(plant.steps)
        self.resource = [-1] * count
        self.start = [-1] * count
        self.end = [-1] * count
        for i, step in enumerate(plant.steps):
            if step.fixed is not None:
                self.resource[i], self.start[i], self.end[i] = step.fixed

    def ready(self, i: int, not_before: int = 0) -> int:
        """The moment release, now and the placed predecessors allow a start."""
        step = self.plant.steps[i]
        ready = max(step.ready, not_before)
        for before, lag in zip(step.predecessors, step.lags, strict=True):
            ready = max(ready, self.end[before] + lag)
        return ready

    def place_soonest(self, i: int) -> None:
        """Place the step where it ends first; on a tie, where it takes the fewest minutes."""
        self.place_among(i, self.plant.steps[i].modes)

    def place_among(self, i: int, modes: Iterable[tuple[int, int]]) -> None:
        """Place the step by insertion in the mode that ends it first."""
        self.put(i, self.soonest(i, modes))

    def soonest(self, i: int, modes: Iterable[tuple[int, int]], not_before: int = 0) -> Slot:
        """The slot that ends the step first; raises ``HorizonTooShort``."""
        step, ready = self.plant.steps[i], self.ready(i, not_before)
        best: Slot | None = None
        fewest = 0
        for resource, minutes in modes:
            found = self._soonest_on(resource, ready, minutes, step)
            if found is None:
                continue
            if best is None or found[1] < best[1] or (found[1] == best[1] and minutes < fewest):
                best, fewest = found, minutes
        if best is None:
            raise HorizonTooShort(
                f"Operation {self.plant.ids[i]} does not fit before working time ends on "
                "any of its resources."
            )
        return best

    def put(self, i: int, slot: Slot) -> None:
        """Take the slot for the step."""
        self.start[i], self.end[i], self.resource[i], lane = slot
        if lane is not None:
            lane.insert(slot[0], slot[1], self.plant.steps[i].family)

    def _soonest_on(self, resource: int, ready: int, minutes: int, step: Step) -> Slot | None:
        best: Slot | None = None
        lanes = self.lanes[resource]
        try:
            if not lanes:
                working_time = self.plant.resources[resource].working_time
                start, end = working_time.place(ready, minutes, step.interruptible)
                return start, end, resource, None
            for lane in lanes:
                start, end = lane.earliest(ready, minutes, step.interruptible, step.family)
                if best is None or end < best[1]:
                    best = (start, end, resource, lane)
        except CalendarExhausted:
            return best
        return best


def make_lanes(
    resources: Iterable[Resource],
    setup: SetupMinutes,
    busy: Mapping[int, Iterable[tuple[int, int, str]]],
) -> list[list[Lane]]:
    """Per resource its lanes holding ``busy`` (start, end, family); none where it is infinite.

    Busy time that overlaps beyond the capacity (two operations reported on one machine) is a
    fact: it is laid behind one another on the lane that is free first.
    """
    rows: list[list[Lane]] = []
    for resource in resources:
        matrix = setup.get(resource.id)
        lanes = [Lane(resource.working_time, matrix) for _ in range(resource.capacity or 0)]
        for start, end, family in sorted(busy.get(resource.id, ())) if lanes else ():
            lane = next(
                (lane for lane in lanes if not lane.ends or lane.ends[-1] <= start),
                None,
            )
            if lane is not None:
                lane.insert(start, end, family)
                continue
            lane = min(lanes, key=lambda one: one.ends[-1])
            lane.insert(lane.ends[-1], end, family)
        rows.append(lanes)
    return rows


def _stretch(resource: Resource, now: int) -> float:
    """Clock minutes per working minute in the four weeks after now; for priorities only."""
    span = 4 * 10080
    worked = resource.working_time.worked(now, now + span)
    return min(10.0, span / worked) if worked else 10.0
