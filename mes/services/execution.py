"""What happens at the machine: start, report, finish, interrupt, resume.

Whatever moves stock or pegs takes the site's supply lock first, then the work order's row; the
rest takes the row alone, so that most of the floor never waits for planning.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from common import audit, events, transitions
from common.concurrency import Lock, lock
from common.errors import Refused
from common.models import User
from erp import selectors as erp
from erp.services import stock
from mes import policies, selectors
from mes.enums import (
    OPERATION_TRANSITIONS,
    WORK_ORDER_TRANSITIONS,
    OperationState,
    WorkOrderState,
)
from mes.events import (
    OperationFinished,
    OperationReported,
    OperationStarted,
    WorkOrderCompleted,
    WorkOrdersChanged,
)
from mes.models import OperationReport, WorkOrder, WorkOrderMaterial, WorkOrderOperation
from mes.policies import (
    CannotFinish,
    CannotInterrupt,
    CannotReport,
    CannotResume,
    CannotStart,
)
from mes.services import deliveries, readiness, supply

__all__ = [
    "CannotFinish",
    "CannotInterrupt",
    "CannotReport",
    "CannotResume",
    "CannotStart",
    "finish",
    "interrupt",
    "report",
    "resume",
    "start",
]

ZERO = Decimal(0)
_ONE_RUNNING = "mes_workorderoperation_one_running_per_unit"


def start(
    *,
    operation: WorkOrderOperation,
    work_unit_id: int | None,
    by: User | None,
    now: datetime,
    in_setup: bool = False,
) -> WorkOrderOperation:
    """Start the operation on a work unit (None: at the subcontractor); raise CannotStart.

    The first operation of a work order issues its components and begins the work order.
    """
    with transaction.atomic():
        operation = _locked(operation, stock_moves=operation.work_order.started_at is None)
        policies.check_can_start(operation, work_unit_id)
        if operation.state == OperationState.WAITING:
            # The check has just found it ready; the job that writes that was not here yet.
            _move(operation, OperationState.READY)
        _move(operation, OperationState.SETUP if in_setup else OperationState.RUNNING)
        operation.work_unit_id = work_unit_id
        operation.started_at = now
        with _unit_taken_meanwhile(work_unit_id, CannotStart):
            operation.save(update_fields=["state", "work_unit", "started_at"])
        if operation.work_order.started_at is None:
            _begin(operation.work_order, by, now)
        audit.record(action="mes.operation.start", target=operation, by=by, now=now)
        events.publish(OperationStarted(**_ids(operation)), by=by, now=now)
    return operation


def report(
    *,
    operation: WorkOrderOperation,
    good: Decimal,
    scrap: Decimal = ZERO,
    reason: str = "",
    by: User | None,
    now: datetime,
) -> WorkOrderOperation:
    """Count good and scrapped pieces; raise CannotReport.

    Good pieces of the last operation go into stock, to those they are made for. Scrap beyond the
    allowance takes from the latest due, and what is missing is planned anew.
    """
    with transaction.atomic():
        operation = _locked(operation, stock_moves=scrap > 0 or _is_last(operation))
        policies.check_can_report(operation, good, scrap)
        if operation.state == OperationState.SETUP:
            _move(operation, OperationState.RUNNING)
        _count(operation, good, scrap, reason, by, now)
        changes = {"good": [None, str(good)], "scrap": [None, str(scrap)]}
        audit.record(
            action="mes.operation.report",
            target=operation,
            by=by,
            now=now,
            reason=reason,
            changes=changes,
        )
        events.publish(OperationReported(**_ids(operation)), by=by, now=now)
    return operation


def finish(
    *,
    operation: WorkOrderOperation,
    by: User | None,
    now: datetime,
    short_close: bool = False,
    reason: str = "",
) -> WorkOrderOperation:
    """Finish the operation once each of its pieces is good or scrap; raise CannotFinish.

    ``short_close`` with a reason counts what is missing as scrap. The last operation completes
    the work order; one that leaves no good piece completes it as well, and the rest is cancelled.
    """
    with transaction.atomic():
        moves = short_close or _is_last(operation)
        operation = _locked(operation, stock_moves=moves)
        policies.check_can_finish(operation, short_close=short_close, reason=reason)
        left = policies.came_in(operation) - operation.good - operation.scrap
        if left > 0:
            _count(operation, ZERO, left, reason, by, now)
        _move(operation, OperationState.DONE)
        operation.finished_at = now
        operation.save(update_fields=["state", "finished_at"])
        audit.record(action="mes.operation.finish", target=operation, by=by, now=now, reason=reason)
        events.publish(OperationFinished(**_ids(operation)), by=by, now=now)
        order = operation.work_order
        if operation.good <= 0:
            _cancel_rest(order)
        if operation.good <= 0 or _is_last(operation):
            _complete(order, by, now)
        else:
            readiness.refresh(site_id=order.site_id, now=now, work_order_ids=[order.pk])
    return operation


def interrupt(
    *, operation: WorkOrderOperation, reason: str = "", by: User | None, now: datetime
) -> WorkOrderOperation:
    """Stop for now and free the work unit; raise CannotInterrupt."""
    with transaction.atomic():
        operation = _locked(operation)
        policies.check_can_interrupt(operation)
        _move(operation, OperationState.INTERRUPTED)
        operation.save(update_fields=["state"])
        audit.record(
            action="mes.operation.interrupt", target=operation, by=by, now=now, reason=reason
        )
        events.publish(WorkOrdersChanged(site_id=operation.work_order.site_id), by=by, now=now)
    return operation


def resume(
    *,
    operation: WorkOrderOperation,
    work_unit_id: int | None = None,
    by: User | None,
    now: datetime,
) -> WorkOrderOperation:
    """Go on, on another work unit if one is given; raise CannotResume."""
    with transaction.atomic():
        operation = _locked(operation)
        unit = operation.work_unit_id if work_unit_id is None else work_unit_id
        policies.check_can_resume(operation, unit)
        _move(operation, OperationState.RUNNING)
        operation.work_unit_id = unit
        with _unit_taken_meanwhile(unit, CannotResume):
            operation.save(update_fields=["state", "work_unit"])
        audit.record(action="mes.operation.resume", target=operation, by=by, now=now)
        events.publish(WorkOrdersChanged(site_id=operation.work_order.site_id), by=by, now=now)
    return operation


def _locked(operation: WorkOrderOperation, *, stock_moves: bool = False) -> WorkOrderOperation:
    """The operation as it is now, its work order's row held: one act at a time on each."""
    if stock_moves:
        lock(Lock.SUPPLY, operation.work_order.site_id)
    order = (
        WorkOrder.objects.select_for_update(no_key=True, of=("self",))
        .select_related("item")
        .get(pk=operation.work_order_id)
    )
    found = WorkOrderOperation.objects.select_for_update(no_key=True).get(pk=operation.pk)
    found.work_order = order
    return found


