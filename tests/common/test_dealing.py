"""The long tests are dealt to the processes of a parallel run, so that nobody waits at the end."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.dealing import dealt


def item(file: str, name: int, *marks: str) -> Any:
    return SimpleNamespace(
        nodeid=f"{file}::test_{name}", get_closest_marker=lambda mark: mark in marks or None
    )


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
def test_one_slice_begins_with_the_stories_and_the_others_with_what_is_slow(
    processes: int,
) -> None:
    short = [item("short.py", n) for n in range(100)]
    slow = [item("slow.py", n, "slow") for n in range(5)]
    stories = [item(f"story{n % 5}.py", n, "worker", "slow") for n in range(11)]
    found = dealt([*short, *slow, *stories], processes)
    assert sorted(row.nodeid for row in found) == sorted(
        row.nodeid for row in [*short, *slow, *stories]
    )
    begin, files = 0, []
    for number in range(processes):
        size = (len(found) - begin) // (processes - number)
        names = [row.nodeid.partition(".")[0] for row in found[begin : begin + size]]
        told = [name for name in names if name.startswith("story")]
        late = [name for name in names if name == "slow"]
        assert names == [*told, *late, *["short"] * (size - len(told) - len(late))]
        assert len(told) == (0 if number else 11)
        files += [name for place, name in enumerate(told) if told[place - 1 : place] != [name]]
        begin += size
    # A file's tests share its processes: they stay together.
    assert len(files) == 5
