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
from heapq import heappop, heappush

from aps.solver.plant import LOCK_WEIGHT, NO_DUE, Plant, State
from aps.solver.problem import Problem
from aps.solver.solution import Solution, make_solution

Score = Callable[[int, int], float]
"""(step, moment) -> urgency; the smallest is taken first."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Per step: latest useful end seen from all jobs downstream, their weight, work to come.

    ``due`` and ``tail`` are clock minutes (work stretched by the calendars, times an allowance
    for waiting); ``minutes`` the step's own fewest working minutes.
    """

    due: list[float]
    tail: list[float]
    weight: list[float]
    minutes: list[float]


def outlook(plant: Plant, *, allowance: float = 1.0) -> Outlook:
    """Due dates and weights propagated backwards through the precedence graph."""
    count = len(plant.steps)
    due, tail = [float(NO_DUE)] * count, [0.0] * count
    weight, minutes = [0.0] * count, [0.0] * count
    for i in reversed(plant.order):
        step = plant.steps[i]
        job = plant.problem.jobs[step.job]
        minutes[i] = min(m for _, m in step.modes)
        span = min(m * plant.stretch[r] for r, m in step.modes)
        if job.due is not None and job.weight:
            due[i], weight[i] = float(job.due), float(job.weight)
        for after in plant.successors[i]:
            follower = plant.steps[after]
            reach = tail[after]
            if follower.is_lock and follower.fixed is not None:
                due[i] = min(due[i], float(follower.fixed[1]))
                weight[i] = LOCK_WEIGHT
            else:
                due[i] = min(
                    due[i], due[after] - minutes[after] * _span(plant, after, allowance)
                )
                weight[i] = max(weight[i], weight[after])
            tail[i] = max(tail[i], reach)
        tail[i] += span * allowance
    return Outlook(due, tail, weight, minutes)


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


def feasible_order(plant: Plant, key: Sequence[float]) -> list[int]:
    """Steps by ``key``, each pulled before whatever follows it."""
    pulled = list(key)
    for i in reversed(plant.order):
        for before in plant.steps[i].predecessors:
            pulled[before] = min(pulled[before], pulled[i])
    return sorted(range(len(pulled)), key=lambda i: (pulled[i], plant.rank[i]))


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
            if self.arrivals and (
                not self.events or self.arrivals[0][0] <= self.events[0][0]
            ):
                moment, _, i = heappop(self.arrivals)
                self._arrive(i, moment)
                continue
            moment, resource = heappop(self.events)
            queue = [i for i in self.waiting[resource] if state.start[i] < 0]
            self.waiting[resource] = queue
            if not queue:
                continue
            score = self.score
            chosen = min(queue, key=lambda i: (score(i, moment), i))
            self._place(chosen)
            heappush(self.events, (max(moment, self._free(resource, moment)), resource))
        return state

    def _announce(self, i: int) -> None:
        heappush(self.arrivals, (self.state.ready(i), self.plant.rank[i], i))

    def _arrive(self, i: int, moment: int) -> None:
        modes = self.plant.steps[i].modes
        if any(not self.state.lanes[r] for r, _ in modes):
            self._place(i)
            return
        for resource, _ in modes:
            if not self.waiting[resource]:
                heappush(
                    self.events, (max(moment, self._free(resource, moment)), resource)
                )
            self.waiting[resource].append(i)

    def _free(self, resource: int, moment: int) -> int:
        return min(
            lane.ends[-1] if lane.ends else moment
            for lane in self.state.lanes[resource]
        )

    def _place(self, i: int) -> None:
        self.state.place_soonest(i)
        for after in self.plant.successors[i]:
            if self.plant.steps[after].fixed is None:
                self.missing[after] -= 1
                if not self.missing[after]:
                    self._announce(after)


def apparent_tardiness_cost(view: Outlook, *, look_ahead: float) -> Score:
    """Vepsalainen and Morton (1987): weight per minute, fading with slack / (k x mean minutes)."""
    count = max(1, len(view.minutes))
    scale = look_ahead * max(1.0, sum(view.minutes) / count)
    ratio = [
        (w + 1e-6) / max(1.0, m) for w, m in zip(view.weight, view.minutes, strict=True)
    ]
    latest = [d - m for d, m in zip(view.due, view.minutes, strict=True)]

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


def rules(plant: Plant) -> list[Callable[[], State]]:
    """All constructors, the most promising first; each call makes one schedule."""
    near, wide = outlook(plant), outlook(plant, allowance=2.0)
    latest = [d - m for d, m in zip(near.due, near.minutes, strict=True)]
    tries: list[Callable[[], State]] = [
        lambda: parallel(plant, apparent_tardiness_cost(near, look_ahead=8.0)),
        lambda: serial(plant, latest),
        lambda: parallel(plant, earliest_due(near)),
        lambda: parallel(plant, weighted_slack(near)),
    ]
    for view in (near, wide):
        for look_ahead in (2.0, 4.0, 16.0, 32.0):
            tries.append(_atc(plant, view, look_ahead))
    tries.append(lambda: parallel(plant, first_come(plant)))
    return tries


def _atc(plant: Plant, view: Outlook, look_ahead: float) -> Callable[[], State]:
    return lambda: parallel(plant, apparent_tardiness_cost(view, look_ahead=look_ahead))


def construct(problem: Problem, *, max_rules: int | None = None) -> Solution:
    """The best schedule of the dispatch rules; raises ``HorizonTooShort``."""
    plant = Plant(problem)
    found = [
        make_solution(problem, rule().placements()) for rule in rules(plant)[:max_rules]
    ]
    return min(found, key=lambda solution: solution.figures.key)
