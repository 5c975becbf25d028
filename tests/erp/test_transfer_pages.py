"""The pages and the API of transfers: pack by scanning, dispatch, receive in parts."""

import re
import uuid
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp.models import StockBalance, StockTransfer, Supply
from erp.services import warehouses
from masterdata.enums import Supply as ItemSupply
from masterdata.enums import Tracking
from tests.erp.test_lots import books_agree, receive
from tests.masterdata.factories import ItemFactory, SiteFactory
from traceability.models import Lot, SerialUnit

pytestmark = pytest.mark.django_db
PAGE = "/stock/transfers/"


@pytest.fixture
def here(db):
    made = SiteFactory(code="HERE", name="Here")
    warehouses.ensure(made.pk)
    return made


@pytest.fixture
def there(here):
    made = SiteFactory(code="THERE", name="There")
    warehouses.ensure(made.pk)
    return made


@pytest.fixture
def goods(here, now):
    """Ten bolts, five bars of lot RM-1, three motors; all in the storage."""
    bolt = ItemFactory(code="BOLT", supply=ItemSupply.BUY, standard_cost=2)
    steel = ItemFactory(code="BAR", supply=ItemSupply.BUY, tracking=Tracking.LOT)
    motor = ItemFactory(code="MOTOR", supply=ItemSupply.BUY, tracking=Tracking.SERIAL)
    receive(bolt, here, 10, now)
    receive(steel, here, 5, now, lot_number="RM-1")
    receive(motor, here, 3, now, serials=["M-1", "M-2", "M-3"])
    return {"bolt": bolt, "steel": steel, "motor": motor}


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def send(client, path, status=302, **fields):
    answer = client.post(path, {"idempotency_key": str(uuid.uuid4()), **fields})
    assert answer.status_code == status, text_of(answer)
    return answer


def started(client, here, there):
    fields = {"from_site": here.pk, "to_site": there.pk, "arrives_on": "2026-12-01"}
    return send(client, PAGE + "new/", **fields, note="lorry 7")["Location"]


def test_a_transfer_from_scanning_to_the_missing_piece(client_for, here, there, goods):
    client = client_for("warehouse")
    url = started(client, here, there)
    send(client, url + "pack/", what="bolt", quantity="6")
    send(client, url + "pack/", what="rm1")
    send(client, url + "pack/", what="M-1\nm2\nM-3")
    wrong = send(client, url + "pack/", 422, what="M-1\nGHOST")
    assert "GHOST: not here" in text_of(wrong)
    twice = send(client, url + "pack/", 422, what="M-1\nM 1")
    assert "is there twice" in text_of(twice)
    send(client, url + "pack/", 422, what="BOLT", quantity="5")
    line = StockTransfer.objects.get().lines.get(item=goods["steel"])
    assert send(client, f"{url}lines/{line.pk}/unpack/")["Location"] == url
    shown = text_of(client.get(url))
    assert "Being packed" in shown
    assert "RM-1" not in shown
    send(client, url + "act/", action="dispatch")
    assert text_of(client.get(url)).count("In transit") == 1
    assert dict(Supply.objects.values_list("item__code", "quantity")) == {"BOLT": 6, "MOTOR": 3}

    bolts = StockTransfer.objects.get().lines.get(item=goods["bolt"])
    part = {f"line_{bolts.pk}": "4", "serials": "M-1, M-3", "bin": "THERE/MAIN/RECEIVING"}
    unknown = send(client, url + "receive/", 422, **part | {"serials": "M-9"})
    assert "M-9: not under way in this consignment" in text_of(unknown)
    assert "M-9" in unknown.content.decode()
    send(client, url + "receive/", **part)
    assert dict(Supply.objects.values_list("item__code", "quantity")) == {"BOLT": 2, "MOTOR": 1}
    send(client, url + "close/", reason="")
    assert "Partly received" in text_of(client.get(url))
    send(client, url + "close/", reason="one box lost")
    shown = text_of(client.get(url))
    assert "Less arrived than was sent one box lost" in shown
    assert "worth" not in shown
    assert "worth" in text_of(client_for("manager").get(url))
    assert SerialUnit.objects.get(number="M-2").state == "scrapped"
    assert "Difference" in text_of(client.get(PAGE))
    assert books_agree()


def test_all_of_it_arrives_with_one_press_and_is_seen_as_in_transit_before(
    client_for, here, there, goods
):
    client = client_for("warehouse")
    # From the other site to the one whose pages are shown.
    url = started(client, here, there)
    send(client, url + "pack/", what="BOLT")
    send(client, url + "act/", action="dispatch")
    send(client, url + "receive/", action="all")
    back = started(client, there, here)
    send(client, back + "pack/", what="BOLT", quantity="4")
    send(client, back + "act/", action="dispatch")
    shown = text_of(client.get("/stock/items/BOLT/"))
    number = StockTransfer.objects.order_by("pk").last().number
    assert "In transit 4" in shown
    assert number in shown
    send(client, back + "act/", action="cancel", reason="wrong lorry")
    assert "In transit" not in text_of(client.get("/stock/items/BOLT/"))
    assert StockBalance.objects.get(site=there).on_hand == 10


