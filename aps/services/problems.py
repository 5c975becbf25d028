"""From the open operations of a site to the solver's problem: remaining work only.

How the floor becomes a problem:

- A work order is a job. It is due, and weighs, as the order lines that it serves at first hand:
  the earliest due moment, the sum of their weights. So a lot for several lines is as urgent as its
  most urgent line and counts for all of them; a component weighs nothing, its parents carry it.
- Operations of a work order run one after the other, or in transfer batches, with the waits of
  their routing between them (aps.services.sequence); the first one waits for the last ones of the
  work orders pegged to its materials, and for bought material. What may not wait long after work
  that does not move any more is put right behind it (aps.services.followers); no longest wait is
  asked for where no horizon holds the work otherwise.
- Between setup families a machine takes the changeover minutes of its work center, besides the
  operation's own setup.
- What runs stays where it is. What was interrupted goes on on its machine. What a planner locked
  is fixed (aps.services.pins); what a planner took off the plan is left out, and what follows it.
- An operation holds its people and its tool from its start to its end (aps.services.shared).
- A work order on hold is left out, with everything that waits for it: a date made up for it would
  reach the customer. The same goes for an operation that no active work unit can do or that nobody
  of its skill or no tool is there for, and for a work order whose made component neither stock nor
  a work order covers.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from aps.services import followers, pins, plant, sequence
from aps.services import inputs as reading
from aps.services.explosion import Shortage
from aps.services.inputs import Inputs
from aps.services.plant import SUBCONTRACT
from aps.services.remaining import Remaining, runs
from aps.services.sequence import Part
from aps.solver import Job, Mode, Operation, Placement, Precedence, Problem
from erp.selectors import MaterialDate
from masterdata import selectors as masterdata
from masterdata.services import calendars
from mes.enums import WorkOrderState
from mes.selectors import OpenOperation

# Of the working time of the longest horizon so much is planned; what is due after that has no room.
# One impossible order must not stop the plan of all others.
FULL_SHARE = 0.5


class BlockKind(enum.StrEnum):
    """Why an operation cannot be planned."""

    ON_HOLD = "on_hold"
    NO_WORK_UNIT = "no_work_unit"
    NO_PEOPLE = "no_people"  # no shift has enough of the skill for long enough
    NO_TOOL = "no_tool"  # the tool is not active, or belongs to another site
    UNCOVERED = "uncovered"  # nobody makes a component
    NO_ROOM = "no_room"  # years of work lie before it
    KEPT_OUT = "kept_out"  # a planner took it off the plan


@dataclass(frozen=True, slots=True)
class Block:
    """The cause and the work order (or its operation) where it lies."""

    kind: BlockKind
    reference: str


@dataclass(frozen=True)
class Built:
    """A problem, and what it says about the floor that the solver need not know."""

    problem: Problem
    # Where the live schedule has these operations, as a start for the next one.
    previous: tuple[Placement, ...] = ()
    # By operation id: the material that its release waits for.
    waits: Mapping[int, MaterialDate] = field(default_factory=dict)
    # By operation id: why it is not in the problem.
    left_out: Mapping[int, Block] = field(default_factory=dict)
    # By operation id: why a planner's lock on it cannot hold any more.
    dropped: Mapping[int, str] = field(default_factory=dict)
    # By operation id: what new demand has to buy.
    shortages: Mapping[int, Shortage] = field(default_factory=dict)


def build(*, site_id: int, now: datetime, days: int, is_last: bool = False) -> Built:
    """The problem of a site with calendars for so many days; a constant number of queries.

    ``is_last``: no longer horizon will be tried, so work for which there is no room is left out.
    """
    return build_from(reading.read(site_id=site_id, now=now, days=days, is_last=is_last))


def build_from(inputs: Inputs) -> Built:
    """The problem of what was read, and perhaps changed; no query."""
    builder = _Builder(inputs)
    kept = builder.operations()
    resources = plant.resources(inputs.units.values(), inputs.times, inputs.start, inputs.end)
    checked, dropped = pins.hold(kept, inputs)
    pools = tuple(inputs.shared.pools.values())
    setups = plant.setup_minutes(inputs.units.values(), inputs.changeovers, families(checked))
    checked = followers.held(
        checked,
        resources=resources,
        pools=pools,
        setup_minutes=setups,
        now=inputs.now,
        previous=inputs.previous,
        latest_starts=builder.latest_starts,
    )
    problem = Problem(
        resources=tuple(resources),
        jobs=tuple(builder.jobs({operation.job for operation in checked})),
        operations=tuple(checked),
        now=inputs.now,
        pools=pools,
        setup_minutes=setups,
    )
    known = {operation.id for operation in checked}
    return Built(
        problem=problem,
        previous=tuple(placed for pk, placed in inputs.previous.items() if pk in known),
        waits=builder.waits,
        left_out=builder.left_out,
        dropped=dropped,
    )


def families(operations: Iterable[Operation]) -> set[str]:
    """The setup families that they name."""
    return {operation.family for operation in operations if operation.family}


class _Builder:
    """One pass over the open operations, work orders by work order."""

    def __init__(self, inputs: Inputs) -> None:
        self._end = inputs.end if inputs.is_last else None
        self._times = inputs.times
        self._longest = plant.longest_windows(inputs.times)
        self._materials = inputs.materials
        self._sales = inputs.sales
        self._uncovered = inputs.uncovered
        self._kept_out = {pk for pk, pin in inputs.pins.items() if pin.keeps_out}
        self._now = inputs.now
        self._remaining = Remaining(
            times=inputs.times,
            units_by_center=masterdata.units_by_center(list(inputs.units.values())),
            reported=inputs.reported,
            now=inputs.now,
        )
        self._orders: dict[int, list[OpenOperation]] = {}
        for operation in inputs.operations:
            self._orders.setdefault(operation.work_order_id, []).append(operation)
        self._modes = inputs.modes
        self._shared = inputs.shared
        # The modes in which people and tool are there.
        self._served: dict[int, tuple[Mode, ...]] = {}
        self.waits: dict[int, MaterialDate] = {}
        self.left_out: dict[int, Block] = {}
        # Of what waits since the operation before it is done: by operation id.
        self.latest_starts: dict[int, int] = {}

    def operations(self) -> list[Operation]:
        """The solver's operations, without those that cannot be planned."""
        blocked = self._blocked_orders()
        found: list[Operation] = []
        for order_id, row in self._orders.items():
            kept = self._kept(row, blocked.get(order_id))
            waits = [Precedence(pk) for pk in self._children_ends(row[0], blocked)]
            before: tuple[Operation, Part] | None = None
            for number, operation in enumerate(kept):
                made = self._operation(operation, is_first=number == 0)
                part = sequence.part(operation, made, self._times, self._now)
                if before is not None:
                    waits = [self._after(before[1], part)]
                made = sequence.chained(made, waits, before[0] if before else None)
                found.append(made)
                before = made, part
        return found

    def _after(self, before: Part, part: Part) -> Precedence:
        link = sequence.after(before, part)
        return replace(link, max_lag=None) if self._end is not None else link

    def _kept(self, row: Sequence[OpenOperation], block: Block | None) -> Sequence[OpenOperation]:
        """What of a work order is planned: all, what runs already, or what a cut leaves."""
        cut = self._cut(row)
        if block is None and cut is None:
            return row
        first = 0 if block is not None else len(row) if cut is None else cut[0]
        why = block or (cut[1] if cut else None)
        kept = [o for number, o in enumerate(row) if number < first or runs(o)]
        known = {o.id for o in kept}
        for operation in row:
            if operation.id not in known and why is not None:
                self.left_out[operation.id] = why
        return kept

    def _cut(self, row: Sequence[OpenOperation]) -> tuple[int, Block] | None:
        """From where on a planner took the work order off the plan."""
        if not self._kept_out:
            return None
        for number, operation in enumerate(row):
            if operation.id in self._kept_out and not runs(operation):
                reference = f"{operation.work_order_number}/{operation.sequence}"
                return number, Block(BlockKind.KEPT_OUT, reference)
        return None

    def jobs(self, order_ids: Iterable[int]) -> list[Job]:
        """One job per work order, due and weighing as the order lines it serves at first hand."""
        covered: dict[int, set[int]] = {}
        for row in self._orders.values():
            for child in row[0].predecessor_work_order_ids:
                covered.setdefault(child, set()).update(row[0].sales_requirement_ids)
        jobs = []
        for order_id in sorted(order_ids):
            first = self._orders[order_id][0]
            direct = [
                self._sales[pk]
                for pk in first.sales_requirement_ids
                if pk in self._sales and pk not in covered.get(order_id, ())
            ]
            due_at = min((line.due_at for line in direct), default=first.due_at)
            weight = sum(line.weight for line in direct)
            due = calendars.to_minutes(due_at)
            jobs.append(Job(order_id, due, weight, first.work_order_number))
        return jobs

    def _blocked_orders(self) -> dict[int, Block]:
        """Work orders that cannot be planned, and those that wait for them, with the reason."""
        blocked: dict[int, Block] = {}
        followers: dict[int, list[int]] = {}
        for order_id, row in self._orders.items():
            for child in row[0].predecessor_work_order_ids:
                followers.setdefault(child, []).append(order_id)
            reason = self._own_block(row)
            if reason:
                blocked[order_id] = reason
        if self._end is not None:
            blocked |= self._without_room(self._end, blocked)
        cuts = {pk: cut[1] for pk, row in self._orders.items() if (cut := self._cut(row))}
        stack = [*blocked, *(cuts.keys() - blocked.keys())]
        while stack:
            order_id = stack.pop()
            for follower in followers.get(order_id, ()):
                if follower not in blocked:
                    blocked[follower] = blocked.get(order_id) or cuts[order_id]
                    stack.append(follower)
        return blocked

    def _without_room(self, end: int, blocked: Mapping[int, Block]) -> dict[int, Block]:
        """Work orders, the latest due first to go, that overfill their work units until ``end``."""
        room = {
            unit: times.worked(self._now, end) * FULL_SHARE for unit, times in self._times.items()
        }
        found: dict[int, Block] = {}
        for order_id in sorted(self._orders, key=lambda pk: (self._orders[pk][0].due_at, pk)):
            if order_id in blocked:
                continue
            needed: dict[int, float] = {}
            for operation in self._orders[order_id]:
                modes = [m for m in self._modes.get(operation.id, ()) if m.resource in room]
                for mode in modes:
                    share = mode.minutes / len(modes)
                    needed[mode.resource] = needed.get(mode.resource, 0) + share
            if any(room[unit] < minutes for unit, minutes in needed.items()):
                number = self._orders[order_id][0].work_order_number
                found[order_id] = Block(BlockKind.NO_ROOM, number)
                continue
            for unit, minutes in needed.items():
                room[unit] -= minutes
        return found

    def _own_block(self, row: Sequence[OpenOperation]) -> Block | None:
        """Why the work order cannot be planned by itself; None where it can."""
        first = row[0]
        if first.work_order_state == WorkOrderState.ON_HOLD:
            return Block(BlockKind.ON_HOLD, first.work_order_number)
        if first.work_order_id in self._uncovered:
            return Block(BlockKind.UNCOVERED, self._uncovered[first.work_order_id])
        for operation in row:
            if operation.id not in self._modes:
                self._modes[operation.id] = self._remaining.modes(operation)
            if runs(operation):
                continue
            if not self._modes[operation.id]:
                reference = f"{operation.work_order_number}/{operation.sequence}"
                return Block(BlockKind.NO_WORK_UNIT, reference)
            if block := self._unserved(operation):
                return block
        return None

    def _unserved(self, operation: OpenOperation) -> Block | None:
        """Why people or a tool keep it from being done at all; None where it can be."""
        modes, needs = self._modes[operation.id], self._shared.needs(operation)
        pauses = plant.may_pause(operation.is_interruptible, modes, self._longest)
        served, missing = self._shared.serve(modes, needs, self._times, unbroken=not pauses)
        self._served[operation.id] = served
        if missing is None:
            return None
        kind = BlockKind.NO_TOOL if self._shared.is_tool(missing.pool) else BlockKind.NO_PEOPLE
        name = self._shared.name(missing.pool)
        return Block(kind, f"{operation.work_order_number}/{operation.sequence} ({name})")

    def _children_ends(self, first: OpenOperation, blocked: Mapping[int, Block]) -> tuple[int, ...]:
        """The last operations of the work orders that this one waits for."""
        return tuple(
            self._orders[child][-1].id
            for child in first.predecessor_work_order_ids
            if child in self._orders
            and child not in blocked
            and self._cut(self._orders[child]) is None
        )

    def _operation(self, operation: OpenOperation, *, is_first: bool) -> Operation:
        fixed = self._remaining.fixed(operation) if runs(operation) else None
        needs = self._shared.needs(operation)
        if fixed is not None:
            modes: tuple[Mode, ...] = (Mode(fixed.resource, 0),)
            # What runs has its people and tool, whatever the master data says.
            needs = self._shared.possible(needs) if fixed.resource != SUBCONTRACT else ()
        else:
            modes = self._served.get(operation.id, self._modes[operation.id])
        return Operation(
            id=operation.id,
            job=operation.work_order_id,
            modes=modes,
            release=self._release(operation) if is_first else self._now,
            interruptible=plant.may_pause(operation.is_interruptible, modes, self._longest),
            family=operation.setup_family or None,
            fixed=fixed,
            needs=needs,
        )

    def _release(self, operation: OpenOperation) -> int:
        """When bought material is there and what came has rested; now at the earliest.

        Takes note of how long what came may wait.
        """
        release = self._now
        if operation.rests_until is not None:
            release = max(release, calendars.to_minutes_up(operation.rests_until))
        if operation.starts_by is not None and self._end is None:
            self.latest_starts[operation.id] = calendars.to_minutes(operation.starts_by)
        for pk in operation.material_requirement_ids:
            material = self._materials.get(pk)
            if material is None or material.at is None:
                continue
            at = calendars.to_minutes_up(material.at)
            if at > release:
                release = at
                self.waits[operation.id] = material
        return release
