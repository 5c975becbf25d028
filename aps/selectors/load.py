"""How much of its machine's working time an operation takes: the one arithmetic of load.

Board, capacity and comparison of plans count by it. A changeover takes the machine as well, right
before the operation that it is made for; minutes are whole ones since 1970.
"""

from common.intervals import Interval, WorkingTime


def taken(begins: int, ends: int, changeover: int, *, until: int) -> Interval | None:
    """The clock time that an operation takes of its machine; None where it begins after ``until``.

    What begins after a window is not in it, and neither is the changeover made for it.
    """
    return None if begins >= until else Interval(begins - changeover, max(begins, ends))


def loaded(times: WorkingTime, span: Interval | None, since: int, until: int) -> int:
    """Working minutes of [since, until) that are taken."""
    return 0 if span is None else times.worked(max(since, span.start), min(until, span.end))
