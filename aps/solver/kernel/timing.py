"""Times and price of a schedule given its queues, brought up to date move by move.

The schedule is semi-active: every operation starts as early as its predecessors and what stands
before it in its queue allow. A move changes a few arcs of that graph; only what they delay or pull
forward is computed again, in order of the old start times, and the wave ends where nothing moves
(label correcting; for the graph see Mastrolilli and Gambardella 2000, Effective neighbourhood
functions for the flexible job shop problem). What changes is written down, so that a move that is
not liked can be taken back.
"""

from __future__ import annotations

from aps.solver.jit import in_place, inlined
from aps.solver.kernel.board import Board
from aps.solver.kernel.calendar import fit, place
from aps.solver.kernel.layout import FAR

INDEX_BITS = 22
"""The heap holds (moment << INDEX_BITS) + operation: four million operations, 2**41 minutes."""


@inlined
def push(board: Board, item: int, moment: int) -> None:
    """Have the operation computed again, in order of the moment."""
    operations, heap, totals = board.operations, board.heap, board.totals[0]
    if operations[item].queued or operations[item].fixed:
        return
    operations[item].queued = 1
    key = (moment << INDEX_BITS) + item
    at = totals.heap
    totals.heap = at + 1
    while at > 0:
        up = (at - 1) >> 1
        if heap[up] <= key:
            break
        heap[at] = heap[up]
        at = up
    heap[at] = key


@inlined
def pop(board: Board) -> int:
    """The operation with the earliest moment."""
    heap, totals = board.heap, board.totals[0]
    item = heap[0] & ((1 << INDEX_BITS) - 1)
    size = totals.heap - 1
    totals.heap = size
    key = heap[size]
    at = 0
    while True:
        down = 2 * at + 1
        if down >= size:
            break
        if down + 1 < size and heap[down + 1] < heap[down]:
            down += 1
        if heap[down] >= key:
            break
        heap[at] = heap[down]
        at = down
    heap[at] = key
    board.operations[item].queued = 0
    return int(item)


@inlined
def ready_at(board: Board, item: int) -> int:
    """When release, now and all predecessors allow a start."""
    operation = board.operations[item]
    moment = max(operation.ready, operation.hold)
    for k in range(operation.first_before, operation.last_before):
        moment = max(moment, board.operations[board.before[k]].end + board.links[k].lag)
    return int(moment)


@inlined
def earliest(board: Board, item: int) -> tuple[int, int]:
    """Earliest (start, end) given predecessors and queue; FAR where the calendar ends."""
    operation = board.operations[item]
    ready = ready_at(board, item)
    if ready >= FAR:
        return FAR, FAR
    machine = operation.machine
    if operation.at < 0:
        return place(board, machine, ready, operation.minutes, operation.pauses)
    ahead = -1
    if operation.at > 0:
        ahead = board.queue[board.machines[machine].first_place + operation.at - 1]
    return fit(board, item, machine, operation.minutes, ready, ahead)


@inlined
def retime(board: Board, item: int, start: int, end: int) -> None:
    """Set the times of the operation and write down what they were before this move."""
    operation, totals = board.operations[item], board.totals[0]
    if operation.stamp != totals.stamp:
        operation.stamp = totals.stamp
        change = board.changes[totals.changes]
        change.item, change.one, change.two = item, operation.start, operation.end
        totals.changes += 1
    operation.start, operation.end = start, end


@in_place
def propagate(board: Board) -> bool:
    """Compute what was pushed and all that follows from it; False when work does not fit."""
    operations, totals = board.operations, board.totals[0]
    while totals.heap > 0:
        item = pop(board)
        operation = operations[item]
        start, end = earliest(board, item)
        if start == operation.start and end == operation.end:
            continue
        retime(board, item, start, end)
        if end >= FAR:
            return False
        for k in range(operation.first_after, operation.last_after):
            push(board, board.after[k], operations[board.after[k]].start)
        if operation.at >= 0:
            push_next(board, operation.machine, operation.at + 1)
    return True


