"""One solve: within its time, with signs of life, and checked by an independent judge."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from aps.models import ScheduleRun
from aps.services.problems import Built
from aps.solver import Problem, Progress, Solution, make_solution, solve, validate
from common.jobs import Claim

# A sign of life and a row of progress at most this often.
REPORT_SECONDS = 1.0
# A small problem needs less than settings.SOLVE_SECONDS: so much per operation.
SECONDS_PER_OPERATION = 0.02
SHORTEST_SECONDS = 0.5
# Without a gain for this share of the time, more search is not worth the wait.
PATIENCE = 0.4


@dataclass(frozen=True)
class Solved:
    """A solution, what the judge found wrong with it (nothing, one hopes), and when it was done."""

    solution: Solution
    violations: list[str]
    seconds: float
    at: datetime


def seconds_for(problem: Problem) -> float:
    """How long to improve this problem at most."""
    wanted = SHORTEST_SECONDS + SECONDS_PER_OPERATION * len(problem.operations)
    return min(float(settings.SOLVE_SECONDS), wanted)


def run(
    *,
    row: ScheduleRun,
    built: Built,
    claim: Claim,
    now: datetime,
    clock: Callable[[], float] = time.monotonic,
) -> Solved:
    """Solve and judge, with no transaction open; raises LostClaim as soon as the job is lost.

    Also raises HorizonTooShort and InvalidProblem.
    """
    began = clock()
    seconds = seconds_for(built.problem)
    reporter = _Reporter(row.pk, claim, clock, seconds)
    reporter.report("constructing")
    solution = solve(
        built.problem,
        seconds=seconds,
        clock=clock,
        seed=row.seed,
        # The plan in force, shifted into what is possible now: small changes stay small.
        start=make_solution(built.problem, built.previous) if built.previous else None,
        on_progress=reporter.progress,
        should_stop=reporter.should_stop,
    )
    reporter.report("checking")
    violations = validate(built.problem, solution.placements)
    took = clock() - began
    return Solved(solution, violations, took, now + timedelta(seconds=took))


class _Reporter:
    """Keeps the claim alive and writes progress to the run, each in a statement of its own."""

    def __init__(
        self, run_id: int, claim: Claim, clock: Callable[[], float], seconds: float
    ) -> None:
        self._run_id = run_id
        self._claim = claim
        self._clock = clock
        self._seconds = seconds
        self._began = self._last = clock()
        self._best: tuple[int, ...] | None = None
        self._gained_at = self._began
        self._figures: dict[str, int] = {}

    def progress(self, progress: Progress) -> None:
        """Take note of the best schedule so far."""
        figures = progress.best.figures
        if self._best is None or figures.key < self._best:
            self._best = figures.key
            self._gained_at = self._clock()
        self._figures = {
            "weighted_tardiness_minutes": figures.weighted_tardiness,
            "late_jobs": figures.late_jobs,
        }
        self._tick()

    def should_stop(self) -> bool:
        """Whether nothing was gained for so long that nothing more is expected."""
        self._tick()
        return self._clock() - self._gained_at > max(1.0, PATIENCE * self._seconds)

    def _tick(self) -> None:
        if self._clock() - self._last >= REPORT_SECONDS:
            self.report("improving")

    def report(self, phase: str) -> None:
        """Say where the run is; raises LostClaim when the job belongs to another attempt."""
        self._last = self._clock()
        share = (self._last - self._began) / self._seconds if self._seconds else 1
        self._claim.extend()
        ScheduleRun.objects.filter(pk=self._run_id).update(
            progress={
                "phase": phase,
                "percent": min(99, math.floor(100 * share)),
                **self._figures,
            }
        )
