"""Schedules by dispatch rules: always feasible, in about a second for thousands of operations.

Serial schedule generation takes the operations in one order of priority and puts each into the
first gap that holds it; the parallel one walks in time and lets each machine, when it falls free,
choose among what waits (Kolisch 1996, Serial and parallel resource-constrained project scheduling
methods revisited; Pinedo, Scheduling, ch. 14, for the rules). Both end an operation where it is
over first, so machines with gaps are used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush, nsmallest

from aps.solver.plant import LOCK_WEIGHT, NO_DUE, Plant, Slot, State
from aps.solver.schedule import feasible_order

Score = Callable[[int, int], float]
"""(step, moment) -> urgency; the smallest is taken first."""

TRIES = 6
FAR = 10080


@dataclass(frozen=True, slots=True)
class Outlook:
    """Per step: latest useful end seen from all jobs downstream, their weight, work to come.

    ``due`` is a clock moment (later work stretched by the calendars, times an allowance for
    waiting); ``minutes`` the step's own fewest working minutes, ``remaining`` those of the
    longest route from it to the end, itself included.
    """

    due: list[float]
    weight: list[float]
    minutes: list[float]
    remaining: list[float]


def outlook(plant: Plant, *, allowance: float = 1.0) -> Outlook:
    """Due dates and weights propagated backwards through the precedence graph."""
    count = len(plant.steps)
    due, weight = [float(NO_DUE)] * count, [0.0] * count
    minutes, remaining = [0.0] * count, [0.0] * count
    for i in reversed(plant.order):
        step = plant.steps[i]
        job = plant.problem.jobs[step.job]
        minutes[i] = min(m for _, m in step.modes)
        if job.due is not None and job.weight:
            due[i], weight[i] = float(job.due), float(job.weight)
        longest = 0.0
        for after in plant.successors[i]:
            locked = plant.steps[after].fixed
            if locked is not None and plant.steps[after].is_lock:
                due[i], weight[i] = min(due[i], float(locked[1])), LOCK_WEIGHT
            elif locked is None:
                due[i] = min(due[i], due[after] - minutes[after] * _span(plant, after, allowance))
                weight[i] = max(weight[i], weight[after])
                longest = max(longest, remaining[after])
        remaining[i] = minutes[i] + longest
    return Outlook(due, weight, minutes, remaining)


def _span(plant: Plant, i: int, allowance: float) -> float:
    modes = plant.steps[i].modes
    return allowance * sum(plant.stretch[r] for r, _ in modes) / len(modes)


def serial(plant: Plant, key: Sequence[float]) -> State:
    """Insert the steps in order of ``key``, predecessors before their followers."""
    state = plant.new_state()
    for i in feasible_order(plant, key):
        if plant.steps[i].fixed is None:
            state.place_soonest(i)
    return state


def parallel(plant: Plant, score: Score) -> State:
    """Walk in time; a machine that falls free takes the most urgent of what waits for it."""
    return _Dispatcher(plant, score).run()


class _Dispatcher:
    """Events are (moment, resource); an operation leaves its queues once it is placed."""

    def __init__(self, plant: Plant, score: Score) -> None:
        self.plant, self.score = plant, score
        self.state = plant.new_state()
        self.waiting: list[list[int]] = [[] for _ in plant.resources]
        self.missing = [
            sum(1 for p in step.predecessors if plant.steps[p].fixed is None)
            for step in plant.steps
        ]
        self.events: list[tuple[int, int]] = []
        self.arrivals: list[tuple[int, int, int]] = []

    def run(self) -> State:
        plant, state = self.plant, self.state
        for i in plant.order:
            if plant.steps[i].fixed is None and not self.missing[i]:
                self._announce(i)
        while self.arrivals or self.events:
            if self.arrivals and (not self.events or self.arrivals[0][0] <= self.events[0][0]):
                moment, _, i = heappop(self.arrivals)
                self._arrive(i, moment)
                continue
            moment, resource = heappop(self.events)
            queue = [i for i in self.waiting[resource] if state.start[i] < 0]
            self.waiting[resource] = queue
            if not queue:
                continue
            again = self._serve(resource, moment, queue)
            heappush(self.events, (again, resource))
        return state

    def _serve(self, resource: int, moment: int, queue: list[int]) -> int:
        """Place what the free machine takes up now; the moment to look at it again.

        An operation that another machine would end sooner waits for that machine.
        """
        score, state = self.score, self.state
        put_off = moment + FAR
        for i in nsmallest(TRIES, queue, key=lambda i: (score(i, moment), i)):
            slot = state.soonest(i, self.plant.steps[i].modes)
            if slot[2] == resource or slot[0] <= moment:
                self._put(i, slot)
                return max(moment, self._free(resource, moment))
            put_off = min(put_off, slot[0])
        return put_off

    def _announce(self, i: int) -> None:
        heappush(self.arrivals, (self.state.ready(i), self.plant.rank[i], i))

    def _arrive(self, i: int, moment: int) -> None:
        modes = self.plant.steps[i].modes
        if any(not self.state.lanes[r] for r, _ in modes):
            self._place(i)
            return
        for resource, _ in modes:
            if not self.waiting[resource]:
                heappush(self.events, (max(moment, self._free(resource, moment)), resource))
            self.waiting[resource].append(i)

    def _free(self, resource: int, moment: int) -> int:
        return min(lane.ends[-1] if lane.ends else moment for lane in self.state.lanes[resource])

    def _place(self, i: int) -> None:
        self._put(i, self.state.soonest(i, self.plant.steps[i].modes))

    def _put(self, i: int, slot: Slot) -> None:
        self.state.put(i, slot)
        for after in self.plant.successors[i]:
            if self.plant.steps[after].fixed is None:
                self.missing[after] -= 1
                if not self.missing[after]:
                    self._announce(after)


def apparent_tardiness_cost(view: Outlook, *, look_ahead: float, share: float) -> Score:
    """Vepsalainen and Morton (1987): weight per minute, fading with slack / (k x mean minutes).

    ``share``: how much of the denominator is the remaining route instead of the step alone
    (weighted shortest remaining time), which finishes jobs instead of starting many.
    """
    count = max(1, len(view.minutes))
    scale = look_ahead * max(1.0, sum(view.minutes) / count)
    ratio = [
        (weight + 1e-6) / max(1.0, (1 - share) * own + share * rest)
        for weight, own, rest in zip(view.weight, view.minutes, view.remaining, strict=True)
    ]
    latest = [due - own for due, own in zip(view.due, view.minutes, strict=True)]

    def score(i: int, moment: int) -> float:
        slack = latest[i] - moment
        return -ratio[i] * math.exp(-slack / scale) if slack > 0 else -ratio[i]

    return score


def weighted_slack(view: Outlook) -> Score:
    """Slack over weight: the least first, negative slack times weight."""

    def score(i: int, moment: int) -> float:
        slack = view.due[i] - view.minutes[i] - moment
        weight = view.weight[i] + 0.01
        return slack / weight if slack > 0 else slack * weight

    return score


def earliest_due(view: Outlook) -> Score:
    """Propagated due date."""
    return lambda i, moment: view.due[i]


def first_come(plant: Plant) -> Score:
    """Longest waiting first, by release and place in the route."""
    return lambda i, moment: plant.steps[i].ready + plant.rank[i] * 1e-6


COSTS = (  # allowance, look-ahead, share of the remaining route; the most successful first
    (1.0, 8.0, 0.3),
    (0.5, 32.0, 0.3),
    (2.0, 8.0, 1.0),
    (2.0, 32.0, 0.1),
    (1.0, 8.0, 0.1),
    (2.0, 8.0, 0.3),
    (1.0, 2.0, 0.3),
    (2.0, 32.0, 1.0),
)


def rules(plant: Plant) -> list[Callable[[], State]]:
    """All constructors, the most promising first; each call makes one schedule."""
    views = {allowance: outlook(plant, allowance=allowance) for allowance in (0.5, 1.0, 2.0)}
    near = views[1.0]
    latest = [due - own for due, own in zip(near.due, near.minutes, strict=True)]

    def by_cost(allowance: float, look_ahead: float, share: float) -> Callable[[], State]:
        view = views[allowance]
        score = apparent_tardiness_cost(view, look_ahead=look_ahead, share=share)
        return lambda: parallel(plant, score)

    return [
        by_cost(*COSTS[0]),
        lambda: parallel(plant, earliest_due(near)),
        *(by_cost(*cost) for cost in COSTS[1:]),
        lambda: parallel(plant, weighted_slack(near)),
        lambda: serial(plant, latest),
        lambda: parallel(plant, first_come(plant)),
    ]
