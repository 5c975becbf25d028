"""An independent check of a schedule: shares no arithmetic with the solver.

Everything is counted from the raw working windows and the placements, so that a mistake in the
solver's calendar or gap search cannot hide itself here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from aps.solver.problem import Operation, Placement, Problem
from aps.solver.validate_shared import broken_links, overdrawn_pools


def validate(problem: Problem, placements: Iterable[Placement]) -> list[str]:
    """Violations in words, an empty list for a feasible schedule.

    Fixed operations are facts: they must be where they were fixed, and nothing else is asked of
    them, except that predecessors of a lock (a fixed start of now or later) end before it.
    """
    placed = list(placements)
    found = list(_who_is_missing(problem, placed))
    if found:
        return found
    at = {p.operation: p for p in placed}
    windows = {r.id: [(w.start, w.end) for w in r.working_time] for r in problem.resources}
    for operation in problem.operations:
        here = at[operation.id]
        found += _one(problem, operation, here, windows)
        found += _precedence(problem, operation, at)
    found += _capacity(problem, at)
    found += _setups(problem, at)
    found += broken_links(problem, at)
    found += overdrawn_pools(problem, at)
    return found


def _who_is_missing(problem: Problem, placed: list[Placement]) -> Iterator[str]:
    known = {o.id for o in problem.operations}
    times = Counter(p.operation for p in placed)
    for identity in known - times.keys():
        yield f"Operation {identity} is not scheduled."
    for identity, count in times.items():
        if identity not in known:
            yield f"Operation {identity} is unknown."
        elif count > 1:
            yield f"Operation {identity} is scheduled {count} times."


def _one(
    problem: Problem,
    operation: Operation,
    here: Placement,
    windows: Mapping[int, list[tuple[int, int]]],
) -> Iterator[str]:
    name = f"Operation {operation.id}"
    if operation.fixed is not None:
        if here != operation.fixed:
            yield f"{name} is fixed and was moved."
        return
    wanted = {m.minutes for m in operation.modes if m.resource == here.resource}
    if not wanted:
        yield f"{name} may not run on resource {here.resource}."
        return
    if here.start < operation.release:
        yield f"{name} starts at {here.start}, before its release at {operation.release}."
    if here.start < problem.now:
        yield f"{name} starts at {here.start}, before now ({problem.now})."
    if problem.frozen_until is not None and here.start < problem.frozen_until:
        yield f"{name} starts at {here.start}, in the frozen window until {problem.frozen_until}."
    if here.end < here.start:
        yield f"{name} ends before it starts."
        return
    everything = windows[here.resource]  # the few windows the operation can touch
    first = bisect_right(everything, (here.start, here.start)) - 1
    last = bisect_right(everything, (here.end, here.end))
    row = everything[max(0, first - 1) : last + 1]
    if not any(a <= here.start < b for a, b in row):
        yield f"{name} starts at {here.start}, outside working time."
    if here.end > here.start and not any(a < here.end <= b for a, b in row):
        yield f"{name} ends at {here.end}, outside working time."
    worked = sum(max(0, min(b, here.end) - max(a, here.start)) for a, b in row)
    if worked not in wanted:
        yield f"{name} works {worked} of {min(wanted)} minutes."
    if not operation.interruptible and not any(a <= here.start and here.end <= b for a, b in row):
        yield f"{name} is interrupted by non-working time."


def _precedence(
    problem: Problem, operation: Operation, at: Mapping[int, Placement]
) -> Iterator[str]:
    fixed = operation.fixed
    if fixed is not None and fixed.start < problem.now:
        return  # it runs already: out of sequence, perhaps, but a fact
    here = at[operation.id]
    fixed_ids = {o.id for o in problem.operations if o.fixed} if fixed else set()
    for before in operation.predecessors:
        if at[before].end > here.start and before not in fixed_ids:
            yield (
                f"Operation {operation.id} starts at {here.start}, "
                f"before its predecessor {before} ends at {at[before].end}."
            )


def _rows(problem: Problem, at: Mapping[int, Placement]) -> dict[int, list[Placement]]:
    rows: dict[int, list[Placement]] = defaultdict(list)
    for placed in at.values():
        if placed.end > placed.start:
            rows[placed.resource].append(placed)
    for row in rows.values():
        row.sort(key=lambda p: (p.start, p.end))
    return rows


def _capacity(problem: Problem, at: Mapping[int, Placement]) -> Iterator[str]:
    fixed = {o.id for o in problem.operations if o.fixed is not None}
    resources = {r.id: r for r in problem.resources}
    for resource, row in _rows(problem, at).items():
        capacity = resources[resource].capacity
        if capacity is None:
            continue
        running: list[Placement] = []
        for placed in row:
            running = [p for p in running if p.end > placed.start] + [placed]
            free = [p.operation for p in running if p.operation not in fixed]
            if len(running) > capacity and free:
                yield (
                    f"Operation {placed.operation} overlaps {running[0].operation} "
                    f"on {resources[resource].name}."
                )


def _setups(problem: Problem, at: Mapping[int, Placement]) -> Iterator[str]:
    operations = {o.id: o for o in problem.operations}
    names = {r.id: r.name for r in problem.resources}
    for resource, row in _rows(problem, at).items():
        matrix = problem.setup_minutes.get(resource, {})
        for one, two in pairwise(row):
            before, after = operations[one.operation], operations[two.operation]
            if before.fixed is not None and after.fixed is not None:
                continue
            gap = matrix.get(before.family or "", {}).get(after.family or "", 0)
            if one.end <= two.start < one.end + gap:
                yield (
                    f"Operation {after.id} follows {before.id} on {names[resource]} "
                    f"without {gap} minutes of setup."
                )
