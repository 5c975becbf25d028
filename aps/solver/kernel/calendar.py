"""Placing work in the working time of a machine, around what is fixed there."""

from __future__ import annotations

from aps.solver.jit import in_place, inlined
from aps.solver.kernel.board import Board
from aps.solver.kernel.layout import FAR

LINEAR = 8
"""Windows looked at one by one before the search halves."""


@inlined
def window_from(board: Board, machine: int, moment: int) -> int:
    """The first window of the machine that ends after the moment; its last_window if none."""
    record = board.machines[machine]
    first, last = record.first_window, record.last_window
    bucket = (moment - record.bucket_from) // record.bucket_minutes
    if bucket < 0:
        return int(first)
    if bucket >= record.buckets:
        return int(last)
    low = first + board.buckets[record.first_bucket + bucket]
    high = first + board.buckets[record.first_bucket + bucket + 1]
    while low < high:
        middle = (low + high) // 2
        if board.windows[middle].end > moment:
            high = middle
        else:
            low = middle + 1
    return int(low)


@inlined
def place(board: Board, machine: int, moment: int, minutes: int, pauses: int) -> tuple[int, int]:
    """Earliest (start, end) from the moment with so many working minutes; FAR where none fits."""
    last = board.machines[machine].last_window
    at = window_from(board, machine, moment)
    if at >= last:
        return FAR, FAR
    window = board.windows[at]
    start = max(moment, window.start)
    if start + minutes <= window.end:
        return start, start + minutes
    if not pauses:
        return _place_unbroken(board, at + 1, last, minutes)
    target = window.done + start - window.start + minutes
    at += 1
    stop = min(last, at + LINEAR)
    while at < stop:
        window = board.windows[at]
        if window.done + window.end - window.start >= target:
            return start, window.start + target - window.done
        at += 1
    return start, _finish(board, at, last, target)


@in_place
def _place_unbroken(board: Board, at: int, last: int, minutes: int) -> tuple[int, int]:
    for later in range(at, last):
        window = board.windows[later]
        if window.start + minutes <= window.end:
            return window.start, window.start + minutes
    return FAR, FAR


@in_place
def _finish(board: Board, at: int, last: int, target: int) -> int:
    """When the calendar has worked ``target`` minutes, searched from window ``at`` on."""
    low, high = at, last
    while low < high:
        middle = (low + high) // 2
        window = board.windows[middle]
        if window.done + window.end - window.start >= target:
            high = middle
        else:
            low = middle + 1
    if low >= last:
        return FAR
    return int(board.windows[low].start + target - board.windows[low].done)


@inlined
def setup_minutes(board: Board, machine: int, one: int, two: int) -> int:
    """Clock minutes of changeover from family ``one`` to family ``two``."""
    matrix = board.machines[machine].setup
    return int(board.setups[matrix, one, two]) if matrix >= 0 else 0


@in_place
def place_around(
    board: Board,
    item: int,
    machine: int,
    minutes: int,
    ready: int,
    free_from: int,
    family_before: int,
) -> tuple[int, int]:
    """Earliest (start, end) of the operation between the fixed operations of the machine.

    ``free_from``: end of what the queue has before it, -FAR for nothing; a fixed operation that
    began earlier than that is over by then.
    """
    pauses, family = board.operations[item].pauses, board.operations[item].family
    at, last = board.machines[machine].first_block, board.machines[machine].last_block
    while at < last and (board.blocks[at].start < free_from or board.blocks[at].end <= ready):
        if board.blocks[at].end > free_from:
            free_from, family_before = board.blocks[at].end, board.blocks[at].last_family
        at += 1
    while True:
        moment = ready
        if free_from > -FAR:
            gap = setup_minutes(board, machine, family_before, family)
            moment = max(moment, free_from + gap)
        start, end = place(board, machine, moment, minutes, pauses)
        if at >= last or end >= FAR:
            return start, end
        block = board.blocks[at]
        if end + setup_minutes(board, machine, family, block.first_family) <= block.start:
            return start, end
        free_from, family_before = block.end, block.last_family
        at += 1


@inlined
def fit(
    board: Board, item: int, machine: int, minutes: int, ready: int, ahead: int
) -> tuple[int, int]:
    """Earliest (start, end) of the operation on the machine behind another one, -1 for none."""
    operation, record = board.operations[item], board.machines[machine]
    free_from, family = -FAR, 0
    if ahead >= 0:
        free_from, family = board.operations[ahead].end, board.operations[ahead].family
    if record.first_block < record.last_block:
        return place_around(board, item, machine, minutes, ready, free_from, family)
    if ahead >= 0:
        ready = max(ready, free_from + setup_minutes(board, machine, family, operation.family))
    return place(board, machine, ready, minutes, operation.pauses)
