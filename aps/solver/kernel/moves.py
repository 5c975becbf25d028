"""Moves of one operation to another place in a queue, and which ones to try.

Half of them begin at a late job and walk back along what made it late: the operation before it in
the queue or the predecessor that ended last, whichever was later.
"""

from __future__ import annotations

from aps.solver.jit import in_place, inlined
from aps.solver.kernel.board import Board
from aps.solver.kernel.layout import FAR
from aps.solver.kernel.queues import (
    attach,
    bisect_end,
    bisect_start,
    detach,
    put_back,
    takes_turns,
)
from aps.solver.kernel.timing import (
    begin,
    drain,
    propagate,
    push,
    push_next,
    ready_at,
    reprice,
    take_back,
)

WALK = 60
"""Steps back from a late job at most."""


@inlined
def chance(board: Board) -> float:
    """A random number in [0, 1): the generator of POSIX drand48."""
    totals = board.totals[0]
    totals.random = (totals.random * 0x5DEECE66D + 11) & 0xFFFFFFFFFFFF
    return float(totals.random / 281474976710656.0)


@inlined
def below(board: Board, count: int) -> int:
    """A random whole number from 0 up to, but not including, ``count``."""
    return int(chance(board) * count)


@in_place
def few(board: Board, most: int, again: float) -> int:
    """1, 2, 3 ... up to ``most``, each ``again`` times as likely as the one before."""
    count = 1
    while count < most and chance(board) < again:
        count += 1
    return count


@inlined
def price(board: Board) -> float:
    """What the search minimises: the figures, each times what it costs."""
    totals = board.totals[0]
    total = (
        totals.conflict * totals.per_conflict
        + totals.tardiness * totals.per_tardiness
        + totals.setup * totals.per_setup
        + totals.flow * totals.per_flow
        + totals.early * totals.per_early
        + totals.moved * totals.per_moved
        + totals.changed * totals.per_changed
    )
    if totals.per_makespan > 0:
        end = 0
        for number in range(len(board.jobs)):
            end = max(end, board.jobs[number].end)
        total += end * totals.per_makespan
    return float(total)


@in_place
def cumulate(board: Board) -> None:
    """Bring up to date how strongly each job invites moves: by what it costs."""
    total = 0.0
    paid = board.totals[0]
    for number in range(len(board.jobs)):
        job = board.jobs[number]
        total += job.tardiness * paid.per_tardiness + job.conflict * paid.per_conflict + 1e-3
        board.lure[number] = total


@in_place
def pick_job(board: Board) -> int:
    """A job, by its share in the cost."""
    target = chance(board) * board.lure[-1]
    low, high = 0, len(board.lure) - 1
    while low < high:
        middle = (low + high) // 2
        if board.lure[middle] > target:
            high = middle
        else:
            low = middle + 1
    return low


@in_place
def last_step(board: Board, number: int) -> int:
    """The operation of the job that ends last."""
    job = board.jobs[number]
    last = board.steps[job.first_step]
    for k in range(job.first_step + 1, job.last_step):
        if board.operations[board.steps[k]].end > board.operations[last].end:
            last = board.steps[k]
    return int(last)


@in_place
def cause(board: Board, item: int) -> int:
    """What kept the operation from starting earlier: the item before it or -1."""
    operation = board.operations[item]
    found, until = -1, operation.ready
    for k in range(operation.first_before, operation.last_before):
        end = board.operations[board.before[k]].end + board.links[k].lag
        if end > until:
            found, until = board.before[k], end
    if operation.at > 0:
        first = board.machines[operation.machine].first_place
        ahead = board.queue[first + operation.at - 1]
        if board.operations[ahead].end >= until:
            found = ahead
    return found


@in_place
def pick_critical(board: Board) -> int:
    """An operation on the chain of causes of a late job, -1 when none can move."""
    number = pick_job(board)
    if board.jobs[number].first_step == board.jobs[number].last_step:
        return -1
    item = last_step(board, number)
    chosen, seen = -1, 0
    for _ in range(WALK):
        if not board.operations[item].fixed:
            seen += 1
            if chance(board) * seen < 1.0:
                chosen = item
        item = cause(board, item)
        if item < 0:
            break
    return chosen


