"""Writes an explosion: a handful of bulk statements, however many work orders."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from django.db import connection

from common import audit, bulk, numbers, statistics
from common.models import User
from erp.enums import RequirementKind
from erp.services import requirements, reservations
from masterdata.enums import IssueMethod
from masterdata.selectors import OperationStructure
from mes.enums import OperationState, WorkOrderState
from mes.models import (
    OperationUnit,
    WorkOrder,
    WorkOrderCheck,
    WorkOrderMaterial,
    WorkOrderOperation,
    WorkOrderPeg,
)
from mes.services.supply import coming
from mes.services.supply.explode import DraftMaterial, DraftOrder, Explosion

BATCH = 5000


def write(explosion: Explosion, *, site_id: int, by: User | None, now: datetime) -> tuple[int, ...]:
    """Write all of it; return the ids of the work orders it touched."""
    fresh = [order for order in explosion.orders if order.grows is None]
    grown = [order for order in explosion.orders if order.grows is not None]
    created = _create(fresh, site_id, now)
    numbers_of = dict(zip(map(id, fresh), (order.number for order in created), strict=True))
    _open_requirements(fresh, numbers_of, site_id)
    _freeze_materials(fresh, created)
    _freeze_routing(fresh, created)
    _grow(grown, by, now)
    ids = {id(draft): order.pk for draft, order in zip(fresh, created, strict=True)}
    ids |= {id(draft): draft.grows.id for draft in grown if draft.grows}
    for draft in explosion.orders:
        draft.order_id = ids[id(draft)]
    coming.note(ids.values())
    _peg(explosion, ids)
    reservations.reserve(
        _sum(
            [
                *explosion.owed.items(),
                *((n.requirement_id, n.reserved) for n in explosion.needs if n.reserved > 0),
            ]
        )
    )
    audit.record_many(action="mes.work_order.plan", targets=created, by=by, now=now)
    statistics.analyze_later(
        WorkOrder, WorkOrderMaterial, WorkOrderOperation, WorkOrderPeg, rows=len(created)
    )
    return tuple(dict.fromkeys([*ids.values(), *(pk for pk, _n, _q in explosion.taken)]))


def _create(drafts: Sequence[DraftOrder], site_id: int, now: datetime) -> list[WorkOrder]:
    taken = numbers.take_many("WO", len(drafts), now=now)
    return WorkOrder.objects.bulk_create(
        [
            WorkOrder(
                number=number,
                item_id=draft.item.item_id,
                site_id=site_id,
                state=_first_state(draft),
                quantity=draft.quantity,
                output=draft.output,
                due_at=draft.due_at,
                priority=draft.priority,
                period_date=draft.period_date,
                bom_revision=draft.item.bom_revision or "",
                routing_revision=draft.item.routing_revision or "",
                created_at=now,
            )
            for number, draft in zip(taken, drafts, strict=True)
        ],
        batch_size=BATCH,
    )


def _first_state(draft: DraftOrder) -> WorkOrderState:
    # What gathers the demand of a period stays open to more until it is released or started.
    if draft.period_date is not None:
        return WorkOrderState.PLANNED
    return WorkOrderState.RELEASED


def _open_requirements(
    drafts: Sequence[DraftOrder], numbers_of: Mapping[int, str], site_id: int
) -> None:
    materials = [(draft, m) for draft in drafts for m in draft.materials]
    opened = requirements.open_many(
        [
            requirements.NewRequirement(
                item_id=material.item_id,
                site_id=site_id,
                kind=RequirementKind.COMPONENT,
                quantity=material.quantity,
                due_at=material.need.due_at,
                reference=numbers_of[id(draft)],
            )
            for draft, material in materials
        ]
    )
    for (_draft, material), requirement in zip(materials, opened, strict=True):
        material.requirement_id = material.need.requirement_id = requirement.pk


def _freeze_materials(drafts: Sequence[DraftOrder], created: Sequence[WorkOrder]) -> None:
    methods = {
        (draft.item.item_id, line.position): line.issue_method
        for draft in drafts
        for line in draft.item.components
    }
    WorkOrderMaterial.objects.bulk_create(
        [
            WorkOrderMaterial(
                work_order=order,
                position=material.position,
                item_id=material.item_id,
                quantity_per=material.quantity_per,
                scrap_rate=material.scrap_rate,
                requirement_id=material.requirement_id or 0,
                issue_method=methods.get(
                    (draft.item.item_id, material.position), IssueMethod.AT_START
                ),
            )
            for draft, order in zip(drafts, created, strict=True)
            for material in draft.materials
        ],
        batch_size=BATCH,
    )


def _freeze_routing(drafts: Sequence[DraftOrder], created: Sequence[WorkOrder]) -> None:
    steps = [
        (draft, order, step)
        for draft, order in zip(drafts, created, strict=True)
        for step in draft.item.operations
    ]
    operations = WorkOrderOperation.objects.bulk_create(
        [_operation(draft, order, step) for draft, order, step in steps], batch_size=BATCH
    )
    WorkOrderCheck.objects.bulk_create(
        [
            WorkOrderCheck(operation=operation, **asdict(check))
            for operation, (_draft, _order, step) in zip(operations, steps, strict=True)
            for check in step.checks
        ],
        batch_size=BATCH,
    )
    OperationUnit.objects.bulk_create(
        [
            OperationUnit(
                operation=operation,
                work_unit_id=unit.work_unit_id,
                setup_minutes=unit.setup_minutes,
                run_minutes=unit.run_minutes,
            )
            for operation, (_draft, _order, step) in zip(operations, steps, strict=True)
            for unit in step.alternatives
        ],
        batch_size=BATCH,
    )


def _operation(draft: DraftOrder, order: WorkOrder, step: OperationStructure) -> WorkOrderOperation:
    is_first = step is draft.item.operations[0]
    covered = all(m.need.reserved >= m.quantity for m in draft.materials)
    return WorkOrderOperation(
        work_order=order,
        sequence=step.sequence,
        name=step.name,
        name_zh=step.name_zh,
        work_center_id=step.work_center_id,
        state=OperationState.READY if is_first and covered else OperationState.WAITING,
        setup_minutes=step.setup_minutes,
        run_minutes=step.run_minutes,
        run_basis=step.run_basis,
        setup_family=step.setup_family,
        is_interruptible=step.interruptible,
        subcontractor_id=step.subcontractor_id,
        subcontract_days=step.subcontract_days,
        skill_id=step.skill_id,
        people=step.people,
        tool_id=step.tool_id,
        wait_minutes=step.wait_minutes,
        max_wait_minutes=step.max_wait_minutes,
        transfer_quantity=step.transfer_quantity,
    )


def _grow(drafts: Sequence[DraftOrder], by: User | None, now: datetime) -> None:
    orders = {
        order.pk: order
        for order in WorkOrder.objects.select_for_update(no_key=True)
        .filter(pk__in=[draft.grows.id for draft in drafts if draft.grows])
        .order_by("pk")
    }
    wider: dict[int, Decimal] = {}
    earlier: dict[int, datetime] = {}
    for draft in drafts:
        assert draft.grows is not None  # noqa: S101 - these are the grown ones
        order = orders[draft.grows.id]
        changes = {"quantity": [str(order.quantity), str(draft.quantity)]}
        audit.record(action="mes.work_order.grow", target=order, by=by, now=now, changes=changes)
        if draft.due_at < order.due_at:
            earlier |= _requirement_dates(draft.materials)
        order.quantity, order.output = draft.quantity, draft.output
        order.due_at, order.priority = draft.due_at, draft.priority
        wider |= {m.requirement_id: m.quantity for m in draft.materials if m.requirement_id}
    bulk.save(orders.values(), ["quantity", "output", "due_at", "priority"])
    requirements.set_quantities(wider)
    requirements.move_due(earlier)


def _requirement_dates(materials: Iterable[DraftMaterial]) -> dict[int, datetime]:
    return {m.requirement_id: m.need.due_at for m in materials if m.requirement_id}


def _peg(explosion: Explosion, ids: Mapping[int, int]) -> None:
    pegs = [
        ((ids[id(draft)], need.requirement_id or 0), quantity)
        for draft in explosion.orders
        for need, quantity in draft.pegs
        if not need.for_stock
    ]
    pegs += [
        ((order_id, need.requirement_id or 0), share) for order_id, need, share in explosion.taken
    ]
    totals = sorted((*pair, quantity) for pair, quantity in _sum_pairs(pegs).items())
    if not totals:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO mes_workorderpeg AS peg
                (work_order_id, requirement_id, quantity, delivered)
            SELECT work_order_id, requirement_id, quantity, 0
            FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[])
                AS new (work_order_id, requirement_id, quantity)
            ON CONFLICT (work_order_id, requirement_id)
            DO UPDATE SET quantity = peg.quantity + excluded.quantity
            """,
            [list(column) for column in zip(*totals, strict=True)],
        )


def _sum(rows: Iterable[tuple[int | None, Decimal]]) -> dict[int, Decimal]:
    totals: dict[int, Decimal] = {}
    for pk, quantity in rows:
        if pk is not None:
            totals[pk] = totals.get(pk, Decimal(0)) + quantity
    return totals


def _sum_pairs(
    rows: Iterable[tuple[tuple[int, int], Decimal]],
) -> dict[tuple[int, int], Decimal]:
    totals: dict[tuple[int, int], Decimal] = {}
    for pair, quantity in rows:
        totals[pair] = totals.get(pair, Decimal(0)) + quantity
    return totals
