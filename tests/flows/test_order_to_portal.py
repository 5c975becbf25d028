"""The main story, over HTTP with a real server, worker, dispatcher, Redis and PostgreSQL.

Customer A wants 5,000 of Product X in 30 days: promised, approved, made into work orders, planned,
dated, seen in the portal. A smaller order is then made on the floor, shipped and delivered.
"""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from aps.models import ScheduleRun
from common.models import AuditEntry, Job
from crm.models import Conversion
from masterdata.models import WorkUnit
from mes.models import WorkOrder, WorkOrderOperation
from tests.demo import DemoFactory
from tests.faults.live import wait_until
from tests.flows.chain import Answer, Api, Chain, settle
from tests.mes import invariants

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.worker,
    pytest.mark.slow,
]

# A price that occurs nowhere else: it must not come out at the customer's end.
MARKED_PRICE = "987.6521"
FORBIDDEN = ("price", "cost", "margin", "amount", "rate", "currency", "987.65", "98765")
STEPS = ["submitted", "approved", "scheduled", "started", "finished", "shipped", "delivered"]


@pytest.fixture
def demo(chain: Chain, demo_factory: DemoFactory, settings: Any) -> Chain:
    """The demo factory in the chain's database, its own jobs done."""
    settings.SOLVE_SECONDS = 1
    demo_factory.load(settle)
    return chain


def test_an_order_is_promised_made_shipped_and_seen_by_its_customer_alone(demo: Chain) -> None:
    sales, customer, stranger = demo.api("sales"), demo.api("customer"), demo.api("customer-b")
    wanted = timezone.localdate() + timedelta(days=30)

    _promise_of_product_x(sales, wanted)
    big = _entered_and_approved(sales, [("PRODUCT-X", 5000)], wanted)
    order = _converted_and_dated(sales, big)
    _check_dates_of_product_x(order, wanted)
    _check_schedule(demo.api("planner"), order)
    _check_portal_while_planned(customer, stranger, big, order)

    small = _entered_and_approved(sales, [("FLANGE-DN50", 12), ("VALVE-DN50", 3)], wanted)
    order = _converted_and_dated(sales, small)
    _refusals_before_work(sales, demo.api("warehouse"), small)
    _made_on_the_floor(demo.api("operator"), sales, customer, small, order)
    _shipped_and_delivered(demo.api("warehouse"), sales, small)
    _check_portal_when_delivered(customer, stranger, small)
    _check_audit(small)

    settle()
    invariants.check()
    assert Conversion.objects.filter(line__order__number__in=[big, small]).count() == 3


# -- the promise, the order -------------------------------------------------------------------


def _promise_of_product_x(sales: Api, wanted: date) -> None:
    body: dict[str, Any] = {
        "customer": "CUST-A",
        "lines": [{"item": "PRODUCT-X", "quantity": "5000", "requested_date": f"{wanted}"}],
    }
    before = Job.objects.count(), WorkOrder.objects.count()
    answer = sales.ok("promise-checks/", body)
    [line] = answer["lines"]
    assert line["feasible"] is True, json.dumps(line, indent=1)
    assert line["status"] in ("feasible", "at_risk")
    assert date.fromisoformat(line["earliest_date"]) <= wanted
    assert line["latest_start"]
    assert line["reasons"]
    # Only a question: nothing was reserved or asked for.
    assert (Job.objects.count(), WorkOrder.objects.count()) == before
    # What cannot be kept says why, and what else could be done.
    body["lines"][0] |= {"requested_date": f"{timezone.localdate() + timedelta(days=2)}"}
    [line] = sales.ok("promise-checks/", body)["lines"]
    assert line["feasible"] is False
    assert line["earliest_date"] > line["requested_date"]
    assert all(reason["text"] for reason in line["reasons"])
    assert {"accept_date", "rush"} <= {way["kind"] for way in line["alternatives"]}


def _entered_and_approved(sales: Api, lines: list[tuple[str, int]], wanted: date) -> str:
    """Enter, submit and approve; each call is sent twice, as a device with bad radio would."""
    body = {
        "customer": "CUST-A",
        "customer_reference": "STORY-1",
        "lines": [
            {
                "item": item,
                "quantity": quantity,
                "requested_date": f"{wanted}",
                "unit_price": MARKED_PRICE,
            }
            for item, quantity in lines
        ],
    }
    created = _twice(sales, "sales-orders/", body)
    number = str(created["number"])
    assert created["status"] == "draft"
    refused = sales.post(f"sales-orders/{number}/approve/")
    assert refused.status == 409
    assert refused.sentence == f"Order {number} is Draft; only a submitted order can be approved."
    assert _twice(sales, f"sales-orders/{number}/submit/", {})["status"] == "submitted"
    assert _twice(sales, f"sales-orders/{number}/approve/", {})["status"] == "approved"
    # A third click, with a key of its own, is told; it does not convert again.
    again = sales.post(f"sales-orders/{number}/approve/")
    assert again.status == 409
    assert "only a submitted order can be approved" in again.sentence
    return number


