"""Improvement of a schedule in rounds until time or steps are up.

Most rounds are ruin-and-recreate (``ruin``) under a falling temperature; between them CP-SAT
re-orders and re-assigns one small neighbourhood to its optimum (``cpsat``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from aps.solver.cpsat import NeighbourhoodModel
from aps.solver.neighbourhoods import choose
from aps.solver.plant import Plant
from aps.solver.ruin import Ruiner
from aps.solver.schedule import Schedule, decode

ROUND = 300
"""Ruin-and-recreate steps in one round, at least; a quarter of the operations where that is more,
since a round ends with a left shift of the whole schedule."""

CPSAT_EVERY = 20
"""One round in so many is a CP-SAT neighbourhood of ``CPSAT_SIZE`` operations."""

CPSAT_SIZE = 22
CPSAT_EFFORT = 0.1

HOT, COLD = 0.3, 0.002
"""First and last temperature as shares of the mean cost of a job. The first falls with the size
of the plant: a search that can touch each job only a few times must not begin by shuffling."""

HOT_OPERATIONS = 400
"""Up to so many operations the search begins at ``HOT``."""


@dataclass(slots=True)
class Budget:
    """When to end: ``seconds`` of ``clock``, ``max_steps`` rounds, or when told so."""

    clock: Callable[[], float]
    seconds: float
    max_steps: int | None
    should_stop: Callable[[], bool]
    steps: int = 0
    started: float = 0.0

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def used(self) -> float:
        """Seconds gone by."""
        return self.clock() - self.started

    @property
    def left(self) -> float:
        """Seconds left."""
        return max(0.0, self.seconds - self.used)

    def over(self) -> bool:
        """Whether no further round may begin."""
        if self.max_steps is not None and self.steps >= self.max_steps:
            return True
        return self.left <= 0 or self.should_stop()

    def share(self) -> float:
        """How much of the budget is gone, 0 to 1; by steps where they are limited."""
        if self.max_steps is not None:
            return min(1.0, self.steps / max(1, self.max_steps))
        return min(1.0, self.used / self.seconds) if self.seconds > 0 else 1.0


def improve(
    plant: Plant,
    start: Schedule,
    *,
    budget: Budget,
    seed: int,
    workers: int,
    on_round: Callable[[Schedule], None],
) -> Schedule:
    """The best schedule found, never worse than ``start``; ``on_round`` sees each round's best."""
    movable = sum(1 for step in plant.steps if step.fixed is None)
    if not movable:
        return start
    rng = Random(seed)  # noqa: S311 - a search, no secret
    ruiner = Ruiner(plant, start, rng)
    while not budget.over() and not _perfect(ruiner.best):
        if budget.steps % CPSAT_EVERY == CPSAT_EVERY - 1:
            _polish(plant, ruiner, budget=budget, rng=rng, workers=workers)
        else:
            _anneal(ruiner, budget)
        budget.steps += 1
        on_round(ruiner.best)
    return ruiner.best


def _perfect(schedule: Schedule) -> bool:
    return not any(schedule.worth)


def _anneal(ruiner: Ruiner, budget: Budget) -> None:
    operations = len(ruiner.plant.steps)
    hot = HOT * min(1.0, HOT_OPERATIONS / operations)
    mean = sum(ruiner.cost) / max(1, len(ruiner.cost))
    temperature = max(1e-9, mean * hot * (COLD / hot) ** budget.share())
    for step in range(max(ROUND, operations // 4)):
        ruiner.step(temperature)
        if step % 50 == 49 and (budget.left <= 0 or budget.should_stop()):
            break
    ruiner.settle()


def _polish(plant: Plant, ruiner: Ruiner, *, budget: Budget, rng: Random, workers: int) -> None:
    """One CP-SAT neighbourhood around the best schedule; the result replaces it if better."""
    old = ruiner.best
    part = choose(plant, old, rng, size=CPSAT_SIZE)
    limit = min(budget.left, 10.0)
    found = NeighbourhoodModel(plant, old, part).solve(
        seconds=limit, effort=CPSAT_EFFORT, seed=rng.randrange(2**31), workers=workers
    )
    if found is not None:
        ruiner.offer(decode(plant, *found))
