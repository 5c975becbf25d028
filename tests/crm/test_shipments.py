"""Goods leave: part, whole, never more than is ready; delivered when the last one has arrived."""

from decimal import Decimal

import pytest
from django.db import transaction

from common import audit
from common.models import Event
from crm import policies
from crm.enums import OrderState
from crm.models import SalesOrder, Shipment
from crm.services import orders, shipments
from erp.models import Requirement, StockBalance, StockMove
from tests.crm.factories import Shop, counts
from tests.mes import invariants

D = Decimal


@pytest.fixture
def ready(shop: Shop) -> SalesOrder:
    """Ten and five PART, all in stock."""
    shop.stock("PART", 15)
    return shop.converted(("PART", 10), ("PART", 5))


def refused(shop: Shop, order: SalesOrder, quantities: dict[int, int | str]) -> str:
    before = counts(), StockMove.objects.count()
    with pytest.raises(policies.CannotShip) as caught, transaction.atomic():
        shipments.post(
            order=order,
            quantities={position: D(q) for position, q in quantities.items()},
            by=shop.sales,
            now=shop.now,
        )
    assert (counts(), StockMove.objects.count()) == before
    return str(caught.value)


def test_a_part_leaves_stock_and_its_requirement(shop: Shop, ready: SalesOrder) -> None:
    shipment = shop.ship(ready, {10: 4})
    assert shop.fresh(ready).state == OrderState.PARTLY_SHIPPED
    line = shop.line(ready)
    assert line.shipped == 4
    assert (line.requirement.issued, line.requirement.state) == (4, "open")
    balance = StockBalance.objects.get()
    assert (balance.on_hand, balance.reserved) == (11, 11)
    move = StockMove.objects.get(reference=shipment.number)
    assert (move.kind, move.quantity) == ("shipment", -4)
    assert audit.history(ready).first().changes == {"10": [None, "4"]}
    assert Event.objects.get(topic="crm.order.shipped").payload["shipment_id"] == shipment.pk
    invariants.check()


def test_part_by_part_to_the_whole_and_to_the_door(shop: Shop, ready: SalesOrder) -> None:
    first = shop.ship(ready, {10: 4, 20: 5})
    second = shop.ship(ready, {10: 6})
    order = shop.fresh(ready)
    assert order.state == OrderState.SHIPPED
    assert set(Requirement.objects.values_list("state", flat=True)) == {"fulfilled"}
    shipments.deliver(shipment=first, by=shop.sales, now=shop.now)
    assert shop.fresh(ready).state == OrderState.SHIPPED
    assert not Event.objects.filter(topic="crm.order.delivered").exists()
    shipments.deliver(shipment=second, by=shop.sales, now=shop.now)
    assert shop.fresh(ready).state == OrderState.DELIVERED
    assert Event.objects.get(topic="crm.order.delivered").payload["order_id"] == ready.pk
    kinds = list(order.milestones.order_by("pk").values_list("kind", flat=True))
    assert kinds[-2:] == ["shipped", "delivered"]
    invariants.check()


def test_an_order_is_not_delivered_while_a_part_has_not_left(shop: Shop, ready: SalesOrder) -> None:
    shipments.deliver(shipment=shop.ship(ready, {10: 4}), by=shop.sales, now=shop.now)
    assert shop.fresh(ready).state == OrderState.PARTLY_SHIPPED
    shipments.deliver(shipment=shop.ship(ready, {10: 6, 20: 5}), by=shop.sales, now=shop.now)
    assert shop.fresh(ready).state == OrderState.DELIVERED


def test_a_smaller_quantity_can_make_the_delivered_part_the_whole(
    shop: Shop, ready: SalesOrder
) -> None:
    shipments.deliver(shipment=shop.ship(ready, {10: 10, 20: 3}), by=shop.sales, now=shop.now)
    orders.change_quantity(
        line=shop.line(ready, 20), quantity=D(3), reason="", by=shop.sales, now=shop.now
    )
    assert shop.fresh(ready).state == OrderState.DELIVERED
    assert Event.objects.filter(topic="crm.order.delivered").count() == 1


def test_a_cancelled_line_does_not_keep_the_order_open(shop: Shop, ready: SalesOrder) -> None:
    orders.change_quantity(
        line=shop.line(ready, 20), quantity=D(0), reason="", by=shop.sales, now=shop.now
    )
    shop.ship(ready, {10: 10})
    assert shop.fresh(ready).state == OrderState.SHIPPED


@pytest.mark.parametrize(
    ("quantities", "sentence"),
    [
        ({}, "Say which quantity of which line is shipped."),
        ({10: 0}, "Say which quantity of which line is shipped."),
        ({10: 11}, "Line 10: 10 is ready to ship, not 11."),
        ({10: -1}, "Line 10: 10 is ready to ship, not -1."),
        ({10: 5, 20: 6}, "Line 20: 5 is ready to ship, not 6."),
        ({10: "2.5"}, "Line 10 is counted in EA; 2.5 is not a whole number."),
        ({30: 1}, "Order {number} has no line 30."),
    ],
)
def test_a_shipment_that_makes_no_sense_is_refused_as_a_whole(
    shop: Shop, ready: SalesOrder, quantities: dict[int, int | str], sentence: str
) -> None:
    assert refused(shop, ready, quantities) == sentence.format(number=ready.number)
    assert shop.line(ready).shipped == 0
    assert StockBalance.objects.get().on_hand == 15


def test_what_is_made_but_not_finished_cannot_leave(shop: Shop) -> None:
    order = shop.converted()
    assert refused(shop, order, {10: 1}) == "Line 10: 0 is ready to ship, not 1."


def test_a_cancelled_line_cannot_leave(shop: Shop, ready: SalesOrder) -> None:
    orders.change_quantity(
        line=shop.line(ready, 20), quantity=D(0), reason="", by=shop.sales, now=shop.now
    )
    assert refused(shop, ready, {20: 1}) == f"Order {ready.number} has no line 20."


@pytest.mark.parametrize("state", [s for s in OrderState if s not in OrderState.open()])
def test_only_open_orders_ship(shop: Shop, ready: SalesOrder, state: OrderState) -> None:
    SalesOrder.objects.filter(pk=ready.pk).update(state=state)
    assert refused(shop, ready, {10: 1}) == (
        f"Order {ready.number} is {state.label}; there is nothing to ship."
    )


def test_a_shipment_is_delivered_once(shop: Shop, ready: SalesOrder) -> None:
    shipment = shop.ship(ready, {10: 4})
    shipments.deliver(shipment=shipment, by=shop.sales, now=shop.now)
    before = counts()
    with pytest.raises(policies.CannotDeliver) as caught:
        shipments.deliver(shipment=shipment, by=shop.sales, now=shop.now)
    assert str(caught.value) == f"Shipment {shipment.number} was delivered already."
    assert counts() == before
    assert Shipment.objects.get().delivered_at == shop.now
