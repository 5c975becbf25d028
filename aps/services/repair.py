"""The plan made anew after something happened: as few moves as possible, and never later for it.

What runs stays, and so does what starts within the site's frozen minutes. Two plans are compared:
the old one by its own order (Vieira, Herrmann and Lin 2003 call it right-shift), late orders put
before others where that pays, and what a search from there finds. The search pays for what it moves
(STAY), and has to gain more than MOVE_PRICE weighted minutes for each operation that it moves more:
nobody wants a shop floor turned over for a minute. So the plan is never later than the old order
would have it.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from aps.models import ScheduleRun
from aps.selectors import beside
from aps.services import followers, problems, solving
from aps.services.inputs import Inputs
from aps.services.problems import Built
from aps.services.solving import Solved
from aps.solver import (
    Objective,
    Operation,
    Placement,
    Problem,
    Resource,
    Solution,
    make_solution,
    waits,
)
from aps.solver.plant import Plant
from aps.solver.pool_book import PoolBook
from common.intervals import WorkingTime
from common.jobs import Claim

MOVE_PRICE = 1
# What the search pays: for another machine as much as for a start 100 minutes off. On plants of 800
# operations with a machine lost for two days it moves a tenth fewer than without, and is less late.
STAY = Objective(in_order=False, moved_minute=MOVE_PRICE / 100, changed_resource=MOVE_PRICE)
# So many late jobs are tried before the others, the most expensive first.
MOST_HURRIED = 8


@dataclass(frozen=True)
class Mended:
    """The plan chosen, and what both were worth: weighted minutes late and operations moved."""

    solved: Solved
    # "order": the old plan by its own order. "search": the solver's.
    chosen: str
    by_order: tuple[int, int] | None
    by_search: tuple[int, int] | None


def mend(
    *,
    row: ScheduleRun,
    built: Built,
    frozen_minutes: int,
    tolerance: int,
    claim: Claim,
    now: datetime,
    first: Collection[int] = (),
    at_most: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Built, Mended]:
    """The better of the two plans and the problem it solves, frozen operations in it.

    ``first``: operations that a rush puts before all others. Raises as ``solving.run``.
    """
    if not built.previous:
        solved = solving.run(row=row, built=built, claim=claim, now=now, at_most=at_most)
        return built, Mended(solved, "search", None, None)
    held = freeze(built, until=built.problem.now + frozen_minutes)
    kept = _by_order(held, first, tolerance, now, clock)
    reference = {placed.operation: placed for placed in held.previous}

    def worth(solved: Solved) -> tuple[int, int]:
        after = solved.solution.by_operation
        return _late(solved.solution), len(moved(reference, after, tolerance))

    by_order = worth(kept)
    if not kept.violations and by_order[0] == 0:
        return held, Mended(kept, "order", by_order, None)
    priced = paying(held)
    start = make_solution(priced.problem, kept.solution.placements)
    found = solving.run(row=row, built=priced, claim=claim, now=now, start=start, at_most=at_most)
    by_search = worth(found)
    if not kept.violations and (found.violations or _price(by_order) <= _price(by_search)):
        kept = replace(kept, at=found.at, seconds=found.seconds)
        return held, Mended(kept, "order", by_order, by_search)
    return held, Mended(found, "search", by_order, by_search)


def first_look(
    built: Built, *, frozen_minutes: int, tolerance: int, now: datetime
) -> tuple[Built, Solved]:
    """What ``mend`` has before it searches, and the problem that it solves: nothing is kept.

    The plan made in the end costs no more than this one.
    """
    held = freeze(built, until=built.problem.now + frozen_minutes)
    return held, _by_order(held, (), tolerance, now, time.monotonic, hurried=0)


def paying(built: Built) -> Built:
    """The problem in which it costs to move away from the plan in force (STAY)."""
    reference = {placed.operation: placed for placed in built.previous}
    return replace(built, problem=replace(built.problem, reference=reference, objective=STAY))


def without_missed_locks(found: Inputs) -> Built:
    """The problem without the locks that the work before them cannot be ready for.

    A lock is dropped rather than the plan refused; ``dropped`` says which and why.
    """
    mine = found.copy()
    missed: dict[int, str] = {}
    while True:
        built = problems.build_from(mine)
        late = _missed(built) & mine.pins.keys()
        if not late:
            return replace(built, dropped={**missed, **built.dropped})
        for pk in late:
            del mine.pins[pk]
            missed[pk] = _("the operations before it end later")


def _missed(built: Built) -> set[int]:
    """Locked operations that what comes before them misses when the plan keeps its order."""
    locked = [
        o
        for o in built.problem.operations
        if o.fixed is not None and o.fixed.start >= built.problem.now
    ]
    if not locked:
        return set()
    at = solving.keep_order(built.problem, built.previous).by_operation
    resources = {resource.id: resource for resource in built.problem.resources}
    return {
        o.id for o in locked if o.fixed and (waits.ready(o, at, resources) or 0) > o.fixed.start
    }


def _by_order(
    built: Built,
    first: Collection[int],
    tolerance: int,
    now: datetime,
    clock: Callable[[], float],
    hurried: int = MOST_HURRIED,
) -> Solved:
    """The best of the old plan's order, with a rush or with late orders before the others."""
    began = clock()
    problem = built.problem
    reference = {placed.operation: placed for placed in built.previous}

    def price(solution: Solution) -> tuple[int, int]:
        return _price((_late(solution), len(moved(reference, solution.by_operation, tolerance))))

    plant = Plant(problem)
    best = solving.keep_order(problem, built.previous, plant=plant)
    if best.figures.weighted_tardiness:
        pulled = solving.keep_order(problem, built.previous, pull_minutes=None, plant=plant)
        best = min(best, pulled, key=lambda one: one.figures.key)
    chosen = frozenset[int]()
    for tree in ([frozenset(first)] if first else []) + _late_trees(problem, best, hurried):
        tried = solving.keep_order(problem, built.previous, first=chosen | tree, plant=plant)
        if price(tried) < price(best) and _late(tried) <= _late(best):
            best, chosen = tried, chosen | tree
    return Solved(best, solving.judge(problem, best), clock() - began, now)


