"""Tabu search for the makespan on the disjunctive graph, compiled."""

from __future__ import annotations

from aps.solver.jit import in_place
from aps.solver.jobshop.graph import (
    BEFORE,
    END,
    JOB_BEFORE,
    MACHINE,
    MODES,
    TIME,
    TOPO,
    Graph,
    load,
    makespan,
    move,
)
from aps.solver.jobshop.memory import (
    AT,
    BEST,
    BEST_STEP,
    COST,
    ENTRIES,
    FALLBACK,
    ON,
    OPERATION,
    ORDER,
    OTHERS,
    PATH,
    PICK,
    SHORTEST,
    STEP,
    TIES,
    TO,
    UNTIL,
    Search,
    draw,
    remember,
)
from aps.solver.jobshop.moves import try_block, try_machines
from aps.solver.jobshop.shop import Ints

FAR = 2**40


@in_place
def begin(g: Graph, s: Search, order: Ints, machine: Ints) -> int:
    """Start a new search from the schedule ``load`` understands; gives its makespan."""
    number = s.number
    number[BEST] = load(g, order, machine)
    number[BEST_STEP] = number[STEP]
    for v in range(len(order)):
        s.best[ORDER, v], s.best[ON, v] = order[v], machine[v]
        for k in range(len(g.size)):
            s.barred[v, k] = 0
    for k in range(len(g.size)):
        for entry in range(ENTRIES):
            s.past[k, entry, UNTIL] = 0
    return int(number[BEST])


@in_place
def critical_path(g: Graph, s: Search) -> int:
    """Write one critical path, drawn at random where they fork, into ``work``; where it starts.

    It stands at the end of the row, first operation first.
    """
    node = g.node
    n = node.shape[1] - 1
    longest, ties, v = -1, 0, n
    for last in g.last:
        if node[END, last] > longest:
            longest, ties, v = node[END, last], 1, last
        elif node[END, last] == longest:
            ties += 1
            if draw(s, ties) == 0:
                v = last
    start = n
    while v != n:
        start -= 1
        s.work[PATH, start] = v
        head = node[END, v] - node[TIME, v]
        if head == 0:
            break
        a, b = node[JOB_BEFORE, v], node[BEFORE, v]
        if node[END, a] != head or (node[END, b] == head and draw(s, 2) == 0):
            v = b
        else:
            v = a
    return int(start)


@in_place
def look(g: Graph, s: Search, flexible: bool) -> bool:
    """Choose the next move; False where there is none."""
    number, path = s.number, s.work
    number[PICK + COST] = FAR
    number[PICK + TIES] = 0
    number[PICK + OTHERS] = 0
    n = g.node.shape[1] - 1
    start = critical_path(g, s)
    first = start
    for i in range(start + 1, n + 1):
        if i < n and g.node[BEFORE, path[PATH, i]] == path[PATH, i - 1]:
            continue
        if i - first > 1:
            try_block(g, s, path[PATH, first], path[PATH, i - 1], first == start, i == n)
        first = i
    if flexible:
        for i in range(start, n):
            v = path[PATH, i]
            if g.node[MODES, v + 1] - g.node[MODES, v] > 1:
                try_machines(g, s, v)
    if number[PICK + COST] == FAR:
        if number[PICK + OTHERS] == 0:
            return False
        for i in range(TIES):
            number[PICK + i] = number[FALLBACK + i]
    return True


@in_place
def search(g: Graph, s: Search, steps: int, patience: int, target: int, flexible: bool) -> bool:
    """Up to ``steps`` moves; True when it is over: ``target`` reached or stuck.

    Over, too, once ``patience`` moves brought nothing better.
    """
    number = s.number
    for _ in range(steps):
        if number[BEST] <= target or number[STEP] - number[BEST_STEP] >= patience:
            return True
        if not look(g, s, flexible):
            return True
        v, machine = number[PICK + OPERATION], number[PICK + TO]
        remember(g, s)
        if not move(g, v, machine, number[PICK + AT]):
            s.barred[v, machine] = number[STEP] + number[SHORTEST]
        number[STEP] += 1
        now = makespan(g)
        if now < number[BEST]:
            number[BEST] = now
            number[BEST_STEP] = number[STEP]
            for v in range(g.node.shape[1] - 1):
                s.best[ORDER, v], s.best[ON, v] = g.node[TOPO, v], g.node[MACHINE, v]
    return False
