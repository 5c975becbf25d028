"""Simulated annealing over the queues (Kirkpatrick, Gelatt and Vecchi 1983): the entry points."""

from __future__ import annotations

import math

from aps.solver.kernel.board import Array, Board
from aps.solver.kernel.compiling import in_place
from aps.solver.kernel.moves import below, chance, cumulate, move, pick_critical
from aps.solver.kernel.queues import append
from aps.solver.kernel.recreate import recreate, settle
from aps.solver.kernel.timing import reprice_job

REFRESH = 200
"""Moves between two looks at which jobs are late."""


@in_place
def load(board: Board, order: Array, modes: Array) -> bool:
    """Fill the queues in this order, each operation in its mode; False if work does not fit.

    ``order``: the movable operations, sorted by start; ``modes``: the mode of every operation.
    The figures of the best schedule are forgotten.
    """
    board.machines["count"][:] = 0
    board.totals[0].setup = 0
    for k in range(len(order)):
        append(board, order[k], modes[order[k]])
    good = settle(board)
    if good:
        for number in range(len(board.jobs)):
            reprice_job(board, number)
        keep(board)
    return good


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
    for step in range(moves):
        if step % REFRESH == 0:
            cumulate(board)
        item = pick_critical(board) if chance(board) < 0.6 else below(board, count)
        if item < 0 or board.operations[item].fixed:
            continue
        if move(board, item, -temperature * math.log(1.0 - chance(board))):
            taken += 1
            if better(board):
                keep(board)
    if better(board):
        keep(board)
    return taken


@in_place
def better(board: Board) -> bool:
    """Whether the schedule beats the best, figure by figure."""
    now, best = board.totals[0], board.totals[1]
    if now.conflict != best.conflict:
        return now.conflict < best.conflict
    if now.tardiness != best.tardiness:
        return now.tardiness < best.tardiness
    if now.setup != best.setup:
        return now.setup < best.setup
    return now.flow < best.flow


@in_place
def keep(board: Board) -> None:
    """Remember the schedule as the best."""
    now, best = board.totals[0], board.totals[1]
    best.conflict, best.tardiness = now.conflict, now.tardiness
    best.setup, best.flow = now.setup, now.flow
    for item in range(len(board.operations)):
        operation, kept = board.operations[item], board.best[item]
        kept.one, kept.two, kept.three = operation.mode, operation.start, operation.end
