"""The one call that makes a schedule: rules first, then improvement until time is up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from aps.solver.bound import tardiness_bound
from aps.solver.construct import rules
from aps.solver.kernel import warm
from aps.solver.plant import HorizonTooShort, Plant
from aps.solver.problem import Problem
from aps.solver.schedule import Schedule, decode, freeze, make_schedule
from aps.solver.search import Budget, complete, improve
from aps.solver.solution import Solution
from aps.solver.validate import validate

RULES_SHARE = 0.05
"""Part of the time the rules may take; the first one always runs."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Handed to ``on_progress``: rounds, seconds by the clock, best so far, moves tried.

    ``bound``: no schedule has less weighted tardiness (``bound``); None before it is known.
    """

    steps: int
    seconds: float
    best: Solution
    moves: int = 0
    bound: int | None = None


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
    shown: tuple[Schedule, Solution] | None = None

    bound: int | None = None

    def report(schedule: Schedule) -> None:
        nonlocal shown, bound
        if on_progress is None:
            return
        if shown is None or shown[0] is not schedule:
            shown = schedule, schedule.solution(plant)
        on_progress(Progress(budget.steps, budget.used, shown[1], budget.moves, bound))
        bound = tardiness_bound(plant) if bound is None else bound

    best = _first_schedule(plant, budget, start, report)
    best = improve(plant, best, budget=budget, seed=seed, workers=workers, on_round=report)
    return best.solution(plant)


def _first_schedule(
    plant: Plant,
    budget: Budget,
    start: Solution | None,
    report: Callable[[Schedule], None],
) -> Schedule:
    """The best of the rules and, if there is one, the schedule to start from.

    The first one found is reported at once: from then on there is something to stop with. Where
    people, tools or waits leave a rule no room, the next one may find it.
    """
    found: list[Schedule] = []
    refused: HorizonTooShort | None = None
    for rule in rules(plant):
        if found and (budget.used > RULES_SHARE * budget.seconds or budget.should_stop()):
            break
        try:
            found.append(complete(plant, freeze(rule())))
        except HorizonTooShort as error:
            refused = error
            if not plant.is_rich:
                raise
            continue
        if len(found) == 1:
            report(found[0])
            warm.start()
            found += [] if start is None else list(_given(plant, start))
    if not found and refused is not None:
        raise refused
    best = min(found, key=lambda schedule: schedule.worth)
    report(best)
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
    with suppress(HorizonTooShort):
        yield complete(plant, decode(plant, resource, begin))
    if not validate(plant.problem, start.placements):
        ends = [start.by_operation[identity].end for identity in plant.ids]
        yield make_schedule(plant, resource, begin, ends)


def construct(problem: Problem, *, max_rules: int | None = None) -> Solution:
    """The best schedule of the dispatch rules; raises ``HorizonTooShort``."""
    plant = Plant(problem)
    found = [complete(plant, freeze(rule())) for rule in rules(plant)[:max_rules]]
    return min(found, key=lambda schedule: schedule.worth).solution(plant)
