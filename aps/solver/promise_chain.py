"""Why a request ends when it ends: the chain of work and waiting back from its last operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aps.solver.problem import Need, Operation, Placement, Precedence, Resource
from aps.solver.promise_types import Link, LinkKind, Request
from aps.solver.waits import may_start, passed_at
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
    until = last.end
    while current is not None and until > now:
        operation = operations[current.operation]
        feeder, link = _latest_feeder(operation, schedule, resources)
        if operation.fixed is not None:
            links.append(_link(LinkKind.PRECEDENCE, current, now, until))
            break
        passed = _passed(feeder, link, resources, now, current.start)
        fed_at = passed + link.min_lag if link is not None else now
        ready = min(max(fed_at, operation.release), current.start)
        links.append(_link(LinkKind.WORK, current, current.start, until))
        held = (pool_waits or {}).get(operation.id)
        links += _waiting(operation, current, ready, resources[current.resource], held)
        if ready > fed_at:
            label = request.release_labels.get(operation.id, "")
            links.append(Link(LinkKind.MATERIAL, operation.id, None, fed_at, ready, label))
        if feeder is not None and fed_at > passed:
            links.append(_link(LinkKind.WAIT, feeder, passed, min(fed_at, current.start)))
        current, until = (feeder, passed) if feeder and feeder.end > now else (None, now)
    links = [link for link in reversed(links) if link.minutes]
    return tuple(links), _binding(links, last, now)


def _binding(links: Sequence[Link], last: Placement, now: int) -> Link:
    waits = [link for link in links if link.kind is not LinkKind.WORK]
    if waits:
        return max(waits, key=lambda link: link.minutes)
    return Link(LinkKind.MINIMUM, last.operation, None, now, max(now, last.end))


def _passed(
    feeder: Placement | None,
    link: Precedence | None,
    resources: Mapping[int, Resource],
    now: int,
    until: int,
) -> int:
    """When something of the feeder had come, as far as it was waited for; now without one."""
    if feeder is None or link is None:
        return now
    return max(now, min(passed_at(link, feeder, resources[feeder.resource].working_time), until))


def _latest_feeder(
    operation: Operation, schedule: Mapping[int, Placement], resources: Mapping[int, Resource]
) -> tuple[Placement | None, Precedence | None]:
    """What it waited for to the last, and how."""

    def allows(link: Precedence) -> tuple[int, int, int, int]:
        before = schedule[link.before]
        start = may_start(link, before, resources[before.resource].working_time)
        return start, before.end, before.start, before.operation

    binding = max(operation.precedences, key=allows, default=None)
    return (None, None) if binding is None else (schedule[binding.before], binding)


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
