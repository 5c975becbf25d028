"""Work orders as a whole: release, hold, resume, cancel."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from common import audit, bulk, events, transitions
from common.concurrency import Lock, lock
from common.models import User
from erp.services import requirements
from mes import policies, selectors
from mes.enums import WORK_ORDER_TRANSITIONS, OperationState, WorkOrderState
from mes.events import WorkOrdersChanged
from mes.models import WorkOrder, WorkOrderMaterial, WorkOrderOperation
from mes.policies import CannotCancel, CannotClose, CannotHold, CannotRelease, CannotResume
from mes.services import costs, readiness, supply

__all__ = [
    "CannotCancel",
    "CannotClose",
    "CannotHold",
    "CannotRelease",
    "CannotResume",
    "cancel",
    "close",
    "hold",
    "hold_for",
    "prioritise",
    "release",
    "resume",
    "resume_for",
]


def release(*, order: WorkOrder, by: User | None, now: datetime) -> WorkOrder:
    """Close a gathering work order to more demand; raise CannotRelease.

    Starting its first operation does the same by itself.
    """
    with transaction.atomic():
        order = _locked(order)
        policies.check_can_release(order)
        _move(order, WorkOrderState.RELEASED)
        audit.record(action="mes.work_order.release", target=order, by=by, now=now)
        events.publish(WorkOrdersChanged(site_id=order.site_id), by=by, now=now)
    return order


def hold(*, order: WorkOrder, reason: str, by: User | None, now: datetime) -> WorkOrder:
    """Let nothing more start or be reported on it; raise CannotHold."""
    with transaction.atomic():
        order = _locked(order)
        policies.check_can_hold(order, reason)
        _hold(order, reason, by, now)
        _tell([order], by, now)
    return order


def resume(*, order: WorkOrder, by: User | None, now: datetime) -> WorkOrder:
    """Go on where the hold began; raise CannotResume."""
    with transaction.atomic():
        order = _locked(order)
        policies.check_can_resume_order(order)
        _resume(order, by, now)
        _tell([order], by, now)
    return order


def cancel(*, order: WorkOrder, reason: str, by: User | None, now: datetime) -> WorkOrder:
    """Cancel a work order that serves nobody, and what was made for it; raise CannotCancel."""
    with transaction.atomic():
        lock(Lock.SUPPLY, order.site_id)
        order = _locked(order)
        policies.check_can_cancel(order, reason)
        _move(order, WorkOrderState.CANCELLED)
        WorkOrderOperation.objects.filter(
            work_order=order, state__in=[OperationState.WAITING, OperationState.READY]
        ).update(state=OperationState.CANCELLED)
        materials = WorkOrderMaterial.objects.filter(work_order=order)
        needs = dict.fromkeys(materials.values_list("requirement_id", flat=True), Decimal(0))
        supply.unplan(site_id=order.site_id, quantities=needs, by=by, now=now)
        audit.record(action="mes.work_order.cancel", target=order, by=by, now=now, reason=reason)
        events.publish(WorkOrdersChanged(site_id=order.site_id), by=by, now=now)
    return order


def close(*, order: WorkOrder, by: User | None, now: datetime) -> WorkOrder:
    """Explain what it cost against its standard and book nothing more on it; raise CannotClose."""
    with transaction.atomic():
        order = (
            WorkOrder.objects.select_for_update(no_key=True, of=("self",))
            .select_related("item")
            .get(pk=order.pk)
        )
        policies.check_can_close(order)
        # First: a return that is being booked is waited for, and explained with the rest.
        materials = WorkOrderMaterial.objects.filter(work_order=order)
        requirements.settle(list(materials.values_list("requirement_id", flat=True)))
        costs.explain(order, by=by, now=now)
        order.closed_at = now
        order.save(update_fields=["closed_at"])
        _move(order, WorkOrderState.CLOSED)
        audit.record(action="mes.work_order.close", target=order, by=by, now=now)
    return order


def close_if_completed(*, work_order_id: int, by: User | None, now: datetime) -> None:
    """Close the work order where it has been completed for long enough; else leave it as it is.

    One that was opened again and completed once more waits from then on.
    """
    waits = timedelta(seconds=settings.WORK_ORDER_CLOSING_SECONDS)
    with transaction.atomic():
        order = _locked(WorkOrder(pk=work_order_id))
        if order.completed_at is None or order.completed_at + waits > now:
            return
        if order.state == WorkOrderState.COMPLETED:
            close(order=order, by=by, now=now)


def hold_for(
    *, requirement_ids: Collection[int], reason: str, by: User | None, now: datetime
) -> list[str]:
    """Hold the work orders that serve only these requirements; return their numbers.

    What others wait for as well goes on, and so does what is over.
    """
    with transaction.atomic():
        held = []
        for order in _locked_many(_exclusive(requirement_ids)):
            if WorkOrderState.ON_HOLD in WORK_ORDER_TRANSITIONS[WorkOrderState(order.state)]:
                _hold(order, reason, by, now)
                held.append(order)
        _tell(held, by, now)
    return [order.number for order in held]


def resume_for(*, requirement_ids: Collection[int], by: User | None, now: datetime) -> list[str]:
    """Let the held work orders that serve only these requirements go on; return their numbers."""
    with transaction.atomic():
        resumed = []
        for order in _locked_many(_exclusive(requirement_ids)):
            if order.state == WorkOrderState.ON_HOLD:
                _resume(order, by, now)
                resumed.append(order)
            elif order.held_from:
                # Completed while it was held: taken back, it is in work.
                order.held_from = ""
                order.save(update_fields=["held_from"])
        _tell(resumed, by, now)
    return [order.number for order in resumed]


def prioritise(
    *, requirement_ids: Collection[int], priority: int, by: User | None, now: datetime
) -> list[str]:
    """Let all open work orders that serve the requirements go first; return their numbers.

    A priority is only ever raised. Dispatch lists read it; no event, planning has done its part.
    """
    with transaction.atomic():
        serving = [order.pk for order in selectors.work_orders_serving(requirement_ids)]
        raised = [
            order
            for order in _locked_many(serving)
            if order.state in WorkOrderState.open() and order.priority < priority
        ]
        for order in raised:
            order.priority = priority
        bulk.save(raised, ["priority"])
        audit.record_many(action="mes.work_order.prioritise", targets=raised, by=by, now=now)
    return [order.number for order in raised]


def _exclusive(requirement_ids: Collection[int]) -> list[int]:
    wanted = set(requirement_ids)
    orders = [order.pk for order in selectors.work_orders_serving(requirement_ids)]
    served = selectors.requirements_served_by(orders)
    return [pk for pk in orders if served[pk] <= wanted]


def _hold(order: WorkOrder, reason: str, by: User | None, now: datetime) -> None:
    order.held_from = order.state
    _move(order, WorkOrderState.ON_HOLD)
    audit.record(action="mes.work_order.hold", target=order, by=by, now=now, reason=reason)


def _resume(order: WorkOrder, by: User | None, now: datetime) -> None:
    _move(order, WorkOrderState(order.held_from))
    order.held_from = ""
    order.save(update_fields=["held_from"])
    audit.record(action="mes.work_order.resume", target=order, by=by, now=now)


def _move(order: WorkOrder, new: WorkOrderState) -> None:
    transitions.check(WORK_ORDER_TRANSITIONS, old=WorkOrderState(order.state), new=new)
    order.state = new
    order.save(update_fields=["state", "held_from"])
    supply.note([order.pk])


def _tell(orders: Sequence[WorkOrder], by: User | None, now: datetime) -> None:
    for site_id in sorted({order.site_id for order in orders}):
        ids = [order.pk for order in orders if order.site_id == site_id]
        readiness.refresh(site_id=site_id, now=now, work_order_ids=ids)
        events.publish(WorkOrdersChanged(site_id=site_id), by=by, now=now)


def _locked(order: WorkOrder) -> WorkOrder:
    return WorkOrder.objects.select_for_update(no_key=True).get(pk=order.pk)


def _locked_many(ids: Collection[int]) -> list[WorkOrder]:
    rows = WorkOrder.objects.select_for_update(no_key=True).filter(pk__in=list(ids))
    return list(rows.order_by("pk"))
