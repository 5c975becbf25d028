"""Orders over HTTP: what goes in, what comes out, and that hostile input is never our error."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from common.models import IdempotentAnswer
from crm import policies
from crm.models import SalesOrder
from crm.services import orders
from tests.conftest import ApiClientFor
from tests.crm.factories import Shop, counts

URL = "/api/v1/sales-orders/"
DAY = timezone.localdate() + timedelta(days=60)


@pytest.fixture
def shop(db: None, settings: Any) -> Shop:
    """A plant in real time: the API reads the clock itself."""
    settings.SOLVE_SECONDS = 0.03
    return Shop(now=timezone.now())


@pytest.fixture
def sales(shop: Shop, api_client_for: ApiClientFor) -> APIClient:
    client = api_client_for("sales")
    client.raise_request_exception = True  # a defect of ours fails the test where it happens
    return client


@pytest.fixture
def warehouse(shop: Shop, api_client_for: ApiClientFor) -> APIClient:
    return api_client_for("warehouse")


def body(**changed: Any) -> dict[str, Any]:
    line = {"item": "PART", "quantity": "10", "requested_date": f"{DAY}"}
    return {"customer": "ACME", "lines": [line | changed.pop("line", {})]} | changed


def post(client: APIClient, url: str, data: Any = None, **headers: str) -> Any:
    return client.post(url, {} if data is None else data, format="json", headers=headers)


# -- the way of an order ----------------------------------------------------------------------


def test_an_order_from_draft_to_approved(sales: APIClient, shop: Shop) -> None:
    made = post(sales, URL, body(customer_reference="PO-1", note="soon"))
    assert made.status_code == 201
    order = made.json()
    assert order["status"] == "draft"
    assert order["customer"] == "ACME"
    assert order["lines"] == [
        {
            "position": 10,
            "item": "PART",
            "quantity": "10.0000",
            "shipped": "0.0000",
            "unit_price": "0.0000",
            "requested_date": f"{DAY}",
            "offered_date": None,
            "promised_date": None,
            "projected_date": None,
            "is_cancelled": False,
            "conversion": "none",
            "conversion_error": "",
        }
    ]
    page = f"{URL}{order['number']}/"
    assert post(sales, f"{page}submit/").json()["lines"][0]["offered_date"] == f"{DAY}"
    assert post(sales, f"{page}approve/").json()["lines"][0]["promised_date"] == f"{DAY}"
    shop.run_jobs()
    order = sales.get(page).json()
    assert order["lines"][0]["conversion"] == "converted"
    assert order["lines"][0]["projected_date"] is not None
    assert [row["item"] for row in order["work_orders"]] == ["PART"]
    assert {step["kind"] for step in order["milestones"]} == {
        *("submitted", "approved", "work_orders_created", "scheduled")
    }


def test_reject_and_cancel_take_a_reason(sales: APIClient, shop: Shop) -> None:
    order = shop.submitted(wanted=DAY)
    page = f"{URL}{order.number}/"
    assert post(sales, f"{page}reject/").json() == {"reason": ["This field is required."]}
    assert post(sales, f"{page}reject/", {"reason": "No"}).json()["status"] == "draft"
    cancelled = post(sales, f"{page}cancel/", {"reason": "No"}).json()
    assert cancelled["order"]["status"] == "cancelled"
    assert (cancelled["undone"], cancelled["remaining"]) == ([], [])


def test_cancel_names_the_work_it_undid(sales: APIClient, shop: Shop) -> None:
    order = shop.converted(wanted=DAY)
    number = shop.work(order)[0].number
    cancelled = post(sales, f"{URL}{order.number}/cancel/", {"reason": "No"}).json()
    assert cancelled["undone"] == [number]
    assert cancelled["order"]["work_orders"] == []


def test_the_list_narrows_by_status_and_pages(sales: APIClient, shop: Shop) -> None:
    draft, submitted = shop.enter(), shop.submitted()
    numbers = [row["number"] for row in sales.get(URL).json()["results"]]
    assert numbers == [submitted.number, draft.number]
    narrowed = sales.get(URL, {"status": "submitted"}).json()
    assert [row["number"] for row in narrowed["results"]] == [submitted.number]
    assert sales.get(URL, {"page_size": "1"}).json()["next"]
    assert sales.get(URL, {"page": "99"}).status_code == 404
    assert sales.get(URL, {"page": "x"}).status_code == 404


def test_ship_all_that_is_ready_and_deliver(warehouse: APIClient, shop: Shop) -> None:
    shop.stock("PART", 12)
    order = shop.converted(("PART", 10), ("PART", 5))
    made = post(warehouse, "/api/v1/shipments/", {"order": order.number, "carrier": "SF"})
    assert made.status_code == 201, made.json()
    shipment = made.json()
    assert shipment["lines"] == [
        {"position": 10, "quantity": "10.0000"},
        {"position": 20, "quantity": "2.0000"},
    ]
    arrived = post(warehouse, f"/api/v1/shipments/{shipment['number']}/deliver/")
    assert arrived.json()["delivered_at"] is not None
    again = post(warehouse, f"/api/v1/shipments/{shipment['number']}/deliver/")
    assert again.status_code == 409


# -- the promise check ------------------------------------------------------------------------


def test_a_promise_check_answers_every_line_and_writes_nothing(
    sales: APIClient, shop: Shop
) -> None:
    before = counts()
    answer = post(sales, "/api/v1/promise-checks/", body())
    assert answer.status_code == 200
    [line] = answer.json()["lines"]
    assert line["feasible"] is True
    assert (line["item"], line["requested_date"]) == ("PART", f"{DAY}")
    assert set(line) == {
        *("item", "quantity", "requested_date", "feasible", "status", "earliest_date"),
        *("latest_start", "slack_minutes", "reasons", "then", "chain", "alternatives", "refusal"),
    }
    assert counts() == before


def test_a_day_that_cannot_be_kept_is_explained_as_in_the_dialog(
    sales: APIClient, shop: Shop
) -> None:
    shop.converted(("PART", 2 * 9 * 60))
    shop.replan(now=timezone.now())
    wish = {"quantity": "100", "requested_date": f"{timezone.localdate()}"}
    [line] = post(sales, "/api/v1/promise-checks/", body(line=wish)).json()["lines"]
    assert not line["feasible"]
    assert line["then"].startswith("After that the work takes")
    # From now to readiness, without a hole.
    assert [link["kind"] for link in line["chain"]][-1] == "work"
    ends = [link["ends_at"] for link in line["chain"]]
    assert [link["starts_at"] for link in line["chain"]][1:] == ends[:-1]
    assert all(link["text"] and link["item"] == "PART" for link in line["chain"])


def test_fixed_lots_overlap_in_the_promise_as_they_do_on_the_floor(
    sales: APIClient, shop: Shop
) -> None:
    """Ten lots of 27 hours' work on two levels: not one after the other but side by side."""
    from tests.masterdata.factories import WorkCenterFactory, WorkUnitFactory

    lathe = shop.center
    for code, fixed in (("SUB", "fixed"), ("SINGLE", "lot_for_lot")):
        shop.items[code] = shop.part(
            code, minutes=1, lot_policy=fixed, lot_size=Decimal(54) if fixed == "fixed" else None
        )
        shop.center = WorkCenterFactory(site=shop.site, code=f"ASM-{code}")
        WorkUnitFactory(work_center=shop.center, code=f"ASM-{code}-1")
        shop.assembly(f"TOP-{code}", {code: 1})
        item = shop.items[f"TOP-{code}"] = shop.items[f"TOP-{code}"]
        if fixed == "fixed":
            item.lot_policy, item.lot_size = "fixed", Decimal(54)
            item.save()
        shop.center = lathe

    def earliest(code: str) -> date:
        line = {"item": code, "quantity": "540", "requested_date": f"{timezone.localdate()}"}
        answer = post(sales, "/api/v1/promise-checks/", {"lines": [line]}).json()
        return date.fromisoformat(answer["lines"][0]["earliest_date"])

    assert earliest("TOP-SUB") < earliest("TOP-SINGLE")


