"""Moves on a critical path and what they are worth, in compiled code.

In a block (critical operations that follow each other on one machine) an operation moves behind
the last or before the first (N6: Balas and Vazacopoulos 1998), or the first or last moves inside
(N7: Zhang, Li, Guan and Rao 2007). In flexible shops a critical operation also moves to another
machine, to any position that closes no cycle (Mastrolilli and Gambardella 2000). The makespan
after a move is estimated from heads and tails along the moved part alone, after Balas and
Vazacopoulos; the conditions under which a move closes no cycle are sufficient, not necessary.
"""

from __future__ import annotations

from aps.solver.jit import in_place
from aps.solver.jobshop.graph import (
    AFTER,
    BEFORE,
    END,
    JOB_AFTER,
    JOB_BEFORE,
    MACHINE,
    MODES,
    PLACE,
    TAIL,
    TIME,
    Graph,
)
from aps.solver.jobshop.memory import (
    COST,
    ENDS,
    NOW,
    PICK,
    STEP,
    Search,
    is_seen,
    offer,
)


@in_place
def try_behind(g: Graph, s: Search, machine: int, low: int, high: int) -> None:
    """Offer to move the operation at place ``low`` right behind the one at ``high``."""
    node, row, ends = g.node, g.row, s.work
    u, v = row[machine, low], row[machine, high]
    after = node[JOB_AFTER, u]
    if node[TAIL, v] < node[TAIL, after] or after == v:
        return  # v may wait, over the routes, for u
    end = node[END, node[BEFORE, u]]
    for i in range(low + 1, high + 1):
        w = row[machine, i]
        end = max(end, node[END, node[JOB_BEFORE, w]]) + node[TIME, w]
        ends[ENDS, i] = end
    tail = max(node[TAIL, after], node[TAIL, node[AFTER, v]])
    cost = max(end, node[END, node[JOB_BEFORE, u]]) + node[TIME, u] + tail
    tail += node[TIME, u]
    for i in range(high, low, -1):
        w = row[machine, i]
        tail = max(tail, node[TAIL, node[JOB_AFTER, w]])
        cost = max(cost, ends[ENDS, i] + tail)
        tail += node[TIME, w]
    offer(s, cost, is_seen(g, s, machine, low, high, 1), u, machine, high)


@in_place
def try_before(g: Graph, s: Search, machine: int, low: int, high: int) -> None:
    """Offer to move the operation at place ``high`` right before the one at ``low``."""
    node, row, ends = g.node, g.row, s.work
    u, v = row[machine, low], row[machine, high]
    before = node[JOB_BEFORE, v]
    if node[END, u] < node[END, before] or before == u:
        return
    head = max(node[END, before], node[END, node[BEFORE, u]]) + node[TIME, v]
    end = head
    for i in range(low, high):
        w = row[machine, i]
        end = max(end, node[END, node[JOB_BEFORE, w]]) + node[TIME, w]
        ends[ENDS, i] = end
    tail = node[TAIL, node[AFTER, v]]
    cost = 0
    for i in range(high - 1, low - 1, -1):
        w = row[machine, i]
        tail = max(tail, node[TAIL, node[JOB_AFTER, w]])
        cost = max(cost, ends[ENDS, i] + tail)
        tail += node[TIME, w]
    cost = max(cost, head + max(tail, node[TAIL, node[JOB_AFTER, v]]))
    offer(s, cost, is_seen(g, s, machine, low, high, -1), v, machine, low)


@in_place
def try_block(g: Graph, s: Search, first: int, last: int, starts: bool, stops: bool) -> None:
    """Offer the moves of the block from operation ``first`` to ``last``.

    Where the path ``starts`` or ``stops`` with the block, moves to that side cannot shorten it
    and are left out.
    """
    machine = g.node[MACHINE, first]
    low, high = g.node[PLACE, first], g.node[PLACE, last]
    for i in range(low, high):  # to the end; a block of two has this one move
        if not stops or high == low + 1:
            try_behind(g, s, machine, i, high)
    for i in range(low + 1, high + 1):  # to the front
        if not starts and high > low + 1:
            try_before(g, s, machine, low, i)
    for i in range(low + 2 - starts, high):  # the first inside
        try_behind(g, s, machine, low, i)
    for i in range(low + 1, high - 1 + stops):  # the last inside
        try_before(g, s, machine, i, high)


@in_place
def try_machines(g: Graph, s: Search, v: int) -> None:
    """Offer every place on other machines where ``v`` closes no cycle."""
    node = g.node
    before, after = node[JOB_BEFORE, v], node[JOB_AFTER, v]
    head, tail = node[END, before], node[TAIL, after]
    no_earlier, no_later = head - node[TIME, before], tail - node[TIME, after]
    for k in range(node[MODES, v], node[MODES, v + 1]):
        machine, time = g.mode[0, k], g.mode[1, k]
        if machine == node[MACHINE, v] or head + time + tail > s.number[PICK + COST]:
            continue
        tabu = s.barred[v, machine] > s.number[NOW + STEP]
        size = g.size[machine]
        at, end = 0, 0
        while at < size:  # what v waits for stays before it
            w = g.row[machine, at]
            if node[END, w] > no_earlier and w != before:
                break
            end = node[END, w]
            at += 1
        while True:
            w = g.row[machine, at] if at < size else -1
            rest = node[TAIL, w]  # -1 is the dummy, which has none
            offer(s, max(head, end) + time + max(tail, rest), tabu, v, machine, at)
            if at == size or rest <= no_later or w == after:
                break
            end = node[END, w]
            at += 1
