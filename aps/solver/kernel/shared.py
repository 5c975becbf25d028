"""What operations share or owe each other beyond machines: pools, transfer batches, longest waits.

Only plants that have such rules (``totals.rich``) pay for this. Every change is checked against
them before it is made, so the schedule keeps them at all times.
"""

from __future__ import annotations

from aps.solver.jit import in_place
from aps.solver.kernel.board import Board
from aps.solver.kernel.calendar import place, setup_minutes, window_from
from aps.solver.kernel.layout import FAR


@in_place
def book(board: Board, item: int) -> None:
    """Take the operation's units from its pools from now on, wherever it is placed."""
    operation = board.operations[item]
    for k in range(operation.first_need, operation.last_need):
        need = board.needs[k]
        pool = board.pools[need.pool]
        booking = board.bookings[pool.first_place + pool.count]
        booking.item, booking.units = item, need.units
        pool.count += 1


@in_place
def unbook(board: Board, item: int) -> None:
    """Give the operation's units back."""
    operation = board.operations[item]
    for k in range(operation.first_need, operation.last_need):
        pool = board.pools[board.needs[k].pool]
        for at in range(pool.first_place, pool.first_place + pool.count):
            if board.bookings[at].item == item:
                last = board.bookings[pool.first_place + pool.count - 1]
                board.bookings[at].item, board.bookings[at].units = last.item, last.units
                pool.count -= 1
                break


@in_place
def capacity_at(board: Board, number: int, moment: int) -> int:
    """Units of the pool at work at the moment."""
    pool = board.pools[number]
    low, high = pool.first_level, pool.last_level
    while low < high:
        middle = (low + high) // 2
        if board.levels[middle].moment <= moment:
            low = middle + 1
        else:
            high = middle
    return int(board.levels[low - 1].units) if low > pool.first_level else 0


@in_place
def holds_at(board: Board, item: int, held: int, moment: int) -> bool:
    """Whether the placed operation holds its units at the moment."""
    operation = board.operations[item]
    if moment < operation.start or moment >= operation.end:
        return False
    if held:
        return True
    at = window_from(board, operation.machine, moment)
    last = board.machines[operation.machine].last_window
    return bool(at < last and board.windows[at].start <= moment)


@in_place
def short_at(board: Board, number: int, units: int, moment: int) -> bool:
    """Whether the pool cannot give so many units more at the moment."""
    pool = board.pools[number]
    free = capacity_at(board, number, moment) - units
    if free < 0:
        return True
    for at in range(pool.first_place, pool.first_place + pool.count):
        booking = board.bookings[at]
        if holds_at(board, booking.item, pool.held, moment):
            free -= booking.units
            if free < 0:
                return True
    return False


@in_place
def next_change(board: Board, number: int, moment: int) -> int:
    """The first moment after this one at which the pool may have more units free."""
    pool = board.pools[number]
    found = FAR
    for level in range(pool.first_level, pool.last_level):
        if board.levels[level].moment > moment:
            found = board.levels[level].moment
            break
    for at in range(pool.first_place, pool.first_place + pool.count):
        item = board.bookings[at].item
        if holds_at(board, item, pool.held, moment):
            until = board.operations[item].end
            if not pool.held:
                window = window_from(board, board.operations[item].machine, moment)
                until = min(until, board.windows[window].end)
            found = min(found, until)
    return int(found)


@in_place
def first_shortage(board: Board, number: int, units: int, start: int, end: int) -> int:
    """A moment in [start, end) at which the pool is short of so many units; FAR if none."""
    pool = board.pools[number]
    if short_at(board, number, units, start):
        return start
    for level in range(pool.first_level, pool.last_level):
        moment = board.levels[level].moment
        if start < moment < end and short_at(board, number, units, moment):
            return int(moment)
    for at in range(pool.first_place, pool.first_place + pool.count):
        other = board.operations[board.bookings[at].item]
        if other.end <= start or other.start >= end:
            continue
        if start < other.start and short_at(board, number, units, other.start):
            return int(other.start)
        if pool.held:
            continue
        window = window_from(board, other.machine, max(start, other.start)) + 1
        while window < board.machines[other.machine].last_window:
            moment = board.windows[window].start
            if moment >= min(end, other.end):
                break
            if short_at(board, number, units, moment):
                return int(moment)
            window += 1
    return FAR


