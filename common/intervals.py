"""Half-open intervals of whole minutes, and the working time of one work unit.

Times are whole minutes as ``int``; the caller chooses the epoch (the domain counts UTC minutes
since 1970-01-01). Pure: no Django, no clock, no floats.

    shifts = WorkingTime([(480, 720), (750, 990)])
    shifts.add(700, 60)          # 790: twenty minutes before the break, forty after it
    shifts.worked(0, 800)        # 290
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

FAR_PAST = -(10**10)
FAR_FUTURE = 10**10


class InvalidInterval(ValueError):
    """The interval's end lies before its start, or a bound is no whole minute."""


class CalendarExhausted(Exception):
    """The working windows end before the asked-for working time is found."""


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The minutes ``start <= t < end``; empty where both are equal."""

    start: int
    end: int

    def __post_init__(self) -> None:
        for bound in (self.start, self.end):
            if not isinstance(bound, int) or isinstance(bound, bool):
                raise InvalidInterval(f"An interval counts whole minutes, not {bound!r}.")
        if self.end < self.start:
            raise InvalidInterval(f"An interval cannot end at {self.end} before {self.start}.")

    def __contains__(self, moment: object) -> bool:
        return isinstance(moment, int) and self.start <= moment < self.end

    @property
    def minutes(self) -> int:
        """Length in minutes."""
        return self.end - self.start

    def overlaps(self, other: Interval) -> bool:
        """Whether both share at least one minute."""
        return max(self.start, other.start) < min(self.end, other.end)


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Sorted disjoint intervals covering the same minutes; touching ones are joined."""
    joined: list[Interval] = []
    for interval in sorted(intervals):
        if not interval.minutes:
            continue
        if joined and interval.start <= joined[-1].end:
            joined[-1] = Interval(joined[-1].start, max(joined[-1].end, interval.end))
        else:
            joined.append(interval)
    return joined


def subtract(intervals: Iterable[Interval], removed: Iterable[Interval]) -> list[Interval]:
    """Minutes in ``intervals`` and in none of ``removed``: sorted and disjoint."""
    cuts = union(removed)
    left: list[Interval] = []
    first = 0
    for interval in union(intervals):
        start = interval.start
        while first < len(cuts) and cuts[first].end <= start:
            first += 1
        at = first
        while at < len(cuts) and cuts[at].start < interval.end:
            if cuts[at].start > start:
                left.append(Interval(start, cuts[at].start))
            start = max(start, cuts[at].end)
            at += 1
        if start < interval.end:
            left.append(Interval(start, interval.end))
    return left


def intersect(one: Iterable[Interval], other: Iterable[Interval]) -> list[Interval]:
    """Minutes in both: sorted and disjoint."""
    left, right = union(one), union(other)
    shared: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i].start, right[j].start), min(left[i].end, right[j].end)
        if start < end:
            shared.append(Interval(start, end))
        if left[i].end <= right[j].end:
            i += 1
        else:
            j += 1
    return shared


