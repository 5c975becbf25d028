"""What a line would need made: every BOM level, net of free supply, as solver operations.

Lot arithmetic is the conversion's own (masterdata.services.lots): fixed lots are work orders of
their own that overlap, and what one leaves over goes to the next need of the same line.
Approximations against it, on the side of caution: a need is its own work order even where the
conversion would gather several into one, the surplus of a line's last lot serves no other line,
very many lots are checked as fewer larger ones, and BOM and routing are today's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _

from aps.services import plant, sequence
from aps.services.live import Live
from aps.services.plant import DAY_MINUTES, MILESTONE, SUBCONTRACT
from aps.services.sequence import Part
from aps.services.supplies import Supplies, Taken
from aps.solver import Mode, Operation, Precedence
from common.errors import Refused
from masterdata.enums import LotPolicy, RunBasis
from masterdata.selectors import ItemStructure, OperationStructure, eligible_units
from masterdata.services import lots

WHOLE = Decimal(1)
# A need of more fixed lots than this is checked as so many larger ones, to be answered in time.
MOST_LOTS = 12


class CannotCheck(Refused):
    """The line cannot be checked; the sentence says what is missing."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an operation of the solver stands for."""

    item: ItemStructure
    # None for the milestone that says the line is complete.
    operation: OperationStructure | None


@dataclass(frozen=True, slots=True)
class Shortage:
    """An item that is there only from ``at`` on, and why."""

    item: ItemStructure
    needed: Decimal
    on_stock: Decimal
    at: int
    # The document that brings it; empty where it would be ordered now.
    reference: str


@dataclass(frozen=True, slots=True)
class Ready:
    """What has to be over before something begins: operations, and a minute."""

    waits: tuple[Precedence, ...] = ()
    at: int = 0
    shortage: Shortage | None = None

    def __add__(self, other: "Ready") -> "Ready":
        later = max(self, other, key=lambda ready: ready.at)
        return Ready(self.waits + other.waits, later.at, later.shortage)


@dataclass
class _Surplus:
    """What a lot leaves over, and what has to be over before it is there."""

    quantity: Decimal
    ready: Ready


@dataclass
class Exploded:
    """A line's operations; the last one, without work, is the line's completion."""

    operations: list[Operation] = field(default_factory=list)
    steps: dict[int, Step] = field(default_factory=dict)
    shortages: dict[int, Shortage] = field(default_factory=dict)
    # Codes of items whose free output has no planned time yet.
    unplanned: set[str] = field(default_factory=set)
    # Lots were checked as fewer larger ones, since less work was asked for.
    is_coarse: bool = False

    @property
    def has_work(self) -> bool:
        return len(self.operations) > 1


def explode(
    *,
    item_id: int,
    quantity: Decimal,
    structures: Mapping[int, ItemStructure],
    supplies: Supplies,
    live: Live,
    now: int,
    first_id: int = 1,
    most_lots: int = MOST_LOTS,
) -> Exploded:
    """The work for a quantity of an item; takes what it uses out of ``supplies``.

    Fewer ``most_lots`` take less time and never make the answer better. Raises CannotCheck where
    an item can be neither made nor bought.
    """
    explosion = _Explosion(structures, supplies, live, now, first_id, most_lots)
    ready = explosion.need(structures[item_id], quantity)
    explosion.add(structures[item_id], None, (Mode(MILESTONE, 0),), ready)
    return explosion.found


