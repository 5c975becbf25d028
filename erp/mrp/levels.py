"""Low-level codes: the order in which items are planned."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Mapping


def low_level_codes(below: Mapping[int, Iterable[int]]) -> dict[int, int]:
    """The deepest level of each item, 0 at the top; raise ValueError for an item within itself."""
    levels = dict.fromkeys(below, 0)
    waiting: dict[int, int] = defaultdict(int)
    for children in below.values():
        for child in children:
            waiting[child] += 1
            levels.setdefault(child, 0)
    ready = sorted(pk for pk in levels if not waiting[pk])
    seen = 0
    while ready:
        parent = ready.pop(0)
        seen += 1
        for child in below.get(parent, ()):
            levels[child] = max(levels[child], levels[parent] + 1)
            waiting[child] -= 1
            if not waiting[child]:
                insort(ready, child)
    if seen != len(levels):
        raise ValueError("an item contains itself")
    return levels
