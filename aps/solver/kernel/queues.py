"""Taking operations out of the queues of the machines and putting them in."""

from __future__ import annotations

from aps.solver.jit import in_place
from aps.solver.kernel.board import Board
from aps.solver.kernel.calendar import setup_minutes
from aps.solver.kernel.layout import FAR
from aps.solver.kernel.shared import book, unbook


@in_place
def joint(board: Board, machine: int, at: int) -> int:
    """Setup minutes between positions at - 1 and at of the queue; 0 at its ends."""
    record = board.machines[machine]
    if record.setup < 0 or at <= 0 or at >= record.count:
        return 0
    first = record.first_place
    one = board.operations[board.queue[first + at - 1]].family
    two = board.operations[board.queue[first + at]].family
    return setup_minutes(board, machine, one, two)


@in_place
def differs(board: Board, item: int) -> int:
    """1 if the operation is on another resource than in the reference plan, else 0."""
    operation = board.operations[item]
    if operation.planned >= FAR:
        return 0
    return int(board.machines[operation.machine].resource != operation.planned_resource)


@in_place
def detach(board: Board, item: int) -> None:
    """Take the operation out of its queue and write down where it stood."""
    operation, totals = board.operations[item], board.totals[0]
    at, machine = operation.at, operation.machine
    note = board.taken[totals.taken]
    note.item, note.one, note.two, note.three = item, operation.mode, at, operation.hold
    totals.taken += 1
    totals.changed -= differs(board, item)
    if totals.rich:
        unbook(board, item)
    if at < 0:
        return
    record, totals, queue = board.machines[machine], board.totals[0], board.queue
    totals.setup -= joint(board, machine, at) + joint(board, machine, at + 1)
    first = record.first_place
    record.count -= 1
    for k in range(at, record.count):
        behind = queue[first + k + 1]
        queue[first + k] = behind
        board.operations[behind].at = k
    operation.at = -1
    totals.setup += joint(board, machine, at)


@in_place
def attach(board: Board, item: int, mode: int, at: int) -> None:
    """Run the operation in the mode, at the position of that machine's queue."""
    operation, totals, queue = board.operations[item], board.totals[0], board.queue
    machine = board.modes[mode].machine
    operation.mode, operation.machine = mode, machine
    operation.minutes = board.modes[mode].minutes
    totals.changed += differs(board, item)
    if totals.rich and operation.minutes > 0:
        book(board, item)
    if not takes_turns(board, mode):
        return
    record = board.machines[machine]
    totals.setup -= joint(board, machine, at)
    first = record.first_place
    for k in range(record.count, at, -1):
        behind = queue[first + k - 1]
        queue[first + k] = behind
        board.operations[behind].at = k
    queue[first + at] = item
    record.count += 1
    operation.at = at
    totals.setup += joint(board, machine, at) + joint(board, machine, at + 1)


@in_place
def append(board: Board, item: int, mode: int) -> None:
    """Put the operation at the end of the queue of the mode's machine."""
    board.operations[item].at = -1
    attach(board, item, mode, board.machines[board.modes[mode].machine].count)


@in_place
def put_back(board: Board) -> None:
    """Undo: everything taken out of the queues since ``begin`` goes back to where it stood."""
    totals = board.totals[0]
    count = totals.taken
    for k in range(count):
        detach(board, board.taken[k].item)
    for k in range(count - 1, -1, -1):
        note = board.taken[k]
        attach(board, note.item, note.one, note.two)
        board.operations[note.item].hold = note.three
    totals.taken = 0
    totals.changed = totals.changed_before


@in_place
def takes_turns(board: Board, mode: int) -> bool:
    """Whether the mode stands in a queue: its machine has one and it takes time."""
    machine = board.machines[board.modes[mode].machine]
    return bool(board.modes[mode].minutes > 0 and machine.queue > 0)


@in_place
def bisect_start(board: Board, machine: int, moment: int) -> int:
    """How many operations of the queue start before the moment."""
    first = board.machines[machine].first_place
    low, high = 0, board.machines[machine].count
    while low < high:
        middle = (low + high) // 2
        if board.operations[board.queue[first + middle]].start < moment:
            low = middle + 1
        else:
            high = middle
    return low


@in_place
def bisect_end(board: Board, machine: int, moment: int) -> int:
    """How many operations of the queue end at the moment or before."""
    first = board.machines[machine].first_place
    low, high = 0, board.machines[machine].count
    while low < high:
        middle = (low + high) // 2
        if board.operations[board.queue[first + middle]].end <= moment:
            low = middle + 1
        else:
            high = middle
    return low
