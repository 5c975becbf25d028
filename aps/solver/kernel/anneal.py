"""Simulated annealing over the queues (Kirkpatrick, Gelatt and Vecchi 1983): the entry points."""

from __future__ import annotations

import math

from aps.solver.jit import in_place
from aps.solver.kernel.board import Board
from aps.solver.kernel.layout import FAR, Array
from aps.solver.kernel.moves import (
    below,
    chance,
    cumulate,
    move,
    pick_critical,
    price,
    shift,
)
from aps.solver.kernel.queues import append, differs
from aps.solver.kernel.recreate import insert_in, recreate, settle
from aps.solver.kernel.shared import book, hold_back
from aps.solver.kernel.timing import begin, reprice_job

REFRESH = 200
"""Moves between two looks at which jobs are late."""

WAIT_SHARE = 0.3
"""Share of moves that only let an operation wait, where being early or moving costs."""

DECODE_ROUNDS = 2000
"""Tries to keep the longest waits of a whole schedule; each holds one more operation back."""


@in_place
def load(board: Board, order: Array, modes: Array) -> bool:
    """Fill the queues in this order, each operation in its mode; False if work does not fit.

    ``order``: the movable operations, sorted by start; ``modes``: the mode of every operation.
    The figures of the best schedule are forgotten.
    """
    totals = board.totals[0]
    board.machines["count"][:] = 0
    totals.setup = 0
    if totals.rich:
        good = decode(board, order, modes)
    else:
        for k in range(len(order)):
            append(board, order[k], modes[order[k]])
        good = settle(board)
    if good:
        begin(board)
        for number in range(len(board.jobs)):
            reprice_job(board, number)
        totals.moved = totals.changed = 0
        for k in range(len(order)):
            operation = board.operations[order[k]]
            if operation.planned < FAR:
                totals.moved += abs(operation.start - operation.planned)
                totals.changed += differs(board, order[k])
        keep(board)
    return good


@in_place
def decode(board: Board, order: Array, modes: Array) -> bool:
    """Place all operations one by one in this order, pools and waits included (``shared``)."""
    totals = board.totals[0]
    begin(board)
    totals.picked = len(order)
    for k in range(len(order)):
        operation = board.operations[order[k]]
        operation.picked, operation.hold = totals.stamp, 0
    for _ in range(DECODE_ROUNDS):
        clear(board)
        verdict = 0
        for k in range(len(order)):
            if not insert_in(board, order[k], modes[order[k]]):
                return False
            verdict = hold_back(board, order[k])
            if verdict == 1:
                break
        if verdict != 1:
            return True
    return False


@in_place
def clear(board: Board) -> None:
    """Empty queues and pools, but for what is fixed."""
    board.machines["count"][:] = 0
    board.pools["count"][:] = 0
    board.totals[0].setup = 0
    for item in range(len(board.operations)):
        operation = board.operations[item]
        operation.at = -1
        if operation.fixed:
            book(board, item)
        else:
            operation.start = operation.end = FAR


@in_place
def search(board: Board, ruins: int, moves: int, temperature: float) -> int:
    """So many steps of both kinds at one temperature; how many were taken."""
    taken = 0
    for step in range(ruins):
        if step % REFRESH == 0:
            cumulate(board)
        if recreate(board, -temperature * math.log(1.0 - chance(board))):
            taken += 1
            if better(board):
                keep(board)
    settle(board)
    count = len(board.operations)
    paid = board.totals[0]
    waits = paid.per_early > 0 or paid.per_moved > 0
    for step in range(moves):
        if step % REFRESH == 0:
            cumulate(board)
        item = pick_critical(board) if chance(board) < 0.6 else below(board, count)
        if item < 0 or board.operations[item].fixed:
            continue
        room = -temperature * math.log(1.0 - chance(board))
        if waits and chance(board) < WAIT_SHARE:
            good = shift(board, item, room)
        else:
            good = move(board, item, room)
        if good:
            taken += 1
            if better(board):
                keep(board)
    if better(board):
        keep(board)
    return taken


@in_place
def better(board: Board) -> bool:
    """Whether the schedule beats the best: figure by figure, or by its price."""
    now, best = board.totals[0], board.totals[1]
    if now.conflict != best.conflict:
        return bool(now.conflict < best.conflict)
    if not now.in_order:
        return bool(price(board) < best.paid)
    if now.tardiness != best.tardiness:
        return bool(now.tardiness < best.tardiness)
    strayed = now.moved * now.per_moved + now.changed * now.per_changed
    kept = best.moved * now.per_moved + best.changed * now.per_changed
    if strayed != kept:
        return bool(strayed < kept)
    if now.setup != best.setup:
        return bool(now.setup < best.setup)
    return bool(now.flow < best.flow)


@in_place
def keep(board: Board) -> None:
    """Remember the schedule as the best."""
    now, best = board.totals[0], board.totals[1]
    best.conflict, best.tardiness = now.conflict, now.tardiness
    best.setup, best.flow = now.setup, now.flow
    best.moved, best.changed, best.paid = now.moved, now.changed, price(board)
    for item in range(len(board.operations)):
        operation, kept = board.operations[item], board.best[item]
        kept.one, kept.two, kept.three = operation.mode, operation.start, operation.end
