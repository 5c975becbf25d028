"""In which order the tests run, and so in which process.

pytest-xdist (``--dist worksteal``) gives each process an equal slice of the list, and who is done
takes from the end of another's. So each slice begins with its share of the long tests: the stories
with real processes, a file whole because its tests share them, then whatever is marked slow.
"""

from __future__ import annotations

from collections import defaultdict

import pytest


def dealt(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """The items in slices for so many processes, the long ones of each first."""
    stories: dict[str, list[pytest.Item]] = defaultdict(list)
    slow: list[pytest.Item] = []
    rest: list[pytest.Item] = []
    for item in items:
        if item.get_closest_marker("worker"):
            stories[item.nodeid.partition("::")[0]].append(item)
        else:
            (slow if item.get_closest_marker("slow") else rest).append(item)
    hands: list[list[pytest.Item]] = [[] for _ in range(processes)]
    # The longest file first, always to whom has least; a file's length is the number of its tests.
    for _name, tests in sorted(stories.items(), key=lambda found: (-len(found[1]), found[0])):
        min(hands, key=len).extend(tests)
    for number, item in enumerate(slow):
        hands[number % processes].append(item)
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
