"""An independent check of a job shop's schedule: shares no code with the search."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from aps.solver.jobshop.shop import Shop
from aps.solver.problem import Placement


def validate(shop: Shop, placements: Iterable[Placement]) -> list[str]:
    """Violations in words; an empty list for a feasible schedule."""
    placed = list(placements)
    routes = shop.as_lists()
    times = Counter(p.operation for p in placed)
    wanted = range(sum(len(route) for route in routes))
    found = [f"Operation {v} is scheduled {times[v]} times." for v in wanted if times[v] != 1]
    found += [f"Operation {v} is unknown." for v in times if v not in wanted]
    if not found:
        at = {p.operation: p for p in placed}
        found += [*_routes(routes, at), *_machines(placed)]
    return found


def _routes(routes: list[list[list[tuple[int, int]]]], at: dict[int, Placement]) -> Iterator[str]:
    v = 0
    for route in routes:
        ready = 0
        for modes in route:
            here = at[v]
            if (here.resource, here.end - here.start) not in modes:
                yield f"Operation {v} does not take {here.end - here.start} on {here.resource}."
            if here.start < ready:
                yield f"Operation {v} starts at {here.start}, before it may at {ready}."
            ready = here.end
            v += 1


def _machines(placed: list[Placement]) -> Iterator[str]:
    rows: dict[int, list[Placement]] = defaultdict(list)
    for placement in placed:
        if placement.end > placement.start:
            rows[placement.resource].append(placement)
    for machine, row in rows.items():
        row.sort(key=lambda p: p.start)
        for one, two in pairwise(row):
            if two.start < one.end:
                yield f"Operations {one.operation} and {two.operation} overlap on {machine}."
