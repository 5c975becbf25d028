"""When a machine stands for its maintenance: a row of its calendar, until the work is over."""

from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse

from common import notifications
from common.concurrency import Lock, lock
from common.enums import Level, Role
from common.jobs import enqueue
from common.models import User
from masterdata.services import unit_exceptions
from mes.enums import MaintenanceState
from mes.models import MaintenanceOrder

# A machine that is still worked on at the end of its span is closed for so much longer.
ROLLED_ON = timedelta(minutes=30)


def locked(order: MaintenanceOrder) -> MaintenanceOrder:
    """The order as it is now, its site's store locked first: one act at a time."""
    lock(Lock.SUPPLY, order.site_id)
    rows = MaintenanceOrder.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("work_unit__work_center__site", "owner").get(pk=order.pk)


def check(*, order_id: int, now: datetime) -> None:
    """At the end of its span: a machine that is still worked on is kept out of the plan.

    The people are told, and it is looked at again so much later. Asked for anew by each new span;
    an old one finds another end and does nothing.
    """
    with transaction.atomic():
        order = locked(MaintenanceOrder.objects.get(pk=order_id))
        if order.state != MaintenanceState.IN_PROGRESS or order.ends_at > now:
            return
        order.ends_at = now + ROLLED_ON
        order.save(update_fields=["ends_at"])
        unit_exceptions.end_at(
            exception_id=order.closure_id or 0, ends_at=order.ends_at, by=None, now=now
        )
        _look_at_its_end(order, now)
        notifications.notify(
            kind="mes.maintenance_overdue",
            parameters={"number": order.number, "unit": order.work_unit.code},
            users=[order.owner] if order.owner else [],
            roles=[Role.SUPERVISOR, Role.PLANNER],
            level=Level.WARNING,
            url=reverse("mes:maintenance", kwargs={"number": order.number}),
            now=now,
        )


def close_machine(order: MaintenanceOrder, by: User | None, now: datetime) -> None:
    """Keep it out of the schedule for the order's span, and look at its end whether it is over."""
    order.closure = unit_exceptions.add(
        work_unit_id=order.work_unit_id,
        starts_at=order.starts_at,
        ends_at=order.ends_at,
        is_working=False,
        reason=f"{order.number}: {order.title}",
        by=by,
        now=now,
    )
    order.save(update_fields=["closure"])
    _look_at_its_end(order, now)


def _look_at_its_end(order: MaintenanceOrder, now: datetime) -> None:
    enqueue(
        "mes.check_maintenance",
        key=f"maintenance:{order.pk}:{order.ends_at.isoformat()}",
        run_at=order.ends_at,
        order_id=order.pk,
        by=None,
        now=now,
    )


def open_machine(order: MaintenanceOrder, by: User | None, now: datetime) -> None:
    """What is left of its span counts no more; what has passed stays as it was."""
    if order.closure_id is None:
        return
    left = unit_exceptions.end_at(
        exception_id=order.closure_id,
        ends_at=min(now, order.ends_at),
        by=by,
        now=now,
        reason=order.number,
    )
    order.closure_id = left.pk if left else None
