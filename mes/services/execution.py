"""What happens at the machine: start, run, report, finish, interrupt, resume.

Whatever moves stock or pegs takes the site's supply lock first, then the work order's row; the
rest takes the row alone, so that most of the floor never waits for planning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from common import audit, events, jobs
from common.models import User
from masterdata import selectors as masterdata
from mes import policies, report_policies
from mes.enums import OperationState, WorkOrderState
from mes.events import (
    OperationFinished,
    OperationReported,
    OperationStarted,
    WorkOrderCompleted,
    WorkOrdersChanged,
)
from mes.models import (
    FloorReason,
    OperationReport,
    WorkOrder,
    WorkOrderMaterial,
    WorkOrderOperation,
)
from mes.policies import CannotInterrupt, CannotResume, CannotStart, WaitedTooLong
from mes.report_policies import CannotFinish, CannotReport
from mes.services import acts, consumption, costs, deliveries, genealogy, readiness, supply, time

__all__ = [
    "CannotFinish",
    "CannotInterrupt",
    "CannotReport",
    "CannotResume",
    "CannotStart",
    "WaitedTooLong",
    "finish",
    "interrupt",
    "report",
    "resume",
    "run",
    "start",
]

ZERO = Decimal(0)


def start(
    *,
    operation: WorkOrderOperation,
    work_unit_id: int | None,
    by: User | None,
    now: datetime,
    in_setup: bool = False,
    overrule: str | None = None,
) -> WorkOrderOperation:
    """Start the operation on a work unit (None: at the subcontractor); raise CannotStart.

    The first operation of a work order issues its components and begins the work order.
    ``overrule`` is a supervisor's reason to let it start after its longest wait.
    """
    with transaction.atomic(), masterdata.sites_once():
        begins = operation.work_order.started_at is None
        operation = acts.locked(operation, stock_moves=begins, takes_tool=True)
        try:
            policies.check_can_start(operation, work_unit_id, now)
        except WaitedTooLong as refused:
            if overrule is None:
                raise
            _overrule(operation, overrule, refused, by, now)
        report_policies.check_nothing_held(operation.work_order, CannotStart)
        if operation.state == OperationState.WAITING:
            # The check has just found it ready; the job that writes that was not here yet.
            acts.move(operation, OperationState.READY)
        acts.move(operation, OperationState.SETUP if in_setup else OperationState.RUNNING)
        operation.work_unit_id = work_unit_id
        operation.started_at = now
        with acts.unit_taken_meanwhile(work_unit_id, CannotStart):
            operation.save(update_fields=["state", "work_unit", "started_at"])
        if operation.work_order.started_at is None:
            _begin(operation.work_order, by, now)
        time.begin(operation, by=by, now=now)
        audit.record(action="mes.operation.start", target=operation, by=by, now=now)
        events.publish(OperationStarted(**acts.ids(operation)), by=by, now=now)
    return operation


def _overrule(
    operation: WorkOrderOperation,
    reason: str,
    refused: WaitedTooLong,
    by: User | None,
    now: datetime,
) -> None:
    policies.check_can_overrule_wait(reason, by)
    audit.record(
        action="mes.operation.overrule_wait",
        target=operation,
        by=by,
        now=now,
        reason=f"{reason.strip()[:200]} ({refused})",
    )


def run(*, operation: WorkOrderOperation, by: User | None, now: datetime) -> WorkOrderOperation:
    """Setup is over, the run begins; raise CannotStart unless it is being set up."""
    with transaction.atomic():
        operation = acts.locked(operation)
        policies.check_can_run(operation)
        acts.move(operation, OperationState.RUNNING)
        operation.save(update_fields=["state"])
        time.switch_to_run(operation, now=now)
        audit.record(action="mes.operation.run", target=operation, by=by, now=now)
    return operation


def report(
    *,
    operation: WorkOrderOperation,
    good: Decimal,
    scrap: Decimal = ZERO,
    rework: Decimal = ZERO,
    from_rework: bool = False,
    reason: str = "",
    reason_code: FloorReason | None = None,
    serials: Sequence[str] = (),
    by: User | None,
    now: datetime,
) -> WorkOrderOperation:
    """Count good and scrapped pieces, and those set aside for rework; raise CannotReport.

    Good pieces of the last operation go into stock, to those they are made for. Scrap beyond the
    allowance takes from the latest due, and what is missing is planned anew. What is set aside
    stays to be accounted for; ``from_rework`` says that the good and scrapped pieces are of it.
    """
    with transaction.atomic(), masterdata.sites_once():
        operation = acts.locked(operation, stock_moves=scrap > 0 or acts.is_last(operation))
        report_policies.check_can_report(operation, good, scrap, rework, from_rework=from_rework)
        is_last = acts.is_last(operation)
        if good > 0 and is_last:
            report_policies.check_nothing_held(operation.work_order, CannotReport)
        if operation.state == OperationState.SETUP:
            acts.move(operation, OperationState.RUNNING)
            time.switch_to_run(operation, now=now)
        pieces = _Pieces(good, scrap, -good - scrap if from_rework else rework, is_last)
        _count(operation, pieces, reason, by, now, reason_code=reason_code, serials=serials)
        changes = {"good": [None, str(good)], "scrap": [None, str(scrap)]}
        if pieces.rework:
            changes["rework"] = [None, str(pieces.rework)]
        audit.record(
            action="mes.operation.report",
            target=operation,
            by=by,
            now=now,
            reason=reason,
            changes=changes,
        )
        events.publish(OperationReported(**acts.ids(operation)), by=by, now=now)
        if operation.transfer_quantity is not None and good > 0:
            _pass_on(operation, by, now)
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
    with transaction.atomic(), masterdata.sites_once():
        moves = short_close or acts.is_last(operation)
        operation = acts.locked(operation, stock_moves=moves)
        report_policies.check_can_finish(operation, short_close=short_close, reason=reason)
        if operation.good > 0:
            report_policies.check_nothing_held(operation.work_order, CannotFinish)
        is_last = acts.is_last(operation)
        if is_last:
            report_policies.check_scanned(operation)
        left = policies.came_in(operation) - operation.good - operation.scrap - operation.rework
        if operation.rework > 0:
            aside = operation.rework
            _count(operation, _Pieces(ZERO, aside, -aside, is_last), reason, by, now)
        if left > 0:
            _count(operation, _Pieces(ZERO, left, ZERO, is_last), reason, by, now)
        time.close(operation, now=now)
        acts.move(operation, OperationState.DONE)
        operation.finished_at = now
        operation.save(update_fields=["state", "finished_at"])
        audit.record(action="mes.operation.finish", target=operation, by=by, now=now, reason=reason)
        events.publish(OperationFinished(**acts.ids(operation)), by=by, now=now)
        order = operation.work_order
        if operation.good <= 0:
            _cancel_rest(order)
        if operation.good <= 0 or is_last:
            _complete(order, by, now)
        else:
            _pass_on(operation, by, now)
    return operation


def interrupt(
    *,
    operation: WorkOrderOperation,
    reason: str = "",
    reason_code: FloorReason | None = None,
    by: User | None,
    now: datetime,
) -> WorkOrderOperation:
    """Stop for now and free the work unit; raise CannotInterrupt."""
    with transaction.atomic():
        operation = acts.locked(operation)
        policies.check_can_interrupt(operation)
        acts.move(operation, OperationState.INTERRUPTED)
        operation.save(update_fields=["state"])
        time.pause(operation, reason=reason_code, now=now)
        said = reason or (reason_code.label if reason_code else "")
        audit.record(
            action="mes.operation.interrupt", target=operation, by=by, now=now, reason=said
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
        operation = acts.locked(operation, takes_tool=True)
        unit = operation.work_unit_id if work_unit_id is None else work_unit_id
        policies.check_can_resume(operation, unit)
        acts.move(operation, OperationState.RUNNING)
        operation.work_unit_id = unit
        with acts.unit_taken_meanwhile(unit, CannotResume):
            operation.save(update_fields=["state", "work_unit"])
        time.begin(operation, by=by, now=now)
        audit.record(action="mes.operation.resume", target=operation, by=by, now=now)
        events.publish(WorkOrdersChanged(site_id=operation.work_order.site_id), by=by, now=now)
    return operation


def _pass_on(operation: WorkOrderOperation, by: User | None, now: datetime) -> None:
    """The next operation may be ready now, or once the pieces have waited."""
    order = operation.work_order
    readiness.refresh(site_id=order.site_id, now=now, work_order_ids=[order.pk])
    until = policies.rests_until(operation)
    if until is not None and until > now:
        jobs.enqueue(
            "mes.refresh_readiness",
            key=f"rest:{operation.pk}:{until.isoformat()}",
            # Not with those of the site: they are not to wait for this moment.
            group_key=f"rest:{operation.pk}",
            run_at=until,
            site_id=order.site_id,
            by=by,
            now=now,
        )


def _begin(order: WorkOrder, by: User | None, now: datetime) -> None:
    """Release it where nobody did, issue its components, and begin."""
    if order.state == WorkOrderState.PLANNED:
        acts.move_order(order, WorkOrderState.RELEASED)
    acts.move_order(order, WorkOrderState.IN_PROGRESS)
    order.started_at = now
    order.save(update_fields=["state", "started_at"])
    supply.note([order.pk])
    costs.freeze(order, now=now)
    consumption.issue_at_start(order, by=by, now=now)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """One report's figures; rework below zero: so many come back from rework.

    Of the last operation they are pieces of the work order.
    """

    good: Decimal
    scrap: Decimal
    rework: Decimal
    is_last: bool


def _count(
    operation: WorkOrderOperation,
    pieces: _Pieces,
    reason: str,
    by: User | None,
    now: datetime,
    *,
    reason_code: FloorReason | None = None,
    serials: Sequence[str] = (),
) -> None:
    operation.good += pieces.good
    operation.scrap += pieces.scrap
    operation.rework += pieces.rework
    operation.save(update_fields=["state", "good", "scrap", "rework"])
    order, is_last = operation.work_order, pieces.is_last
    order.scrapped += pieces.scrap
    if is_last:
        order.good += pieces.good
    order.save(update_fields=["good", "scrapped"])
    made: deliveries.Delivered | None = None
    line = costs.order_line(order) if is_last or pieces.scrap > 0 else None
    if is_last and pieces.good > 0:
        made = deliveries.deliver(order, pieces.good, by, now, serials=serials, line=line)
        _tell_waiting(order.site_id, made.served, now)
    if is_last or pieces.scrap > 0:
        consumption.backflush(order, by=by, now=now, line=line)
    lost = deliveries.lose(order, by, now) if pieces.scrap > 0 else deliveries.Lost()
    if is_last or pieces.scrap > 0:
        supply.note([order.pk])
    report = OperationReport.objects.create(
        operation=operation,
        good=pieces.good,
        scrap=pieces.scrap,
        rework=pieces.rework,
        reworks=_set_aside_by(operation) if pieces.rework < 0 else None,
        reason=reason[:200],
        reason_code=reason_code,
        output_lost=lost.output,
        replanned={str(pk): str(quantity) for pk, quantity in lost.cut.items()},
        at=now,
        by=by,
    )
    if made is not None:
        genealogy.note_output(operation, report, made.move, by=by)
    genealogy.note_loss(operation, report, by=by)
    # Scrap may have taken somebody's share: whom the rest is for is asked again.
    _book_costs(operation, report, is_last=is_last, line=None if pieces.scrap > 0 else line)


def _book_costs(
    operation: WorkOrderOperation, report: OperationReport, *, is_last: bool, line: str | None
) -> None:
    costs.book_pieces(
        operation,
        report.good + report.scrap,
        is_last=is_last,
        source=f"report:{report.pk}",
        by=report.by,
        now=report.at,
        line=line,
    )


def _tell_waiting(site_id: int, served: list[int], now: datetime) -> None:
    """The work orders whose components these are may be ready now."""
    if not served:
        return
    waiting = WorkOrderMaterial.objects.filter(requirement__in=served)
    readiness.refresh(
        site_id=site_id,
        now=now,
        work_order_ids=waiting.values_list("work_order_id", flat=True),
        skip_locked=True,
    )


def _set_aside_by(operation: WorkOrderOperation) -> OperationReport | None:
    """The report whose pieces come back from rework: of those set aside the oldest goes first."""
    rows = OperationReport.objects.filter(
        operation=operation, reverses__isnull=True, reversed_by__isnull=True
    ).exclude(rework=0)
    aside = list(rows.order_by("pk"))
    back = -sum((row.rework for row in aside if row.rework < 0), ZERO)
    for row in aside:
        if row.rework > 0:
            if back < row.rework:
                return row
            back -= row.rework
    return None


def _cancel_rest(order: WorkOrder) -> None:
    WorkOrderOperation.objects.filter(
        work_order=order, state__in=[OperationState.WAITING, OperationState.READY]
    ).update(state=OperationState.CANCELLED)


def _complete(order: WorkOrder, by: User | None, now: datetime) -> None:
    acts.move_order(order, WorkOrderState.COMPLETED)
    order.completed_at = now
    # What it was held from stays: taken back, it is on hold again.
    # Nothing more comes out of it, whatever was allowed for.
    order.output = min(order.output, order.good)
    order.save(update_fields=["state", "completed_at", "output"])
    supply.note([order.pk])
    consumption.close(order, by=by, now=now)
    audit.record(action="mes.work_order.complete", target=order, by=by, now=now)
    events.publish(
        WorkOrderCompleted(work_order_id=order.pk, site_id=order.site_id), by=by, now=now
    )
