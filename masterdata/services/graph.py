"""Cycles in the graph of items and their components. Pure."""

from collections.abc import Mapping, Set

Edges = Mapping[int, Set[int]]


def components(edges: Edges) -> dict[int, int]:
    """A number per node; nodes with the same number reach one another.

    Tarjan, Depth-first search and linear graph algorithms (1972), without recursion.
    """
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    waiting: list[int] = []
    found: dict[int, int] = {}
    for root in edges:
        work = [(root, iter(edges.get(root, ())))] if root not in index else []
        if work:
            index[root] = low[root] = len(index)
            waiting.append(root)
        while work:
            node, below = work[-1]
            child = next((c for c in below if c not in found), None)
            if child is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    _close(node, waiting, found)
            elif child in index:
                low[node] = min(low[node], index[child])
            else:
                index[child] = low[child] = len(index)
                waiting.append(child)
                work.append((child, iter(edges.get(child, ()))))
    return found


def _close(node: int, waiting: list[int], found: dict[int, int]) -> None:
    while True:
        member = waiting.pop()
        found[member] = node
        if member == node:
            return


def chain(edges: Edges, start: int, target: int) -> list[int] | None:
    """The shortest way down from ``start`` to ``target``, both included; None without one."""
    came_from: dict[int, int | None] = {start: None}
    level = [start]
    while level:
        if target in came_from:
            way = [target]
            while (before := came_from[way[-1]]) is not None:
                way.append(before)
            return way[::-1]
        following = []
        for node in level:
            for child in sorted(edges.get(node, ())):
                if child not in came_from:
                    came_from[child] = node
                    following.append(child)
        level = following
    return None
