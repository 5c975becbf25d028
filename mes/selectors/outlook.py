"""What open work orders should cost and still will, by kind, read for many at once.

The standard is the frozen one; before the work has begun, the frozen BOM and routing at the prices
of the day. Still to come is what components are not issued yet, and the pieces that each operation
has still to run: at the work unit where it runs or is planned, with that unit's own minutes, power
and the rates of the work center in which it stands.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from erp import selectors as erp
from erp.enums import CostKind
from erp.services import costing
from masterdata import selectors as masterdata
from masterdata.enums import RunBasis
from mes.enums import OperationState, WorkOrderState
from mes.models import CostStandard, WorkOrder, WorkOrderOperation
from mes.selectors.cost_money import UNSPLIT
from mes.selectors.open_work import OpenUnit, own_units, still_to_run
from mes.selectors.prices import BY_HOUR, HOUR, Prices
from mes.selectors.standard_rows import standard_rows, unit_costs
from mes.selectors.tree import SupplyTree
from mes.selectors.underway import Underway, underway

ZERO = Decimal(0)


@dataclass(slots=True)
class _Site:
    """What is known of a site's day; no prices where an exchange rate is missing."""

    prices: Prices | None
    # What a piece on stock cost on average, by item.
    averages: dict[int, Decimal]