def _twice(api: Api, path: str, body: dict[str, Any]) -> Answer:
    key = f"story {path} {timezone.now().timestamp()}"
    first, second = api.ok(path, body, key=key), api.ok(path, body, key=key)
    assert second.body == first.body
    assert second.status == first.status
    assert second.headers["Idempotency-Replayed"] == "true"
    other = api.post(path, {**body, "note": "something else"}, key=key)
    assert other.status == 422, other
    return first


def _converted_and_dated(sales: Api, number: str) -> Answer:
    def is_dated() -> bool:
        lines = sales.get(f"sales-orders/{number}/")["lines"]
        return all(line["projected_date"] and line["promised_date"] for line in lines)

    wait_until(is_dated, 120)
    order = sales.get(f"sales-orders/{number}/")
    assert {line["conversion"] for line in order["lines"]} == {"converted"}
    kinds = [step["kind"] for step in order["milestones"]]
    assert kinds[:4] == ["submitted", "approved", "work_orders_created", "scheduled"]
    return order


def _check_dates_of_product_x(order: Answer, wanted: date) -> None:
    [line] = order["lines"]
    assert line["requested_date"] == line["promised_date"] == f"{wanted}"
    assert date.fromisoformat(line["projected_date"]) <= wanted
    made = [row for row in order["work_orders"] if row["item"] == "PRODUCT-X"]
    # Fixed lots of 1,000.
    assert [float(row["quantity"]) for row in made] == [1000] * 5
    assert {"X-HOUSING", "X-SHAFT"} <= {row["item"] for row in order["work_orders"]}
    assert all(row["planned_starts_at"] and row["planned_ends_at"] for row in order["work_orders"])


def _check_schedule(planner: Api, order: Answer) -> None:
    schedule = planner.get("schedules/current/")
    assert schedule["version"] == ScheduleRun.objects.get(state="published").version
    planned = {(row["work_order"], row["sequence"]): row for row in schedule["operations"]}
    for work_order in order["work_orders"]:
        detail = planner.get(f"work-orders/{work_order['number']}/")
        for operation in detail["operations"]:
            row = planned[work_order["number"], operation["sequence"]]
            assert row["work_unit"] == operation["planned_work_unit"]
            assert row["starts_at"] == operation["planned_starts_at"]
            assert row["ends_at"] == operation["planned_ends_at"]


# -- the portal -------------------------------------------------------------------------------


def _check_portal_while_planned(customer: Api, stranger: Api, number: str, order: Answer) -> None:
    mine = customer.get(f"portal/orders/{number}/")
    assert mine.status == 200
    assert mine["headline"].endswith(", on time")
    assert mine["estimated_date"] == order["lines"][0]["projected_date"]
    assert mine["promised_date"] == order["lines"][0]["promised_date"]
    assert {step["kind"]: step["state"] for step in mine["steps"]} == {
        "submitted": "done",
        "approved": "done",
        "scheduled": "done",
        "started": "current",
        "finished": "upcoming",
        "shipped": "upcoming",
        "delivered": "upcoming",
    }
    assert mine["date_changes"]
    assert all(change["reason"] for change in mine["date_changes"])
    assert number in {row["number"] for row in customer.get("portal/orders/")["results"]}
    _check_nothing_of_cost(mine.body)
    _check_nothing_of_cost(customer.get("portal/orders/").body)
    _check_hidden_from(stranger, number)
    # Neither does a customer reach what is ours.
    for path in (f"sales-orders/{number}/", "sales-orders/", "schedules/current/"):
        assert customer.get(path).status == 403


def _check_hidden_from(stranger: Api, number: str) -> None:
    hidden = stranger.get(f"portal/orders/{number}/")
    assert hidden.status == 404
    assert number not in str(hidden.body)
    assert number not in str(stranger.get("portal/orders/").body)


def _check_portal_when_delivered(customer: Api, stranger: Api, number: str) -> None:
    mine = customer.get(f"portal/orders/{number}/")
    assert mine["headline"] == "Delivered"
    assert [(step["kind"], step["state"]) for step in mine["steps"]] == [
        (kind, "done") for kind in STEPS
    ]
    assert all(line["percent_made"] == 100 for line in mine["lines"])
    assert [line["shipped"] for line in mine["lines"]] == [
        line["quantity"] for line in mine["lines"]
    ]
    assert len(mine["shipments"]) == 2
    assert all(shipment["delivered_at"] for shipment in mine["shipments"])
    _check_nothing_of_cost(mine.body)
    _check_hidden_from(stranger, number)


