"""Order entry, the order page and its buttons, the list: in the browser's own words."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.models import User
from crm import selectors
from crm.models import BulkApproval, SalesOrder, Shipment
from masterdata.models import Item
from tests.conftest import ClientFor
from tests.crm.factories import Shop, counts

DAY = timezone.localdate() + timedelta(days=60)
# More than a day can make, whatever the hour of the test.
MUCH = "50000"
NEW = "/orders/new/"


@pytest.fixture
def shop(db: None, settings: Any) -> Shop:
    settings.SOLVE_SECONDS = 0.03
    return Shop(now=timezone.now())


@pytest.fixture
def sales(shop: Shop, client_for: ClientFor) -> Client:
    return client_for("sales")


@pytest.fixture
def warehouse(shop: Shop, client_for: ClientFor) -> Client:
    return client_for("warehouse")


def entry(*rows: dict[str, Any], total: int = 3, initial: int = 0, **head: str) -> dict[str, str]:
    """What the entry form sends: three rows at least, most of them blank."""
    data = {
        "customer": "ACME",
        "customer_reference": "",
        "note": "",
        "idempotency_key": "key-1",
        "action": "draft",
        "line-TOTAL_FORMS": str(max(total, len(rows))),
        "line-INITIAL_FORMS": str(initial),
        "line-MIN_NUM_FORMS": "3",
        "line-MAX_NUM_FORMS": "500",
    } | head
    for number in range(max(total, len(rows))):
        row = rows[number] if number < len(rows) else {}
        for name in ("item", "quantity", "unit_price", "requested_date", "rush"):
            data[f"line-{number}-{name}"] = str(row.get(name, ""))
    return data


def row(item: str = "PART", quantity: object = "10", day: object = DAY, **more: Any) -> dict:
    return {"item": item, "quantity": quantity, "requested_date": day} | more


def page(order: SalesOrder, verb: str = "") -> str:
    return f"/orders/{order.number}/{verb}"


def only() -> SalesOrder:
    return SalesOrder.objects.get()


def told(client: Client, url: str) -> str:
    return client.get(url).content.decode()


# -- entry ------------------------------------------------------------------------------------


def test_one_line_and_blank_rows_make_a_draft(sales: Client) -> None:
    answer = sales.post(NEW, entry(row(unit_price="9.5"), customer_reference="PO-1"))
    assert answer.status_code == 302, answer.content.decode()[:2000]
    order = only()
    assert answer["Location"] == page(order)
    assert (order.state, order.customer_reference) == ("draft", "PO-1")
    assert [(line.quantity, line.unit_price) for line in order.lines.all()] == [
        (10, Decimal("9.5"))
    ]


def test_blank_rows_between_are_passed_by(sales: Client) -> None:
    sales.post(NEW, entry({}, row(quantity=3), {}, row(quantity=4)))
    assert [(li.position, li.quantity) for li in only().lines.order_by("position")] == [
        (10, 3),
        (20, 4),
    ]


def test_submit_where_every_day_can_be_kept_submits_at_once(sales: Client) -> None:
    sales.post(NEW, entry(row(), action="submit"))
    assert only().state == "submitted"


def test_submit_asks_where_a_day_cannot_be_kept(sales: Client) -> None:
    answer = sales.post(NEW, entry(row(day=timezone.localdate(), quantity=MUCH), action="submit"))
    order = only()
    assert answer["Location"] == page(order) + "?ask=1"
    assert order.state == "draft"
    html = told(sales, answer["Location"])
    assert "ask-dates" in html
    assert page(order, "submit/") in html


def test_submit_with_the_rush_chosen_does_not_ask(sales: Client, shop: Shop) -> None:
    sales.post(NEW, entry(row(day=timezone.localdate(), quantity=MUCH, rush="on"), action="submit"))
    order = only()
    assert order.state == "submitted"
    assert shop.line(order).is_rush_asked


def test_the_form_sent_twice_makes_one_order(sales: Client) -> None:
    first = sales.post(NEW, entry(row()))
    second = sales.post(NEW, entry(row()))
    assert second["Location"] == first["Location"]
    assert SalesOrder.objects.count() == 1


def test_the_form_sent_again_with_other_lines_is_told_and_makes_nothing(sales: Client) -> None:
    sales.post(NEW, entry(row()))
    answer = sales.post(NEW, entry(row(quantity=99)))
    assert answer.status_code == 422
    assert SalesOrder.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (entry(), "Add at least one line."),
        (entry(row(), customer="NOBODY"), "There is no customer"),
        (entry(row(), customer=""), "This field is required."),
        (entry(row(item="NOTHING")), "There is no item"),
        (entry(row(quantity="")), "This field is required."),
        (entry(row(quantity="0")), "The quantity must be more than zero."),
        (entry(row(quantity="-4")), "The quantity must be more than zero."),
        (entry(row(quantity="NaN")), "Enter a number."),
        (entry(row(quantity="1e99")), "digits"),
        (entry(row(quantity="2.5")), "not a whole number"),
        (entry(row(day="")), "This field is required."),
        (entry(row(day="soon")), "Enter a valid date."),
        (entry(row(day="9999-12-31")), "is no day to deliver on"),
        (entry(row(unit_price="-1")), "greater than or equal to 0"),
        (entry(row(), row(item="")), "This field is required."),
        (entry(row(), idempotency_key=""), ""),
        (entry(row()) | {"line-TOTAL_FORMS": "x"}, ""),
        ({"customer": "ACME"}, ""),
    ],
)
def test_a_form_that_is_not_right_comes_back_with_its_sentence(
    sales: Client, data: dict[str, str], sentence: str
) -> None:
    before = counts()
    answer = sales.post(NEW, data)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert counts() == before


def test_edit_changes_lines_and_head_and_a_row_taken_out_is_gone(sales: Client, shop: Shop) -> None:
    order = shop.enter(("PART", 10), ("PART", 5), customer_reference="old")
    html = told(sales, page(order, "edit/"))
    assert 'value="old"' in html
    answer = sales.post(
        page(order, "edit/"),
        entry({}, row(quantity=7), initial=2, version="1", customer_reference="new", note="n"),
    )
    assert answer.status_code == 302, answer.content.decode()[:3000]
    order = shop.fresh(order)
    assert (order.customer_reference, order.note) == ("new", "n")
    assert [line.quantity for line in order.lines.all()] == [7]


def test_edit_keeps_rows_that_were_not_touched(sales: Client, shop: Shop) -> None:
    order = shop.enter(("PART", 10), ("PART", 5), wanted=DAY)
    unchanged = entry(row(quantity=10), row(quantity=5), row(quantity=2), initial=2, version="1")
    sales.post(page(order, "edit/"), unchanged)
    assert [line.quantity for line in order.lines.order_by("position")] == [10, 5, 2]


def test_rows_that_were_there_are_read_whatever_the_request_says_of_them(
    sales: Client, shop: Shop
) -> None:
    order = shop.enter(("PART", 10), ("PART", 5), wanted=DAY)
    same = [
        row(
            quantity=line.quantity.normalize(),
            unit_price="" if line.unit_price is None else line.unit_price,
        )
        for line in order.lines.order_by("position")
    ]
    # As they were, and said to be new: such a row may be left as it is, without being looked at.
    answer = sales.post(page(order, "edit/"), entry(*same, total=2, initial=0, version="1"))
    assert answer.status_code == 302
    assert [line.quantity for line in order.lines.order_by("position")] == [10, 5]


def test_edit_with_an_old_version_is_told(sales: Client, shop: Shop) -> None:
    order = shop.enter()
    SalesOrder.objects.update(version=5)
    answer = sales.post(page(order, "edit/"), entry(row(quantity=7), initial=1, version="1"))
    assert answer.status_code == 422
    assert "Somebody has changed order" in answer.content.decode()
    assert order.lines.get().quantity == 10


@pytest.mark.parametrize("version", ["", "x", "²", "9" * 5000, "-1"])
def test_a_hostile_version_is_told(sales: Client, shop: Shop, version: str) -> None:
    order = shop.enter()
    answer = sales.post(page(order, "edit/"), entry(row(quantity=7), initial=1, version=version))
    assert answer.status_code == 422
    assert order.lines.get().quantity == 10


# -- the answer while typing ------------------------------------------------------------------


def test_the_check_answers_complete_rows_and_writes_nothing(sales: Client) -> None:
    before = counts()
    data = entry(row(), row(quantity=""), row(day=timezone.localdate(), quantity=MUCH))
    answer = sales.post("/orders/check/", data).json()
    assert set(answer["rows"]) == {"0", "2"}
    assert answer["rows"]["0"]["feasible"] is True
    assert answer["rows"]["2"]["feasible"] is False
    assert answer["rows"]["2"]["dialog"]
    assert answer["rows"]["2"]["earliest"]
    assert counts() == before


def test_a_line_that_cannot_be_checked_says_why_once(sales: Client, shop: Shop) -> None:
    shop.make("NOTHING", steps=0)
    shown = sales.post("/orders/check/", entry(row(item="NOTHING"))).json()["rows"]["0"]
    for part in (shown["html"], shown["dialog"]):
        assert part.count("has neither a bill of material nor a routing") == 1


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"customer": "NOBODY"},
        {"line-0-quantity": "9999999999"},
        {"line-0-requested_date": "9999-12-31"},
        {"line-TOTAL_FORMS": "x"},
        {"line-TOTAL_FORMS": "-5"},
    ],
)
def test_the_check_survives_what_people_type(sales: Client, changed: dict[str, str]) -> None:
    assert sales.post("/orders/check/", entry(row()) | changed).status_code == 200
    assert sales.post("/orders/check/", {}).status_code == 200


@pytest.mark.parametrize("text", ["", "PA", "\x00", "%", "x" * 5000, "' OR 1=1"])
def test_the_lookup_answers_any_text(sales: Client, text: str) -> None:
    for kind in ("item", "customer"):
        answer = sales.get(f"/orders/lookup/{kind}/", {"q": text})
        assert answer.status_code == 200, (kind, text)
    assert len(sales.get("/orders/lookup/item/", {"q": "PA"}).json()["results"]) == 1


# -- the buttons ------------------------------------------------------------------------------


def test_an_order_by_its_buttons(sales: Client, warehouse: Client, shop: Shop) -> None:
    shop.stock("PART", 4)
    order = shop.enter(wanted=DAY)
    for verb, data, state in (
        ("submit/", {}, "submitted"),
        ("reject/", {"reason": "Price"}, "draft"),
        ("submit/", {}, "submitted"),
        ("approve/", {}, "approved"),
        ("hold/", {"reason": "Drawing"}, "on_hold"),
        ("resume/", {}, "approved"),
    ):
        answer = sales.post(page(order, verb), data)
        assert (answer.status_code, answer["Location"]) == (302, page(order))
        assert shop.fresh(order).state == state, verb
    shop.run_jobs()
    shipped = {"ship-10": "4", "carrier": "SF", "idempotency_key": "s1"}
    warehouse.post(page(order, "ship/"), shipped)
    assert shop.fresh(order).state == "partly_shipped"
    sales.post(page(order, "quantity/"), {"position": "10", "quantity": "4", "reason": "Enough"})
    assert shop.fresh(order).state == "shipped"
    warehouse.post(f"/orders/shipments/{Shipment.objects.get().number}/deliver/")
    assert shop.fresh(order).state == "delivered"
    html = told(sales, page(order))
    for fact in (order.number, "Acme Corp", "Delivered", "SF"):
        assert fact in html


def test_what_was_shipped_leads_to_its_trace_for_who_may_see_it(
    sales: Client, warehouse: Client, shop: Shop, client_for: ClientFor
) -> None:
    shop.stock("PART", 4)
    order = shop.converted(("PART", 4))
    warehouse.post(page(order, "ship/"), {"ship-10": "4", "idempotency_key": "s1"})
    links = [f"/trace/?q={number}" for number in (Shipment.objects.get().number, order.number)]
    manager = client_for("manager")
    # What carries no number has no trace.
    assert "/trace/?q=" not in told(manager, page(order))
    Item.objects.filter(code="PART").update(tracking="lot")
    for link in links:
        assert link in told(manager, page(order))
        assert link not in told(sales, page(order))


def test_a_refusal_is_a_message_on_the_page(sales: Client, shop: Shop) -> None:
    order = shop.enter()
    before = counts()
    html = sales.post(page(order, "approve/"), follow=True).content.decode()
    assert "only a submitted order can be approved" in html
    assert counts() == before


def test_shipping_sent_twice_ships_once(warehouse: Client, shop: Shop) -> None:
    shop.stock("PART", 10)
    order = shop.converted()
    html = told(warehouse, page(order))
    key = re.search(r'name="idempotency_key" value="([^"]+)"', html)
    assert key is not None
    data = {"ship-10": "4", "idempotency_key": key[1]}
    for _ in range(2):
        assert warehouse.post(page(order, "ship/"), data).status_code == 302
    assert shop.line(order).shipped == 4
    assert Shipment.objects.count() == 1


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"ship-10": "x"},
        {"ship-10": "NaN"},
        {"ship-10": "Infinity"},
        {"ship-10": "1e999999"},
        {"ship-10": "-1"},
        {"ship-10": "11"},
        {"ship-10": "0.5"},
        {"ship-²": "1"},
        {"ship-" + "9" * 40: "1"},
        {"ship-20": "1"},
        {"ship-10": "1", "carrier": "x" * 500},
        {"ship-10": "1", "idempotency_key": ""},
    ],
)
def test_a_hostile_shipment_is_told_and_ships_nothing(
    warehouse: Client, shop: Shop, data: dict[str, str]
) -> None:
    shop.stock("PART", 10)
    order = shop.converted()
    before = counts()
    answer = warehouse.post(page(order, "ship/"), {"idempotency_key": "s1"} | data)
    assert (answer.status_code, answer["Location"]) == (302, page(order))
    assert counts() == before


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"position": "10"},
        {"position": "x", "quantity": "4"},
        {"position": "10", "quantity": "NaN"},
        {"position": "10", "quantity": "-4"},
        {"position": "10", "quantity": "0"},
        {"position": "10", "quantity": "2.5"},
        {"position": "10", "quantity": "4", "reason": "x" * 301},
    ],
)
def test_a_hostile_change_of_quantity_is_told_and_changes_nothing(
    sales: Client, shop: Shop, data: dict[str, str]
) -> None:
    order = shop.converted()
    before = counts()
    answer = sales.post(page(order, "quantity/"), data)
    assert answer.status_code == 302
    assert counts() == before
    assert shop.line(order).quantity == 10


@pytest.mark.parametrize("rush", ["10", "x", "²", "9" * 5000, "-1"])
def test_a_hostile_rush_is_passed_by(sales: Client, shop: Shop, rush: str) -> None:
    order = shop.enter(wanted=DAY)
    assert sales.post(page(order, "submit/"), {"rush": rush}).status_code == 302
    assert shop.fresh(order).state == "submitted"


def test_a_failed_line_shows_its_reason_and_can_be_tried_again(sales: Client, shop: Shop) -> None:
    shop.items["RAW"] = shop.make("RAW", steps=0)
    order = shop.converted(("RAW", 5))
    html = told(sales, page(order))
    assert shop.line(order).conversion_error in html
    assert page(order, "retry/") in html
    sales.post(page(order, "retry/"))
    assert shop.line(order).conversion_state == "waiting"


def test_a_page_in_motion_looks_again_by_itself_and_a_settled_one_does_not(
    sales: Client, shop: Shop
) -> None:
    order = shop.approved(("PART", 10), ("PART", 5), wanted=DAY)
    assert 'hx-trigger="every' in told(sales, page(order))
    shop.run_jobs()
    assert 'hx-trigger="every' not in told(sales, page(order))
    sales.post(page(order, "quantity/"), {"position": "20", "quantity": "0"})
    order.lines.filter(position=20).update(projected_date=None)
    assert 'hx-trigger="every' not in told(sales, page(order))


def test_a_date_that_comes_between_the_order_and_its_lines_does_not_stop_the_page(
    sales: Client, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.approved(("PART", 10), wanted=DAY)
    shop.run_jobs()
    assert shop.line(order).projected_date
    read = selectors.order

    def read_before_the_date_came(number: str) -> SalesOrder:
        found = read(number)
        found.projected_date = None  # type: ignore[attr-defined]  # the selector adds it
        return found

    assert 'hx-trigger="every' not in told(sales, page(order))
    monkeypatch.setattr(selectors, "order", read_before_the_date_came)
    assert 'hx-trigger="every' in told(sales, page(order))


# -- the list, bulk ---------------------------------------------------------------------------


def test_the_list_narrows_and_pages(sales: Client, shop: Shop) -> None:
    first, second = shop.submitted(customer_reference="PO-1"), shop.enter()
    assert first.number in told(sales, "/orders/")
    for query, shown in (
        (f"q={first.number}", first),
        ("q=PO-1", first),
        ("state=draft", second),
        ("q=acme&state=submitted", first),
    ):
        html = told(sales, f"/orders/?{query}")
        hidden = second if shown == first else first
        assert shown.number in html, query
        assert hidden.number not in html, query
    for query in ("state=nonsense", "page=99", "page=x", "q=%00", "state=late", "state=failed"):
        assert sales.get(f"/orders/?{query}").status_code == 200, query


def test_bulk_approval_leads_to_its_progress_page(sales: Client, shop: Shop) -> None:
    found = [shop.submitted(wanted=DAY) for _ in range(3)]
    answer = sales.post("/orders/bulk/", {"order": [found[0].number, found[1].number, "SO-404"]})
    asked = BulkApproval.objects.get()
    assert answer["Location"] == f"/orders/bulk/{asked.pk}/"
    assert sales.get(answer["Location"]).status_code == 200
    shop.run_jobs()
    assert [shop.fresh(o).state for o in found] == ["approved", "approved", "submitted"]
    assert "100" in told(sales, answer["Location"])
    sales.post("/orders/bulk/", {"all": "1"})
    shop.run_jobs()
    assert shop.fresh(found[2]).state == "approved"


def test_bulk_without_an_order_is_told(sales: Client, shop: Shop) -> None:
    draft = shop.enter()
    for data in ({}, {"order": draft.number}, {"order": "SO-404"}):
        answer = sales.post("/orders/bulk/", data)
        assert (answer.status_code, answer["Location"]) == (302, "/orders/"), data
    assert not BulkApproval.objects.exists()


@pytest.mark.parametrize("number", ["SO-404", "%00", "x" * 300, "%ff"])
def test_an_order_that_is_not_there_is_404(sales: Client, number: str) -> None:
    for verb in ("", "edit/"):
        assert sales.get(f"/orders/{number}/{verb}").status_code == 404
    for verb in ("submit/", "approve/", "ship/", "quantity/"):
        data = {"position": "10", "quantity": "1", "idempotency_key": "k"}
        answer = sales.post(f"/orders/{number}/{verb}", data)
        assert answer.status_code in (403, 404), verb


NUL = "\x00"


@pytest.mark.parametrize(
    ("verb", "data"),
    [
        ("../new/", entry(row(item=NUL))),
        ("../check/", entry(row(), customer=NUL)),
        ("../bulk/", {"order": NUL}),
        ("ship/", {"ship-10": "1", "carrier": NUL, "idempotency_key": "k"}),
        ("cancel/", {"reason": NUL}),
    ],
)
def test_a_null_byte_is_a_400_and_changes_nothing(
    client_for: ClientFor, shop: Shop, verb: str, data: dict[str, str]
) -> None:
    order = shop.converted()
    before = counts()
    url = f"/orders/{verb[3:]}" if verb.startswith("../") else page(order, verb)
    assert client_for("administrator").post(url, data).status_code == 400
    assert counts() == before


# -- speed ------------------------------------------------------------------------------------


def _queries(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert act().status_code == 200
    return len(captured)


def test_the_list_takes_as_many_queries_for_many_orders_as_for_one(
    sales: Client, shop: Shop
) -> None:
    shop.converted()
    sales.get("/orders/")
    few = _queries(lambda: sales.get("/orders/"))
    for _ in range(5):
        shop.converted(("PART", 1), ("PART", 2))
    assert _queries(lambda: sales.get("/orders/")) == few


def test_the_page_takes_as_many_queries_with_many_lines_as_with_one(
    sales: Client, shop: Shop
) -> None:
    small = shop.converted()
    large = shop.converted(*[("PART", n) for n in range(1, 9)])
    sales.get(page(small))
    few = _queries(lambda: sales.get(page(small)))
    assert _queries(lambda: sales.get(page(large))) == few


def test_the_page_shows_who_did_what(sales: Client, shop: Shop) -> None:
    order = shop.submitted()
    sales.post(page(order, "approve/"))
    assert User.objects.filter(username="sales").exists()
    assert "sales" in told(sales, page(order))