def test_the_list_finds_by_state_and_by_what_is_in_it(client_for, here, there, goods):
    client = client_for("warehouse")
    assert "Nothing was sent to another site yet" in text_of(client.get(PAGE))
    url = started(client, here, there)
    send(client, url + "pack/", what="RM-1")
    number = StockTransfer.objects.get().number
    for query in ("?show=draft", "?q=rm-1", "?q=BAR", "?q=lorry"):
        assert number in text_of(client.get(PAGE + query)), query
    for query in ("?show=under_way", "?show=over", "?q=BOLT"):
        assert "No transfer fits the filter" in text_of(client.get(PAGE + query)), query
    assert client_for("sales").get(PAGE).status_code == 200
    assert client_for("sales").post(url + "act/", {"action": "dispatch"}).status_code == 403


def test_with_one_site_there_is_nowhere_to_send_to(client_for, here):
    client = client_for("warehouse")
    for path in (PAGE, PAGE + "new/"):
        page = client.get(path)
        assert "There is one site only" in text_of(page)
        # Nothing to be filtered, nothing to be chosen.
        assert "filter-bar" not in page.content.decode()
        assert "Being packed" not in text_of(page)
    answer = client.post(
        PAGE + "new/",
        {
            "idempotency_key": "k",
            "from_site": here.pk,
            "to_site": here.pk,
            "arrives_on": "2026-12-01",
        },
    )
    assert answer.status_code == 422
    assert not StockTransfer.objects.exists()


def test_the_page_asks_the_same_queries_however_many_units_are_packed(
    client_for, here, there, goods, now
):
    client = client_for("warehouse")
    few, many = started(client, here, there), started(client, here, there)
    receive(goods["motor"], here, 40, now)
    numbers = list(SerialUnit.objects.values_list("number", flat=True))
    send(client, few + "pack/", what="\n".join(numbers[:2]))
    send(client, many + "pack/", what="\n".join(numbers[2:]))
    counts = []
    for url in (few, many):
        send(client, url + "act/", action="dispatch")
        client.get(url)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_transfer_over_http(api_client_for, here, there, goods):
    warehouse = api_client_for("warehouse")
    body = {
        "to_site": "THERE",
        "arrives_on": "2026-12-01",
        "lines": [
            {"item": "BOLT", "bin": "STORAGE", "quantity": "6"},
            {"item": "BAR", "bin": "STORAGE", "lot": "rm-1", "quantity": "5"},
            {"item": "MOTOR", "bin": "STORAGE", "serials": ["M-1", "M-2"]},
        ],
    }
    url = "/api/v1/stock/transfers/"
    headers = {"Idempotency-Key": "t-1"}
    for _ in range(2):
        answer = warehouse.post(url, body, format="json", headers=headers)
        assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert (made["state"], StockTransfer.objects.count()) == ("in_transit", 1)
    assert [(row["item"], row["quantity"]) for row in made["lines"]] == [
        ("BAR", "5.0000"),
        ("BOLT", "6.0000"),
        ("MOTOR", "2.0000"),
    ]
    one = f"{url}{made['number']}/"
    part = {
        "bin": "MAIN/RECEIVING",
        "lines": [
            {"item": "BOLT", "quantity": "4"},
            {"item": "BAR", "lot": "RM-1", "quantity": "5"},
            {"item": "MOTOR", "serials": ["m 1"]},
        ],
    }
    came = warehouse.post(one + "receive/", part, format="json").json()
    assert [row["received"] for row in came["lines"]] == ["5.0000", "4.0000", "1.0000"]
    too_many = {"lines": [{"item": "BOLT", "quantity": "3"}]}
    refused = warehouse.post(one + "receive/", too_many, format="json")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "2 of BOLT is under way, not 3. Count what is too many.",
    )
    for lines, field in (
        ([{"item": "GHOST", "quantity": "1"}], "item"),
        ([{"item": "MOTOR", "serials": ["M-1"]}], "serials"),
        ([{"item": "BOLT"}], "quantity"),
    ):
        wrong = warehouse.post(one + "receive/", {"lines": lines}, format="json")
        assert (wrong.status_code, field in str(wrong.json())) == (400, True), wrong.json()
    closed = warehouse.post(one + "close/", {"reason": "lost"}, format="json").json()
    assert (closed["state"], closed["difference_reason"]) == ("received", "lost")
    assert warehouse.get(url + "?show=over").json()["results"][0]["number"] == made["number"]
    assert api_client_for("sales").get(one).status_code == 200
    assert api_client_for("sales").post(url, body, format="json").status_code == 403
    assert warehouse.get(url + "NO/").status_code == 404
    assert Lot.objects.get().state == "available"
    assert StockBalance.objects.get(item__code="BOLT", site=here).on_hand == Decimal(4)