# -- who may, what is not there, what is refused ----------------------------------------------


def test_without_a_token_401_without_the_right_403_without_the_order_404(
    shop: Shop, sales: APIClient, api_client_for: ApiClientFor
) -> None:
    order = shop.submitted()
    approve = f"{URL}{order.number}/approve/"
    assert post(APIClient(), approve).status_code == 401
    wrong = APIClient(headers={"Authorization": "Token nonsense"})
    assert post(wrong, approve).status_code == 401
    for role in ("operator", "warehouse", "customer", "planner"):
        assert post(api_client_for(role), approve).status_code == 403, role
    assert SalesOrder.objects.get(pk=order.pk).state == "submitted"
    for verb in ("", "submit/", "approve/", "reject/", "cancel/"):
        url = f"{URL}SO-404/{verb}"
        reason = {"reason": "x"} if verb in ("reject/", "cancel/") else {}
        answer = post(sales, url, reason) if verb else sales.get(url)
        assert answer.status_code == 404, verb
    assert post(api_client_for("warehouse"), "/api/v1/shipments/SH-404/deliver/").status_code == 404
    assert (
        post(api_client_for("warehouse"), "/api/v1/shipments/", {"order": "SO-404"}).status_code
        == 404
    )
    assert sales.delete(f"{URL}{order.number}/").status_code == 405


