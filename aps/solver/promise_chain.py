"""Why a request ends when it ends: the chain of work and waiting back from its last operation."""

from __future__ import annotations

from collections.abc import Mapping

from aps.solver.problem import Need, Operation, Placement, Resource
from aps.solver.promise_types import Link, LinkKind, Request
from common.intervals import CalendarExhausted


def explain(
    *,
    request: Request,
    resources: Mapping[int, Resource],
    schedule: Mapping[int, Placement],
    now: int,
    pool_waits: Mapping[int, tuple[Need, int]] | None = None,
) -> tuple[tuple[Link, ...], Link | None]:
    """The chain from now to the last end, without a hole, and its binding link.

    Binding is the link that costs the most waiting; where nothing waits, the minimum lead time.
    None for a request without operations. ``pool_waits``: what kept an operation from a machine
    that was free, and since when.
    """
    if not schedule:
        return (), None
    operations = {o.id: o for o in request.operations}
    last = max(schedule.values(), key=lambda p: (p.end, p.start, p.operation))
    links: list[Link] = []
    current: Placement | None = last
    while current is not None and current.end > now:
        operation = operations[current.operation]
        feeder = _latest_feeder(operation, schedule)
        if operation.fixed is not None:
            links.append(_link(LinkKind.PRECEDENCE, current, now, current.end))
            break
        fed_at = max(now, feeder.end if feeder else now)
        ready = max(fed_at, operation.release)
        links.append(_link(LinkKind.WORK, current, current.start, current.end))
        held = (pool_waits or {}).get(operation.id)
        links += _waiting(operation, current, ready, resources[current.resource], held)
        if ready > fed_at:
            label = request.release_labels.get(operation.id, "")
            links.append(Link(LinkKind.MATERIAL, operation.id, None, fed_at, ready, label))
        current = feeder if feeder and feeder.end > now else None
    links = [link for link in reversed(links) if link.minutes]
    waits = [link for link in links if link.kind is not LinkKind.WORK]
    if waits:
        return tuple(links), max(waits, key=lambda link: link.minutes)
    return tuple(links), Link(LinkKind.MINIMUM, last.operation, None, now, max(now, last.end))


def _latest_feeder(operation: Operation, schedule: Mapping[int, Placement]) -> Placement | None:
    feeders = [schedule[p] for p in operation.predecessors]
    return max(feeders, key=lambda p: (p.end, p.start, p.operation), default=None)


def _waiting(
    operation: Operation,
    placed: Placement,
    ready: int,
    resource: Resource,
    held: tuple[Need, int] | None,
) -> list[Link]:
    """[ready, start) as time nobody works, then time the resource is taken, then time in which
    people or a tool are missing; latest first."""
    minutes = resource.working_time.worked(placed.start, placed.end)
    try:
        could, _ = resource.working_time.place(ready, minutes, operation.interruptible)
    except CalendarExhausted:
        could = placed.start
    free = placed.start if held is None else max(ready, min(held[1], placed.start))
    could = min(could, free)
    pool = None if held is None else held[0].pool
    return [
        Link(LinkKind.POOL, placed.operation, placed.resource, free, placed.start, pool=pool),
        _link(LinkKind.CAPACITY, placed, could, free),
        _link(LinkKind.CALENDAR, placed, ready, could),
    ]


def _link(kind: LinkKind, placed: Placement, start: int, end: int) -> Link:
    return Link(kind, placed.operation, placed.resource, start, end)