@inlined
def push_next(board: Board, machine: int, at: int) -> None:
    """Push the operation at the position of the machine's queue, if there is one."""
    record = board.machines[machine]
    if at < record.count:
        item = board.queue[record.first_place + at]
        push(board, item, board.operations[item].start)


@in_place
def drain(board: Board) -> None:
    """Empty the heap."""
    totals = board.totals[0]
    mask = (1 << INDEX_BITS) - 1
    for k in range(totals.heap):
        board.operations[board.heap[k] & mask].queued = 0
    totals.heap = 0


@in_place
def price_job(board: Board, number: int) -> tuple[int, int, int, int, int]:
    """Weighted tardiness, flow minutes, broken locks, minutes early and end of a job."""
    job = board.jobs[number]
    if job.first_step == job.last_step:
        return 0, 0, 0, 0, 0
    start, end, conflict = FAR, -FAR, 0
    for k in range(job.first_step, job.last_step):
        item = board.steps[k]
        operation = board.operations[item]
        start, end = min(start, operation.start), max(end, operation.end)
        if operation.lock:
            for b in range(operation.first_before, operation.last_before):
                until = board.operations[board.before[b]].end + board.links[b].lag
                over = until - operation.start
                conflict += max(0, over)
    late = max(0, end - job.due) if job.weight > 0 else 0
    early = max(0, job.due - end) if job.due < FAR else 0
    return job.weight * late, max(0, end - start), conflict, early, end


@in_place
def reprice(board: Board) -> None:
    """Bring the figures of every job up to date whose operations have changed."""
    operations, totals = board.operations, board.totals[0]
    for k in range(totals.changes):
        item = board.changes[k].item
        operation = operations[item]
        reprice_job(board, operation.job)
        if operation.planned < FAR:
            old, now = board.changes[k].one, operation.start
            totals.moved += abs(now - operation.planned) - abs(old - operation.planned)
        for a in range(operation.first_after, operation.last_after):
            after = operations[board.after[a]]
            if after.lock:
                reprice_job(board, after.job)


@in_place
def reprice_job(board: Board, number: int) -> None:
    """Price a job anew once per move, and keep what it was."""
    job, totals = board.jobs[number], board.totals[0]
    if job.stamp == totals.stamp:
        return
    job.stamp = totals.stamp
    old = board.prices[totals.prices]
    old.item, old.one, old.two, old.three = number, job.tardiness, job.flow, job.conflict
    old.four, old.five = job.early, job.end
    totals.prices += 1
    tardiness, flow, conflict, early, end = price_job(board, number)
    totals.tardiness += tardiness - job.tardiness
    totals.flow += flow - job.flow
    totals.conflict += conflict - job.conflict
    totals.early += early - job.early
    job.tardiness, job.flow, job.conflict = tardiness, flow, conflict
    job.early, job.end = early, end


@in_place
def begin(board: Board) -> None:
    """Start a move: from here on changes are written down."""
    totals = board.totals[0]
    totals.stamp += 1
    totals.changes = totals.prices = totals.taken = 0
    totals.moved_before, totals.changed_before = totals.moved, totals.changed


@in_place
def take_back(board: Board) -> None:
    """Restore times and figures as they were at ``begin``; the queues are the caller's."""
    operations, totals = board.operations, board.totals[0]
    for k in range(totals.changes):
        change = board.changes[k]
        operations[change.item].start = change.one
        operations[change.item].end = change.two
    for k in range(totals.prices):
        old = board.prices[k]
        job = board.jobs[old.item]
        totals.tardiness += old.one - job.tardiness
        totals.flow += old.two - job.flow
        totals.conflict += old.three - job.conflict
        totals.early += old.four - job.early
        job.tardiness, job.flow, job.conflict = old.one, old.two, old.three
        job.early, job.end = old.four, old.five
    totals.moved = totals.moved_before
