"""The one call that schedules a job shop: tabu searches and CP-SAT side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from aps.solver.jobshop.run import Run
from aps.solver.jobshop.shop import Shop
from aps.solver.problem import Placement

LOOK = 0.05
"""Seconds between two looks at the clock and at ``should_stop``."""


@dataclass(frozen=True, slots=True)
class ShopProgress:
    """Handed to ``on_progress``: moves made, seconds by the caller's clock, best and bound."""

    steps: int
    seconds: float
    makespan: int
    lower_bound: int


@dataclass(frozen=True, slots=True)
class ShopResult:
    """A schedule: a placement per operation, in their order, and what is known of it.

    ``status`` is "optimal" where ``lower_bound`` proves that no schedule is shorter.
    """

    placements: tuple[Placement, ...]
    makespan: int
    lower_bound: int
    status: Literal["optimal", "feasible"]
    steps: int


def solve(
    shop: Shop,
    *,
    seconds: float,
    clock: Callable[[], float],
    seed: int = 0,
    workers: int = 1,
    max_steps: int | None = None,
    on_progress: Callable[[ShopProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ShopResult:
    """The shortest schedule found within ``seconds`` of ``clock``, by ``workers`` threads.

    ``max_steps``: moves of each tabu search; with it, the same seed, steps and workers give the
    same schedule as long as ``seconds`` does not cut in, and CP-SAT follows the searches instead
    of running beside them. ``on_progress`` and ``should_stop`` are called from this thread.
    """
    run = Run(shop, seconds=seconds, seed=seed, workers=max(1, workers), max_steps=max_steps)
    stop = should_stop or (lambda: False)
    tell = on_progress or (lambda progress: None)
    started = clock()
    told: tuple[int, int] | None = None
    run.start()
    try:
        while True:
            over = run.finished.wait(LOOK)
            used = clock() - started
            if run.best is not None and told != (now := (run.best.makespan, run.lower_bound)):
                told = now
                tell(ShopProgress(run.steps, used, *now))
            if over or (run.best is not None and (used >= seconds or stop())):
                break
    finally:
        run.stop()
    return _result(run)


def _result(run: Run) -> ShopResult:
    best = run.best
    assert best is not None  # noqa: S101 - solve() waits for one
    shop = run.shop
    placements = tuple(
        Placement(v, int(machine), start, start + shop.time_on(v, int(machine)))
        for v, (machine, start) in enumerate(
            zip(best.machine.tolist(), run.starts(best).tolist(), strict=True)
        )
    )
    proven = best.makespan <= run.lower_bound
    return ShopResult(
        placements,
        best.makespan,
        min(best.makespan, run.lower_bound),
        "optimal" if proven else "feasible",
        run.steps,
    )
