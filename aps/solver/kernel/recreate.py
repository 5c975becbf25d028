"""Ruin and recreate: take the operations of a few jobs out and put each into the best gap.

Schrimpf, Schneider, Stamm-Wilbrandt and Dueck (2000), Record breaking optimization results using
the ruin and recreate principle; neighbours in time and machine, and blinks, after Christiaens and
Vanden Berghe (2020), Slack induction by string removals. What is not taken out stays where it is,
so that a step costs the same in a plant of a thousand and of a hundred thousand operations; the
gaps that open are closed by ``settle`` now and then.
"""

from __future__ import annotations

from aps.solver.jit import in_place
from aps.solver.kernel.board import Board
from aps.solver.kernel.calendar import fit, place, setup_minutes
from aps.solver.kernel.layout import FAR
from aps.solver.kernel.moves import below, chance, pick_job, price, undo
from aps.solver.kernel.queues import attach, bisect_end, detach, takes_turns
from aps.solver.kernel.shared import (
    hold_back,
    must_wait,
    queue_sound,
    ready_after_links,
)
from aps.solver.kernel.timing import (
    begin,
    propagate,
    push,
    push_next,
    ready_at,
    reprice,
    retime,
)

TREE = 40
"""Operations of an order's tree taken out at most, before what follows them."""

HOLD_ROUNDS = 12
"""Tries to keep the longest waits of what is placed."""

MOST = 160
"""Operations taken out at most."""


@in_place
def pick(board: Board, item: int) -> None:
    """Put the operation on the list unless it is there or fixed."""
    totals, operation = board.totals[0], board.operations[item]
    if operation.picked != totals.stamp and not operation.fixed and totals.picked <= MOST:
        operation.picked = totals.stamp
        board.picked[totals.picked] = item
        totals.picked += 1


@in_place
def pick_tree(board: Board, number: int, most: int) -> None:
    """The operations of the job and, breadth first, what feeds them."""
    job, totals = board.jobs[number], board.totals[0]
    for k in range(job.first_step, job.last_step):
        pick(board, board.steps[k])
    at = 0
    while at < totals.picked < most:
        operation = board.operations[board.picked[at]]
        for k in range(operation.first_before, operation.last_before):
            pick(board, board.before[k])
        at += 1


@in_place
def give_turn(board: Board, number: int, turn: int) -> bool:
    """Let the job be recreated at this turn; False if it has one."""
    job, totals = board.jobs[number], board.totals[0]
    if job.picked == totals.stamp:
        return False
    job.picked, job.turn = totals.stamp, turn
    return True


@in_place
def pick_neighbours(board: Board, wanted: int) -> None:
    """Jobs that stand before or around the picked operations on their machines."""
    totals = board.totals[0]
    core = totals.picked
    turns = 1000
    for _ in range(4 * wanted):
        operation = board.operations[board.picked[below(board, core)]]
        record = board.machines[operation.machine]
        at = operation.at + below(board, 7) - 4
        if operation.at < 0 or at < 0 or at >= record.count:
            continue
        number = board.operations[board.queue[record.first_place + at]].job
        if give_turn(board, number, turns):
            turns += 1
            job = board.jobs[number]
            for k in range(job.first_step, job.last_step):
                pick(board, board.steps[k])
            wanted -= 1
            if wanted == 0:
                return


@in_place
def cut(board: Board) -> None:
    """Leave in place what is over before the start of one of the picked operations."""
    totals, operations = board.totals[0], board.operations
    moment = operations[board.picked[below(board, totals.picked)]].start
    kept = 0
    for k in range(totals.picked):
        item = board.picked[k]
        if operations[item].end > moment:
            board.picked[kept] = item
            kept += 1
        else:
            operations[item].picked = 0
    totals.picked = kept