class _Explosion:
    """One pass from the top down; operations come out children first."""

    def __init__(
        self,
        structures: Mapping[int, ItemStructure],
        supplies: Supplies,
        live: Live,
        now: int,
        first_id: int,
        most_lots: int,
    ) -> None:
        self._most_lots = most_lots
        self._structures = structures
        self._supplies = supplies
        self._live = live
        self._now = now
        self._next_id = first_id
        self._surplus: dict[int, list[_Surplus]] = {}
        self.found = Exploded()

    def need(self, item: ItemStructure, quantity: Decimal, orders: int = 1) -> Ready:
        """Get hold of a quantity: free supply first, the rest made or bought.

        ``orders``: so many work orders ask for it, and each would get one of its own.
        """
        taken = self._supplies.take(item.item_id, quantity)
        if taken.rest > 0 and item.item_id in self._supplies.unplanned:
            self.found.unplanned.add(item.code)
        ready = Ready()
        if taken.last is not None:
            ready = self._from_lot(item, quantity, taken)
        if taken.rest <= 0:
            return ready
        if item.is_made:
            return ready + self._make_lots(item, taken.rest, orders)
        at = self._now + item.lead_time_days * DAY_MINUTES
        return ready + Ready(
            at=at, shortage=Shortage(item, quantity, taken.from_stock, at, reference="")
        )

    def _from_lot(self, item: ItemStructure, quantity: Decimal, taken: Taken) -> Ready:
        assert taken.last is not None  # noqa: S101 - asked by the caller
        lot = taken.last
        return Ready(
            at=lot.at,
            shortage=Shortage(item, quantity, taken.from_stock, lot.at, lot.reference),
        )

    def _make_lots(self, item: ItemStructure, quantity: Decimal, orders: int) -> Ready:
        """What earlier lots left over, then work orders for the rest, lot by lot."""
        if not item.operations:
            raise CannotCheck(_no_way_to_make(item))
        rest, ready = self._from_surplus(item, quantity)
        if rest <= 0:
            return ready
        fixed = item.lot_size if item.lot_policy == LotPolicy.FIXED else None
        started = lots.to_start(
            rest, scrap_rate=item.scrap_rate, uom=item.uom, lot_size=fixed or None
        )
        count = math.ceil(started / fixed) if fixed else 1
        per_order = -(-count // self._most_lots)
        if count > self._most_lots and self._most_lots < MOST_LOTS:
            self.found.is_coarse = True
        left = started
        while left > 0:
            lot = min(left, fixed * per_order) if fixed else left
            made = self._make(item, lot, math.ceil(lot / fixed) if fixed else orders)
            left -= lot
            output = lots.expected_output(lot, scrap_rate=item.scrap_rate, uom=item.uom)
            used = min(rest, output)
            if used > 0:
                rest -= used
                ready = ready + made
            if output > used:
                self._surplus.setdefault(item.item_id, []).append(_Surplus(output - used, made))
        return ready

    def _from_surplus(self, item: ItemStructure, quantity: Decimal) -> tuple[Decimal, Ready]:
        """What is still to be made, and what the part of earlier lots waits for."""
        rest, ready = quantity, Ready()
        for surplus in self._surplus.get(item.item_id, []):
            part = min(rest, surplus.quantity)
            if part > 0:
                surplus.quantity -= part
                rest -= part
                ready = ready + surplus.ready
        return rest, ready

    def _make(self, item: ItemStructure, started: Decimal, orders: int) -> Ready:
        """Components, then operations one after the other: one work order, or so many as one."""
        ready = Ready()
        for component in item.components:
            below = self._structures[component.item_id]
            needed = lots.component_need(
                started,
                quantity_per=component.quantity_per,
                scrap_rate=component.scrap_rate,
                uom=below.uom,
            )
            ready = ready + self.need(below, needed, orders)
        before: Part | None = None
        for operation in item.operations:
            modes = self._modes(item, operation, started, orders)
            part = self._part(operation, modes, started)
            if before is not None:
                ready = Ready((sequence.after(before, part),))
            ready = self.add(item, operation, modes, ready)
            before = part
        return ready

    def _part(
        self, operation: OperationStructure, modes: tuple[Mode, ...], started: Decimal
    ) -> Part:
        """The operation, which comes next, as what goes before and after it sees it."""
        center = self._live.units_by_center.get(operation.work_center_id, [])
        return Part(
            id=self._next_id,
            step=operation,
            modes=modes,
            per_piece=[(u.work_unit_id, u.run_minutes) for u in eligible_units(operation, center)],
            remaining=started,
        )

    def _modes(
        self,
        item: ItemStructure,
        operation: OperationStructure,
        quantity: Decimal,
        orders: int,
    ) -> tuple[Mode, ...]:
        if operation.subcontractor_id is not None:
            return (Mode(SUBCONTRACT, operation.subcontract_days * DAY_MINUTES),)
        units = eligible_units(
            operation, self._live.units_by_center.get(operation.work_center_id, [])
        )
        times = quantity if operation.run_basis == RunBasis.PER_PIECE else Decimal(orders)
        modes = tuple(
            Mode(
                unit.work_unit_id,
                math.ceil(unit.setup_minutes * orders + unit.run_minutes * times),
            )
            for unit in units
            if unit.work_unit_id in self._live.units
        )
        if not modes:
            raise CannotCheck(
                _("No work unit can do operation %(sequence)s of %(item)s.")
                % {"sequence": operation.sequence, "item": item.code}
            )
        return self._served(item, operation, modes)

    def _served(
        self, item: ItemStructure, operation: OperationStructure, modes: tuple[Mode, ...]
    ) -> tuple[Mode, ...]:
        """The modes in which people and tool are there; raises CannotCheck where none is left."""
        live = self._live
        pauses = plant.may_pause(operation.interruptible, modes, live.longest_windows)
        served, missing = live.shared.serve(
            modes, live.shared.needs(operation), live.times, unbroken=not pauses
        )
        if missing is None:
            return served
        facts = {"sequence": operation.sequence, "item": item.code}
        facts["name"] = live.shared.name(missing.pool)
        if live.shared.is_tool(missing.pool):
            text = _("Operation %(sequence)s of %(item)s needs %(name)s, which is not there.")
        else:
            text = _(
                "No shift has enough people with the skill %(name)s, for long enough, for "
                "operation %(sequence)s of %(item)s."
            )
        raise CannotCheck(text % facts)

    def add(
        self,
        item: ItemStructure,
        operation: OperationStructure | None,
        modes: Sequence[Mode],
        ready: Ready,
    ) -> Ready:
        """Add a solver operation that waits for ``ready``; what waits for it is returned."""
        identity = self._next_id
        self._next_id += 1
        parts = [sequence.split(wait) for wait in ready.waits]
        self.found.operations.append(
            Operation(
                id=identity,
                job=0,
                modes=tuple(modes),
                predecessors=tuple(pk for plain, _links in parts for pk in plain),
                links=tuple(link for _plain, links in parts for link in links),
                release=max(ready.at, self._now),
                interruptible=plant.may_pause(
                    operation is None or operation.interruptible,
                    modes,
                    self._live.longest_windows,
                ),
                needs=self._live.shared.needs(operation) if operation else (),
                family=(operation.setup_family or None) if operation else None,
            )
        )
        self.found.steps[identity] = Step(item, operation)
        if ready.shortage is not None and ready.at > self._now:
            self.found.shortages[identity] = ready.shortage
        return Ready((Precedence(identity),))


def _no_way_to_make(item: ItemStructure) -> str:
    if item.components:
        text = _("%(item)s is made here, but has no routing.")
    else:
        text = _("%(item)s is made here, but has neither a bill of material nor a routing.")
    return text % {"item": item.code}
