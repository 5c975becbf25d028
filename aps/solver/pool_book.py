"""What is left of people and tools over time, for inserting one operation at a time.

Each pool is a step function: so many units free from a moment on. Places are asked for forwards
and backwards; whoever covers the moment of a shortage is pushed off it, so that what is found
is the first (or last) place that the pools allow.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from aps.solver.problem import Need, Pool
from common.intervals import FAR_FUTURE, FAR_PAST, Interval, WorkingTime


@dataclass(slots=True)
class _Steps:
    """``free[i]`` units from ``moments[i]`` until the next moment."""

    held_in_pauses: bool
    moments: list[int] = field(default_factory=lambda: [FAR_PAST])
    free: list[int] = field(default_factory=lambda: [0])

    def copy(self) -> _Steps:
        return _Steps(self.held_in_pauses, self.moments.copy(), self.free.copy())

    def pieces(self, times: WorkingTime, start: int, end: int) -> Sequence[Interval]:
        """When an operation in [start, end) holds its units."""
        if end <= start:
            return []
        if self.held_in_pauses:
            return [Interval(start, end)]
        return times.windows_between(start, end)

    def take(self, start: int, end: int, units: int) -> None:
        """So many units fewer in [start, end)."""
        first, last = self._cut(start), self._cut(end)
        for at in range(first, last):
            self.free[at] -= units

    def _cut(self, moment: int) -> int:
        """The step that begins at the moment."""
        at = bisect_left(self.moments, moment)
        if at == len(self.moments) or self.moments[at] != moment:
            self.moments.insert(at, moment)
            self.free.insert(at, self.free[at - 1])
        return at

    def last_shortage(self, pieces: Sequence[Interval], units: int) -> tuple[int, int] | None:
        """The last moment at which the pieces lack units, with its step; None: never."""
        for piece in reversed(pieces):
            at = bisect_left(self.moments, piece.end) - 1
            while at >= 0:
                if self.free[at] < units:
                    return max(piece.start, self.moments[at]), at
                if self.moments[at] <= piece.start:
                    break
                at -= 1
        return None

    def enough_from(self, at: int, units: int) -> int:
        """The first moment after the step with so many units free."""
        for later in range(at + 1, len(self.moments)):
            if self.free[later] >= units:
                return self.moments[later]
        return FAR_FUTURE


class PoolBook:
    """The units left of each pool; ``take`` books, ``copy`` is independent and cheap."""

    def __init__(self, pools: Iterable[Pool] = ()) -> None:
        self._steps: dict[int, _Steps] = {}
        # Copied already: the others still belong to the book that this one is a copy of.
        self._own: set[int] = set()
        for pool in pools:
            steps = _Steps(pool.held_in_pauses)
            deltas: dict[int, int] = {}
            for times, units in pool.crews:
                for window in times:
                    deltas[window.start] = deltas.get(window.start, 0) + units
                    deltas[window.end] = deltas.get(window.end, 0) - units
            units = 0
            for moment in sorted(deltas):
                units += deltas[moment]
                if moment <= steps.moments[-1]:
                    steps.free[-1] = units
                else:
                    steps.moments.append(moment)
                    steps.free.append(units)
            self._steps[pool.id] = steps

    def copy(self) -> PoolBook:
        """Another one to book in."""
        twin = PoolBook()
        twin._steps = dict(self._steps)
        # From now on both copy before they write.
        self._own.clear()
        return twin

    def take(self, needs: Iterable[Need], times: WorkingTime, start: int, end: int) -> None:
        """Book the units of an operation that runs in [start, end) on a machine of these times.

        What is fixed may take more than there is; a pool that is unknown is left out.
        """
        for need in needs:
            if need.pool not in self._steps:
                continue
            if need.pool not in self._own:
                self._steps[need.pool] = self._steps[need.pool].copy()
                self._own.add(need.pool)
            steps = self._steps[need.pool]
            for piece in steps.pieces(times, start, end):
                steps.take(piece.start, piece.end, need.units)

    def give(self, needs: Iterable[Need], times: WorkingTime, start: int, end: int) -> None:
        """Take such a booking back."""
        self.take((Need(need.pool, -need.units) for need in needs), times, start, end)

    def free(self, pool: int, moment: int) -> int:
        """Units left at the moment; below 0 where more is taken than there is."""
        steps = self._steps[pool]
        return steps.free[bisect_right(steps.moments, moment) - 1]

    def later(self, needs: Iterable[Need], times: WorkingTime, start: int, end: int) -> int:
        """``start`` where [start, end) is served, else the next start worth a try.

        ``FAR_FUTURE`` where there never are so many units.
        """
        wanted = start
        for need in needs:
            steps = self._steps.get(need.pool)
            if steps is None:
                return FAR_FUTURE
            short = steps.last_shortage(steps.pieces(times, start, end), need.units)
            if short is not None:
                wanted = max(wanted, steps.enough_from(short[1], need.units))
        return wanted

    def earlier(self, needs: Iterable[Need], times: WorkingTime, start: int, end: int) -> int:
        """``end`` where [start, end) is served, else the next end worth a try."""
        wanted = end
        for need in needs:
            steps = self._steps.get(need.pool)
            if steps is None:
                return FAR_PAST
            short = steps.last_shortage(steps.pieces(times, start, end), need.units)
            if short is not None:
                wanted = min(wanted, short[0])
        return wanted

    def short_of(
        self, needs: Iterable[Need], times: WorkingTime, start: int, end: int
    ) -> Need | None:
        """The need that holds [start, end) off the longest; None where it is served."""
        worst, found = start, None
        for need in needs:
            later = self.later((need,), times, start, end)
            if later > worst:
                worst, found = later, need
        return found


def longest_served(pool: Pool, units: int, times: WorkingTime, *, unbroken: bool) -> int:
    """Working minutes that an operation can run at a stretch while so many units are there.

    ``unbroken``: in one window of the machine. Every minute that the machine works counts: one
    without the units ends the stretch.
    """
    if pool.held_in_pauses:
        enough = sum(crew for _times, crew in pool.crews) >= units
        if not enough:
            return 0
        windows = [window.minutes for window in times]
        return max(windows, default=0) if unbroken else sum(windows)
    steps = PoolBook((pool,))._steps[pool.id]
    best = run = 0
    for window in times:
        run = 0 if unbroken else run
        at = bisect_right(steps.moments, window.start) - 1
        moment = window.start
        while moment < window.end:
            until = steps.moments[at + 1] if at + 1 < len(steps.moments) else FAR_FUTURE
            until = min(until, window.end)
            run = run + until - moment if steps.free[at] >= units else 0
            best = max(best, run)
            moment, at = until, at + 1
    return best
