"""The one call that makes a schedule: rules first, then improvement until time is up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aps.solver.construct import rules
from aps.solver.plant import Plant
from aps.solver.problem import Problem
from aps.solver.schedule import Schedule, decode, freeze, make_schedule
from aps.solver.search import Budget, improve
from aps.solver.solution import Solution, make_solution
from aps.solver.validate import validate

RULES_SHARE = 0.15
"""Part of the time the rules may take; the first one always runs."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Handed to ``on_progress``: rounds, seconds by the clock, best so far, moves tried."""

    steps: int
    seconds: float
    best: Solution
    moves: int = 0


def solve(
    problem: Problem,
    *,
    seconds: float,
    clock: Callable[[], float],
    seed: int = 0,
    workers: int = 1,
    max_steps: int | None = None,
    start: Solution | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Solution:
    """The best schedule found within ``seconds`` of ``clock``; never worse than the rules'.

    ``start``: a feasible schedule to repair or improve instead of beginning from the rules alone.
    Same ``seed`` and ``max_steps`` give the same schedule as long as ``seconds`` does not cut in.
    ``workers``: threads. Raises ``HorizonTooShort``.
    """
    plant = Plant(problem)
    budget = Budget(clock, seconds, max_steps, should_stop or (lambda: False))
    best = _first_schedule(plant, budget, start)

    shown: tuple[Schedule, Solution] | None = None

    def report(schedule: Schedule) -> None:
        nonlocal shown
        if on_progress is None:
            return
        if shown is None or shown[0] is not schedule:
            shown = schedule, make_solution(problem, schedule.placements(plant))
        on_progress(Progress(budget.steps, budget.used, shown[1], budget.moves))

    report(best)
    best = improve(plant, best, budget=budget, seed=seed, workers=workers, on_round=report)
    return make_solution(problem, best.placements(plant))


def _first_schedule(plant: Plant, budget: Budget, start: Solution | None) -> Schedule:
    """The best of the rules and, if there is one, the schedule to start from."""
    tries = rules(plant)
    best = freeze(tries[0]())
    if start is not None:
        best = min([best, *_given(plant, start)], key=lambda s: s.worth)
    for rule in tries[1:]:
        if budget.used > RULES_SHARE * budget.seconds or budget.should_stop():
            break
        best = min(best, freeze(rule()), key=lambda s: s.worth)
    return best


def _given(plant: Plant, start: Solution) -> Iterator[Schedule]:
    """The given schedule as it is, if it is feasible, and shifted left into what is possible now.

    For the shift, operations it does not know, or that may no longer run where it has them, go
    where they end first, after all others.
    """
    latest = max((p.end for p in start.placements), default=0)
    resource, begin = [], []
    for i, identity in enumerate(plant.ids):
        placed = start.by_operation.get(identity)
        at = plant.resource_at.get(placed.resource, -1) if placed else -1
        resource.append(at)
        begin.append(placed.start if placed else latest + plant.rank[i])
    yield decode(plant, resource, begin)
    if not validate(plant.problem, start.placements):
        ends = [start.by_operation[identity].end for identity in plant.ids]
        yield make_schedule(plant, resource, begin, ends)
