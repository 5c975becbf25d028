"""What a placed operation leaves to the one after it: earliest starts and ends under a link."""

from __future__ import annotations

from collections.abc import Mapping

from aps.solver.problem import Operation, Placement, Precedence, Resource
from common.intervals import CalendarExhausted, WorkingTime


def passed_at(link: Precedence, before: Placement, working: WorkingTime) -> int:
    """When something of it has passed: its end, or the moment of its first transfer batch."""
    if link.transfer_minutes is None:
        return before.end
    try:
        batch = working.place(before.start, link.transfer_minutes)[1]
    except CalendarExhausted:
        return before.end
    return min(batch, before.end)


def may_start(link: Precedence, before: Placement, working: WorkingTime) -> int:
    """The earliest start that the placed operation leaves: something has passed, and waited."""
    return passed_at(link, before, working) + link.min_lag


def ready(
    operation: Operation, at: Mapping[int, Placement], resources: Mapping[int, Resource]
) -> int | None:
    """The earliest start that all of ``at`` leave the operation; None where it waits for none."""
    moments = [
        may_start(link, at[link.before], resources[at[link.before].resource].working_time)
        for link in operation.precedences
        if link.before in at
    ]
    return max(moments, default=None)


def must_end(operation: Operation, at: Mapping[int, Placement]) -> int | None:
    """The end before which the last transfer batch cannot be through; None without batches."""
    ends = [
        at[link.before].end + link.tail_minutes
        for link in operation.links
        if link.transfer_minutes is not None and link.before in at
    ]
    return max(ends, default=None)


def too_long(operation: Operation, at: Mapping[int, Placement]) -> bool:
    """Whether it starts after a longest wait that it may ask for."""
    here = at.get(operation.id)
    return here is not None and any(
        link.max_lag is not None
        and link.before in at
        and here.start > at[link.before].end + link.max_lag
        for link in operation.links
    )
