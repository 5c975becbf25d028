"""Where an operation can really go that a planner drops somewhere, and in words why not there.

The wish is the earliest start; what makes it impossible pushes it later: now, material, the end of
what comes before it, hours in which the machine does not work, and what is fixed on the machine.
What is not fixed makes room by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from django.utils.translation import gettext as _

from aps.services import pins
from aps.services.changes.base import CannotApply, label
from aps.services.changes.move import Move
from aps.services.inputs import Inputs
from aps.services.plant import SUBCONTRACT
from aps.services.problems import BlockKind, Built
from aps.solver import Mode, Operation, Placement, Precedence, waits
from aps.solver.pool_book import PoolBook
from common.intervals import FAR_FUTURE, CalendarExhausted
from common.templatetags import ui_format
from masterdata.services import calendars

# A place is found after a few steps; more would be a circle.
MOST_STEPS = 1000


@dataclass(frozen=True)
class Settled:
    """The move at a place that can be, and what was in the way of the wish."""

    move: Move
    violations: tuple[str, ...]


def settle(
    wish: Move, *, built: Built, inputs: Inputs, current: Mapping[int, Placement]
) -> Settled:
    """The wish at the first possible moment from the wished one on.

    ``built`` is the draft without the operation's lock, ``current`` its plan. Raise CannotApply
    where the operation cannot go to that machine at all.
    """
    operation = _operation(wish, built)
    mode = _mode(wish, operation, inputs)
    search = _Search(operation, mode, built, inputs, current)
    start = search.from_minute(calendars.to_minutes(wish.starts_at))
    return Settled(
        replace(wish, starts_at=calendars.to_datetime(start)),
        tuple(dict.fromkeys(search.violations)),
    )


def _operation(wish: Move, built: Built) -> Operation:
    found = next((o for o in built.problem.operations if o.id == wish.operation), None)
    if found is not None:
        return found
    block = built.left_out.get(wish.operation)
    if block is None:
        raise CannotApply(_("This operation is done, cancelled, or not at this site."))
    sentence = {
        BlockKind.ON_HOLD: _("%(operation)s cannot be planned: %(cause)s is on hold."),
        BlockKind.KEPT_OUT: _("%(operation)s waits for %(cause)s, which is off the plan."),
        BlockKind.UNCOVERED: _("%(operation)s cannot be planned: nothing covers %(cause)s."),
        BlockKind.NO_WORK_UNIT: _("No active work unit can do %(cause)s."),
        BlockKind.NO_PEOPLE: _("No shift has enough people, for long enough, for %(cause)s."),
        BlockKind.NO_TOOL: _("There is no active tool at the site for %(cause)s."),
    }.get(block.kind, _("%(operation)s cannot be planned: there is no room for %(cause)s."))
    raise CannotApply(sentence % {"operation": wish.label, "cause": block.reference})


def _mode(wish: Move, operation: Operation, inputs: Inputs) -> Mode:
    for mode in operation.modes:
        if mode.resource == wish.work_unit_id:
            return mode
    able = sorted(
        inputs.units[m.resource].code for m in operation.modes if m.resource in inputs.units
    )
    raise CannotApply(
        _("%(unit)s cannot do %(operation)s; it can run on %(units)s.")
        % {"unit": wish.work_unit, "operation": wish.label, "units": ", ".join(able)}
    )


class _Search:
    """From a wished minute to a possible one, taking note of what was in the way."""

    def __init__(
        self,
        operation: Operation,
        mode: Mode,
        built: Built,
        inputs: Inputs,
        current: Mapping[int, Placement],
    ) -> None:
        self._operation = operation
        self._mode = mode
        self._built = built
        self._inputs = inputs
        self._current = current
        self._working = {r.id: r.working_time for r in built.problem.resources}
        self._labels = {o.id: label(o) for o in inputs.operations}
        unit = inputs.units.get(mode.resource)
        self._unit = unit.code if unit else _("outside work")
        self._taken = sorted(
            (o.fixed.start, o.fixed.end, o.id)
            for o in built.problem.operations
            if o.fixed is not None and o.fixed.resource == mode.resource and o.id != operation.id
        )
        if mode.resource == SUBCONTRACT:
            self._taken = []
        self._book = PoolBook(built.problem.pools) if operation.needs else PoolBook()
        for other in built.problem.operations if operation.needs else ():
            fixed = other.fixed
            if fixed is not None and other.id != operation.id and fixed.resource in inputs.times:
                working = inputs.times[fixed.resource]
                self._book.take(other.needs, working, fixed.start, fixed.end)
        self.violations: list[str] = []

    def from_minute(self, start: int) -> int:
        """The first possible start; raise CannotApply where the machine never works again."""
        start = self._after_facts(start)
        for _step in range(MOST_STEPS):
            start = self._when_open(start)
            end = pins.place(self._inputs.times, self._operation, self._mode, start)
            assert end is not None  # noqa: S101 - it is open
            after = self._after_taken(start, end)
            if after == start:
                after = self._when_served(start, end)
            if after == start:
                after = self._after_batches(start, end)
            if after == start:
                return start
            start = after
        raise CannotApply(self._never())

    def _after_facts(self, start: int) -> int:
        """Not before now, nor before the material, nor before what comes before it has ended."""
        if start < self._inputs.now:
            start = self._inputs.now
            self.violations.append(_("The wished start has passed."))
        if start < self._operation.release:
            start = self._operation.release
            wait = self._built.waits.get(self._operation.id)
            self.violations.append(
                _("Its material comes at %(moment)s (%(order)s).")
                % {"moment": _moment(start), "order": wait.reference}
                if wait is not None and wait.reference
                else _("Its material is there only at %(moment)s.") % {"moment": _moment(start)}
            )
        found = self._after_others()
        if found is not None and found[0] > start:
            start, link = found
            last = self._current[link.before]
            facts = {"operation": self._labels.get(link.before, ""), "moment": _moment(start)}
            if link.transfer_minutes is not None:
                text = _("The first pieces of %(operation)s before it have passed at %(moment)s.")
            elif link.min_lag:
                text = _("After %(operation)s before it the pieces wait until %(moment)s.")
            else:
                text = _("%(operation)s before it ends at %(moment)s.")
                facts["moment"] = _moment(last.end)
            self.violations.append(text % facts)
        return start

    def _after_others(self) -> tuple[int, Precedence] | None:
        """The start that what comes before it leaves, and which of it binds."""
        found = []
        for link in self._operation.precedences:
            before = self._current.get(link.before)
            if before is not None:
                working = self._working[before.resource]
                found.append((waits.may_start(link, before, working), link.before, link))
        return max(((at, link) for at, _pk, link in found), key=lambda one: one[0], default=None)

    def _after_batches(self, start: int, end: int) -> int:
        """When it does not end before the last transfer batch of what comes before it."""
        guard = waits.must_end(self._operation, self._current)
        if guard is None or end >= guard:
            return start
        self.violations.append(
            _("It cannot end before the last pieces have come, at %(moment)s.")
            % {"moment": _moment(guard)}
        )
        return start + guard - end

    def _when_open(self, start: int) -> int:
        working = self._inputs.times.get(self._mode.resource)
        if working is None:
            return start
        try:
            begins = working.place(start, self._mode.minutes, self._operation.interruptible)[0]
        except CalendarExhausted as error:
            raise CannotApply(self._never()) from error
        if begins > start:
            facts = {"unit": self._unit, "moment": _moment(begins)}
            self.violations.append(
                _("%(unit)s has no shift long enough for it before %(moment)s.") % facts
                if working.is_working(start)
                else _("%(unit)s is closed until %(moment)s.") % facts
            )
        return begins

    def _after_taken(self, start: int, end: int) -> int:
        """After what runs or is locked on the machine, with the setup that the change takes."""
        matrix = self._built.problem.setup_minutes.get(self._mode.resource, {})
        families = {o.id: o.family or "" for o in self._built.problem.operations} if matrix else {}
        mine = self._operation.family or ""
        for first, last, pk in self._taken:
            theirs = families.get(pk, "")
            setup = matrix.get(theirs, {}).get(mine, 0)
            back = matrix.get(mine, {}).get(theirs, 0)
            if first < end + back and start < last + setup:
                other = {"unit": self._unit, "operation": self._labels.get(pk, "")}
                self.violations.append(
                    _("%(unit)s is taken by %(operation)s until %(moment)s.")
                    % {**other, "moment": _moment(last)}
                    if start < last
                    else _("%(unit)s is being set up after %(operation)s until %(moment)s.")
                    % {**other, "moment": _moment(last + setup)}
                )
                return last + setup
        return start

    def _when_served(self, start: int, end: int) -> int:
        """When its people and its tool are free of what runs or is locked."""
        working = self._inputs.times.get(self._mode.resource)
        needs = self._operation.needs
        if working is None or not needs:
            return start
        need = self._book.short_of(needs, working, start, end)
        if need is None:
            return start
        after = self._book.later((need,), working, start, end)
        if after >= FAR_FUTURE:
            raise CannotApply(self._never())
        shared = self._inputs.shared
        text = (
            _("%(name)s is in use until %(moment)s.")
            if shared.is_tool(need.pool)
            else _("Nobody with the skill %(name)s is free until %(moment)s.")
        )
        self.violations.append(text % {"name": shared.name(need.pool), "moment": _moment(after)})
        return after

    def _never(self) -> str:
        return _("%(unit)s has no time for it as far as its calendar is known.") % {
            "unit": self._unit
        }


def conflicts(built: Built, placements: Mapping[int, Placement], inputs: Inputs) -> list[str]:
    """Locks that the work before them misses, in words."""
    labels = {o.id: label(o) for o in inputs.operations}
    working = {r.id: r.working_time for r in built.problem.resources}
    found = []
    for operation in built.problem.operations:
        fixed = operation.fixed
        if fixed is None or fixed.start < built.problem.now:
            continue
        for link in operation.precedences:
            before = placements[link.before]
            at = waits.may_start(link, before, working[before.resource])
            if at > fixed.start:
                facts = {
                    "before": labels.get(link.before, ""),
                    "end": _moment(at),
                    "operation": labels.get(operation.id, ""),
                }
                text = (
                    _(
                        "The pieces of %(before)s are there at %(end)s, after the locked start of "
                        "%(operation)s."
                    )
                    if link.min_lag or link.transfer_minutes is not None
                    else _(
                        "%(before)s would end at %(end)s, after the locked start of %(operation)s."
                    )
                )
                found.append(text % facts)
    return found + _double(built, labels) + _overdrawn(built, inputs, labels)


def _double(built: Built, labels: Mapping[int, str]) -> list[str]:
    """Two locks at the same time on one machine."""
    rows: dict[int, list[Placement]] = {}
    single = {r.id for r in built.problem.resources if r.capacity == 1}
    for operation in built.problem.operations:
        fixed = operation.fixed
        if fixed is not None and fixed.resource in single and fixed.start >= built.problem.now:
            rows.setdefault(fixed.resource, []).append(fixed)
    return [
        _("%(one)s and %(other)s are locked on one machine at the same time.")
        % {"one": labels.get(a.operation, ""), "other": labels.get(b.operation, "")}
        for row in rows.values()
        for a, b in pairwise(sorted(row, key=lambda placed: placed.start))
        if b.start < a.end
    ]


def _overdrawn(built: Built, inputs: Inputs, labels: Mapping[int, str]) -> list[str]:
    """Locks whose people or tool other locks have already."""
    book, found = PoolBook(built.problem.pools), []
    placed = [o for o in built.problem.operations if o.fixed is not None and o.needs]
    for operation in sorted(placed, key=lambda o: o.fixed.start if o.fixed else 0):
        fixed = operation.fixed
        working = inputs.times.get(fixed.resource) if fixed is not None else None
        if fixed is None or working is None:
            continue
        need = book.short_of(operation.needs, working, fixed.start, fixed.end)
        if need is not None and fixed.start >= built.problem.now:
            found.append(
                _("%(name)s is not free while %(operation)s is locked there.")
                % {
                    "name": inputs.shared.name(need.pool),
                    "operation": labels.get(operation.id, ""),
                }
            )
        book.take(operation.needs, working, fixed.start, fixed.end)
    return found


def _moment(minute: int) -> str:
    return ui_format.moment(calendars.to_datetime(minute))
