"""All that aps needs to build its problem, in a constant number of queries.

Each query reads one table, by ids that the one before it found: a join of thousands of rows takes
minutes where PostgreSQL believes that a table is empty (common.statistics).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from erp import selectors as erp
from masterdata.enums import RunBasis
from mes.enums import OperationState, WorkOrderState
from mes.models import (
    OperationUnit,
    WorkOrder,
    WorkOrderMaterial,
    WorkOrderOperation,
    WorkOrderPeg,
)
from mes.selectors.tree import requirements_served_by

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OpenUnit:
    """A work unit that may do the operation, with its minutes there."""

    work_unit_id: int
    setup_minutes: Decimal
    run_minutes: Decimal


@dataclass(frozen=True, slots=True)
class OpenOperation:
    """An operation that is not done, with all that scheduling asks about it."""

    id: int
    work_order_id: int
    work_order_number: str
    work_order_state: WorkOrderState
    sequence: int
    state: OperationState
    item_id: int
    work_center_id: int
    # Pieces still to be run here, and good ones reported.
    remaining: Decimal
    good: Decimal
    # What came still waits (cools, dries) until then, since the operation before it is done.
    rests_until: datetime | None
    # ... and may wait no longer than until then.
    starts_by: datetime | None
    setup_minutes: Decimal
    run_minutes: Decimal
    run_basis: RunBasis
    setup_family: str
    is_interruptible: bool
    subcontractor_id: int | None
    subcontract_days: int
    # So many people of the skill, and one of the tool, from its start to its end.
    skill_id: int | None
    people: int
    tool_id: int | None
    # Before the next operation: clock minutes at least and at most, good pieces that let it begin.
    wait_minutes: int
    max_wait_minutes: int | None
    transfer_quantity: Decimal | None
    # None and not restricted: any active unit of the work center at the operation's own times.
    units: tuple[OpenUnit, ...]
    # Where and since when it runs; None before it starts.
    work_unit_id: int | None
    started_at: datetime | None
    # Whether pieces have been reported, good or scrap.
    is_reported: bool
    planned_work_unit_id: int | None
    planned_starts_at: datetime | None
    planned_ends_at: datetime | None
    due_at: datetime
    priority: int
    # Component requirements of its work order that wait for purchases, for erp.material_dates;
    # empty once the work order has started.
    material_requirement_ids: tuple[int, ...]
    # Open work orders whose output the work order waits for.
    predecessor_work_order_ids: tuple[int, ...]
    # The order lines behind it: requirement ids, the earliest due moment, the sum of weights.
    sales_requirement_ids: tuple[int, ...]
    sales_due_at: datetime | None
    sales_weight: int

    def run_total(self, run_minutes: Decimal) -> Decimal:
        """Working minutes still to run, at the given minutes (of the operation or of a unit)."""
        if self.run_basis == RunBasis.PER_ORDER:
            return run_minutes if self.remaining > 0 else ZERO
        return run_minutes * self.remaining


def open_operations(
    *, site_id: int, work_order_ids: Iterable[int] | None = None
) -> list[OpenOperation]:
    """Operations that are not done, of work orders that are not over, by work order and sequence.

    Work orders on hold are in it, with their state: whether they count is the planner's to say.
    """
    chosen = WorkOrder.objects.filter(site_id=site_id, state__in=WorkOrderState.open())
    if work_order_ids is not None:
        chosen = chosen.filter(pk__in=list(work_order_ids))
    orders = {order.pk: order for order in chosen}
    rows = WorkOrderOperation.objects.filter(work_order__in=list(orders))
    operations = list(
        rows.exclude(state=OperationState.CANCELLED).order_by("work_order", "sequence")
    )
    for operation in operations:
        operation.work_order = orders[operation.work_order_id]
    links = _Links.read(orders)
    units = own_units(operations)
    left = still_to_run(operations)
    found = []
    before: WorkOrderOperation | None = None
    for operation in operations:
        if before is None or before.work_order_id != operation.work_order_id:
            before = None
        if operation.state != OperationState.DONE:
            row = _open(operation, left[operation.pk], units.get(operation.pk, ()), links)
            rests_until, starts_by = _waits(before)
            found.append(replace(row, rests_until=rests_until, starts_by=starts_by))
        before = operation
    return found


def still_to_run(operations: Iterable[WorkOrderOperation]) -> dict[int, Decimal]:
    """Pieces still to be run at each operation, by id: all that came or may still come to it.

    Operations with their work orders, by work order and sequence, cancelled ones left out.
    """
    found: dict[int, Decimal] = {}
    work_order_id, coming = None, ZERO
    for operation in operations:
        if operation.work_order_id != work_order_id:
            work_order_id, coming = operation.work_order_id, operation.work_order.quantity
        left = max(ZERO, coming - operation.good - operation.scrap)
        is_done = operation.state == OperationState.DONE
        found[operation.pk] = ZERO if is_done else left
        coming = operation.good if is_done else operation.good + left
    return found


def _waits(before: WorkOrderOperation | None) -> tuple[datetime | None, datetime | None]:
    """After an operation that is done: when the wait is over, and when it has been too long."""
    if before is None or before.finished_at is None:
        return None, None
    least, most = before.wait_minutes, before.max_wait_minutes
    return (
        before.finished_at + timedelta(minutes=least) if least else None,
        before.finished_at + timedelta(minutes=most) if most is not None else None,
    )


def own_units(operations: Iterable[WorkOrderOperation]) -> dict[int, tuple[OpenUnit, ...]]:
    """The alternatives frozen for those that are not done, by operation id; one query."""
    found: dict[int, list[OpenUnit]] = defaultdict(list)
    wanted = [o.pk for o in operations if o.state != OperationState.DONE]
    rows = OperationUnit.objects.filter(operation__in=wanted).order_by("operation", "work_unit")
    for pk, unit, setup, run in rows.values_list(
        "operation_id", "work_unit_id", "setup_minutes", "run_minutes"
    ):
        found[pk].append(OpenUnit(unit, setup, run))
    return {pk: tuple(units) for pk, units in found.items()}


@dataclass(slots=True)
class _Links:
    """Materials, predecessors and order lines by work order."""

    materials: dict[int, list[int]]
    predecessors: dict[int, set[int]]
    tops: dict[int, frozenset[int]]
    sales: dict[int, erp.Coverage]

    @classmethod
    def read(cls, orders: Mapping[int, WorkOrder]) -> "_Links":
        materials: dict[int, list[int]] = defaultdict(list)
        owner: dict[int, int] = {}
        fresh = [pk for pk, order in orders.items() if order.started_at is None]
        # What may be taken below zero holds nothing up.
        lines = WorkOrderMaterial.objects.filter(
            work_order__in=fresh, item__may_be_negative=False
        ).order_by("work_order", "position")
        for work_order_id, pk in lines.values_list("work_order_id", "requirement_id"):
            materials[work_order_id].append(pk)
            owner[pk] = work_order_id
        predecessors: dict[int, set[int]] = defaultdict(set)
        pegs = WorkOrderPeg.objects.filter(requirement__in=list(owner))
        pairs = list(pegs.values_list("work_order_id", "requirement_id"))
        still = _open_ones({child for child, _pk in pairs}, orders)
        for child, pk in pairs:
            if child in still:
                predecessors[owner[pk]].add(child)
        tops = requirements_served_by(orders.keys())
        rows = erp.coverage(set().union(*tops.values()))
        return cls(materials, predecessors, tops, {row.requirement_id: row for row in rows})


def _open_ones(work_order_ids: set[int], known: Mapping[int, WorkOrder]) -> set[int]:
    """Those of the work orders that are not over; one query for those not known to be open."""
    others = WorkOrder.objects.filter(
        pk__in=work_order_ids - known.keys(), state__in=WorkOrderState.open()
    )
    return (work_order_ids & known.keys()) | set(others.values_list("pk", flat=True))


def _open(
    operation: WorkOrderOperation,
    remaining: Decimal,
    units: tuple[OpenUnit, ...],
    links: _Links,
) -> OpenOperation:
    order = operation.work_order
    return OpenOperation(
        id=operation.pk,
        work_order_id=order.pk,
        work_order_number=order.number,
        work_order_state=WorkOrderState(order.state),
        sequence=operation.sequence,
        state=OperationState(operation.state),
        item_id=order.item_id,
        remaining=remaining,
        good=operation.good,
        rests_until=None,
        starts_by=None,
        units=units,
        work_unit_id=operation.work_unit_id,
        started_at=operation.started_at,
        is_reported=operation.good > 0 or operation.scrap > 0,
        planned_work_unit_id=operation.planned_work_unit_id,
        planned_starts_at=operation.planned_starts_at,
        planned_ends_at=operation.planned_ends_at,
        due_at=order.due_at,
        priority=order.priority,
        material_requirement_ids=tuple(links.materials.get(order.pk, ())),
        predecessor_work_order_ids=tuple(sorted(links.predecessors.get(order.pk, ()))),
        **_routed(operation),
        **_wanted(order, links),
    )


def _routed(operation: WorkOrderOperation) -> dict[str, Any]:
    """What the frozen routing says of it."""
    return {
        "work_center_id": operation.work_center_id,
        "setup_minutes": operation.setup_minutes,
        "run_minutes": operation.run_minutes,
        "run_basis": RunBasis(operation.run_basis),
        "setup_family": operation.setup_family,
        "is_interruptible": operation.is_interruptible,
        "subcontractor_id": operation.subcontractor_id,
        "subcontract_days": operation.subcontract_days,
        "skill_id": operation.skill_id,
        "people": operation.people,
        "tool_id": operation.tool_id,
        "wait_minutes": operation.wait_minutes,
        "max_wait_minutes": operation.max_wait_minutes,
        "transfer_quantity": operation.transfer_quantity,
    }


def _wanted(order: WorkOrder, links: _Links) -> dict[str, Any]:
    """The open order lines behind its work order."""
    sales = [
        links.sales[pk]
        for pk in sorted(links.tops.get(order.pk, ()))
        if pk in links.sales and links.sales[pk].is_open
    ]
    return {
        "sales_requirement_ids": tuple(row.requirement_id for row in sales),
        "sales_due_at": min((row.due_at for row in sales), default=None),
        "sales_weight": sum(row.weight for row in sales),
    }