@in_place
def wait_for_pool(board: Board, number: int, units: int, machine: int, start: int, end: int) -> int:
    """``start`` if the pool can serve [start, end) on the machine; else the next start to try."""
    if board.pools[number].held:
        moment = first_shortage(board, number, units, start, end)
        return next_change(board, number, moment) if moment < FAR else start
    window = window_from(board, machine, start)
    while window < board.machines[machine].last_window and board.windows[window].start < end:
        first = max(start, board.windows[window].start)
        moment = first_shortage(board, number, units, first, min(end, board.windows[window].end))
        if moment < FAR:
            return next_change(board, number, moment)
        window += 1
    return start


@in_place
def earliest_end(board: Board, item: int, after: int) -> int:
    """What a longest wait of a fixed follower asks of the operation's end; -FAR for nothing."""
    follower = board.operations[after]
    if follower.fixed:
        for b in range(follower.first_before, follower.last_before):
            if board.before[b] == item and board.links[b].most >= 0:
                return int(follower.start - board.links[b].most)
    return -FAR


@in_place
def must_wait(board: Board, item: int, machine: int, start: int, end: int) -> int:
    """``start`` if pools and transfer batches allow [start, end); else the next start to try."""
    operation = board.operations[item]
    for k in range(operation.first_before, operation.last_before):
        if board.links[k].part >= 0:
            guard = board.operations[board.before[k]].end + board.links[k].tail
            if end < guard:
                return int(start + guard - end)
    for k in range(operation.first_after, operation.last_after):
        guard = earliest_end(board, item, board.after[k])
        if end < guard:
            return int(start + guard - end)
    if end > start:
        for k in range(operation.first_need, operation.last_need):
            need = board.needs[k]
            later = wait_for_pool(board, need.pool, need.units, machine, start, end)
            if later > start:
                return later
    return start


@in_place
def ready_after_links(board: Board, item: int) -> int:
    """As ``ready_at``, but transfer batches let the operation begin before predecessors end."""
    operation = board.operations[item]
    moment = max(operation.ready, operation.hold)
    for k in range(operation.first_before, operation.last_before):
        before, link = board.operations[board.before[k]], board.links[k]
        until = before.end
        if link.part >= 0 and before.end < FAR:
            until = place(board, before.machine, before.start, link.part, 1)[1]
            until = min(until, before.end)
        moment = max(moment, until + link.lag)
    return int(moment)


@in_place
def hold_back(board: Board, item: int) -> int:
    """Check the longest waits before the placed operation.

    0 if they are kept; 1 if its predecessor now carries a ``hold`` and must be placed again; 2 if
    that predecessor is not among the picked ones and stays.
    """
    operation, stamp = board.operations[item], board.totals[0].stamp
    found = 0
    for k in range(operation.first_before, operation.last_before):
        link = board.links[k]
        before = board.operations[board.before[k]]
        if link.most < 0 or operation.start <= before.end + link.most:
            continue
        if before.fixed or before.picked != stamp:
            return 2
        before.hold = before.start + operation.start - link.most - before.end
        found = 1
    return found


@in_place
def queue_sound(board: Board, machine: int) -> bool:
    """Whether every changeover in the queue has its minutes, fixed operations aside."""
    record = board.machines[machine]
    if record.setup < 0:
        return True
    for at in range(record.first_place + 1, record.first_place + record.count):
        one, two = board.operations[board.queue[at - 1]], board.operations[board.queue[at]]
        if one.end + setup_minutes(board, machine, one.family, two.family) > two.start:
            return False
    return True
