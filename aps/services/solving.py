"""The one seam to the solver: a search within its time, a plan by its own order, a judge.

Nothing else in this room calls the solver to place work.
"""

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from aps.models import ScheduleRun
from aps.services.problems import Built
from aps.solver import (
    Busy,
    Objective,
    Occupancy,
    Operation,
    Placement,
    Problem,
    Progress,
    Solution,
    make_solution,
    solve,
    validate,
    waits,
)
from aps.solver.occupancy import Overlay
from aps.solver.plant import Plant
from aps.solver.problem import topological_order
from aps.solver.schedule import feasible_order, freeze
from aps.solver.search import complete
from common.jobs import Claim

# A sign of life and a row of progress at most this often.
REPORT_SECONDS = 1.0
# A small problem needs less than settings.SOLVE_SECONDS: so much per operation.
SECONDS_PER_OPERATION = 0.02
SHORTEST_SECONDS = 0.5
# Without a gain for this share of the time, more search is not worth the wait.
PATIENCE = 0.4

# Work is pulled into a gap that begins within so many minutes, since no machine should wait; later
# gaps are filled when they come near, and nothing moves that need not.
PULL_MINUTES = 24 * 60


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
    start: Solution | None = None,
    at_most: float | None = None,
) -> Solved:
    """Solve and judge, with no transaction open; raises LostClaim as soon as the job is lost.

    ``start``: a plan to begin from instead of the one in force; ``at_most`` seconds. Also raises
    HorizonTooShort and InvalidProblem.
    """
    began = clock()
    seconds = seconds_for(built.problem)
    if at_most is not None:
        seconds = min(seconds, at_most)
    reporter = _Reporter(row.pk, claim, clock, seconds, built.problem.objective)
    reporter.report("constructing")
    solution = solve(
        built.problem,
        seconds=seconds,
        clock=clock,
        seed=row.seed,
        # The plan in force, shifted into what is possible now: small changes stay small.
        start=start or (make_solution(built.problem, built.previous) if built.previous else None),
        on_progress=reporter.progress,
        should_stop=reporter.should_stop,
    )
    reporter.report("checking")
    violations = judge(built.problem, solution)
    took = clock() - began
    return Solved(solution, violations, took, now + timedelta(seconds=took))


def judge(problem: Problem, solution: Solution) -> list[str]:
    """What is wrong with a plan, in words, by a validator that shares no code with the solver."""
    return validate(problem, solution.placements)


def keep_order(
    problem: Problem,
    placements: Iterable[Placement],
    *,
    first: Collection[int] = (),
    pull_minutes: int | None = PULL_MINUTES,
    plant: Plant | None = None,
) -> Solution:
    """A plan repaired by its own order: the right-shift of the literature, without idle machines.

    Each operation stays on its machine, in the order of ``placements``, in the first gap that the
    problem leaves it, but no earlier than it was unless it can begin within ``pull_minutes`` (None:
    all may come earlier). What has no placement comes after all others, where it ends first. Those
    in ``first`` go before everybody. Where a lock would be missed, the work before it gets its way,
    as little as is enough. ``plant`` is the problem's, for who asks many times. Raises
    HorizonTooShort and InvalidProblem.
    """
    plant = plant or Plant(problem)
    known = list(placements)
    until = None if pull_minutes is None else problem.now + pull_minutes
    ahead = frozenset(first)
    solution = _in_order(plant, known, ahead, until)
    if not solution.figures.lock_conflict_minutes:
        return solution
    missed = _before(problem, _missed_locks(problem, solution.by_operation))
    tried = [solution]
    for first_there, pulled in (
        (missed, ahead),  # keeps its place against all others
        (missed, ahead | missed),  # comes as early as it can
        (frozenset(), ahead | _before(problem, _locks(problem))),  # so does all before any lock
    ):
        tried.append(_in_order(plant, known, pulled, until, kept=first_there))
        if not tried[-1].figures.lock_conflict_minutes:
            return tried[-1]
    return min(tried, key=lambda found: found.figures.key)


