"""The judge's view of what operations share or owe each other: lags, transfer batches, pools.

Counted from placements and raw working windows, as in ``validate``; no code of the solver.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping

from aps.solver.problem import Operation, Placement, Pool, Precedence, Problem

Windows = list[tuple[int, int]]


def broken_links(problem: Problem, at: Mapping[int, Placement]) -> Iterator[str]:
    """Lags and transfer batches that are not kept; between fixed operations nothing is asked."""
    fixed = {o.id for o in problem.operations if o.fixed is not None}
    windows = {r.id: [(w.start, w.end) for w in r.working_time] for r in problem.resources}
    for operation in problem.operations:
        here = at[operation.id]
        if operation.fixed is not None and operation.fixed.start < problem.now:
            continue
        for link in operation.links:
            if operation.id in fixed and link.before in fixed:
                continue
            before = at[link.before]
            if link.transfer_minutes is None:
                yield from _lag(operation, link, before, here)
            else:
                yield from _transfer(operation, link, before, here, windows[before.resource])


def _lag(
    operation: Operation, link: Precedence, before: Placement, here: Placement
) -> Iterator[str]:
    waited = here.start - before.end
    if waited < link.min_lag:
        yield (
            f"Operation {operation.id} starts {waited} minutes after {link.before} ends; "
            f"it must wait {link.min_lag}."
        )
    if link.max_lag is not None and waited > link.max_lag:
        yield (
            f"Operation {operation.id} starts {waited} minutes after {link.before} ends; "
            f"it may wait at most {link.max_lag}."
        )


def _transfer(
    operation: Operation, link: Precedence, before: Placement, here: Placement, windows: Windows
) -> Iterator[str]:
    seen = here.start - link.min_lag
    first = bisect_right(windows, (before.start, before.start))
    last = bisect_right(windows, (seen, seen))
    row = windows[max(0, first - 1) : last + 1]
    worked = sum(max(0, min(b, seen, before.end) - max(a, before.start)) for a, b in row)
    if worked < (link.transfer_minutes or 0) and seen < before.end:
        yield (
            f"Operation {operation.id} starts when {link.before} has worked {worked} of the "
            f"{link.transfer_minutes} minutes of its first transfer batch."
        )
    if here.end < before.end + link.tail_minutes:
        yield (
            f"Operation {operation.id} ends {here.end - before.end} minutes after {link.before}, "
            f"too soon for its last transfer batch ({link.tail_minutes})."
        )


def overdrawn_pools(problem: Problem, at: Mapping[int, Placement]) -> Iterator[str]:
    """Moments at which a pool is asked for more than it has; facts alone overdraw nothing."""
    windows = {r.id: [(w.start, w.end) for w in r.working_time] for r in problem.resources}
    for pool in problem.pools:
        taken: list[tuple[int, int, int, bool, int]] = []
        for operation in problem.operations:
            units = sum(need.units for need in operation.needs if need.pool == pool.id)
            if units:
                here, free = at[operation.id], operation.fixed is None
                for start, end in _held(here, pool, windows[here.resource]):
                    taken.append((start, end, units, free, operation.id))
        yield from _overdrawn(pool, taken)


def _held(here: Placement, pool: Pool, windows: Windows) -> Windows:
    """When the operation holds its units."""
    if here.end <= here.start:
        return []
    if pool.held_in_pauses:
        return [(here.start, here.end)]
    first = bisect_right(windows, (here.start, here.start))
    last = bisect_right(windows, (here.end, here.end))
    row = windows[max(0, first - 1) : last + 1]
    cut = [(max(a, here.start), min(b, here.end)) for a, b in row]
    return [(a, b) for a, b in cut if a < b]


def _overdrawn(pool: Pool, taken: list[tuple[int, int, int, bool, int]]) -> Iterator[str]:
    events: list[tuple[int, int, int, int]] = []  # moment, capacity, use, use by free operations
    for start, end, units, free, _ in taken:
        events += [(start, 0, units, units * free), (end, 0, -units, -units * free)]
    for times, units in pool.crews:
        for window in times:
            events += [(window.start, units, 0, 0), (window.end, -units, 0, 0)]
    events.sort(key=lambda event: event[0])
    capacity = use = by_free = 0
    for at, (moment, more, taking, freely) in enumerate(events):
        capacity, use, by_free = capacity + more, use + taking, by_free + freely
        last_now = at + 1 == len(events) or events[at + 1][0] > moment
        if last_now and use > capacity and by_free:
            who = next(o for start, end, _, free, o in taken if free and start <= moment < end)
            yield (
                f"Operation {who} runs at {moment} when pool {pool.name} has {capacity} and is "
                f"asked for {use}."
            )
            return