@in_place
def choose(board: Board) -> bool:
    """Fill ``picked`` with operations and all that follows them; False if these are too many."""
    totals = board.totals[0]
    totals.picked = 0
    number = pick_job(board) if chance(board) < 0.7 else below(board, len(board.jobs))
    give_turn(board, number, 0)
    pick_tree(board, number, TREE if chance(board) < 0.5 else 0)
    if totals.picked == 0:
        return False
    for k in range(totals.picked):
        give_turn(board, board.operations[board.picked[k]].job, k + 1)
    pick_neighbours(board, 1 + below(board, 5))
    if chance(board) < 0.4:
        cut(board)
    at = 0
    while at < totals.picked:
        operation = board.operations[board.picked[at]]
        for k in range(operation.first_after, operation.last_after):
            pick(board, board.after[k])
        at += 1
    return bool(0 < totals.picked <= MOST)


@in_place
def sort_by(board: Board, by_turn: bool) -> None:
    """Sort ``picked`` by turn or by place in the routes (insertion sort: the lists are short)."""
    operations, picked = board.operations, board.picked
    for k in range(1, board.totals[0].picked):
        item = picked[k]
        key = operations[item].turn if by_turn else operations[item].rank
        at = k
        while at > 0:
            other = operations[picked[at - 1]]
            if (other.turn if by_turn else other.rank) <= key:
                break
            picked[at] = picked[at - 1]
            at -= 1
        picked[at] = item


@in_place
def line_up(board: Board) -> None:
    """Job after job by turn, half the time by lot; each operation before what follows it."""
    totals, operations, picked = board.totals[0], board.operations, board.picked
    shuffled = chance(board) < 0.5
    sort_by(board, False)
    for k in range(totals.picked):
        job = board.jobs[operations[picked[k]].job]
        if job.picked != totals.stamp:
            job.picked, job.turn = totals.stamp, 100000
        if shuffled and job.turn < 1000000:
            job.turn = 1000000 + below(board, 1000000)
        operations[picked[k]].turn = job.turn
    for k in range(totals.picked - 1, -1, -1):
        operation = operations[picked[k]]
        for b in range(operation.first_before, operation.last_before):
            before = operations[board.before[b]]
            if before.picked == totals.stamp and before.turn > operation.turn:
                before.turn = operation.turn
    sort_by(board, True)


@in_place
def gap(board: Board, item: int, mode: int, ready: int, limit: int) -> tuple[int, int, int]:
    """First gap for the operation in the mode: start, end, position; FAR when not before limit."""
    machine, minutes = board.modes[mode].machine, board.modes[mode].minutes
    rich = board.totals[0].rich
    if not takes_turns(board, mode):
        start, end = place(board, machine, ready, minutes, board.operations[item].pauses)
        while rich and end < limit and must_wait(board, item, machine, start, end) > start:
            later = must_wait(board, item, machine, start, end)
            start, end = place(board, machine, later, minutes, board.operations[item].pauses)
        return start, end, 0
    record, family = board.machines[machine], board.operations[item].family
    at = bisect_end(board, machine, ready)
    while True:
        ahead, free_from = -1, ready
        if at > 0:
            ahead = board.queue[record.first_place + at - 1]
            free_from = max(ready, board.operations[ahead].end)
        if free_from + minutes > limit:
            return FAR, FAR, 0
        if at < record.count:
            behind = board.operations[board.queue[record.first_place + at]]
            if behind.start - free_from < minutes:
                at += 1
                continue
        start, end = fit(board, item, machine, minutes, ready, ahead)
        if rich and end < FAR:
            later = must_wait(board, item, machine, start, end)
            if later > start:
                ready = later
                continue
        if at >= record.count or end >= FAR:
            return start, end, at
        behind = board.operations[board.queue[record.first_place + at]]
        if end + setup_minutes(board, machine, family, behind.family) <= behind.start:
            return start, end, at
        at += 1


