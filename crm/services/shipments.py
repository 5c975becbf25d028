"""Goods leave for the customer, whole or in part."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from common import audit, events, numbers, transitions
from common.concurrency import Lock, lock
from common.models import User
from crm import policies
from crm.enums import ORDER_TRANSITIONS, MilestoneKind, OrderState
from crm.events import OrderDelivered, OrderShipped
from crm.models import SalesOrder, SalesOrderLine, Shipment, ShipmentLine
from crm.services import milestones
from erp import selectors as erp
from erp.enums import MoveKind
from erp.services import stock


def post(
    *,
    order: SalesOrder,
    quantities: Mapping[int, Decimal],
    by: User | None,
    now: datetime,
    carrier: str = "",
    tracking_code: str = "",
) -> Shipment:
    """Ship quantities by line position; raise CannotShip where that is more than is ready."""
    with transaction.atomic():
        lock(Lock.SUPPLY, order.site_id)
        order = SalesOrder.objects.select_for_update(no_key=True).get(pk=order.pk)
        policies.check_can_ship(order)
        lines = _lines_to_ship(order, quantities)
        shipment = Shipment.objects.create(
            number=numbers.take("SH", now=now),
            order=order,
            carrier=carrier,
            tracking_code=tracking_code,
            shipped_at=now,
            shipped_by=by,
        )
        paper = stock.Paper(order_number=order.number, customer_id=order.customer_id)
        for line, quantity in lines.items():
            assert line.requirement_id is not None  # noqa: S101 - _lines_to_ship saw to it
            ShipmentLine.objects.create(shipment=shipment, line=line, quantity=quantity)
            stock.issue(
                requirement_id=line.requirement_id,
                quantity=quantity,
                kind=MoveKind.SHIPMENT,
                reference=shipment.number,
                paper=paper,
                by=by,
                now=now,
            )
            line.shipped += quantity
            line.save(update_fields=["shipped"])
        if not close_if_whole(order, by=by, now=now):
            _move(order, OrderState.PARTLY_SHIPPED)
        changes = {str(line.position): [None, str(share)] for line, share in lines.items()}
        audit.record(action="crm.shipment.post", target=order, by=by, now=now, changes=changes)
        events.publish(OrderShipped(order_id=order.pk, shipment_id=shipment.pk), by=by, now=now)
    return shipment


def _lines_to_ship(
    order: SalesOrder, quantities: Mapping[int, Decimal]
) -> dict[SalesOrderLine, Decimal]:
    if not quantities or not any(quantities.values()):
        raise policies.CannotShip(_("Say which quantity of which line is shipped."))
    lines = {
        line.position: line
        for line in order.lines.select_for_update(no_key=True, of=("self",))
        .select_related("item")
        .filter(is_cancelled=False)
        .order_by("pk")
    }
    ready = erp.reserved_quantities(
        [line.requirement_id for line in lines.values() if line.requirement_id]
    )
    chosen: dict[SalesOrderLine, Decimal] = {}
    for position, quantity in quantities.items():
        line = lines.get(position)
        if line is None:
            raise policies.CannotShip(
                _("Order %(number)s has no line %(position)s.")
                % {"number": order.number, "position": position}
            )
        available = ready.get(line.requirement_id or 0, Decimal(0))
        if quantity < 0 or quantity > available:
            raise policies.CannotShip(
                _("Line %(position)s: %(available)s is ready to ship, not %(quantity)s.")
                % {
                    "position": position,
                    "available": f"{available.normalize():f}",
                    "quantity": f"{quantity.normalize():f}",
                }
            )
        policies.check_is_whole(quantity, line.item.uom, position, policies.CannotShip)
        if quantity:
            chosen[line] = quantity
    return chosen


def close_if_whole(order: SalesOrder, *, by: User | None, now: datetime) -> bool:
    """Whether all that is still wanted has left; the order is then shipped, or even delivered.

    For a locked order, in the caller's transaction: after a shipment, or a smaller quantity.
    """
    lines = order.lines.filter(is_cancelled=False)
    left = lines.filter(shipped__lt=F("quantity"))
    if left.exists() or not lines.filter(shipped__gt=0).exists():
        return False
    _move(order, OrderState.SHIPPED)
    milestones.reach(order_ids=[order.pk], kind=MilestoneKind.SHIPPED, now=now)
    _close_if_delivered(order, by, now)
    return True


def _close_if_delivered(order: SalesOrder, by: User | None, now: datetime) -> None:
    if order.shipments.filter(delivered_at__isnull=True).exists():
        return
    _move(order, OrderState.DELIVERED)
    milestones.reach(order_ids=[order.pk], kind=MilestoneKind.DELIVERED, now=now)
    events.publish(OrderDelivered(order_id=order.pk), by=by, now=now)


def _move(order: SalesOrder, new: OrderState) -> None:
    if order.state == new:
        return
    transitions.check(ORDER_TRANSITIONS, old=OrderState(order.state), new=new)
    order.state = new
    order.version += 1
    order.save(update_fields=["state", "version"])


def deliver(*, shipment: Shipment, by: User | None, now: datetime) -> Shipment:
    """The customer has it; the order is delivered when its last shipment is."""
    with transaction.atomic():
        order = SalesOrder.objects.select_for_update(no_key=True).get(pk=shipment.order_id)
        shipment = Shipment.objects.select_for_update(no_key=True).get(pk=shipment.pk)
        policies.check_can_deliver(shipment)
        shipment.delivered_at = now
        shipment.save(update_fields=["delivered_at"])
        if order.state == OrderState.SHIPPED:
            _close_if_delivered(order, by, now)
        audit.record(action="crm.shipment.deliver", target=order, by=by, now=now)
    return shipment
