"""What a ready operation waits for: its machine, a changeover, people, a tool or a shift."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aps.selectors import Bar, with_references
from aps.services.lateness_types import Step, StepKind
from aps.services.shared import Shared, needs_of
from aps.solver import Need
from aps.solver.pool_book import PoolBook
from common.intervals import CalendarExhausted, WorkingTime
from masterdata.services import calendars
from mes.selectors import OpenOperation


@dataclass(frozen=True)
class Plan:
    """The live plan around the operations that are explained."""

    operations: Mapping[int, OpenOperation]
    # By work unit, what ends first to the front.
    by_unit: Mapping[int, Sequence[Bar]]
    codes: Mapping[int, str]
    times: Mapping[int, WorkingTime]
    # By operation: minutes of changeover right before it.
    changeovers: Mapping[int, int]
    shared: Shared
    # What the plan leaves of people and tools.
    book: PoolBook

    def step(
        self, kind: StepKind, starts_at: datetime, ends_at: datetime, bar: Bar, **facts: object
    ) -> Step:
        """A stretch at the bar's work unit."""
        code = self.codes.get(bar.work_unit_id or 0, "")
        # The facts are Step's own fields, of different types; mypy reads them as one.
        return Step(kind, starts_at, ends_at, bar, unit_code=code, **facts)  # type: ignore[arg-type]  # of several types

    def waits(self, bar: Bar, ready: datetime) -> Iterable[Step]:
        """The stretches of [ready, start), the last first."""
        end = bar.starts_at
        if end <= ready:
            return
        before = [
            other
            for other in self.by_unit.get(bar.work_unit_id or 0, ())
            if other.starts_at < bar.starts_at and other.operation_id != bar.operation_id
        ]
        changeover = timedelta(minutes=self.changeovers.get(bar.operation_id, 0))
        left = max((min(other.ends_at, end) for other in before), default=ready)
        free = max(ready, left + changeover)
        if free < end and (found := self._shared(bar, free)) is not None:
            yield found
            end = found.starts_at
        if changeover and free > ready and left < end:
            since = max(ready, left)
            yield self.step(StepKind.CHANGEOVER, since, end, bar)
            end = since
        if ready < end:
            yield self._machine(bar, ready, end, [o for o in before if o.ends_at > ready])

    def _machine(self, bar: Bar, ready: datetime, end: datetime, before: Sequence[Bar]) -> Step:
        """The machine is busy, or nobody works there, or the plan has chosen so."""
        if before:
            return self.step(StepKind.MACHINE, ready, end, bar, other_bars=tuple(before))
        kind = StepKind.CHOICE
        if bar.work_unit_id in self.times and not self._could_begin(bar, ready, end):
            kind = StepKind.SHIFT
        return self.step(kind, ready, end, bar)

    def _could_begin(self, bar: Bar, ready: datetime, until: datetime) -> bool:
        """Whether the machine, empty, had time for it in [ready, until)."""
        assert bar.work_unit_id is not None  # noqa: S101 - asked by the caller
        times = self.times[bar.work_unit_id]
        start, end = calendars.to_minutes_up(ready), calendars.to_minutes(until)
        open_minutes = times.worked(start, end)
        if self.operations[bar.operation_id].is_interruptible:
            return open_minutes > 0
        needed = times.worked(
            calendars.to_minutes(bar.starts_at), calendars.to_minutes_up(bar.ends_at)
        )
        return any(window.minutes >= needed for window in times.windows_between(start, end))

    def _shared(self, bar: Bar, free: datetime) -> Step | None:
        """The wait for people or a tool once the machine is free; None where that is no reason."""
        times, needs = self.times.get(bar.work_unit_id or 0), _needs(bar)
        if times is None or not needs:
            return None
        start, end = calendars.to_minutes(bar.starts_at), calendars.to_minutes_up(bar.ends_at)
        interruptible = self.operations[bar.operation_id].is_interruptible
        try:
            span = times.place(
                calendars.to_minutes_up(free), times.worked(start, end), interruptible
            )
        except CalendarExhausted:
            return None
        others = self.book.copy()
        others.give(needs, times, start, end)
        need = others.short_of(needs, times, *span) if span[0] < start else None
        if need is None:
            return None
        holders: tuple[Bar, ...] = ()
        if self.shared.has(need):
            holders = self._holders(bar, need, calendars.to_datetime(span[0]))
        kind = StepKind.TOOL if self.shared.is_tool(need.pool) else StepKind.PEOPLE
        since = max(free, calendars.to_datetime(span[0]))
        name = self.shared.name(need.pool)
        return self.step(kind, since, bar.starts_at, bar, other_bars=holders, needed=name)

    def _holders(self, bar: Bar, need: Need, since: datetime) -> tuple[Bar, ...]:
        """The others that hold units of the pool before the bar begins, what ends first first."""
        found = [
            other
            for row in self.by_unit.values()
            for other in row
            if other.operation_id != bar.operation_id
            and other.starts_at < bar.starts_at
            and other.ends_at > since
            and any(theirs.pool == need.pool for theirs in _needs(other))
        ]
        return tuple(sorted(found, key=lambda other: (other.ends_at, other.operation_id)))


def booked(shared: Shared, bars: Iterable[Bar], times: Mapping[int, WorkingTime]) -> PoolBook:
    """What the bars leave of people and tools."""
    book = PoolBook(shared.pools.values())
    for bar in bars:
        working = times.get(bar.work_unit_id or 0)
        if working is not None:
            start, end = calendars.to_minutes(bar.starts_at), calendars.to_minutes_up(bar.ends_at)
            book.take(_needs(bar), working, start, end)
    return book


def _needs(bar: Bar) -> tuple[Need, ...]:
    return needs_of(bar.skill_id, bar.people, bar.tool_id)


def named(chains: Sequence[Sequence[Step]]) -> list[tuple[Step, ...]]:
    """The chains with whom the others work for: order lines, else their work order.

    The same few queries for all of them, whether others are in the way or none.
    """
    bars = {
        bar.operation_id: bar
        for steps in chains
        for step in steps
        for bar in (step.bar, *step.other_bars)
    }
    names = {
        bar.operation_id: bar.references or (bar.work_order_number,)
        for bar in with_references(list(bars.values()))
    }
    return [
        tuple(
            replace(
                step,
                others=tuple(
                    dict.fromkeys(n for bar in step.other_bars for n in names[bar.operation_id])
                ),
            )
            for step in steps
        )
        for steps in chains
    ]
