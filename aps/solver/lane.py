"""One machine's row of busy time, and the search for a gap in it, forwards and backwards.

A resource of capacity k is k lanes: any set of intervals of which at most k overlap fits on k
rows (interval graphs are perfect: Golumbic, Algorithmic Graph Theory, ch. 8).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

from common.intervals import WorkingTime

Matrix = Mapping[str, Mapping[str, int]]


class Lane:
    """Sorted disjoint busy intervals. Without setups, neighbours that touch become one."""

    __slots__ = ("ends", "families", "matrix", "starts", "working_time")

    def __init__(self, working_time: WorkingTime, matrix: Matrix | None = None) -> None:
        self.working_time = working_time
        self.matrix = matrix
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.families: list[str] = []

    def copy(self) -> Lane:
        """An independent copy; costs microseconds for thousands of intervals."""
        twin = Lane(self.working_time, self.matrix)
        twin.starts, twin.ends = self.starts.copy(), self.ends.copy()
        twin.families = self.families.copy()
        return twin

    def setup(self, before: str, after: str) -> int:
        """Clock minutes between the two families."""
        return self.matrix.get(before, {}).get(after, 0) if self.matrix else 0

    def earliest(
        self, moment: int, minutes: int, interruptible: bool, family: str
    ) -> tuple[int, int]:
        """Earliest (start, end) from ``moment`` in a gap; raises ``CalendarExhausted``."""
        place, starts, ends = self.working_time.place, self.starts, self.ends
        if not minutes:
            return place(moment, 0)
        at = bisect_right(ends, moment)
        if self.matrix is not None:
            return self._earliest_with_setup(at, moment, minutes, interruptible, family)
        count = len(starts)
        while True:
            if at < count and starts[at] - moment < minutes:
                moment = max(moment, ends[at])
                at += 1
                continue
            start, end = place(moment, minutes, interruptible)
            if at == count or end <= starts[at]:
                return start, end
            while at < count and starts[at] < start + minutes:
                at += 1
            if at and ends[at - 1] > start:
                moment = ends[at - 1]
            elif at < count and end > starts[at]:
                moment = ends[at]
                at += 1

    def _earliest_with_setup(
        self, at: int, moment: int, minutes: int, interruptible: bool, family: str
    ) -> tuple[int, int]:
        place, starts, ends, families = (
            self.working_time.place,
            self.starts,
            self.ends,
            self.families,
        )
        count = len(starts)
        while True:
            free_from = max(moment, ends[at - 1]) if at else moment
            while at < count and starts[at] - free_from < minutes:  # too small, setup or not
                free_from = max(moment, ends[at])
                at += 1
            if at:
                free_from = max(moment, ends[at - 1] + self.setup(families[at - 1], family))
            start, end = place(free_from, minutes, interruptible)
            if at == count or end + self.setup(family, families[at]) <= starts[at]:
                return start, end
            at += 1

    def latest(
        self, moment: int, minutes: int, interruptible: bool, family: str
    ) -> tuple[int, int]:
        """Latest (start, end) with end <= ``moment`` in a gap; raises ``CalendarExhausted``."""
        starts, ends, families = self.starts, self.ends, self.families
        place_before = self.working_time.place_before
        if not minutes:
            return place_before(moment, 0)
        at = bisect_left(starts, moment) - 1  # the last interval that begins before the moment
        while True:
            if at + 1 < len(starts):
                moment = min(moment, starts[at + 1] - self.setup(family, families[at + 1]))
            if at >= 0 and moment - ends[at] < minutes:
                at -= 1
                continue
            start, end = place_before(moment, minutes, interruptible)
            if at < 0 or ends[at] + self.setup(families[at], family) <= start:
                return start, end
            at -= 1

    def insert(self, start: int, end: int, family: str) -> None:
        """Take [start, end); nothing is taken by an empty interval."""
        if end <= start:
            return
        at = bisect_left(self.starts, start)
        if self.matrix is None:
            joins_before = at > 0 and self.ends[at - 1] >= start
            joins_after = at < len(self.starts) and self.starts[at] <= end
            if joins_before and joins_after:
                self.ends[at - 1] = max(self.ends[at], end, self.ends[at - 1])
                del self.starts[at], self.ends[at], self.families[at]
                return
            if joins_before:
                self.ends[at - 1] = max(end, self.ends[at - 1])
                return
            if joins_after:
                self.starts[at] = start
                self.ends[at] = max(end, self.ends[at])
                return
        self.starts.insert(at, start)
        self.ends.insert(at, end)
        self.families.insert(at, family)

    def remove(self, start: int, end: int) -> bool:
        """Give [start, end) back; False when the neighbours left behind lack their setup."""
        if end <= start:
            return True
        at = bisect_right(self.starts, start) - 1
        if self.matrix is None:
            self._cut(at, start, end)
            return True
        del self.starts[at], self.ends[at], self.families[at]
        return self.joint_holds(at)

    def _cut(self, at: int, start: int, end: int) -> None:
        first, last = self.starts[at], self.ends[at]
        if first < start and end < last:
            self.ends[at] = start
            self.starts.insert(at + 1, end)
            self.ends.insert(at + 1, last)
            self.families.insert(at + 1, self.families[at])
        elif first < start:
            self.ends[at] = start
        elif end < last:
            self.starts[at] = end
        else:
            del self.starts[at], self.ends[at], self.families[at]

    def joint_holds(self, at: int) -> bool:
        """Whether the intervals before and at the position leave each other their setup."""
        if not 0 < at < len(self.starts):
            return True
        gap = self.setup(self.families[at - 1], self.families[at])
        return self.ends[at - 1] + gap <= self.starts[at]

    def sound(self) -> bool:
        """Whether every changeover on the lane has its minutes."""
        return all(self.joint_holds(at) for at in range(1, len(self.starts)))

    def holds(self, start: int, end: int) -> bool:
        """Whether the lane is taken throughout [start, end)."""
        at = bisect_right(self.starts, start) - 1
        return at >= 0 and self.ends[at] >= end

    def admits(self, start: int, end: int, family: str) -> bool:
        """Whether [start, end) is free, with the setups before and after it."""
        at = bisect_right(self.ends, start)
        if at and self.ends[at - 1] + self.setup(self.families[at - 1], family) > start:
            return False
        if at == len(self.starts):
            return True
        return end + self.setup(family, self.families[at]) <= self.starts[at]

    def free(self, start: int, end: int) -> bool:
        """Whether nothing is taken in [start, end)."""
        at = bisect_right(self.ends, start)
        return at == len(self.starts) or self.starts[at] >= end