def _move(operation: WorkOrderOperation, new: OperationState) -> None:
    transitions.check(OPERATION_TRANSITIONS, old=OperationState(operation.state), new=new)
    operation.state = new


@contextmanager
def _unit_taken_meanwhile(work_unit_id: int | None, error: type[Refused]) -> Iterator[None]:
    """Two starts at once on one work unit: the database lets one through, the other is told."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as conflict:
        if _ONE_RUNNING not in str(conflict) or work_unit_id is None:
            raise
        other = selectors.running_on(work_unit_id)
        if other is None:
            raise
        raise error(policies.busy_sentence(_unit_code(other), other)) from conflict


def _unit_code(operation: WorkOrderOperation) -> str:
    return operation.work_unit.code if operation.work_unit else ""


def _begin(order: WorkOrder, by: User | None, now: datetime) -> None:
    """Release it where nobody did, issue its components, and begin."""
    if order.state == WorkOrderState.PLANNED:
        _move_order(order, WorkOrderState.RELEASED)
    _move_order(order, WorkOrderState.IN_PROGRESS)
    order.started_at = now
    order.save(update_fields=["state", "started_at"])
    supply.note([order.pk])
    materials = WorkOrderMaterial.objects.filter(work_order=order)
    open_needs = {
        row.requirement_id: row.quantity - row.issued
        for row in erp.coverage(list(materials.values_list("requirement_id", flat=True)))
        if row.quantity > row.issued
    }
    stock.issue_many(quantities=open_needs, reference=order.number, by=by, now=now)


def _count(
    operation: WorkOrderOperation,
    good: Decimal,
    scrap: Decimal,
    reason: str,
    by: User | None,
    now: datetime,
) -> None:
    OperationReport.objects.create(
        operation=operation, good=good, scrap=scrap, reason=reason[:200], at=now, by=by
    )
    operation.good += good
    operation.scrap += scrap
    operation.save(update_fields=["state", "good", "scrap"])
    order = operation.work_order
    is_last = _is_last(operation)
    order.scrapped += scrap
    if is_last:
        order.good += good
    order.save(update_fields=["good", "scrapped"])
    if is_last and good > 0:
        served = deliveries.deliver(order, good, by, now)
        waiting = WorkOrderMaterial.objects.filter(requirement__in=served)
        readiness.refresh(
            site_id=order.site_id,
            now=now,
            work_order_ids=waiting.values_list("work_order_id", flat=True),
            skip_locked=True,
        )
    if scrap > 0:
        deliveries.lose(order, by, now)
    if is_last or scrap > 0:
        supply.note([order.pk])


def _is_last(operation: WorkOrderOperation) -> bool:
    later = WorkOrderOperation.objects.filter(
        work_order=operation.work_order_id, sequence__gt=operation.sequence
    )
    return not later.exclude(state=OperationState.CANCELLED).exists()


def _cancel_rest(order: WorkOrder) -> None:
    WorkOrderOperation.objects.filter(
        work_order=order, state__in=[OperationState.WAITING, OperationState.READY]
    ).update(state=OperationState.CANCELLED)


def _complete(order: WorkOrder, by: User | None, now: datetime) -> None:
    _move_order(order, WorkOrderState.COMPLETED)
    order.completed_at = now
    order.held_from = ""
    # Nothing more comes out of it, whatever was allowed for.
    order.output = min(order.output, order.good)
    order.save(update_fields=["state", "completed_at", "output", "held_from"])
    supply.note([order.pk])
    audit.record(action="mes.work_order.complete", target=order, by=by, now=now)
    events.publish(
        WorkOrderCompleted(work_order_id=order.pk, site_id=order.site_id), by=by, now=now
    )


def _move_order(order: WorkOrder, new: WorkOrderState) -> None:
    transitions.check(WORK_ORDER_TRANSITIONS, old=WorkOrderState(order.state), new=new)
    order.state = new


def _ids(operation: WorkOrderOperation) -> dict[str, int]:
    return {
        "operation_id": operation.pk,
        "work_order_id": operation.work_order_id,
        "site_id": operation.work_order.site_id,
    }
