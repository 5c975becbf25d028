"""The demo's operators: they make what an order needs, one operation after the other."""

from datetime import datetime, timedelta

from django.db import transaction

from common.models import User
from crm.demo import history
from crm.models import SalesOrder
from crm.services import progress
from mes import selectors as mes
from mes.services import checks, execution, readiness


def make(
    *,
    order: SalesOrder,
    by: User,
    starts_at: datetime,
    operations: int | None = None,
    running_since: datetime | None = None,
) -> None:
    """Start, report and finish the operations of the order's work orders, children first.

    ``operations`` stops after so many and leaves the next one running since that moment: every
    hour of it costs, so nothing may run for days.
    """
    at = starts_at
    left = operations
    for operation in mes.operations_to_make(_requirements(order)):
        if left == 0 and running_since is not None:
            at = running_since
        with transaction.atomic():
            readiness.refresh(site_id=order.site_id, now=at)
        operation.refresh_from_db()
        unit = mes.free_unit(operation)
        execution.start(operation=operation, work_unit_id=unit, by=by, now=at)
        if left == 0:
            return
        at += timedelta(hours=4)
        quantity = operation.work_order.quantity
        serials = history.serials_for(operation, quantity)
        execution.report(operation=operation, good=quantity, serials=serials, by=by, now=at)
        checks.answer_well(operation=operation, by=by, now=at)
        execution.finish(operation=operation, by=by, now=at)
        at += timedelta(minutes=30)
        left = None if left is None else left - 1


def settle(*, order: SalesOrder, now: datetime) -> None:
    """Bring the order's state up to date, as the jobs would have done by then."""
    with transaction.atomic():
        progress.refresh(order_ids=[order.pk], now=now)


def _requirements(order: SalesOrder) -> list[int]:
    ids = order.lines.values_list("requirement_id", flat=True)
    return [pk for pk in ids if pk is not None]
