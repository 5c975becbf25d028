"""What is still to be done of an open operation: on which work units, and how long there."""

import math
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from aps.services.plant import DAY_MINUTES, SUBCONTRACT
from aps.solver import Mode, Placement
from common.intervals import CalendarExhausted, WorkingTime
from masterdata.services import calendars
from mes.enums import OperationState
from mes.selectors import OpenOperation


class Remaining:
    """Answers for one site, at one moment (minutes), from calendars that are read already."""

    def __init__(
        self,
        *,
        times: Mapping[int, WorkingTime],
        units_by_center: Mapping[int, Sequence[int]],
        reported: Collection[int],
        now: int,
    ) -> None:
        self._times = times
        self._units_by_center = units_by_center
        # Operations of which pieces are reported.
        self._reported = reported
        self._now = now

    def modes(self, operation: OpenOperation) -> tuple[Mode, ...]:
        """Where it can be done, in whole minutes rounded up; empty where nowhere."""
        if operation.subcontractor_id is not None:
            return (Mode(SUBCONTRACT, operation.subcontract_days * DAY_MINUTES),)
        minutes = {
            unit.work_unit_id: (unit.setup_minutes, unit.run_minutes)
            for unit in operation.units
            if unit.work_unit_id in self._times
        }
        if not operation.units:
            own = (operation.setup_minutes, operation.run_minutes)
            units = self._units_by_center.get(operation.work_center_id, [])
            minutes = dict.fromkeys(units, own)
        if operation.state == OperationState.INTERRUPTED and operation.work_unit_id in minutes:
            # Its setup stands: it goes on where it was, with what is left to run.
            run = minutes[operation.work_unit_id][1]
            minutes = {operation.work_unit_id: (Decimal(0), run)}
        return tuple(
            Mode(unit, _whole(operation, setup, run)) for unit, (setup, run) in minutes.items()
        )

    def fixed(self, operation: OpenOperation) -> Placement:
        """Where it runs since when, and what is left of it, at least a minute."""
        started = calendars.to_minutes(operation.started_at) if operation.started_at else self._now
        # Before now in any case: it is a fact, not a lock.
        started = min(started, self._now - 1)
        unit = operation.work_unit_id
        if operation.subcontractor_id is not None or unit is None or unit not in self._times:
            end = started + operation.subcontract_days * DAY_MINUTES
            return Placement(operation.id, SUBCONTRACT, started, max(end, self._now + 1))
        left = self._left(operation, unit, started)
        try:
            end = self._times[unit].place(self._now, left)[1]
        except CalendarExhausted:
            end = self._now + left
        return Placement(operation.id, unit, started, end)

    def _left(self, operation: OpenOperation, unit: int, started: int) -> int:
        """Working minutes still to run: by the pieces, or by the clock where none is reported."""
        own = {u.work_unit_id: (u.setup_minutes, u.run_minutes) for u in operation.units}
        setup, run = own.get(unit, (operation.setup_minutes, operation.run_minutes))
        if operation.id in self._reported:
            return max(1, _whole(operation, Decimal(0), run))
        worked = self._times[unit].worked(started, self._now)
        return max(1, _whole(operation, setup, run) - worked)


def runs(operation: OpenOperation) -> bool:
    """Whether it is on a machine now."""
    return operation.state in (OperationState.SETUP, OperationState.RUNNING)


def _whole(operation: OpenOperation, setup: Decimal, run: Decimal) -> int:
    if operation.remaining <= 0:
        return 0
    return math.ceil(setup + operation.run_total(run))