def _check_nothing_of_cost(body: object) -> None:
    for word in _words(body):
        assert not any(forbidden in word.lower() for forbidden in FORBIDDEN), word


def _words(body: object) -> Iterator[str]:
    if isinstance(body, dict):
        for name, value in body.items():
            yield name
            yield from _words(value)
    elif isinstance(body, list):
        for value in body:
            yield from _words(value)
    else:
        yield str(body)


# -- the floor --------------------------------------------------------------------------------


def _refusals_before_work(sales: Api, warehouse: Api, number: str) -> None:
    early = warehouse.post("shipments/", {"order": number})
    assert early.status == 409
    assert early.sentence
    over = warehouse.post(
        "shipments/", {"order": number, "lines": [{"position": 10, "quantity": "12"}]}
    )
    assert over.status == 409
    assert over.sentence == "Line 10: 0 is ready to ship, not 12."
    assert sales.post("shipments/", {"order": number}).status == 403


def _made_on_the_floor(
    operator: Api, sales: Api, customer: Api, number: str, order: Answer
) -> None:
    """Start, report and finish operation by operation, whatever can go on; with what is refused."""
    # Paint dries for hours in this factory; the story does not wait for it.
    WorkOrderOperation.objects.update(wait_minutes=0)
    flange = next(row["number"] for row in order["work_orders"] if row["item"] == "FLANGE-DN50")
    _check_floor_refuses(operator, flange)
    seen: set[str] = set()

    def is_made() -> bool:
        now = sales.get(f"sales-orders/{number}/")
        if now["status"] == "ready_to_ship":
            return True
        for row in now["work_orders"]:
            if row["state"] not in ("completed", "closed", "cancelled"):
                _work_on(operator, row["number"])
        seen.update(_current_operation(customer, number))
        return False

    wait_until(is_made, 240)
    kinds = {step["kind"] for step in sales.get(f"sales-orders/{number}/")["milestones"]}
    assert {"started", "finished"} <= kinds
    mine = customer.get(f"portal/orders/{number}/")
    assert all(line["percent_made"] == 100 for line in mine["lines"])


def _check_floor_refuses(operator: Api, work_order: str) -> None:
    first, second = operator.get(f"work-orders/{work_order}/")["operations"][:2]
    early = _start(operator, work_order, second)
    assert early.status == 409
    assert "cannot start" in early.sentence
    assert operator.get(f"work-orders/{work_order}/")["operations"][1]["started_at"] is None
    path = f"work-orders/{work_order}/operations/{first['sequence']}"
    unstarted = operator.post(f"{path}/report/", {"good": 1})
    assert unstarted.status == 409
    assert "start it first" in unstarted.sentence
    assert _start(operator, work_order, first).status == 200
    over = operator.post(f"{path}/report/", {"good": 1_000_000})
    assert over.status == 409
    assert "too many" in over.sentence
    unfinished = operator.post(f"{path}/finish/")
    assert unfinished.status == 409
    assert "not accounted for" in unfinished.sentence
    twice = _start(operator, work_order, first)
    assert twice.status == 409
    assert "already" in twice.sentence


def _work_on(operator: Api, work_order: str) -> None:
    """Bring the work order's next operation to its end, if it may go on now."""
    detail = operator.get(f"work-orders/{work_order}/")
    came_in = float(detail["quantity"])
    for operation in detail["operations"]:
        if operation["state"] == "done":
            came_in = float(operation["good"])
            continue
        path = f"work-orders/{work_order}/operations/{operation['sequence']}"
        if (
            operation["state"] != "running"
            and _start(operator, work_order, operation).status != 200
        ):
            return
        operator.ok(f"{path}/report/", {"good": f"{came_in}", "scrap": 0})
        _checks_answered(operator, work_order, operation["sequence"])
        operator.ok(f"{path}/finish/")


def _checks_answered(operator: Api, work_order: str, sequence: int) -> None:
    """Whatever is asked at the operation; of what is measured first something out of limits."""
    path = f"work-orders/{work_order}/operations/{sequence}"
    for check in _open_checks(operator, work_order, sequence):
        body = {"position": check["position"]}
        unfinished = operator.post(f"{path}/finish/")
        assert unfinished.status == 409
        assert check["name"] in unfinished.sentence
        if check["kind"] == "pass":
            operator.ok(f"{path}/check/", {**body, "passed": True})
            continue
        limit = float(check["upper"] or check["lower"])
        wrong = limit + 1 if check["upper"] else limit - 1
        operator.ok(f"{path}/check/", {**body, "value": f"{wrong:.2f}"})
        assert "out of limits" in operator.post(f"{path}/finish/").sentence
        operator.ok(f"{path}/check/", {**body, "value": f"{limit}", "again": True})
    assert _open_checks(operator, work_order, sequence) == []