@in_place
def bounds(board: Board, item: int, machine: int) -> tuple[int, int]:
    """First and last position in the queue that surely close no circle; the item is in none.

    What stands before the item must not wait for its followers, nor its predecessors for what
    stands after it; the present times prove that where they contradict such a wait.
    """
    operation = board.operations[item]
    low, high = 0, board.machines[machine].count
    for k in range(operation.first_before, operation.last_before):
        other = board.operations[board.before[k]]
        if other.at >= 0 and other.machine == machine:
            low = max(low, other.at + 1)
        low = max(low, bisect_end(board, machine, other.start))
    for k in range(operation.first_after, operation.last_after):
        other = board.operations[board.after[k]]
        if other.fixed:
            continue
        if other.at >= 0 and other.machine == machine:
            high = min(high, other.at)
        high = min(high, bisect_start(board, machine, other.end))
    return low, high


@in_place
def pick_place(board: Board, item: int, machine: int, at: int) -> int:
    """A position in the machine's queue for the item, -1 where none is allowed.

    ``at``: where it stood in that queue, -1 if it comes from another one.
    """
    low, high = bounds(board, item, machine)
    if low > high:
        return -1
    if at >= 0 and chance(board) < 0.7:
        distance = few(board, 60, 0.75)
        if chance(board) < 0.6:
            distance = -distance
        return min(high, max(low, at + distance))
    soon = bisect_end(board, machine, ready_at(board, item))
    return min(high, max(low, soon + few(board, 60, 0.65) - 1))


@in_place
def pick_mode(board: Board, item: int) -> int:
    """A mode of the operation; the present one every other time."""
    operation = board.operations[item]
    count = operation.last_mode - operation.first_mode
    if count == 1 or chance(board) < 0.5:
        return int(operation.mode)
    return int(operation.first_mode) + below(board, count)


@in_place
def move(board: Board, item: int, room: float) -> bool:
    """Move the operation somewhere; taken back, and False, if it costs more than ``room`` more."""
    operation = board.operations[item]
    old_mode, old_at, old_machine = operation.mode, operation.at, operation.machine
    mode = pick_mode(board, item)
    before = price(board)
    begin(board)
    detach(board, item)
    at = 0
    if takes_turns(board, mode):
        machine = board.modes[mode].machine
        at = pick_place(board, item, machine, old_at if machine == old_machine else -1)
    good = False
    if at >= 0 and not (mode == old_mode and (at == old_at or old_at < 0)):
        push_next(board, old_machine, max(0, old_at))
        attach(board, item, mode, at)
        push(board, item, operation.start)
        push_next(board, operation.machine, operation.at + 1)
        good = propagate(board)
        if good:
            reprice(board)
            good = price(board) - before <= room
    if not good:
        undo(board)
    return good


@in_place
def undo(board: Board) -> None:
    """Take the present move back."""
    take_back(board)
    put_back(board)
    drain(board)


@in_place
def shift(board: Board, item: int, room: float) -> bool:
    """Let the operation wait, or no longer: until its planned start or into the slack behind it."""
    operation = board.operations[item]
    hold = 0
    if operation.hold == 0 or chance(board) < 0.5:
        hold = operation.planned
        if hold >= FAR or chance(board) < 0.5:
            until = operation.end + below(board, 2 * 1440)
            for k in range(operation.first_after, operation.last_after):
                until = min(until, board.operations[board.after[k]].start)
            hold = operation.start + max(0, until - operation.end)
    if hold == operation.hold:
        return False
    before = price(board)
    begin(board)
    old, operation.hold = operation.hold, hold
    push(board, item, operation.start)
    good = propagate(board)
    if good:
        reprice(board)
        good = price(board) - before <= room
    if not good:
        undo(board)
        operation.hold = old
    return good
