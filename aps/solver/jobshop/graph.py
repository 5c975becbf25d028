"""The disjunctive graph of one schedule in compiled code: load it, move an operation, measure.

Operation n (the number of operations) is a dummy that takes no time and stands for "none" as a
predecessor or successor, so that the inner loops need no branches. ``TOPO`` lists the operations
in an order that respects both routes and machine sequences; a move repairs it locally and only
the heads behind and the tails before the repaired part are counted again. Few arrays with named
rows instead of many arrays: numba compiles that three times faster.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aps.solver.jit import in_place
from aps.solver.jobshop.shop import Ints, Shop

JOB_BEFORE, JOB_AFTER = 0, 1  # neighbours on the route
MODES = 2  # the operation's modes are MODES of v to MODES of v + 1 (column n closes the last)
MACHINE, TIME = 3, 4  # where it runs and how long it takes there
PLACE, BEFORE, AFTER = 5, 6, 7  # position in the machine's sequence and neighbours there
END, TAIL = 8, 9  # earliest end; time from its start to the end of the schedule, at least
TOPO, RANK = 10, 11  # the order described above, and the place of each operation in it
MARK, SPARE = 12, 13  # scratch; MARK is all 0 between calls
NODE_ROWS = 14


class Graph(NamedTuple):
    """A shop and a schedule of it. n operations, m machines."""

    node: Ints  # NODE_ROWS x (n + 1), the rows above
    row: Ints  # m x n: the operations of each machine in sequence
    size: Ints  # m: how many there are
    mode: Ints  # 2 x modes: machine and time
    last: Ints  # the last operation of each job


def make_graph(shop: Shop) -> Graph:
    """A graph of ``shop`` without a schedule yet."""
    n, m = shop.operations, shop.machines
    node = np.zeros((NODE_ROWS, n + 1), np.int32)
    node[JOB_BEFORE] = np.arange(-1, n)
    node[JOB_AFTER] = np.arange(1, n + 2)
    node[MODES] = shop.mode_start
    filled = shop.job_start[1:] > shop.job_start[:-1]
    first, last = shop.job_start[:-1][filled], shop.job_start[1:][filled] - 1
    node[JOB_BEFORE, first] = n
    node[JOB_AFTER, last] = n
    node[JOB_BEFORE, n] = node[JOB_AFTER, n] = n
    mode = np.ascontiguousarray(np.stack([shop.mode_machine, shop.mode_time]))
    return Graph(node, np.zeros((m, n), np.int32), np.zeros(m, np.int32), mode, last)


@in_place
def load(g: Graph, order: Ints, machine: Ints) -> int:
    """Take the schedule that runs operations in ``order`` on ``machine``; gives its makespan.

    ``order`` (n) respects the routes; ``machine`` (n).
    """
    n = len(order)
    node = g.node
    for k in range(len(g.size)):
        g.size[k] = 0
    for i in range(n):
        v = order[i]
        k = machine[v]
        at = g.size[k]
        before = g.row[k, at - 1] if at > 0 else n
        node[TOPO, i], node[RANK, v] = v, i
        node[MACHINE, v], node[TIME, v] = k, time_on(g, v, k)
        node[PLACE, v], node[BEFORE, v], node[AFTER, v] = at, before, n
        node[AFTER, before] = v
        g.row[k, at] = v
        g.size[k] = at + 1
    node[BEFORE, n] = node[AFTER, n] = n
    measure(node, 0, n - 1)
    return makespan(g)


@in_place
def time_on(g: Graph, v: int, machine: int) -> int:
    """How long ``v`` takes on ``machine``; -1 where it may not run."""
    for k in range(g.node[MODES, v], g.node[MODES, v + 1]):
        if g.mode[0, k] == machine:
            return int(g.mode[1, k])
    return -1


@in_place
def measure(node: NDArray[np.int32], low: int, high: int) -> None:
    """Count the ends again from place ``low`` of ``TOPO`` on, the tails from ``high`` down."""
    for i in range(low, node.shape[1] - 1):
        v = node[TOPO, i]
        head = max(node[END, node[JOB_BEFORE, v]], node[END, node[BEFORE, v]])
        node[END, v] = node[TIME, v] + head
    for i in range(high, -1, -1):
        v = node[TOPO, i]
        rest = max(node[TAIL, node[JOB_AFTER, v]], node[TAIL, node[AFTER, v]])
        node[TAIL, v] = node[TIME, v] + rest


@in_place
def makespan(g: Graph) -> int:
    """The last end."""
    longest = 0
    for v in g.last:
        longest = max(longest, g.node[END, v])
    return longest


@in_place
def relink(g: Graph, v: int, machine: int, at: int) -> None:
    """Take ``v`` out of its machine's row and put it into another's (or its own) at ``at``.

    ``at`` counts in the row without ``v``. Links, rows and places follow; times and ends do not.
    """
    node, n = g.node, g.node.shape[1] - 1
    old = node[MACHINE, v]
    before, after = node[BEFORE, v], node[AFTER, v]
    node[AFTER, before], node[BEFORE, after] = after, before
    g.size[old] -= 1
    for i in range(node[PLACE, v], g.size[old]):
        w = g.row[old, i + 1]
        g.row[old, i] = w
        node[PLACE, w] = i
    for i in range(g.size[machine], at, -1):
        w = g.row[machine, i - 1]
        g.row[machine, i] = w
        node[PLACE, w] = i
    g.size[machine] += 1
    g.row[machine, at] = v
    before = g.row[machine, at - 1] if at > 0 else n
    after = g.row[machine, at + 1] if at + 1 < g.size[machine] else n
    node[MACHINE, v], node[PLACE, v] = machine, at
    node[BEFORE, v], node[AFTER, v] = before, after
    node[AFTER, before], node[BEFORE, after] = v, v
    node[BEFORE, n] = node[AFTER, n] = n


@in_place
def move(g: Graph, v: int, machine: int, at: int) -> bool:
    """Move ``v`` to place ``at`` of ``machine`` and measure again.

    ``at`` counts in the row without ``v``. Gives False, and leaves the schedule as it was, where
    the move would close a cycle.
    """
    node, n = g.node, g.node.shape[1] - 1
    old_machine, old_at = node[MACHINE, v], node[PLACE, v]
    relink(g, v, machine, at)
    low = high = node[RANK, v]
    before, after = node[BEFORE, v], node[AFTER, v]
    fits = True
    if before < n and node[RANK, before] > high:
        high = node[RANK, before]
        fits = push(node, v, high, 1)
    elif after < n and node[RANK, after] < low:
        low = node[RANK, after]
        fits = push(node, v, low, -1)
    if not fits:
        relink(g, v, old_machine, old_at)
        return False
    if machine != old_machine:
        node[TIME, v] = time_on(g, v, machine)
    measure(node, low, high)
    return True


@in_place
def push(node: NDArray[np.int32], v: int, goal: int, step: int) -> bool:
    """Repair ``TOPO`` where ``v`` must now stand beyond the operation at place ``goal``.

    ``step`` 1: behind it, and what follows ``v`` up to there moves along, in its old order. -1:
    before it, and what precedes ``v`` moves along. False where that holds for the operation at
    ``goal`` itself: a cycle, and nothing is changed.
    """
    route, line = (JOB_BEFORE, BEFORE) if step == 1 else (JOB_AFTER, AFTER)
    start, moved = node[RANK, v], 1
    node[MARK, v], node[SPARE, 0] = 1, v
    for i in range(start + step, goal + step, step):
        w = node[TOPO, i]
        if node[MARK, node[route, w]] | node[MARK, node[line, w]]:
            node[MARK, w], node[SPARE, moved] = 1, w
            moved += 1
    fits = bool(node[MARK, node[TOPO, goal]] == 0)
    kept = start
    for i in range(start + step, goal + step, step):
        w = node[TOPO, i]
        if fits and node[MARK, w] == 0:
            node[TOPO, kept], node[RANK, w] = w, kept
            kept += step
    for i in range(moved):
        w = node[SPARE, i]
        node[MARK, w] = 0
        if fits:
            node[TOPO, kept + i * step], node[RANK, w] = w, kept + i * step
    return fits
