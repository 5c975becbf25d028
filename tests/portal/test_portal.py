"""The customer's end: facts on page and API alike, nobody else's, nothing of cost."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from common import api_tokens
from common.models import User
from crm.models import DelayNotice, Projection, SalesOrder
from crm.services import shipments
from masterdata.models import Customer
from masterdata.services import portal_users
from tests.crm.factories import MONDAY, Shop
from tests.factories import UserFactory
from tests.shared import shared

FORBIDDEN = re.compile(r"price|cost|margin|amount|currency|usd|valuation|987\.65|98765", re.I)
PRICE = Decimal("987.6521")


@shared(SOLVE_SECONDS=0.03)
def shop() -> Shop:
    return Shop()


@pytest.fixture
def stranger(shop: Shop) -> Customer:
    """Another customer, all of whose texts are canaries."""
    return Customer.objects.create(code="OTHER", name="Canary-Company", name_zh="金丝雀")


def _user(code: str, username: str, language: str = "en") -> User:
    user = UserFactory(username=username, roles=["customer"], language=language)
    portal_users.assign(user=user, customer_code=code)
    return user


@pytest.fixture
def mine(shop: Shop) -> User:
    return _user("ACME", "carol")


def page(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def api(user: User) -> APIClient:
    token = api_tokens.create(user=user, now=timezone.now())
    return APIClient(headers={"Authorization": f"Token {token}"})


def text_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def detail(number: str) -> str:
    return f"/portal/orders/{number}/"


def api_detail(number: str) -> str:
    return f"/api/v1/portal/orders/{number}/"


# -- what the customer sees -------------------------------------------------------------------


def test_an_order_on_time_says_so_with_its_day(shop: Shop, mine: User) -> None:
    order = shop.converted(price=PRICE, customer_reference="PO-77")
    orders_line = shop.line(order)
    type(orders_line).objects.filter(pk=orders_line.pk).update(projected_date=date(2026, 11, 26))
    told = api(mine).get(api_detail(order.number)).json()
    assert told["headline"] == "Arrives Thu 26 Nov 2026, on time"
    assert told["estimated_date"] == "2026-11-26"
    assert told["promised_date"] == "2026-11-27"
    assert told["is_late"] is False
    html = text_of(page(mine), detail(order.number))
    for fact in (told["headline"], order.number, "PO-77", "PART"):
        assert fact in html


def test_a_late_order_says_so(shop: Shop, mine: User) -> None:
    order = shop.converted()
    order.lines.update(projected_date=date(2026, 12, 3))
    told = api(mine).get(api_detail(order.number)).json()
    assert told["headline"] == "Arrives Thu 3 Dec 2026, later than promised"
    assert told["is_late"] is True
    assert "Late" in text_of(page(mine), detail(order.number))


def test_what_was_not_promised_is_not_on_time(shop: Shop, mine: User) -> None:
    order = shop.converted(("PART", 40 * 60), wanted=date(2026, 11, 24), rush=[10])
    order.lines.update(projected_date=date(2026, 11, 27))
    told = api(mine).get(api_detail(order.number)).json()
    assert told["headline"] == "Arrives Fri 27 Nov 2026"


@pytest.mark.parametrize(
    ("state", "headline"),
    [
        ("submitted", "We are planning your order"),
        ("approved", "We are planning your order"),
        ("shipped", "On its way to you"),
        ("delivered", "Delivered"),
        ("closed", "Delivered"),
        ("cancelled", "Cancelled"),
        ("on_hold", "On hold; we will be in touch"),
    ],
)
def test_the_headline_of_each_state(shop: Shop, mine: User, state: str, headline: str) -> None:
    order = shop.submitted()
    SalesOrder.objects.filter(pk=order.pk).update(state=state)
    assert api(mine).get(api_detail(order.number)).json()["headline"] == headline
    assert headline in text_of(page(mine), "/portal/")


def test_a_draft_is_ours_and_not_yet_the_customers(shop: Shop, mine: User) -> None:
    order = shop.enter()
    assert api(mine).get(api_detail(order.number)).status_code == 404
    assert page(mine).get(detail(order.number)).status_code == 404
    assert order.number not in text_of(page(mine), "/portal/")


def test_the_current_operation_and_the_share_made(shop: Shop, mine: User) -> None:
    shop.assembly("TOP", {"PART": 1})
    order = shop.converted(("TOP", 10))
    shop.produce(order, operations=2)
    told = api(mine).get(api_detail(order.number)).json()
    [line] = told["lines"]
    assert line["percent_made"] == 50
    assert line["current_operation"] == "Step 10"
    step = next(step for step in told["steps"] if step["state"] == "current")
    assert (step["kind"], step["percent"], step["note"]) == ("finished", 50, "Step 10")
    assert "Step 10" in text_of(page(mine), detail(order.number))


def test_the_steps_of_a_way_in_order_with_one_current(shop: Shop, mine: User) -> None:
    order = shop.approved()
    steps = api(mine).get(api_detail(order.number)).json()["steps"]
    assert [(step["kind"], step["state"]) for step in steps] == [
        ("submitted", "done"),
        ("approved", "done"),
        ("scheduled", "current"),
        *[(kind, "upcoming") for kind in ("started", "finished", "shipped", "delivered")],
    ]


def test_the_history_of_the_date_with_reasons_newest_first(shop: Shop, mine: User) -> None:
    order = shop.converted()
    line = shop.line(order)
    days = [None, date(2026, 11, 26), date(2026, 11, 30), None]
    for number, cause in enumerate(("conversion", "material", "nobody knows")):
        Projection.objects.create(
            line=line,
            old_date=days[number],
            new_date=days[number + 1],
            cause=cause,
            schedule_version=number,
            at=MONDAY + timedelta(hours=number),
        )
    changes = api(mine).get(api_detail(order.number)).json()["date_changes"]
    assert [change["new_date"] for change in changes] == [None, "2026-11-30", "2026-11-26"]
    assert changes[-1]["old_date"] is None
    assert all(change["reason"] for change in changes)
    html = text_of(page(mine), detail(order.number))
    for change in changes:
        assert change["reason"] in html


def test_shipments_with_carrier_and_what_was_in_them(shop: Shop, mine: User) -> None:
    shop.stock("PART", 10)
    order = shop.converted()
    shipment = shipments.post(
        order=order,
        quantities={10: Decimal(4)},
        carrier="SF Express",
        tracking_code="SF123",
        by=shop.sales,
        now=shop.now,
    )
    [told] = api(mine).get(api_detail(order.number)).json()["shipments"]
    assert told["items"] == [{"item": "PART", "quantity": "4.0000"}]
    html = text_of(page(mine), detail(order.number))
    for fact in (shipment.number, "SF Express", "SF123"):
        assert fact in html


def test_the_page_is_whole_without_script(shop: Shop, mine: User) -> None:
    """Every fact of the API stands in the HTML of one plain GET; nothing is fetched later."""
    order = shop.approved(("PART", 10), ("PART", 5), price=PRICE, customer_reference="PO-9")
    shop.run_jobs()
    told = api(mine).get(api_detail(order.number)).json()
    html = text_of(page(mine), detail(order.number))
    assert "hx-get" not in html
    assert "hx-trigger" not in html
    for fact in (
        told["headline"],
        *[step["label"] for step in told["steps"]],
        *[line["item"] for line in told["lines"]],
        *[change["reason"] for change in told["date_changes"]],
    ):
        assert fact in html, fact
    assert re.search(
        r'<a[^>]+href="/portal/orders/' + order.number, text_of(page(mine), "/portal/")
    )


def test_the_customer_reads_in_their_language(shop: Shop) -> None:
    order = shop.submitted()
    chinese = _user("ACME", "cai", "zh-hans")
    html = text_of(page(chinese), detail(order.number))
    assert 'lang="zh-hans"' in html
    assert "We are planning your order" not in html
    headline = api(chinese).get(api_detail(order.number)).json()["headline"]
    assert re.search(r"[\u4e00-\u9fff]", headline)
    assert headline in html


# -- nobody else's ----------------------------------------------------------------------------


def _canary_order(shop: Shop, stranger: Customer) -> SalesOrder:
    shop.stock("PART", 100)
    order = shop.converted(
        customer=stranger, customer_reference="Canary-reference", note="Canary-note", price=PRICE
    )
    shipments.post(
        order=order,
        quantities={10: Decimal(4)},
        carrier="Canary-carrier",
        tracking_code="Canary-code",
        by=shop.sales,
        now=shop.now,
    )
    return order


def test_a_customer_never_sees_anothers_orders(shop: Shop, mine: User, stranger: Customer) -> None:
    own, hidden = shop.submitted(), _canary_order(shop, stranger)
    for client, lists, detail_of in (
        (page(mine), "/portal/", detail),
        (api(mine), "/api/v1/portal/orders/", api_detail),
    ):
        answer = client.get(detail_of(hidden.number))
        assert answer.status_code == 404
        missing = client.get(detail_of("SO-999999"))
        for found in (answer, client.get(lists), client.get(detail_of(own.number)), missing):
            body = found.content.decode()
            assert "anary" not in body
            assert "OTHER" not in body
            assert hidden.number not in body.replace(detail_of(hidden.number), "")
        assert own.number in client.get(lists).content.decode()
        # What is hidden and what does not exist look the same.
        assert missing.status_code == 404
        same = answer.content.decode().replace(hidden.number, "N")
        assert _without_tokens(same) == _without_tokens(
            missing.content.decode().replace("SO-999999", "N")
        )


def _without_tokens(html: str) -> str:
    return re.sub(
        r'(csrfmiddlewaretoken" value=|nonce=|key" value=|token" content=)"[^"]+"', "", html
    )


@pytest.mark.parametrize(
    "query", ["?customer=OTHER", "?customer_id=2", "?q=Canary", "?page=1&status=shipped"]
)
def test_no_parameter_widens_the_list(
    shop: Shop, mine: User, stranger: Customer, query: str
) -> None:
    hidden = _canary_order(shop, stranger)
    assert hidden.number not in page(mine).get(f"/portal/{query}").content.decode()
    assert hidden.number not in api(mine).get(f"/api/v1/portal/orders/{query}").content.decode()


def test_a_customer_reaches_nothing_of_the_house(shop: Shop, mine: User) -> None:
    order = shop.converted()
    work_order = shop.work(order)[0].number
    for url in (
        *("/orders/", f"/orders/{order.number}/", "/orders/new/", "/plan/", "/floor/", "/master/"),
        *("/stock/", "/jobs/", "/admin/", "/orders/lookup/item/?q=P"),
    ):
        answer = page(mine).get(url)
        assert answer.status_code in (302, 403, 404), url
        assert order.number not in answer.content.decode().replace(url, ""), url
    for url in (
        *("sales-orders/", f"sales-orders/{order.number}/", f"work-orders/{work_order}/"),
        "schedules/current/",
    ):
        assert api(mine).get(f"/api/v1/{url}").status_code == 403, url
    for url in (f"{order.number}/approve/", f"{order.number}/cancel/", f"{order.number}/quantity/"):
        assert page(mine).post(f"/orders/{url}", {"reason": "x"}).status_code in (302, 403)
    assert shop.fresh(order).state == "approved"


def test_an_account_without_a_customer_sees_nothing(shop: Shop) -> None:
    order = shop.submitted()
    user = UserFactory(username="nobody", roles=["customer"])
    for client, url in (
        *((page(user), url) for url in ("/portal/", detail(order.number))),
        *((api(user), url) for url in ("/api/v1/portal/orders/", api_detail(order.number))),
    ):
        answer = client.get(url)
        assert answer.status_code in (403, 404), url
        assert b"ACME" not in answer.content


def test_staff_do_not_enter_by_the_customers_door(shop: Shop) -> None:
    for role in ("sales", "administrator", "manager"):
        user = UserFactory(username=f"a-{role}", roles=[role])
        assert page(user).get("/portal/").status_code == 403
        assert api(user).get("/api/v1/portal/orders/").status_code == 403


def test_a_moved_account_sees_its_new_company_only(
    shop: Shop, mine: User, stranger: Customer
) -> None:
    own, other = shop.submitted(), _canary_order(shop, stranger)
    portal_users.assign(user=mine, customer_code="OTHER")
    assert api(mine).get(api_detail(own.number)).status_code == 404
    assert api(mine).get(api_detail(other.number)).status_code == 200


@pytest.mark.parametrize("number", ["%00", "../admin", "' OR 1=1 --", "x" * 300, "%ff"])
def test_hostile_numbers_are_404(shop: Shop, mine: User, number: str) -> None:
    assert page(mine).get(f"/portal/orders/{number}/").status_code in (400, 404)
    assert api(mine).get(f"/api/v1/portal/orders/{number}/").status_code in (400, 404)


def test_nothing_can_be_written_through_the_portal(shop: Shop, mine: User) -> None:
    order = shop.submitted()
    for url in ("/portal/", detail(order.number)):
        assert page(mine).post(url, {}).status_code == 405
    for url in ("/api/v1/portal/orders/", api_detail(order.number)):
        assert api(mine).post(url, {}).status_code in (403, 405)
        assert api(mine).delete(url).status_code in (403, 405)


# -- nothing of cost --------------------------------------------------------------------------


def test_no_price_and_no_word_of_cost_leaves_by_the_portal(shop: Shop, mine: User) -> None:
    for item in shop.items.values():
        item.standard_cost = item.list_price = PRICE
        item.save()
    shop.stock("PART", 20)
    order = shop.approved(("PART", 10), ("PART", 5), price=PRICE, note="margin is thin")
    shop.run_jobs()
    shipments.post(
        order=shop.fresh(order),
        quantities={10: Decimal(4)},
        by=shop.sales,
        now=shop.now,
    )
    for client, urls in (
        (page(mine), ("/portal/", detail(order.number))),
        (api(mine), ("/api/v1/portal/orders/", api_detail(order.number))),
    ):
        for url in urls:
            # A random token may hold any three letters.
            text = re.sub(r"[A-Za-z0-9]{64}", "", client.get(url).content.decode())
            found = FORBIDDEN.search(text)
            assert found is None, (url, found)


@pytest.mark.parametrize("path", ["/portal/", "/api/v1/portal/orders/"])
def test_a_customer_with_many_orders_reaches_each_of_them(
    shop: Shop, mine: User, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("portal.views.PAGE_SIZE", 2)
    numbers = {shop.submitted().number for _ in range(5)}
    seen: list[str] = []
    client: Client = page(mine)
    for _page in range(5):
        answer = client.get(path, {"page_size": "2", "page": str(_page + 1)})
        if path.startswith("/api"):
            if answer.status_code == 404:
                break
            found = [row["number"] for row in answer.json()["results"]]
            assert answer.json()["count"] == 5
        else:
            html = answer.content.decode()
            found = re.findall(r'href="/portal/orders/([^/"]+)/"', html)
            is_last = not re.search(r'rel="next" href="\?[^"]*page=', html)
        assert len(found) <= 2
        seen += found
        if not path.startswith("/api") and is_last:
            break
    assert len(seen) == 5
    assert set(seen) == numbers


# -- speed ------------------------------------------------------------------------------------


def _queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("way", ["page", "api"])
def test_the_list_takes_as_many_queries_for_many_orders_as_for_one(
    shop: Shop, mine: User, way: str
) -> None:
    client = page(mine) if way == "page" else api(mine)
    url = "/portal/" if way == "page" else "/api/v1/portal/orders/"
    shop.converted()
    client.get(url)
    few = _queries(client, url)
    for _ in range(4):
        shop.converted(("PART", 1), ("PART", 2))
    assert _queries(client, url) == few


def test_an_order_takes_as_many_queries_with_many_lines_as_with_one(shop: Shop, mine: User) -> None:
    small = shop.converted()
    large = shop.converted(*[("PART", n) for n in range(1, 8)])
    client = page(mine)
    client.get("/portal/")
    assert _queries(client, detail(large.number)) == _queries(client, detail(small.number))


# -- other delivery days ----------------------------------------------------------------------


def _told(line: Any, days: int = 5, **facts: Any) -> DelayNotice:
    """A notice that was sent for the line, of so many days."""
    old = date(2026, 11, 27)
    moment = MONDAY + timedelta(hours=facts.pop("hours", 1))
    return DelayNotice.objects.create(
        line=line,
        **{
            "state": "sent",
            "old_date": old,
            "new_date": old + timedelta(days=days),
            "promised_date": old,
            "reason": "A machine at our plant needed repair.",
            "reason_zh": "我厂一台设备需要维修。",
            "incident_number": "INC-100042",
            "created_at": moment,
            "decided_at": moment,
            **facts,
        },
    )


NOTICES, API_NOTICES = "/portal/notices/", "/api/v1/portal/notices/"


def test_a_customer_reads_which_days_changed_and_why_their_own_and_only_what_was_sent(
    shop: Shop, mine: User, stranger: Customer
) -> None:
    order, hidden = shop.converted(customer_reference="PO-77"), _canary_order(shop, stranger)
    line = shop.line(order)
    _told(line)
    _told(line, days=7, hours=2)
    _told(line, days=90, state="draft", decided_at=None)
    _told(line, days=91, state="dismissed")
    _told(hidden.lines.get(), days=44, reason="Canary-Reason")
    client = api(mine)
    found = client.get(API_NOTICES).json()
    assert [row["new_date"] for row in found["results"]] == ["2026-12-04", "2026-12-02"]
    assert found["results"][0] == {
        "at": (MONDAY + timedelta(hours=2)).isoformat().replace("+00:00", "Z"),
        "order": order.number,
        "reference": "PO-77",
        "line": 10,
        "item": "PART",
        "name": line.item.name,
        "old_date": "2026-11-27",
        "new_date": "2026-12-04",
        "is_later": True,
        "reason": "A machine at our plant needed repair.",
    }
    assert client.get(api_detail(order.number)).json()["notices"] == found["results"]
    home, listed = text_of(page(mine), "/portal/"), text_of(page(mine), NOTICES)
    for html in (home, listed):
        assert "A machine at our plant needed repair." in html
        assert "Fri 4 Dec 2026" in html
        assert detail(order.number) in html
        for other in ("anary", hidden.number, "INC-100042", "2027"):
            assert other not in html
    # Above the orders stands the last word only; the page has all.
    assert "Wed 2 Dec 2026" not in home
    assert "Wed 2 Dec 2026" in listed
    for url in (NOTICES, API_NOTICES):
        assert page(UserFactory(roles=["sales"])).get(url).status_code in (401, 403)


def test_one_cause_has_one_sentence_in_notice_and_history(shop: Shop, mine: User) -> None:
    """The estimate's move is told in the words of the notice of the same plan; others in ours."""
    order = shop.converted()
    line = shop.line(order)
    for version, days in ((7, 3), (8, 9)):
        Projection.objects.create(
            line=line,
            old_date=date(2026, 11, 27),
            new_date=date(2026, 11, 27) + timedelta(days=days),
            cause="capacity",
            schedule_version=version,
            at=MONDAY + timedelta(hours=version),
        )
    _told(line, days=9, schedule_version=8)
    _told(line, days=3, schedule_version=7, state="dismissed")
    for user, told, usual in (
        (mine, "A machine at our plant needed repair.", "Our machines or working hours changed"),
        (_user("ACME", "cai", "zh-hans"), "我厂一台设备需要维修。", "我方设备或工作时间有变动"),
    ):
        found = api(user).get(api_detail(order.number)).json()
        assert [change["reason"] for change in found["date_changes"][:2]] == [told, usual]
        assert [notice["reason"] for notice in found["notices"]] == [told]


def test_news_end_with_the_delivery_and_the_list_keeps_them(shop: Shop, mine: User) -> None:
    order = shop.converted()
    _told(shop.line(order))
    chinese = page(_user("ACME", "dan", "zh-hans"))
    assert "我厂一台设备需要维修。" in text_of(chinese, "/portal/")
    SalesOrder.objects.filter(pk=order.pk).update(state="delivered")
    assert "我厂" not in text_of(chinese, "/portal/")
    assert "我厂一台设备需要维修。" in text_of(chinese, NOTICES)


def test_an_account_without_customer_finds_no_notices(shop: Shop) -> None:
    nobody = UserFactory(username="nobody", roles=["customer"])
    assert page(nobody).get(NOTICES).status_code == 404
    assert api(nobody).get(API_NOTICES).status_code == 404


def test_many_notices_ask_as_few_questions_as_one(shop: Shop, mine: User) -> None:
    line = shop.line(shop.converted())
    client = page(mine)

    def asked(url: str) -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    _told(line)
    before = {url: asked(url) for url in ("/portal/", NOTICES)}
    for hours in range(2, 12):
        _told(line, hours=hours)
    assert {url: asked(url) for url in before} == before
