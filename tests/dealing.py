"""In which order the tests run, and so in which process.

pytest-xdist (``--dist worksteal``) gives each process an equal slice of the list, and who is done
takes from the end of another's. So slices begin with the long tests: the first with the stories
with real processes, a file whole because its tests share them, the others with what is marked slow.
"""

from __future__ import annotations

from collections import defaultdict

import pytest


def dealt(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """The items in slices for so many processes, the long ones of each first.

    One process has all stories: two chains of web server, worker and dispatcher at once on two
    cores wait for each other longer than their tests do.
    """
    stories: dict[str, list[pytest.Item]] = defaultdict(list)
    slow: list[pytest.Item] = []
    rest: list[pytest.Item] = []
    for item in items:
        if item.get_closest_marker("worker"):
            stories[item.nodeid.partition("::")[0]].append(item)
        else:
            (slow if item.get_closest_marker("slow") else rest).append(item)
    hands: list[list[pytest.Item]] = [[] for _ in range(processes)]
    hands[0] = [item for tests in stories.values() for item in tests]
    others = hands[1:] or hands
    for number, item in enumerate(slow):
        others[number % len(others)].append(item)
    return _filled(hands, rest, len(items))


def _filled(
    hands: list[list[pytest.Item]], rest: list[pytest.Item], total: int
) -> list[pytest.Item]:
    """Each hand filled up with short tests to the slice that its process will be given."""
    found: list[pytest.Item] = []
    for number, hand in enumerate(hands):
        size = (total - len(found)) // (len(hands) - number)
        wanted = max(0, size - len(hand))
        found += [*hand, *rest[:wanted]]
        rest = rest[wanted:]
    return [*found, *rest]
