"""What would help a late order line: overtime, another machine, material sooner."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aps.selectors import Bar
from aps.services.lateness_types import Help, HelpKind, Step, StepKind
from aps.services.plant import longest_windows, may_pause
from aps.services.shared import Shared, needs_of
from aps.solver import Busy, Mode, Occupancy, Operation, Resource, SetupMinutes
from aps.solver.occupancy import Overlay
from common.intervals import WorkingTime
from masterdata import selectors as masterdata
from masterdata.selectors import UnitInfo
from masterdata.services import calendars
from mes.selectors import OpenOperation

# Less is not worth a call.
LEAST_MINUTES = 30
# Nobody calls a lunch break overtime.
LEAST_OVERTIME = 120
MOST = 3


@dataclass(frozen=True)
class Machines:
    """Which work units may do which operation."""

    codes: Mapping[int, str]
    eligible: Mapping[int, tuple[int, ...]]

    @classmethod
    def of(cls, units: Sequence[UnitInfo], operations: Iterable[OpenOperation]) -> "Machines":
        codes = {unit.id: unit.code for unit in units}
        by_center = masterdata.units_by_center(units)
        return cls(
            codes,
            {
                o.id: tuple(u.work_unit_id for u in o.units if u.work_unit_id in codes)
                or tuple(by_center.get(o.work_center_id, ()))
                for o in operations
                if o.subcontractor_id is None
            },
        )

    def concerned(self, bars: Iterable[Bar]) -> set[int]:
        """The units that the bars lie on, and those they could lie on."""
        found = {pk for bar in bars for pk in self.eligible.get(bar.operation_id, ())}
        return found | {bar.work_unit_id for bar in bars if bar.work_unit_id is not None}


class Finder:
    """Looks for ways to be sooner on the plant as it is planned."""

    def __init__(
        self,
        operations: Mapping[int, OpenOperation],
        others: Sequence[Bar],
        machines: Machines,
        times: Mapping[int, WorkingTime],
        now: datetime,
        setups: SetupMinutes,
        shared: Shared,
    ) -> None:
        self._shared = shared
        self._operations = operations
        self._machines = machines
        self._times = times
        self._now = calendars.to_minutes_up(now)
        busy: dict[int, list[Busy]] = {pk: [] for pk in times}
        for bar in others:
            if bar.work_unit_id in busy:
                needs = needs_of(bar.skill_id, bar.people, bar.tool_id)
                busy[bar.work_unit_id].append(Busy(*_span(bar), bar.setup_family or None, needs))
        resources = [
            Resource(pk, machines.codes.get(pk, ""), working) for pk, working in times.items()
        ]
        known = {pk: matrix for pk, matrix in setups.items() if pk in times}
        self._overlay = Overlay(Occupancy(resources, busy, known, shared.pools.values()))
        self._longest = longest_windows(times)

    def best(self, steps: Sequence[Step]) -> list[Help]:
        """The ways to shorten a chain, those that bring the most first."""
        found = [one for step in steps for one in self._helps(step)]
        best: dict[tuple[HelpKind, str], Help] = {}
        for one in sorted(found, key=lambda one: -one.minutes):
            best.setdefault((one.kind, one.unit_code or one.material_code), one)
        return [one for one in best.values() if one.minutes >= LEAST_MINUTES][:MOST]

    def _helps(self, step: Step) -> Iterator[Help]:
        """What would shorten the step."""
        if step.kind == StepKind.MATERIAL:
            yield Help(
                HelpKind.EXPEDITE,
                step.minutes,
                material_code=step.material_code,
                reference=step.reference,
                bar=step.bar,
            )
        elif step.kind == StepKind.OUTSIDE:
            yield Help(HelpKind.SUPPLIER, step.minutes, bar=step.bar)
        elif step.bar.work_unit_id is not None:
            if step.kind in (StepKind.TOOL, StepKind.PEOPLE, StepKind.CHANGEOVER, StepKind.REST):
                return  # no hour and no machine more makes up for these
            if self._operations[step.bar.operation_id].skill_id is None:
                yield from self._overtime(step)
            if step.kind in (StepKind.MACHINE, StepKind.CHOICE, StepKind.SHIFT):
                yield from self._elsewhere(step)

    def _overtime(self, step: Step) -> Iterator[Help]:
        """The first closed hours of its machine within the step, longer than a break."""
        times = self._times.get(step.bar.work_unit_id or 0)
        if times is None or step.kind == StepKind.CHOICE:
            return
        start, end = calendars.to_minutes_up(step.starts_at), calendars.to_minutes(step.ends_at)
        closed = _closed(times, max(start, self._now), end)
        first = next((span for span in closed if span[1] - span[0] >= LEAST_OVERTIME), None)
        if first is None:
            return
        yield Help(
            HelpKind.OVERTIME,
            sum(b - a for a, b in closed),
            unit_code=step.unit_code,
            starts_at=calendars.to_datetime(first[0]),
            ends_at=calendars.to_datetime(first[1]),
            bar=step.bar,
        )

    def _elsewhere(self, step: Step) -> Iterator[Help]:
        """The other machine where it would end first, if that is sooner."""
        bar = step.bar
        operation = self._operations[bar.operation_id]
        modes = tuple(
            Mode(pk, minutes)
            for pk in self._machines.eligible.get(operation.id, ())
            if pk != bar.work_unit_id and pk in self._times
            for minutes in [whole_minutes(operation, pk)]
            if minutes is not None
        )
        if not modes:
            return
        may = may_pause(operation.is_interruptible, modes, self._longest)
        one = Operation(
            id=operation.id,
            job=0,
            modes=modes,
            interruptible=may,
            family=operation.setup_family or None,
            needs=self._shared.needs(operation),
        )
        ready = max(calendars.to_minutes_up(step.starts_at), self._now)
        placed = self._overlay.soonest(one, modes, ready)
        if placed is None:
            return
        yield Help(
            HelpKind.MACHINE,
            calendars.to_minutes_up(bar.ends_at) - placed.end,
            unit_code=self._machines.codes[placed.resource],
            starts_at=calendars.to_datetime(placed.start),
            ends_at=calendars.to_datetime(placed.end),
            bar=bar,
        )


def _span(bar: Bar) -> tuple[int, int]:
    return calendars.to_minutes(bar.starts_at), calendars.to_minutes_up(bar.ends_at)


def _closed(times: WorkingTime, start: int, end: int) -> list[tuple[int, int]]:
    """The spans in which nobody works."""
    found = []
    for window in times.windows_between(start, end):
        if window.start > start:
            found.append((start, window.start))
        start = window.end
    if start < end:
        found.append((start, end))
    return found


def whole_minutes(operation: OpenOperation, unit_id: int) -> int | None:
    """Setup and run of the operation on a work unit; None where it may not run there."""
    if not operation.units:
        total = operation.setup_minutes + operation.run_total(operation.run_minutes)
        return math.ceil(total)
    for unit in operation.units:
        if unit.work_unit_id == unit_id:
            return math.ceil(unit.setup_minutes + operation.run_total(unit.run_minutes))
    return None