def _in_order(
    plant: Plant,
    placements: Iterable[Placement],
    first: frozenset[int],
    until: int | None,
    kept: frozenset[int] = frozenset(),
) -> Solution:
    """``first`` and ``kept`` choose before all others, ``kept`` no earlier time than it had."""
    at = {placed.operation: placed for placed in placements}
    latest = max((placed.end for placed in at.values()), default=0)
    begin = []
    for step, identity in enumerate(plant.ids):
        placed = at.get(identity)
        start = placed.start if placed else latest + plant.rank[step]
        is_ahead = identity in first or identity in kept
        begin.append(start - latest - len(plant.ids) if is_ahead else start)
    state = plant.new_state()
    held: dict[int, int] = {}
    for i in feasible_order(plant, begin):
        one = plant.steps[i]
        if one.fixed is not None:
            continue
        placed = at.get(plant.ids[i])
        resource = plant.resource_at.get(placed.resource, -1) if placed else -1
        modes = [mode for mode in one.modes if mode[0] == resource] or list(one.modes)
        slot = state.soonest(i, modes)
        if (
            placed is not None
            and until is not None
            and plant.ids[i] not in first
            and until < slot[0] < placed.start
        ):
            held[i] = placed.start
            slot = state.soonest(i, modes, not_before=placed.start)
        state.put(i, slot)
    # People and tools are not seen above: where there are any, the same order once more with them.
    return make_solution(plant.problem, complete(plant, freeze(state), held).placements(plant))


def _locks(problem: Problem) -> list[Operation]:
    return [
        operation
        for operation in problem.operations
        if operation.fixed is not None and operation.fixed.start >= problem.now
    ]


def _missed_locks(problem: Problem, at: Mapping[int, Placement]) -> list[Operation]:
    """Locked operations that start before something that they wait for lets them."""
    resources = {resource.id: resource for resource in problem.resources}
    return [
        operation
        for operation in _locks(problem)
        if operation.id in at
        and (waits.ready(operation, at, resources) or 0) > at[operation.id].start
    ]


def _before(problem: Problem, operations: Iterable[Operation]) -> frozenset[int]:
    """All operations that these wait for, over all levels."""
    before = {operation.id: operation.waits_for for operation in problem.operations}
    stack = [operation.id for operation in operations]
    found: set[int] = set()
    while stack:
        for identity in before[stack.pop()]:
            if identity not in found:
                found.add(identity)
                stack.append(identity)
    return frozenset(found)


def as_late_as_possible(
    problem: Problem, placements: Iterable[Placement], operations: Collection[int]
) -> dict[int, Placement] | None:
    """These operations backward from their due moments, around all others; None: no room.

    Its followers, else its job's due moment, say when an operation has to be over.
    """
    at = {placed.operation: placed for placed in placements}
    moving = set(operations)
    by_id = {operation.id: operation for operation in problem.operations}
    busy: dict[int, list[Busy]] = {}
    for placed in at.values():
        if placed.operation not in moving:
            other = by_id[placed.operation]
            busy.setdefault(placed.resource, []).append(
                Busy(placed.start, placed.end, other.family, other.needs)
            )
    lanes = Overlay(Occupancy(problem.resources, busy, problem.setup_minutes, problem.pools))
    due = {job.id: job.due for job in problem.jobs}
    limits: dict[int, int] = {}
    found: dict[int, Placement] = {}
    for identity in reversed(topological_order(problem.operations)):
        operation = by_id[identity]
        here = at.get(identity)
        if identity in moving:
            limit = limits.get(identity, due[operation.job])
            here = None if limit is None else lanes.latest(operation, operation.modes, limit)
            if here is None or here.start < max(problem.now, operation.release):
                return None
            lanes.take(operation, here)
            found[identity] = here
        if here is not None:
            for link in operation.precedences:
                # Of a transfer batch the whole, which is on the safe side.
                until = here.start - link.min_lag
                limits[link.before] = min(limits.get(link.before, until), until)
    return found if _keeps_waits(problem, at | found, moving) else None


def _keeps_waits(problem: Problem, at: Mapping[int, Placement], moving: Collection[int]) -> bool:
    """Whether what was moved waits for all that comes before it, and nothing waits too long."""
    resources = {resource.id: resource for resource in problem.resources}
    for operation in problem.operations:
        here = at.get(operation.id)
        if here is None:
            continue
        if operation.id in moving and (waits.ready(operation, at, resources) or 0) > here.start:
            return False
        if waits.too_long(operation, at):
            return False
    return True


class _Reporter:
    """Keeps the claim alive and writes progress to the run, each in a statement of its own."""

    def __init__(
        self,
        run_id: int,
        claim: Claim,
        clock: Callable[[], float],
        seconds: float,
        objective: Objective,
    ) -> None:
        self._run_id = run_id
        self._worth = objective.worth
        self._claim = claim
        self._clock = clock
        self._seconds = seconds
        self._began = self._last = clock()
        self._best: tuple[float, ...] | None = None
        self._gained_at = self._began
        self._figures: dict[str, int] = {}

    def progress(self, progress: Progress) -> None:
        """Take note of the best schedule so far."""
        figures = progress.best.figures
        worth = self._worth(figures)
        if self._best is None or worth < self._best:
            self._best = worth
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