@dataclass(slots=True)
class Outlook:
    """The work orders of a tree; about a dozen queries, however many there are."""

    tree: SupplyTree
    # Of open work orders, in order, cancelled ones left out.
    operations: dict[int, list[WorkOrderOperation]] = field(default_factory=dict)
    # Why some are reckoned by their items' standard cost instead, for people.
    missing: str = ""
    # By work order: operations that have been running for longer than their pieces should take.
    overrun: dict[int, set[int]] = field(default_factory=dict)
    _rows: dict[int, list[CostStandard]] = field(default_factory=dict)
    _units: dict[int, tuple[OpenUnit, ...]] = field(default_factory=dict)
    _left: dict[int, Decimal] = field(default_factory=dict)
    _underway: dict[int, Underway] = field(default_factory=dict)
    _needs: dict[int, erp.Coverage] = field(default_factory=dict)
    _sites: dict[int, _Site] = field(default_factory=dict)
    _each: dict[int, dict[str, Decimal]] = field(default_factory=dict)

    @classmethod
    def read(cls, tree: SupplyTree, *, at: datetime) -> "Outlook":
        """The standards and what is still to come of the work orders of the tree, at a moment."""
        found = cls(tree)
        for row in CostStandard.objects.filter(work_order__in=list(tree.orders)).order_by("pk"):
            found._rows.setdefault(row.work_order_id, []).append(row)
        opened = {pk: o for pk, o in tree.orders.items() if o.state in WorkOrderState.open()}
        operations = _operations(opened)
        for operation in operations:
            found.operations.setdefault(operation.work_order_id, []).append(operation)
        found._units = own_units(operations)
        found._left = still_to_run(operations)
        found._underway = underway(operations, at=at)
        lines = [line for pk in opened for line in tree.materials.get(pk, ())]
        found._needs = {
            n.requirement_id: n for n in erp.coverage([i.requirement_id for i in lines])
        }
        items = {line.item_id for line in lines}
        for site_id in sorted({order.site_id for order in opened.values()}):
            here = [o for o in operations if o.work_order.site_id == site_id]
            found._sites[site_id] = found._read_site(site_id, here, items, at)
        return found

    def _read_site(
        self,
        site_id: int,
        operations: Iterable[WorkOrderOperation],
        items: Collection[int],
        at: datetime,
    ) -> _Site:
        places: set[tuple[int, int | None]] = set()
        asked = set()
        for operation in operations:
            places |= {
                (operation.work_center_id, None),
                (operation.work_center_id, _unit_of(operation)),
            }
            if operation.subcontractor_id is not None:
                asked.add((operation.work_order.item_id, operation.subcontractor_id))
        averages = erp.average_costs(items, site_id=site_id)
        try:
            prices = Prices.of(site_id, places, at=at, asked=asked)
        except masterdata.NoExchangeRate as refusal:
            self.missing = str(refusal)
            return _Site(None, averages)
        return _Site(prices, averages)

    def each(self, order: WorkOrder) -> dict[str, Decimal]:
        """What a good piece should cost by kind, unrounded; the item's in whole if unknown."""
        known = self._each.get(order.pk)
        if known is None:
            rows = self._rows.get(order.pk) or self._of_the_day(order)
            known = {kind: each for kind, each in unit_costs(order, rows).items() if each}
            if not known:
                known = {UNSPLIT: order.item.standard_cost}
            self._each[order.pk] = known
        return known

    def standard(self, order: WorkOrder, pieces: Decimal) -> dict[str, Decimal]:
        """What so many good pieces should cost by kind, in cents; together as one amount."""
        each = self.each(order)
        amount = costing.cents(sum(each.values(), ZERO) * pieces)
        return dict(costing.split(amount, each)) or {UNSPLIT: amount}

    def _of_the_day(self, order: WorkOrder) -> list[CostStandard]:
        site = self._sites.get(order.site_id)
        if site is None or site.prices is None or order.state not in WorkOrderState.open():
            return []
        lines = self.tree.materials.get(order.pk, ())
        needs = {line.requirement_id: self._needs[line.requirement_id].quantity for line in lines}
        return standard_rows(order, lines, needs, self.operations.get(order.pk, ()), site.prices)

    def to_come(self, order: WorkOrder, spent: Decimal) -> dict[str, Decimal]:
        """What it still costs by kind, in cents; nothing once no work is left to do.

        Of one that is known in whole only: what its output should cost beyond ``spent``.
        """
        if order.state not in WorkOrderState.open():
            return {}
        site = self._sites[order.site_id]
        if site.prices is None or UNSPLIT in self.each(order):
            whole = sum(self.standard(order, order.output).values(), ZERO)
            return {UNSPLIT: max(ZERO, whole - spent)}
        found: dict[str, Decimal] = defaultdict(Decimal)
        found[CostKind.MATERIAL] += self._material(order, site.averages)
        operations = self.operations.get(order.pk, [])
        for operation in operations:
            is_last = operation is operations[-1]
            for kind, amount in self._operation(operation, site.prices, is_last=is_last):
                found[kind] += amount
        return {kind: costing.cents(amount) for kind, amount in found.items()}

    def _material(self, order: WorkOrder, averages: Mapping[int, Decimal]) -> Decimal:
        """Components not issued yet: what is still being made at its standard, for so it comes
        in, all else at what lies on stock cost on average."""
        pegs = self._pegs()
        amount = ZERO
        for line in self.tree.materials.get(order.pk, ()):
            need = self._needs[line.requirement_id]
            left = max(ZERO, need.quantity - need.issued)
            for peg, made in pegs.get(line.requirement_id, ()):
                pieces = min(left, peg)
                amount += pieces * sum(self.each(made).values(), ZERO)
                left -= pieces
            amount += left * averages.get(line.item_id, line.item.standard_cost)
        return amount

    def _pegs(self) -> dict[int, list[tuple[Decimal, WorkOrder]]]:
        """By requirement: pieces that open work orders have still to deliver to it."""
        found: dict[int, list[tuple[Decimal, WorkOrder]]] = {}
        for peg in self.tree.pegs:
            order = self.tree.orders[peg.work_order_id]
            if peg.quantity > peg.delivered and order.state in WorkOrderState.open():
                row = (peg.quantity - peg.delivered, order)
                found.setdefault(peg.requirement_id, []).append(row)
        return found

    def _operation(
        self, operation: WorkOrderOperation, prices: Prices, *, is_last: bool
    ) -> Iterable[tuple[str, Decimal]]:
        pieces, item = self._left[operation.pk], operation.work_order.item
        if operation.subcontractor_id is not None:
            yield CostKind.SUBCONTRACT, pieces * prices.subcontract(item.pk, operation)
            return
        unit = _unit_of(operation)
        machine, people = self._minutes(operation, unit, pieces)
        for kind in BY_HOUR:
            minutes = people if kind == CostKind.LABOUR else machine
            yield kind, minutes / HOUR * prices.hour(operation, kind, unit)
        kwh = machine / HOUR * prices.kilowatts(operation.work_center_id, unit)
        if item.energy_kwh_per_unit:
            kwh = pieces * item.energy_kwh_per_unit if is_last else ZERO
        yield CostKind.ENERGY, kwh * prices.site.energy_price

    def _minutes(
        self, operation: WorkOrderOperation, unit: int | None, pieces: Decimal
    ) -> tuple[Decimal, Decimal]:
        """Minutes of the machine and of people that are not booked yet."""
        setup, run = operation.setup_minutes, operation.run_minutes
        for own in self._units.get(operation.pk, ()):
            if own.work_unit_id == unit:
                setup, run = own.setup_minutes, own.run_minutes
        if operation.run_basis == RunBasis.PER_PIECE:
            run *= pieces
        elif not pieces:
            run = ZERO
        # What was interrupted has its setup behind it; where nothing comes, nothing is set up.
        if operation.state not in _SETUP_AHEAD or not pieces:
            setup = ZERO
        now = self._underway.get(operation.pk, Underway())
        is_setup = operation.state == OperationState.SETUP
        ahead, after = (setup, run) if is_setup else (setup + run, ZERO)
        if now.machine.since > ahead or now.people.since > ahead * operation.people:
            self.overrun.setdefault(operation.work_order_id, set()).add(operation.sequence)
        machine = now.machine.expected(ahead) + after
        people = now.people.expected(ahead * operation.people) + after * operation.people
        return machine, people


_SETUP_AHEAD = (OperationState.WAITING, OperationState.READY, OperationState.SETUP)


def _unit_of(operation: WorkOrderOperation) -> int | None:
    """Where it runs or ran, before its start where it is planned."""
    return operation.work_unit_id or operation.planned_work_unit_id


def _operations(orders: Mapping[int, WorkOrder]) -> list[WorkOrderOperation]:
    rows = WorkOrderOperation.objects.filter(work_order__in=list(orders))
    found = list(rows.exclude(state=OperationState.CANCELLED).order_by("work_order", "sequence"))
    for operation in found:
        operation.work_order = orders[operation.work_order_id]
    return found