@in_place
def insert_soonest(board: Board, item: int) -> bool:
    """Put the operation where it ends first, now and then blind to one mode; False if nowhere."""
    operation = board.operations[item]
    ready = ready_after_links(board, item) if board.totals[0].rich else ready_at(board, item)
    best_mode, best_start, best_end, best_at = -1, FAR, FAR, 0
    if ready >= FAR:
        return False
    single = operation.last_mode - operation.first_mode == 1
    for mode in range(operation.first_mode, operation.last_mode):
        if not single and chance(board) < 0.04:
            continue
        start, end, at = gap(board, item, mode, ready, best_end)
        if end >= FAR or end > best_end:
            continue
        if end < best_end or board.modes[mode].minutes < board.modes[best_mode].minutes:
            best_mode, best_start, best_end, best_at = mode, start, end, at
    if best_mode < 0:
        return False
    attach(board, item, best_mode, best_at)
    retime(board, item, best_start, best_end)
    return True


@in_place
def insert_in(board: Board, item: int, mode: int) -> bool:
    """Put the operation into the first gap in this mode; False if there is none."""
    start, end, at = gap(board, item, mode, ready_after_links(board, item), FAR)
    if end >= FAR:
        return False
    attach(board, item, mode, at)
    retime(board, item, start, end)
    return True


@in_place
def hold_after_ruin(board: Board, item: int) -> int:
    """Where moving away from the plan costs, every other operation waits for its planned start."""
    planned = board.operations[item].planned
    if board.totals[0].per_moved > 0 and planned < FAR and chance(board) < 0.5:
        return int(planned)
    return 0


@in_place
def take_out(board: Board) -> None:
    """Take the picked operations out; where setups count, who stood behind is computed again."""
    totals = board.totals[0]
    for k in range(totals.picked - 1, -1, -1):
        item = board.picked[k]
        machine, at = board.operations[item].machine, board.operations[item].at
        detach(board, item)
        retime(board, item, FAR, FAR)
        board.operations[item].hold = hold_after_ruin(board, item)
        if totals.rich:
            continue
        if at >= 0 and board.machines[machine].setup >= 0:
            push_next(board, machine, at)


@in_place
def insert_all(board: Board) -> bool:
    """Place what was picked, in its order; False if something fits nowhere."""
    good = True
    for k in range(board.totals[0].picked):
        good = good and insert_soonest(board, board.picked[k])
    return good


@in_place
def insert_with_holds(board: Board) -> bool:
    """As ``insert_all``, holding back what a longest wait forbids to run so early.

    A predecessor that would end too early gets a ``hold`` and all is placed again; False if that
    does not end well within a few rounds.
    """
    totals = board.totals[0]
    taken = totals.taken
    for _ in range(HOLD_ROUNDS):
        verdict = 0
        for k in range(totals.picked):
            if not insert_soonest(board, board.picked[k]):
                return False
            verdict = hold_back(board, board.picked[k])
            if verdict:
                break
        if verdict == 0:
            for k in range(taken):
                mode = board.taken[k].one
                if not queue_sound(board, board.modes[mode].machine):
                    return False
            return True
        if verdict == 2:
            return False
        for k in range(totals.picked):
            if board.operations[board.picked[k]].end < FAR:
                detach(board, board.picked[k])
                retime(board, board.picked[k], FAR, FAR)
        totals.taken = taken
    return False


@in_place
def recreate(board: Board, room: float) -> bool:
    """One step; taken back, and False, if it costs more than ``room`` more."""
    begin(board)
    if not choose(board):
        return False
    totals = board.totals[0]
    before = price(board)
    line_up(board)
    take_out(board)
    if totals.rich:
        good = insert_with_holds(board)
    else:
        good = insert_all(board) and propagate(board)
    if good:
        reprice(board)
        good = price(board) - before <= room
    if not good:
        undo(board)
    return good


@in_place
def settle(board: Board) -> bool:
    """Start everything as early as the queues allow; where there are pools, all stays."""
    if board.totals[0].rich:
        return True
    begin(board)
    for item in range(len(board.operations)):
        push(board, item, board.operations[item].start)
    good = propagate(board)
    if good:
        reprice(board)
    else:
        undo(board)
    return good
