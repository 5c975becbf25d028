"""Take the last report of an operation back: a row that reverses it, and all that it moved.

Within seconds by the operator who made it, later by a supervisor; what was completed with it is
work again. Refused with a sentence where the pieces are gone: the next operation has them, they
were used, shipped or kept for others; and where the costs of the work order are closed.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from common import audit, events
from common.models import User
from mes import report_policies
from mes.enums import OperationState, WorkOrderState
from mes.events import PiecesScrapped, ReportTakenBack
from mes.models import OperationReport, WorkOrderMaterial, WorkOrderOperation
from mes.report_policies import CannotUndo
from mes.services import acts, consumption, costs, deliveries, genealogy, readiness, supply

__all__ = ["CannotUndo", "believed", "undo"]

ZERO = Decimal(0)
# What a device says of the past must not open the door of the first seconds again.
MOST_BELIEVED = timedelta(seconds=30)


def undo(
    *, report: OperationReport, by: User | None, now: datetime, reason: str = ""
) -> OperationReport:
    """Reverse the report; return the reversing row. Raise CannotUndo with the reason.

    A finished operation is open again, and the work order that it had completed.
    """
    with transaction.atomic():
        operation = acts.locked(
            WorkOrderOperation.objects.select_related("work_order").get(pk=report.operation_id),
            stock_moves=True,
        )
        report = OperationReport.objects.select_for_update(no_key=True, of=("self",)).get(
            pk=report.pk
        )
        report_policies.check_can_undo(report, operation, by, now)
        if operation.work_order.state == WorkOrderState.COMPLETED:
            _reopen(operation, by, now, reason)
        row = OperationReport.objects.create(
            operation=operation,
            good=-report.good,
            scrap=-report.scrap,
            rework=-report.rework,
            reason=reason[:200],
            reverses=report,
            at=now,
            by=by,
        )
        touched = _take_back(operation, report, by, now)
        genealogy.note_taken_back(operation, report, by=by, now=now)
        is_last, source = acts.is_last(operation), f"report:{row.pk}"
        less = -report.good - report.scrap
        costs.book_pieces(operation, less, is_last=is_last, source=source, by=by, now=now)
        changes = {"good": [str(report.good), None], "scrap": [str(report.scrap), None]}
        audit.record(
            action="mes.operation.undo",
            target=operation,
            by=by,
            now=now,
            reason=reason,
            changes=changes,
        )
        _tell(operation, report, by, now)
        readiness.refresh(site_id=operation.work_order.site_id, now=now, work_order_ids=touched)
    return row


def _tell(
    operation: WorkOrderOperation, report: OperationReport, by: User | None, now: datetime
) -> None:
    events.publish(ReportTakenBack(**acts.ids(operation)), by=by, now=now)
    if report.output_lost:
        order = operation.work_order
        again = PiecesScrapped(work_order_id=order.pk, site_id=order.site_id)
        events.publish(again, by=by, now=now)


def _reopen(operation: WorkOrderOperation, by: User | None, now: datetime, reason: str) -> None:
    """The work order goes on as before its completion: in work, with what that had cancelled.

    A hold that it had outlived is not there any more: whoever takes back decides anew.
    """
    order = operation.work_order
    acts.move_order(order, WorkOrderState.IN_PROGRESS)
    order.completed_at = None
    order.save(update_fields=["state", "completed_at"])
    WorkOrderOperation.objects.filter(
        work_order=order, sequence__gt=operation.sequence, state=OperationState.CANCELLED
    ).update(state=OperationState.WAITING)
    consumption.reopen(order, by=by, now=now)
    audit.record(action="mes.work_order.reopen", target=order, by=by, now=now, reason=reason)


def _take_back(
    operation: WorkOrderOperation, report: OperationReport, by: User | None, now: datetime
) -> list[int]:
    """Figures, stock and pegs as they were; return the work orders that may be less ready now."""
    is_last = acts.is_last(operation)
    operation.good -= report.good
    operation.scrap -= report.scrap
    operation.rework -= report.rework
    if operation.state == OperationState.DONE:
        acts.move(operation, OperationState.INTERRUPTED)
        operation.finished_at = None
    operation.save(update_fields=["good", "scrap", "rework", "state", "finished_at"])
    order = operation.work_order
    order.scrapped -= report.scrap
    if is_last:
        order.good -= report.good
    order.save(update_fields=["good", "scrapped"])
    touched = [order.pk]
    if is_last and report.good > 0:
        served = deliveries.take_back(order, report.good, made_at=report.at, by=by, now=now)
        touched += WorkOrderMaterial.objects.filter(requirement__in=served).values_list(
            "work_order_id", flat=True
        )
    if is_last or report.scrap > 0:
        consumption.take_back(order, by=by, now=now)
    if report.output_lost > 0:
        cut = {int(pk): Decimal(quantity) for pk, quantity in report.replanned.items()}
        deliveries.find_again(order, report.output_lost, cut, by, now)
    supply.note([order.pk])
    return touched


def believed(said: datetime, *, now: datetime) -> datetime:
    """The moment at which a report is taken back: as the device says, half a minute ago at most."""
    return max(said, now - MOST_BELIEVED)