def _late(solution: Solution) -> int:
    return solution.figures.lock_conflict_minutes + solution.figures.weighted_tardiness


def _price(worth: tuple[int, int]) -> tuple[int, int]:
    """What a plan costs, and its lateness where two cost the same."""
    late, moves = worth
    return late + MOVE_PRICE * moves, late


def _late_trees(problem: Problem, solution: Solution, most: int) -> list[frozenset[int]]:
    """The operations of the most expensively late jobs, each with all that it waits for."""
    ends: dict[int, int] = {}
    job = {operation.id: operation.job for operation in problem.operations}
    for placed in solution.placements:
        ends[job[placed.operation]] = max(ends.get(job[placed.operation], 0), placed.end)
    costs = {
        one.id: one.weight * (ends[one.id] - one.due)
        for one in problem.jobs
        if one.due is not None and one.id in ends and ends[one.id] > one.due and one.weight
    }
    before = {operation.id: operation.waits_for for operation in problem.operations}
    trees = []
    for late in sorted(costs, key=lambda pk: -costs[pk])[:most]:
        tree = {pk for pk, owner in job.items() if owner == late}
        stack = list(tree)
        while stack:
            fresh = set(before[stack.pop()]) - tree
            tree |= fresh
            stack += fresh
        trees.append(frozenset(tree))
    return trees


def moved(
    before: Mapping[int, Placement], after: Mapping[int, Placement], tolerance: int
) -> list[int]:
    """Ids of operations in both that are on another machine or start more than so many minutes
    earlier or later."""
    return [
        pk
        for pk, old in before.items()
        if (new := after.get(pk)) is not None
        and beside.has_moved(old.resource, new.resource, new.start - old.start, tolerance)
    ]


def freeze(built: Built, *, until: int) -> Built:
    """The problem with all fixed that was to start before ``until`` and still can, as planned."""
    problem = built.problem
    if until <= problem.now:
        return built
    at = {placed.operation: placed for placed in built.previous}
    operations = {operation.id: operation for operation in problem.operations}
    working = {resource.id: resource for resource in problem.resources}
    fixed = {pk: o.fixed for pk, o in operations.items() if o.fixed is not None}
    setup, book = _Setup(problem), PoolBook(problem.pools)
    for pk, placed in fixed.items():
        book.take(operations[pk].needs, working[placed.resource].working_time, *_span(placed))
    near = [pk for pk in at if problem.now <= at[pk].start < until and pk not in fixed]
    for pk in sorted(near, key=lambda pk: (at[pk].start, at[pk].end)):
        resource = working.get(at[pk].resource)
        if (
            resource is not None
            and _fits(operations[pk], at[pk], working, fixed)
            and (resource.capacity is None or _is_free(at[pk], fixed.values(), setup))
            and _is_served(operations[pk], at[pk], resource.working_time, book)
        ):
            fixed[pk] = at[pk]
            book.take(operations[pk].needs, resource.working_time, *_span(at[pk]))
    held = followers.held(
        [
            replace(o, fixed=fixed[o.id]) if o.id in fixed and o.fixed is None else o
            for o in problem.operations
        ],
        resources=problem.resources,
        pools=problem.pools,
        setup_minutes=problem.setup_minutes,
        now=problem.now,
        previous=at,
        latest_starts={},
    )
    return replace(built, problem=replace(problem, operations=tuple(held)))


def _fits(
    operation: Operation,
    placed: Placement,
    resources: Mapping[int, Resource],
    fixed: Mapping[int, Placement],
) -> bool:
    """Whether the operation can be exactly there: machine, release, those before it, calendar."""
    mode = next((m for m in operation.modes if m.resource == placed.resource), None)
    if mode is None or placed.start < operation.release:
        return False
    if any(pk not in fixed for pk in operation.waits_for):
        return False
    if (waits.ready(operation, fixed, resources) or 0) > placed.start:
        return False
    if (waits.must_end(operation, fixed) or 0) > placed.end:
        return False
    working = resources[placed.resource].working_time
    return (
        working.is_working(placed.start)
        and working.worked(placed.start, placed.end) == mode.minutes
        and (operation.interruptible or placed.end - placed.start == mode.minutes)
    )


def _span(placed: Placement) -> tuple[int, int]:
    return placed.start, placed.end


def _is_served(
    operation: Operation, placed: Placement, working: WorkingTime, book: PoolBook
) -> bool:
    """Whether its people and its tool are free there."""
    return book.later(operation.needs, working, placed.start, placed.end) == placed.start


class _Setup:
    """Minutes of changeover between two operations on a resource."""

    def __init__(self, problem: Problem) -> None:
        self._matrices = problem.setup_minutes
        self._family = {o.id: o.family or "" for o in problem.operations}

    def minutes(self, before: Placement, after: Placement) -> int:
        """From the one to the other, where they are."""
        matrix = self._matrices.get(before.resource, {})
        row = matrix.get(self._family[before.operation], {})
        return row.get(self._family[after.operation], 0)


def _is_free(placed: Placement, taken: Iterable[Placement], setup: _Setup) -> bool:
    return not any(
        other.resource == placed.resource
        and other.start < placed.end + setup.minutes(placed, other)
        and placed.start < other.end + setup.minutes(other, placed)
        for other in taken
    )
