"""What a tabu search remembers, in compiled code: its best schedule, its choice, what is tabu.

After a move on one machine, the part of the sequence it changed must not come back at the same
places for a while (Zhang, Li, Guan and Rao 2007); after a move to another machine, the operation
must not go back to the one it left (Mastrolilli and Gambardella 2000).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aps.solver.jit import in_place
from aps.solver.jobshop.graph import MACHINE, PLACE, Graph
from aps.solver.jobshop.shop import Ints, Shop

NOW, PICK, FALLBACK = 0, 8, 16  # parts of ``number``
STEP, BEST, BEST_STEP, CHANCE, SHORTEST, SPAN = range(6)  # in NOW
COST, OPERATION, TO, AT, TIES, OTHERS = range(6)  # in PICK and FALLBACK
PATH, ENDS = 0, 1  # rows of ``work``
ORDER, ON = 0, 1  # rows of ``best``
UNTIL, LOW, LENGTH, CONTENT = range(4)  # of an entry of ``past``
ENTRIES = 32  # parts remembered per machine
NARROW, WIDE = 0.4, 2.0  # SPAN over SHORTEST
LONGEST_PART = 1000  # longer ones are not remembered


class Search(NamedTuple):
    """n operations, m machines.

    ``number``: NOW holds steps done, the shortest makespan and the step it was found at, the state
    of the random numbers, and how long a move is tabu (shortest and span). PICK and FALLBACK hold
    a move: estimated makespan, operation, to which machine and place; then how many were as good
    and how many were tabu.
    """

    number: NDArray[np.int64]
    work: Ints  # 2 x (n + 1): a critical path, at the end of the row; scratch
    past: Ints  # m x (ENTRIES + 1) x ...: parts that must not come back; last: the next entry
    barred: Ints  # n x m: before this step the operation must not go to the machine
    best: Ints  # 2 x n: the best schedule, its order and its machines


def make_search(shop: Shop, seed: int) -> Search:
    """An empty memory; ``seed`` (0 to 2**31) decides every random choice that follows."""
    n, m = shop.operations, shop.machines
    number = np.zeros(24, np.int64)
    shortest = 10 + shop.jobs // m
    number[CHANCE] = np.random.default_rng(seed).integers(1, 2**62)
    number[SHORTEST], number[SPAN] = shortest, int(NARROW * shortest)
    longest = min(LONGEST_PART, int(np.bincount(shop.mode_machine).max()))
    return Search(
        number,
        np.zeros((2, n + 1), np.int32),
        np.zeros((m, ENTRIES + 1, CONTENT + longest), np.int32),
        np.zeros((n, m), np.int32),
        np.zeros((2, n), np.int32),
    )


def vary(s: Search, *, wide: bool) -> None:
    """How long moves are tabu: as Zhang et al. have it, or up to twice as long.

    Measured in flexible shops: mk07 ends at 139 (best known) for four seeds of four with the wide
    span and for one with the narrow; mk06 at 57 (best known) with the narrow, at 58 with the wide.
    """
    s.number[SPAN] = int((WIDE if wide else NARROW) * s.number[SHORTEST])


@in_place
def draw(s: Search, below: int) -> int:
    """A random number from 0 to ``below`` - 1 (Marsaglia's xorshift)."""
    x = s.number[CHANCE]
    x ^= x << 13
    x ^= (x >> 7) & 0x1FFFFFFFFFFFFFF
    x ^= x << 17
    s.number[CHANCE] = x
    return int(((x >> 20) & 0x7FFFFFFF) % below)


@in_place
def offer(s: Search, cost: int, tabu: bool, v: int, machine: int, at: int) -> None:
    """Keep the move where it is the best so far; among equals and among tabu ones draw lots."""
    number = s.number
    best = PICK
    if tabu and cost >= number[BEST]:
        best = FALLBACK
        number[PICK + OTHERS] += 1
        if draw(s, number[PICK + OTHERS]) != 0:
            return
    elif cost > number[PICK + COST]:
        return
    elif cost == number[PICK + COST]:
        number[PICK + TIES] += 1
        if draw(s, number[PICK + TIES]) != 0:
            return
    else:
        number[PICK + TIES] = 1
    number[best + COST] = cost
    number[best + OPERATION] = v
    number[best + TO] = machine
    number[best + AT] = at


@in_place
def is_seen(g: Graph, s: Search, machine: int, low: int, high: int, step: int) -> bool:
    """Whether a tabu part comes back where the operation at ``low`` goes behind ``high``.

    ``step`` -1: where the one at ``high`` goes before ``low``.
    """
    past, row = s.past, g.row
    goes, to = (row[machine, low], high) if step == 1 else (row[machine, high], low)
    for entry in range(ENTRIES):
        if past[machine, entry, UNTIL] <= s.number[STEP]:
            continue
        first, length = past[machine, entry, LOW], past[machine, entry, LENGTH]
        if first > high or first + length <= low:
            continue
        same = True
        for i in range(first, min(first + length, g.size[machine])):
            if i == to:
                w = goes
            elif low <= i <= high:
                w = row[machine, i + step]
            else:
                w = row[machine, i]
            if w != past[machine, entry, CONTENT + i - first]:
                same = False
                break
        if same:
            return True
    return False


@in_place
def remember(g: Graph, s: Search) -> None:
    """Make tabu, before the chosen move is made, what it undoes."""
    number = s.number
    v, machine = number[PICK + OPERATION], number[PICK + TO]
    until = number[STEP] + number[SHORTEST] + draw(s, number[SPAN])
    old = g.node[MACHINE, v]
    if machine != old:
        s.barred[v, old] = until
        return
    low = min(g.node[PLACE, v], number[PICK + AT])
    high = max(g.node[PLACE, v], number[PICK + AT])
    if high - low >= s.past.shape[2] - CONTENT:
        return
    entry = s.past[machine, ENTRIES, 0]
    s.past[machine, ENTRIES, 0] = (entry + 1) % ENTRIES
    s.past[machine, entry, UNTIL] = until
    s.past[machine, entry, LOW] = low
    s.past[machine, entry, LENGTH] = high - low + 1
    for i in range(low, high + 1):
        s.past[machine, entry, CONTENT + i - low] = g.row[machine, i]