def _open_checks(operator: Api, work_order: str, sequence: int) -> list[dict[str, Any]]:
    rows = operator.get(f"work-orders/{work_order}/")["operations"]
    [operation] = [row for row in rows if row["sequence"] == sequence]
    return [check for check in operation["checks"] if check["is_open"]]


def _tool_given_up(operator: Api, sentence: str) -> None:
    """Interrupt the factory's own work that has the tool: the story does not wait for its end."""
    holders = re.findall(r"(WO-\d+)/(\d+)", sentence)
    assert holders, sentence
    for number, sequence in holders:
        path = f"work-orders/{number}/operations/{sequence}/interrupt/"
        operator.ok(path, {"reason": "The tool is needed elsewhere"})


def _start(operator: Api, work_order: str, operation: dict[str, Any]) -> Answer:
    """Start it on its planned work unit, or where that is busy on another one of its center."""
    path = f"work-orders/{work_order}/operations/{operation['sequence']}/start/"
    answer = operator.post(path)
    if answer.status != 200 and "is in use at" in answer.sentence:
        _tool_given_up(operator, answer.sentence)
        answer = operator.post(path)
    units = WorkUnit.objects.filter(work_center__code=operation["work_center"])
    for code in units.values_list("code", flat=True):
        if answer.status == 200 or "busy" not in answer.sentence:
            break
        answer = operator.post(path, {"work_unit": code})
    return answer


def _current_operation(customer: Api, number: str) -> set[str]:
    lines = customer.get(f"portal/orders/{number}/")["lines"]
    return {line["current_operation"] for line in lines if line["current_operation"]}


# -- out of the house -------------------------------------------------------------------------


def _shipped_and_delivered(warehouse: Api, sales: Api, number: str) -> None:
    """In two parts: a share of the first line, then all the rest."""
    part = {"order": number, "lines": [{"position": 10, "quantity": "5"}], "carrier": "SF"}
    first = _twice_shipped(warehouse, part)
    assert sales.get(f"sales-orders/{number}/")["status"] == "partly_shipped"
    over = {"order": number, "lines": [{"position": 10, "quantity": "8"}]}
    refused = warehouse.post("shipments/", over)
    assert refused.status == 409
    assert refused.sentence == "Line 10: 7 is ready to ship, not 8."
    rest = warehouse.ok("shipments/", {"order": number})
    assert sales.get(f"sales-orders/{number}/")["status"] == "shipped"
    assert warehouse.ok(f"shipments/{first['number']}/deliver/")["delivered_at"]
    assert sales.get(f"sales-orders/{number}/")["status"] == "shipped"
    warehouse.ok(f"shipments/{rest['number']}/deliver/")
    again = warehouse.post(f"shipments/{rest['number']}/deliver/")
    assert again.status == 409
    assert "delivered already" in again.sentence
    order = sales.get(f"sales-orders/{number}/")
    assert order["status"] == "delivered"
    assert [step["kind"] for step in order["milestones"]][-2:] == ["shipped", "delivered"]


def _twice_shipped(warehouse: Api, body: dict[str, Any]) -> Answer:
    key = f"ship {body['order']}"
    first = warehouse.ok("shipments/", body, key=key)
    assert warehouse.ok("shipments/", body, key=key).body == first.body
    return first


def _check_audit(number: str) -> None:
    rows = AuditEntry.objects.filter(target_type="crm.salesorder", target_label=number)
    assert [(row.action, row.actor.username) for row in rows.order_by("pk")] == [
        ("crm.order.create", "sales"),
        ("crm.order.submit", "sales"),
        ("crm.order.approve", "sales"),
        ("crm.shipment.post", "warehouse"),
        ("crm.shipment.post", "warehouse"),
        ("crm.shipment.deliver", "warehouse"),
        ("crm.shipment.deliver", "warehouse"),
    ]
    floor = AuditEntry.objects.filter(
        actor__username="operator", action__startswith="mes.operation."
    )
    assert {"mes.operation.start", "mes.operation.report", "mes.operation.finish"} <= set(
        floor.values_list("action", flat=True)
    )
    assert not AuditEntry.objects.filter(action__startswith="crm.order", at__isnull=True).exists()
