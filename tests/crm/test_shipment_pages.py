"""The store's first page: what can leave, in the order of promises, and what is on its way."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.enums import OrderState
from crm.models import SalesOrder, SalesOrderLine, Shipment
from tests.conftest import ClientFor
from tests.crm.factories import Shop

URL = "/orders/shipments/"


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop(now=timezone.now())


@pytest.fixture
def warehouse(shop: Shop, client_for: ClientFor) -> Client:
    return client_for("warehouse")


def orders_on(client: Client, **asked: str) -> list[Any]:
    answer = client.get(URL, asked)
    assert answer.status_code == 200
    return list(answer.context["page"])


def promise(order: SalesOrder, days: int) -> None:
    day = timezone.localdate() + timedelta(days=days)
    SalesOrderLine.objects.filter(order=order).update(promised_date=day)


def test_the_stores_day_begins_with_what_can_leave(shop: Shop, warehouse: Client) -> None:
    assert warehouse.get("/").headers["Location"] == URL
    assert "Nothing waits to be shipped" in warehouse.get(URL).content.decode()
    shop.stock("PART", 15)
    late = shop.converted(("PART", 10), ("PART", 8))
    promise(late, 9)
    # Nothing is left for the other one.
    promise(shop.converted(("PART", 3)), 1)
    [found] = orders_on(warehouse)
    assert (found.number, found.ready_count, found.line_count) == (late.number, 1, 2)
    assert [(line.position, line.ready) for line in found.ready_lines] == [(10, 10), (20, 5)]
    assert "1 of 2 lines" in warehouse.get(URL).content.decode()
    shop.stock("PART", 3)
    soon = shop.converted(("PART", 3))
    promise(soon, 2)
    assert [row.number for row in orders_on(warehouse)] == [soon.number, late.number]
    assert orders_on(warehouse, q="ACME", page="9")
    assert orders_on(warehouse, q="nobody\x00") == []


def test_what_is_shipped_held_or_cancelled_does_not_wait(shop: Shop, warehouse: Client) -> None:
    shop.stock("PART", 15)
    order = shop.converted(("PART", 10), ("PART", 5))
    shop.ship(order, {10: 10})
    [found] = orders_on(warehouse)
    assert [line.position for line in found.ready_lines] == [20]
    assert (found.ready_count, found.line_count) == (1, 1)
    assert "All that is left" in warehouse.get(URL).content.decode()
    SalesOrder.objects.update(state=OrderState.ON_HOLD)
    assert orders_on(warehouse) == []


def test_a_shipment_stays_until_it_is_delivered_from_the_list(
    shop: Shop, warehouse: Client
) -> None:
    shop.stock("PART", 15)
    order = shop.converted(("PART", 10), ("PART", 5))
    first, second = shop.ship(order, {10: 10}), shop.ship(order, {20: 5})
    under_way = f"{URL}?show=under_way"
    assert [row.number for row in orders_on(warehouse, show="under_way")] == [
        first.number,
        second.number,
    ]
    done = warehouse.post(f"/orders/shipments/{first.number}/deliver/", {"next": under_way})
    assert done.headers["Location"] == under_way
    assert [row.number for row in orders_on(warehouse, show="under_way")] == [second.number]
    away = {"next": "https://elsewhere.example/"}
    done = warehouse.post(f"/orders/shipments/{second.number}/deliver/", away)
    assert done.headers["Location"] == f"/orders/{order.number}/"
    assert not Shipment.objects.filter(delivered_at__isnull=True).exists()
    assert "Nothing is under way" in warehouse.get(under_way).content.decode()


def test_a_line_that_lies_ready_in_part_is_no_whole_line(shop: Shop, warehouse: Client) -> None:
    shop.stock("PART", 4)
    shop.converted(("PART", 10))
    [found] = orders_on(warehouse)
    assert (found.ready_count, found.line_count) == (0, 1)
    assert "In part" in warehouse.get(URL).content.decode()


def test_only_who_ships_is_offered_it(shop: Shop, client_for: ClientFor) -> None:
    shop.stock("PART", 15)
    shop.ship(shop.converted(("PART", 10), ("PART", 5)), {10: 4})
    for role, ships, delivers in (
        ("warehouse", True, True),
        ("sales", False, True),
        ("planner", False, False),
    ):
        client = client_for(role)
        assert ("#ship" in client.get(URL).content.decode()) == ships
        page = client.get(URL, {"show": "under_way"}).content.decode()
        assert ("/deliver/" in page) == delivers
    assert client_for("customer").get(URL).status_code == 403


def test_the_statements_do_not_grow_with_the_orders(shop: Shop, warehouse: Client) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as seen:
            warehouse.get(URL)
            warehouse.get(URL, {"show": "under_way"})
        return len(seen)

    shop.stock("PART", 100)
    shop.ship(shop.converted(("PART", 2), ("PART", 2)), {10: 1})
    statements()
    few = statements()
    for _ in range(4):
        shop.ship(shop.converted(("PART", 2), ("PART", 2), ("PART", 3)), {10: 1, 30: 2})
    assert statements() == few