def test_what_a_rule_refuses_is_a_409_with_its_sentence(sales: APIClient, shop: Shop) -> None:
    order = shop.enter()
    before = counts()
    answer = post(sales, f"{URL}{order.number}/approve/")
    assert answer.status_code == 409
    assert answer.json() == {
        "detail": f"Order {order.number} is Draft; only a submitted order can be approved."
    }
    assert counts() == before


# -- the same request again -------------------------------------------------------------------


def test_the_same_key_gives_the_first_answer_and_one_effect(sales: APIClient) -> None:
    first = post(sales, URL, body(), **{"Idempotency-Key": "k1"})
    again = post(sales, URL, body(), **{"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert SalesOrder.objects.count() == 1


def test_the_same_key_with_another_body_is_a_422(sales: APIClient) -> None:
    post(sales, URL, body(), **{"Idempotency-Key": "k1"})
    other = post(sales, URL, body(note="other"), **{"Idempotency-Key": "k1"})
    assert other.status_code == 422
    assert "used before" in other.json()["detail"]
    assert SalesOrder.objects.count() == 1


def test_bad_input_leaves_the_key_unused(sales: APIClient) -> None:
    assert post(sales, URL, {}, **{"Idempotency-Key": "k1"}).status_code == 400
    assert not IdempotentAnswer.objects.exists()
    assert post(sales, URL, body(), **{"Idempotency-Key": "k1"}).status_code == 201


def test_keys_belong_to_their_user(
    sales: APIClient, shop: Shop, api_client_for: ApiClientFor
) -> None:
    order = shop.submitted()
    url = f"{URL}{order.number}/approve/"
    assert post(sales, url, **{"Idempotency-Key": "k1"}).status_code == 200
    assert post(api_client_for("manager"), url, **{"Idempotency-Key": "k1"}).status_code == 409


# -- hostile input ----------------------------------------------------------------------------

TOO_LONG = "x" * 5000
HOSTILE_ORDERS: dict[str, tuple[Any, str]] = {
    "nothing": ({}, "customer"),
    "null": (None, "non_field_errors"),
    "a list": ([], "non_field_errors"),
    "a number": (7, "non_field_errors"),
    "a text": ("x", "non_field_errors"),
    "unknown field": (body(discount=5), "discount"),
    "unknown field in a line": (body(line={"cost": 1}), "lines"),
    "no lines": (body(lines=[]), "lines"),
    "lines as text": (body(lines="PART"), "lines"),
    "lines as an object": (body(lines={"0": {}}), "lines"),
    "a line as text": (body(lines=["PART"]), "lines"),
    "a line as null": (body(lines=[None]), "lines"),
    "too many lines": (body(lines=[{}] * 501), "lines"),
    "unknown customer": (body(customer="NOBODY"), "customer"),
    "customer as number": (body(customer=17), "customer"),
    "customer as object": (body(customer={"code": "ACME"}), "customer"),
    "customer as null": (body(customer=None), "customer"),
    "customer with a null byte": (body(customer="AC\x00ME"), "customer"),
    "customer as half a character": (body(customer="\ud800"), "customer"),
    "reference too long": (body(customer_reference=TOO_LONG), "customer_reference"),
    "reference with a null byte": (body(customer_reference="a\x00"), "customer_reference"),
    "note too long": (body(note=TOO_LONG), "note"),
    "note as a list": (body(note=[1]), "note"),
    "unknown item": (body(line={"item": "NOTHING"}), "lines"),
    "item as list": (body(line={"item": ["PART"]}), "lines"),
    "item as true": (body(line={"item": True}), "lines"),
    "item too long": (body(line={"item": TOO_LONG}), "lines"),
    "item as SQL": (body(line={"item": "' OR 1=1 --"}), "lines"),
    "quantity as text": (body(line={"quantity": "many"}), "lines"),
    "quantity as true": (body(line={"quantity": True}), "lines"),
    "quantity as object": (body(line={"quantity": {}}), "lines"),
    "quantity zero": (body(line={"quantity": 0}), "lines"),
    "quantity negative": (body(line={"quantity": "-1"}), "lines"),
    "quantity NaN": (body(line={"quantity": "NaN"}), "lines"),
    "quantity infinite": (body(line={"quantity": "Infinity"}), "lines"),
    "quantity huge": (body(line={"quantity": "1e400"}), "lines"),
    "quantity of eleven digits": (body(line={"quantity": "99999999999"}), "lines"),
    "quantity with five decimals": (body(line={"quantity": "1.00001"}), "lines"),
    "price negative": (body(line={"unit_price": "-0.01"}), "lines"),
    "price NaN": (body(line={"unit_price": "NaN"}), "lines"),
    "date as number": (body(line={"requested_date": 20261122}), "lines"),
    "date that does not exist": (body(line={"requested_date": "2026-02-30"}), "lines"),
    "date as moment": (body(line={"requested_date": "2026-11-22T00:00:00Z"}), "lines"),
    "date as null": (body(line={"requested_date": None}), "lines"),
    "quantity of half a piece": (body(line={"quantity": "2.5"}), "lines"),
    "date at the end of time": (body(line={"requested_date": "9999-12-31"}), "lines"),
    "date at its beginning": (body(line={"requested_date": "0001-01-01"}), "lines"),
    "date of another planet": (body(line={"requested_date": "10000-01-01"}), "lines"),
}


# A check may be asked without a price, and rounds what is counted up.
ORDERS_ONLY = ("price negative", "price NaN", "quantity of half a piece", "too many lines")


@pytest.mark.parametrize("name", HOSTILE_ORDERS)
def test_hostile_orders_are_400_with_the_field_and_change_nothing(
    sales: APIClient, name: str
) -> None:
    data, field = HOSTILE_ORDERS[name]
    before = counts()
    answer = sales.post(URL, json.dumps(data), content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert field in answer.json()
    assert _sentences(answer.json()[field])
    assert counts() == before


@pytest.mark.parametrize(
    "name",
    [n for n, (_, field) in HOSTILE_ORDERS.items() if field == "lines" and n not in ORDERS_ONLY],
)
def test_hostile_promise_checks_are_400(sales: APIClient, name: str) -> None:
    data = {"lines": HOSTILE_ORDERS[name][0]["lines"]}
    answer = sales.post(
        "/api/v1/promise-checks/", json.dumps(data), content_type="application/json"
    )
    assert answer.status_code == 400, answer.content
    assert "lines" in answer.json()


def _sentences(found: Any) -> list[str]:
    if isinstance(found, str):
        return [found]
    values = found.values() if isinstance(found, dict) else found
    return [sentence for value in values for sentence in _sentences(value)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"{", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"lines": [{"quantity": ' + b"9" * 5000 + b"}]}", "application/json"),
        (b"[" * 2000, "application/json"),
        (b"", "application/json"),
        (b"<order/>", "application/xml"),
        (b"customer=ACME", "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_json_is_told_so(sales: APIClient, text: bytes, kind: str) -> None:
    answer = sales.post(URL, text, content_type=kind)
    assert answer.status_code in (400, 415), answer.content


@pytest.mark.parametrize("day", ["1990-01-01", "1999-12-31", "2199-12-31"])
@pytest.mark.parametrize("quantity", ["0.0001", "1", "9999999999.9999", "9999999999"])
def test_extreme_days_and_quantities_get_an_answer(
    sales: APIClient, day: str, quantity: str
) -> None:
    line = {"requested_date": day, "quantity": quantity}
    checked = post(sales, "/api/v1/promise-checks/", body(line=line))
    assert checked.status_code in (200, 400), checked.content
    made = post(sales, URL, body(line=line))
    assert made.status_code in (201, 400, 409), made.content
    if made.status_code == 201:
        page = f"{URL}{made.json()['number']}/"
        assert post(sales, f"{page}submit/").status_code in (200, 409)
        assert sales.get(page).status_code == 200


def test_an_order_of_extremes_does_not_stop_the_site(sales: APIClient, shop: Shop) -> None:
    good = shop.approved(wanted=DAY)
    shop.assembly("TOP", {"PART": 5000})
    line = {"item": "TOP", "quantity": "9999999999", "requested_date": "2199-12-31"}
    number = post(sales, URL, body(line=line)).json()["number"]
    page = f"{URL}{number}/"
    assert post(sales, f"{page}submit/").status_code == 200
    assert post(sales, f"{page}approve/").status_code == 200
    shop.run_jobs()
    assert shop.line(good).projected_date is not None
    assert sales.get(page).status_code == 200


HOSTILE_ACTS: list[tuple[str, Any]] = [
    ("submit/", {"rush": "10"}),
    ("submit/", {"rush": [0]}),
    ("submit/", {"rush": [-1]}),
    ("submit/", {"rush": ["x"]}),
    ("submit/", {"rush": [[10]]}),
    ("submit/", {"rush": None}),
    ("submit/", {"now": "2026-01-01"}),
    ("submit/", [1]),
    ("reject/", {"reason": 5, "by": "sales"}),
    ("reject/", {"reason": "x" * 301}),
    ("reject/", {"reason": None}),
    ("reject/", {"reason": "a\x00b"}),
    ("reject/", "because"),
    ("cancel/", {}),
    ("cancel/", {"reason": ["x"]}),
]


@pytest.mark.parametrize(("verb", "data"), HOSTILE_ACTS)
def test_hostile_acts_are_400_and_change_nothing(
    sales: APIClient, shop: Shop, verb: str, data: Any
) -> None:
    order = shop.enter()
    before = counts()
    answer = sales.post(
        f"{URL}{order.number}/{verb}", json.dumps(data), content_type="application/json"
    )
    assert answer.status_code == 400, answer.content
    assert counts() == before


@pytest.mark.parametrize(
    "changed",
    [
        {"order": None},
        {"order": 5.5},
        {"order": "x" * 21},
        {"order": "\x00"},
        {"lines": "all"},
        {"lines": [{"position": 10}]},
        {"lines": [{"position": "ten", "quantity": 1}]},
        {"lines": [{"position": 0, "quantity": 1}]},
        {"lines": [{"position": 10, "quantity": 0}]},
        {"lines": [{"position": 10, "quantity": -1}]},
        {"lines": [{"position": 10, "quantity": "NaN"}]},
        {"lines": [{"position": 10, "quantity": 1}, {"position": 10, "quantity": 1}]},
        {"lines": [{"position": 10, "quantity": 1, "price": 0}]},
        {"carrier": "x" * 81},
        {"carrier": {}},
        {"shipped_at": "2020-01-01"},
    ],
)
def test_hostile_shipments_are_400_or_404_and_change_nothing(
    warehouse: APIClient, shop: Shop, changed: dict[str, Any]
) -> None:
    shop.stock("PART", 10)
    order = shop.converted()
    before = counts()
    data = {"order": order.number, "lines": [{"position": 10, "quantity": "1"}]} | changed
    answer = warehouse.post("/api/v1/shipments/", json.dumps(data), content_type="application/json")
    assert answer.status_code in (400, 404), answer.content
    assert counts() == before


def test_a_position_beyond_all_numbers_is_refused(warehouse: APIClient, shop: Shop) -> None:
    shop.stock("PART", 10)
    order = shop.converted()
    line = {"position": 10**30, "quantity": "1"}
    answer = post(warehouse, "/api/v1/shipments/", {"order": order.number, "lines": [line]})
    assert answer.status_code == 409


@pytest.mark.parametrize("number", ["%00", "%ff", "..%2f", "x" * 500, "SO-1%0d%0aX: y", "' OR 1=1"])
def test_hostile_numbers_in_the_path_are_400_or_404(sales: APIClient, number: str) -> None:
    assert sales.get(f"{URL}{number}/").status_code in (400, 404)
    assert post(sales, f"{URL}{number}/approve/").status_code in (400, 404)


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
def test_a_hostile_key_is_a_400(sales: APIClient, key: str) -> None:
    assert post(sales, URL, body(), **{"Idempotency-Key": key}).status_code == 400
    assert not SalesOrder.objects.exists()


# -- speed ------------------------------------------------------------------------------------


def test_the_list_takes_as_many_queries_for_many_orders_as_for_one(
    sales: APIClient, shop: Shop
) -> None:
    shop.converted()
    few = _queries(sales, URL)
    for _ in range(5):
        shop.converted(("PART", 1), ("PART", 2))
    assert _queries(sales, URL) == few


def test_an_order_takes_as_many_queries_with_many_lines_as_with_one(
    sales: APIClient, shop: Shop
) -> None:
    small = shop.converted()
    large = shop.converted(*[("PART", n) for n in range(1, 9)])
    assert _queries(sales, f"{URL}{large.number}/") == _queries(sales, f"{URL}{small.number}/")


def _queries(client: APIClient, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_the_answer_speaks_the_language_that_was_asked_for(sales: APIClient, shop: Shop) -> None:
    order = shop.enter()
    url = f"{URL}{order.number}/approve/"
    chinese = sales.post(url, {}, format="json", headers={"Accept-Language": "zh-hans"})
    assert chinese.status_code == 409
    assert order.number in chinese.json()["detail"]


def test_service_and_api_know_the_same_refusals(sales: APIClient, shop: Shop) -> None:
    order = shop.enter()
    with pytest.raises(policies.CannotApprove) as caught:
        orders.approve(order=order, by=shop.sales, now=shop.now)
    answer = post(sales, f"{URL}{order.number}/approve/")
    assert answer.json()["detail"] == str(caught.value)
