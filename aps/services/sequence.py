"""What an operation asks of the next one of its work order: a wait, a transfer batch, or its end.

By the minutes of the routing, in the solver's words. A batch is reckoned on the side of caution:
with the slowest machine that may do the work. Work that takes the same minutes for any quantity
(an oven) and work outside pass on as a whole.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from aps.solver import Mode, Operation, Precedence
from common.intervals import WorkingTime
from masterdata.enums import RunBasis
from mes.selectors import OpenOperation

ZERO = Decimal(0)


class Routed(Protocol):
    """An operation of a routing or of a work order, as far as it matters here."""

    @property
    def run_basis(self) -> RunBasis: ...
    @property
    def subcontractor_id(self) -> int | None: ...
    @property
    def wait_minutes(self) -> int: ...
    @property
    def max_wait_minutes(self) -> int | None: ...
    @property
    def transfer_quantity(self) -> Decimal | None: ...


@dataclass(frozen=True, slots=True)
class Part:
    """An operation in the problem: minutes per piece by work unit, and its pieces.

    ``good`` of the pieces are made already, ``remaining`` come still.
    """

    id: int
    step: Routed
    modes: tuple[Mode, ...]
    per_piece: Sequence[tuple[int, Decimal]]
    remaining: Decimal
    good: Decimal = ZERO
    # Working minutes since it began; what was made till now took those.
    worked: int | None = None


def after(before: Part, following: Part) -> Precedence:
    """What the following operation waits for; a plain end where the routing says no more."""
    step = before.step
    if not _in_batches(before, following):
        return Precedence(before.id, step.wait_minutes, step.max_wait_minutes)
    return Precedence(
        before.id,
        step.wait_minutes,
        transfer_minutes=_first_batch(before),
        tail_minutes=_last_batch(before, following),
    )


def without_hopeless_waits(operations: Iterable[Operation]) -> list[Operation]:
    """The operations without longest waits after what is fixed.

    What runs or is locked does not move, and a wait that nothing can shorten any more must not
    keep all others from being planned.
    """
    found = list(operations)
    fixed = {operation.id for operation in found if operation.fixed is not None}
    return [
        replace(
            operation,
            links=tuple(
                replace(link, max_lag=None) if link.before in fixed else link
                for link in operation.links
            ),
        )
        if any(link.max_lag is not None and link.before in fixed for link in operation.links)
        else operation
        for operation in found
    ]


def split(link: Precedence) -> tuple[tuple[int, ...], tuple[Precedence, ...]]:
    """As the solver takes it: plain predecessors, and links that say more."""
    is_plain = not link.min_lag and link.max_lag is None and link.transfer_minutes is None
    return ((link.before,), ()) if is_plain else ((), (link,))


def part(
    operation: OpenOperation, made: Operation, times: Mapping[int, WorkingTime], now: int
) -> Part:
    """The open operation as what goes before and after it sees it; ``made``: as it is planned."""
    own = {unit.work_unit_id: unit.run_minutes for unit in operation.units}
    modes, worked, fixed = made.modes, None, made.fixed
    if fixed is not None:
        modes = (Mode(fixed.resource, fixed.end - fixed.start),)
        working = times.get(fixed.resource)
        worked = working.worked(fixed.start, now) if working is not None else None
    return Part(
        id=operation.id,
        step=operation,
        modes=modes,
        per_piece=[
            (mode.resource, own.get(mode.resource, operation.run_minutes)) for mode in modes
        ],
        remaining=operation.remaining,
        good=operation.good,
        worked=worked,
    )


def chained(
    operation: Operation, waits: Iterable[Precedence], before: Operation | None
) -> Operation:
    """The operation after what it waits for; what runs ends after the last batch to come."""
    predecessors: tuple[int, ...] = ()
    links: tuple[Precedence, ...] = ()
    for wait in waits:
        plain, more = split(wait)
        predecessors, links = predecessors + plain, links + more
    fixed = operation.fixed
    if fixed is not None and before is not None and before.fixed is not None:
        batches = [link for link in links if link.transfer_minutes is not None]
        tails = [before.fixed.end + link.tail_minutes for link in batches]
        fixed = replace(fixed, end=max(fixed.end, *tails)) if tails else fixed
    return replace(operation, predecessors=predecessors, links=links, fixed=fixed)


def _in_batches(before: Part, following: Part) -> bool:
    quantity = before.step.transfer_quantity
    return (
        quantity is not None
        and quantity < before.good + before.remaining
        and before.step.run_basis == RunBasis.PER_PIECE
        and before.step.subcontractor_id is None
        and following.step.subcontractor_id is None
    )


def _first_batch(before: Part) -> int:
    """Working minutes from its start until the first batch has passed."""
    assert before.step.transfer_quantity is not None  # noqa: S101 - asked by the caller
    missing = max(ZERO, before.step.transfer_quantity - before.good)
    runs = dict(before.per_piece)
    if before.worked is not None:
        slowest = max(runs.values(), default=ZERO)
        return before.worked + math.ceil(slowest * missing)
    rest = before.remaining - missing
    return max(
        (max(0, mode.minutes - math.floor(runs[mode.resource] * rest)) for mode in before.modes),
        default=0,
    )


def _last_batch(before: Part, following: Part) -> int:
    """Working minutes that the last batch takes at the following operation."""
    assert before.step.transfer_quantity is not None  # noqa: S101 - asked by the caller
    pieces = (before.good + before.remaining) % before.step.transfer_quantity
    if following.step.run_basis == RunBasis.PER_ORDER:
        pieces = Decimal(1)
    elif not pieces:
        pieces = before.step.transfer_quantity
    runs = dict(following.per_piece)
    return max(
        (
            min(mode.minutes, math.ceil(runs[mode.resource] * pieces))
            for mode in following.modes
            if mode.resource in runs
        ),
        default=0,
    )
