"""What may not wait long after work that is done, runs or is locked is put right behind it.

That work does not move any more, so only who follows can keep a longest wait. Where it can be kept
it is fixed there, where the plan in force has it if that is soon enough; where it cannot, it is
asked of nobody: one impossible wait must not stop the plan of all others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from aps.services.sequence import without_hopeless_waits
from aps.solver import (
    Busy,
    Occupancy,
    Operation,
    Placement,
    Pool,
    Resource,
    SetupMinutes,
    waits,
)
from aps.solver.occupancy import Overlay


def held(
    operations: Iterable[Operation],
    *,
    resources: Iterable[Resource],
    pools: Iterable[Pool],
    setup_minutes: SetupMinutes,
    now: int,
    previous: Mapping[int, Placement],
    latest_starts: Mapping[int, int],
) -> list[Operation]:
    """The operations, followers fixed, in their order: what comes before others stands before them.

    ``latest_starts``: by operation, for what waits already. ``previous``: the plan in force.
    """
    found = list(operations)
    fixed = {o.id: o.fixed for o in found if o.fixed is not None}
    if not any(_limit(o, fixed, latest_starts) is not None for o in found):
        return without_hopeless_waits(found)
    by_id = {resource.id: resource for resource in resources}
    plant = _taken(found, fixed, by_id, pools, setup_minutes)
    kept = []
    for operation in found:
        limit = _limit(operation, fixed, latest_starts)
        one = operation
        if limit is not None and operation.fixed is None:
            ready = max(now, operation.release, waits.ready(operation, fixed, by_id) or now)
            place = _place(operation, ready, limit, plant, previous.get(operation.id))
            if place is not None:
                plant.take(operation, place)
                fixed[operation.id] = place
                one = replace(operation, fixed=place)
        kept.append(one)
    return without_hopeless_waits(kept)


def _limit(
    operation: Operation, fixed: Mapping[int, Placement], latest_starts: Mapping[int, int]
) -> int | None:
    """The latest start that its longest waits leave; None where it has none, or others may move."""
    if any(pk not in fixed for pk in operation.waits_for):
        return None
    limits = [fixed[k.before].end + k.max_lag for k in operation.links if k.max_lag is not None]
    if operation.id in latest_starts:
        limits.append(latest_starts[operation.id])
    return min(limits, default=None)


def _taken(
    operations: Iterable[Operation],
    fixed: Mapping[int, Placement],
    resources: Mapping[int, Resource],
    pools: Iterable[Pool],
    setup_minutes: SetupMinutes,
) -> Overlay:
    """What is fixed already, on machines, people and tools."""
    busy: dict[int, list[Busy]] = {}
    for operation in operations:
        place = fixed.get(operation.id)
        if place is not None:
            row = busy.setdefault(place.resource, [])
            row.append(Busy(place.start, place.end, operation.family, operation.needs))
    return Overlay(Occupancy(resources.values(), busy, setup_minutes, pools))


def _place(
    operation: Operation, ready: int, limit: int, plant: Overlay, wished: Placement | None
) -> Placement | None:
    """Where it is planned, where that is soon enough and free; else where it ends first in time."""
    if wished is not None and ready <= wished.start <= limit:
        here = [mode for mode in operation.modes if mode.resource == wished.resource]
        if plant.soonest(operation, here, wished.start) == wished:
            return wished
    places = [
        place
        for mode in operation.modes
        if (place := plant.soonest(operation, [mode], ready)) is not None and place.start <= limit
    ]
    return min(places, key=lambda place: (place.end, place.start), default=None)
