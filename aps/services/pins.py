"""Locked operations in a problem: each is fixed where the planner put it, or dropped with a reason.

A lock whose moment has passed before the work began keeps its machine and runs as soon as it can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from aps.services.inputs import Inputs, Pin
from aps.solver import Mode, Operation, Placement, Precedence
from common.intervals import CalendarExhausted, WorkingTime
from masterdata.services import calendars


def hold(operations: Sequence[Operation], inputs: Inputs) -> tuple[list[Operation], dict[int, str]]:
    """The operations with their locks in them, and by id why a lock cannot hold."""
    pins = {pk: pin for pk, pin in inputs.pins.items() if not pin.keeps_out}
    if not pins:
        return list(operations), {}
    earliest = _Earliest(operations, inputs)
    held: list[Operation] = []
    dropped: dict[int, str] = {}
    for operation in operations:
        pin = pins.get(operation.id)
        if pin is None or operation.fixed is not None:
            held.append(operation)
            continue
        locked, reason = _locked(operation, pin, inputs, earliest)
        if reason:
            dropped[operation.id] = reason
        held.append(locked)
    return held, dropped


def _locked(
    operation: Operation, pin: Pin, inputs: Inputs, earliest: "_Earliest"
) -> tuple[Operation, str]:
    """The operation with its lock, or as it was and the reason why not."""
    mode = next((mode for mode in operation.modes if mode.resource == pin.resource), None)
    if mode is None:
        return operation, _("its work unit can no longer do it")
    assert pin.start is not None  # noqa: S101 - not kept out
    if pin.start < inputs.now:
        return replace(operation, modes=(mode,)), ""
    if pin.start < operation.release:
        at = calendars.to_datetime(operation.release)
        return operation, _("its material comes only at %(moment)s") % {
            "moment": f"{at:%m-%d %H:%M}"
        }
    if earliest.ready(operation) > pin.start:
        return operation, _("the operations before it end later")
    end = place(inputs.times, operation, mode, pin.start)
    if end is not None and not inputs.shared.is_short(
        operation.needs, inputs.times.get(mode.resource), pin.start, end
    ):
        fixed = Placement(operation.id, mode.resource, pin.start, end)
        return replace(operation, fixed=fixed), ""
    return operation, (
        _("its work unit does not work then")
        if end is None
        else _("not enough people of its skill work then")
    )


def place(
    times: Mapping[int, WorkingTime], operation: Operation, mode: Mode, start: int
) -> int | None:
    """The end of the operation begun at exactly that minute; None where nobody works then."""
    working = times.get(mode.resource)
    if working is None:  # outside work goes on day and night
        return start + mode.minutes
    try:
        begins, end = working.place(start, mode.minutes, operation.interruptible)
    except CalendarExhausted:
        return None
    return end if begins == start else None


class _Earliest:
    """When an operation could begin if every machine were free: what no plan can undercut."""

    def __init__(self, operations: Sequence[Operation], inputs: Inputs) -> None:
        self._times = inputs.times
        self._now = inputs.now
        self._starts: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        waiting = {operation.id: len(operation.waits_for) for operation in operations}
        followers: dict[int, list[Operation]] = {}
        for operation in operations:
            for before in operation.waits_for:
                followers.setdefault(before, []).append(operation)
        ready = [operation for operation in operations if not waiting[operation.id]]
        for operation in ready:  # grows while it is walked
            self._note(operation)
            for follower in followers.get(operation.id, ()):
                waiting[follower.id] -= 1
                if not waiting[follower.id]:
                    ready.append(follower)

    def ready(self, operation: Operation) -> int:
        """When what comes before it has passed, and waited, at the earliest."""
        return max((self._passed(link) for link in operation.precedences), default=self._now)

    def _passed(self, link: Precedence) -> int:
        passed = self._ends.get(link.before, 0)
        if link.transfer_minutes is not None:
            passed = min(passed, self._starts.get(link.before, 0) + link.transfer_minutes)
        return passed + link.min_lag

    def _note(self, operation: Operation) -> None:
        """Its earliest start and end."""
        if operation.fixed is not None:
            self._starts[operation.id] = operation.fixed.start
            self._ends[operation.id] = operation.fixed.end
            return
        start = max(operation.release, self._now, self.ready(operation))
        ends = []
        for mode in operation.modes:
            working = self._times.get(mode.resource)
            if working is None:
                ends.append(start + mode.minutes)
                continue
            try:
                ends.append(working.place(start, mode.minutes, operation.interruptible)[1])
            except CalendarExhausted:
                continue
        tails = [
            self._ends.get(link.before, 0) + link.tail_minutes
            for link in operation.links
            if link.transfer_minutes is not None
        ]
        self._starts[operation.id] = start
        self._ends[operation.id] = max([min(ends, default=start), *tails])