class WorkingTime(Sequence[Interval]):
    """Working windows of one work unit with prefix sums; every question costs O(log windows).

    Immutable. Windows may come unsorted and overlapping; they are stored sorted, disjoint, and
    touching windows are one. Raises ``CalendarExhausted`` where an answer lies past the windows.
    """

    __slots__ = ("_done", "_ends", "_starts")

    def __init__(self, windows: Iterable[Interval | tuple[int, int]]) -> None:
        merged = union(w if isinstance(w, Interval) else Interval(*w) for w in windows)
        self._starts = [w.start for w in merged]
        self._ends = [w.end for w in merged]
        self._done = [0]
        for window in merged:
            self._done.append(self._done[-1] + window.minutes)

    @classmethod
    def always(cls, start: int = FAR_PAST, end: int = FAR_FUTURE) -> WorkingTime:
        """Twenty-four hours a day, seven days a week, from ``start`` to ``end``."""
        return cls([Interval(start, end)])

    # -- as a sequence of windows ---------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> Interval: ...
    @overload
    def __getitem__(self, index: slice) -> list[Interval]: ...
    def __getitem__(self, index: int | slice) -> Interval | list[Interval]:
        if isinstance(index, slice):
            pairs = zip(self._starts[index], self._ends[index], strict=True)
            return [Interval(start, end) for start, end in pairs]
        return Interval(self._starts[index], self._ends[index])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WorkingTime):
            return NotImplemented
        return self._starts == other._starts and self._ends == other._ends

    def __hash__(self) -> int:
        return hash((tuple(self._starts), tuple(self._ends)))

    def __repr__(self) -> str:
        if not self._starts:
            return "WorkingTime([])"
        return f"WorkingTime({len(self)} windows, {self._starts[0]} to {self._ends[-1]})"

    # -- questions -----------------------------------------------------------------------------

    def is_working(self, moment: int) -> bool:
        """Whether the minute beginning at ``moment`` is worked."""
        at = bisect_right(self._starts, moment) - 1
        return at >= 0 and moment < self._ends[at]

    def window_at(self, moment: int) -> Interval | None:
        """The window that holds ``moment``, or None outside working time."""
        at = bisect_right(self._starts, moment) - 1
        return self[at] if at >= 0 and moment < self._ends[at] else None

    def windows_between(self, start: int, end: int) -> list[Interval]:
        """The working windows cut to [start, end); none where ``end`` is not after ``start``."""
        if end <= start:
            return []
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
        return [
            Interval(max(start, self._starts[i]), min(end, self._ends[i]))
            for i in range(first, last)
        ]

    def worked(self, start: int, end: int) -> int:
        """Minutes worked in [start, end); 0 where ``end`` is not after ``start``."""
        return self._worked_until(end) - self._worked_until(start) if end > start else 0

    def _worked_until(self, moment: int) -> int:
        at = bisect_right(self._starts, moment) - 1
        if at < 0:
            return 0
        return self._done[at] + min(moment, self._ends[at]) - self._starts[at]

    def next_working(self, moment: int) -> int:
        """The first worked minute at or after ``moment``."""
        at = bisect_right(self._ends, moment)
        if at == len(self._ends):
            raise CalendarExhausted(f"There is no working time after minute {moment}.")
        return max(moment, self._starts[at])

    def previous_working(self, moment: int) -> int:
        """The latest end of work at or before ``moment``: the minute before it is worked."""
        at = bisect_left(self._starts, moment) - 1
        if at < 0:
            raise CalendarExhausted(f"There is no working time before minute {moment}.")
        return min(moment, self._ends[at])

    def add(self, start: int, minutes: int) -> int:
        """Earliest end of ``minutes`` of work begun at the first worked minute from ``start``."""
        return self.place(start, minutes)[1]

    def subtract(self, end: int, minutes: int) -> int:
        """The latest start of ``minutes`` of work that is over at ``end``."""
        return self.place_before(end, minutes)[0]

    def next_window_fitting(self, moment: int, minutes: int) -> int:
        """The earliest start from ``moment`` whose ``minutes`` lie in one window, unbroken."""
        return self.place(moment, minutes, interruptible=False)[0]

    def last_window_fitting(self, end: int, minutes: int) -> int:
        """Latest start whose ``minutes`` lie in one window, unbroken, and are over at ``end``."""
        return self.place_before(end, minutes, interruptible=False)[0]

    def place(self, moment: int, minutes: int, interruptible: bool = True) -> tuple[int, int]:
        """Earliest (start, end) from ``moment`` with exactly ``minutes`` worked.

        Uninterruptible work lies in one window. Zero minutes give the next worked moment twice.
        """
        ends, starts = self._ends, self._starts
        at = bisect_right(ends, moment)
        if at == len(ends):
            raise CalendarExhausted(f"There is no working time after minute {moment}.")
        start = max(moment, starts[at])
        if start + minutes <= ends[at]:
            return start, start + minutes
        if not interruptible:
            for later in range(at + 1, len(ends)):
                if starts[later] + minutes <= ends[later]:
                    return starts[later], starts[later] + minutes
            raise CalendarExhausted(f"No working window after {moment} holds {minutes} minutes.")
        target = self._done[at] + start - starts[at] + minutes
        last = bisect_left(self._done, target)
        if last > len(ends):
            raise CalendarExhausted(f"Working time ends within {minutes} minutes from {start}.")
        return start, ends[last - 1] - (self._done[last] - target)

    def place_before(
        self, moment: int, minutes: int, interruptible: bool = True
    ) -> tuple[int, int]:
        """Latest (start, end) with end <= ``moment`` and exactly ``minutes`` worked."""
        ends, starts = self._ends, self._starts
        at = bisect_left(starts, moment) - 1
        if at < 0:
            raise CalendarExhausted(f"There is no working time before minute {moment}.")
        end = min(moment, ends[at])
        if end - minutes >= starts[at]:
            return end - minutes, end
        if not interruptible:
            for earlier in range(at - 1, -1, -1):
                if ends[earlier] - minutes >= starts[earlier]:
                    return ends[earlier] - minutes, ends[earlier]
            raise CalendarExhausted(f"No working window before {moment} holds {minutes} minutes.")
        target = self._done[at] + end - starts[at] - minutes
        if target < 0:
            raise CalendarExhausted(f"Working time begins within {minutes} minutes before {end}.")
        first = bisect_right(self._done, target) - 1
        return starts[first] + target - self._done[first], end
