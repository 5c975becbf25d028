"""A work order as planning wants it: due at another moment, or smaller."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from common import audit, events
from common.concurrency import Lock, lock
from common.models import User
from erp.services import requirements
from masterdata.enums import LotPolicy
from masterdata.services import lots
from mes import policies, selectors
from mes.events import WorkOrdersChanged
from mes.models import WorkOrder, WorkOrderMaterial
from mes.policies import CannotChange
from mes.services import supply

__all__ = ["CannotChange", "component_needs", "move_due", "shrink"]


def move_due(*, order: WorkOrder, due_at: datetime, by: User | None, now: datetime) -> WorkOrder:
    """Make it due at another moment, and its components with it; raise CannotChange if over."""
    with transaction.atomic():
        lock(Lock.SUPPLY, order.site_id)
        order = _locked(order)
        policies.check_can_change_order(order)
        shift = due_at - order.due_at
        changes = {"due_at": [order.due_at.isoformat(), due_at.isoformat()]}
        order.due_at = due_at
        order.save(update_fields=["due_at"])
        if order.started_at is None:
            materials = WorkOrderMaterial.objects.filter(work_order=order)
            dues = materials.values_list("requirement_id", "requirement__due_at")
            requirements.move_due({pk: due + shift for pk, due in dues})
        supply.note([order.pk])
        audit.record(
            action="mes.work_order.move_due", target=order, by=by, now=now, changes=changes
        )
        events.publish(WorkOrdersChanged(site_id=order.site_id), by=by, now=now)
    return order


def shrink(*, order: WorkOrder, output: Decimal, by: User | None, now: datetime) -> WorkOrder:
    """Start fewer, so that ``output`` is left; its components need less as well.

    Raise CannotChange once it has started, or for less than others count on.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, order.site_id)
        order = _locked(order)
        pegged = selectors.pegged_quantities([order.pk])[order.pk]
        policies.check_can_shrink(order, output, pegged)
        item = order.item
        size = item.lot_size if item.lot_policy == LotPolicy.FIXED else None
        quantity = lots.to_start(output, scrap_rate=item.scrap_rate, uom=item.uom, lot_size=size)
        changes = {"quantity": [str(order.quantity), str(quantity)]}
        order.quantity = min(order.quantity, quantity)
        order.output = lots.expected_output(
            order.quantity, scrap_rate=item.scrap_rate, uom=item.uom
        )
        order.save(update_fields=["quantity", "output"])
        needs = component_needs(order)
        supply.unplan(site_id=order.site_id, quantities=needs, by=by, now=now)
        supply.note([order.pk])
        audit.record(action="mes.work_order.reduce", target=order, by=by, now=now, changes=changes)
        events.publish(WorkOrdersChanged(site_id=order.site_id), by=by, now=now)
    return order


def component_needs(order: WorkOrder) -> dict[int, Decimal]:
    """By requirement: what its quantity asks of each line of its frozen BOM."""
    lines = WorkOrderMaterial.objects.filter(work_order=order).select_related("item")
    return {
        line.requirement_id: lots.component_need(
            order.quantity,
            quantity_per=line.quantity_per,
            scrap_rate=line.scrap_rate,
            uom=line.item.uom,
        )
        for line in lines
    }


def _locked(order: WorkOrder) -> WorkOrder:
    rows = WorkOrder.objects.select_for_update(no_key=True, of=("self",)).select_related("item")
    return rows.get(pk=order.pk)
