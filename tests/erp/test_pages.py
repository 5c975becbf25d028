"""Pages of the store: who may, what is shown, and that a repeated form books once."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp import selectors
from erp.models import Reservation, StockBalance, StockMove
from masterdata.enums import Supply
from tests.erp.factories import (
    PurchaseOrderFactory,
    PurchaseOrderLineFactory,
    RequirementFactory,
    put_on_stock,
)
from tests.masterdata.factories import ItemFactory, SiteFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
STOCK, RECEIVE, SHORTAGES = "/stock/", "/stock/receive/", "/floor/shortages/"


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def site(db):
    return SiteFactory()


@pytest.fixture
def bolt(site):
    return ItemFactory(
        code="BOLT",
        name="Bolt",
        name_zh="螺栓",
        supply=Supply.BUY,
        uom="EA",
        standard_cost=Decimal("0.5"),
    )


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def received(**changes):
    form = {"item": "BOLT", "quantity": "40", "reference": "DN-7"}
    return {**form, "idempotency_key": str(uuid.uuid4()), **changes}


@pytest.mark.parametrize("path", [STOCK, SHORTAGES, "/stock/items/BOLT/"])
@pytest.mark.parametrize(
    ("role", "status"),
    [("warehouse", 200), ("purchasing", 200), ("sales", 200), ("operator", 403), ("customer", 403)],
)
def test_who_sees_the_stock(client_for, bolt, path, role, status):
    assert client_for(role).get(path).status_code == status


@pytest.mark.parametrize("role", ["purchasing", "planner", "sales", "operator"])
def test_only_the_warehouse_books(client_for, bolt, role):
    client = client_for(role)
    assert client.get(RECEIVE).status_code == 403
    assert client.post(RECEIVE, received()).status_code == 403
    assert client.post("/stock/items/BOLT/adjust/", {"counted": 3}).status_code == 403
    assert not StockMove.objects.exists()
    assert "Receive goods" not in text_of(client_for("purchasing").get(STOCK))


def test_the_list_tells_what_is_free_and_what_comes(client_for, bolt, site):
    balance = put_on_stock(bolt, site, 100)
    need = RequirementFactory(item=bolt, site=site, quantity=30)
    Reservation.objects.create(requirement=need, balance=balance, quantity=30)
    StockBalance.objects.update(reserved=30)
    order = PurchaseOrderFactory(site=site)
    PurchaseOrderLineFactory(order=order, item=bolt, quantity=12)
    page = text_of(client_for("sales").get(STOCK))
    assert "BOLT Bolt 100 pcs 30 – 70 12" in page
    assert text_of(client_for("sales").get(STOCK + "?q=螺")).count("BOLT") == 1
    assert "No item fits" in text_of(client_for("sales").get(STOCK + "?q=nut"))


def test_each_site_has_its_store(client_for, bolt, site):
    depot = SiteFactory(code="DEPOT", name="Depot")
    put_on_stock(bolt, site, 100)
    put_on_stock(bolt, depot, 7)
    client = client_for("warehouse")
    assert "BOLT Bolt 100 pcs" in text_of(client.get(STOCK))
    there = client.get(STOCK + "?site=DEPOT")
    assert "BOLT Bolt 7 pcs" in text_of(there)
    assert 'href="/stock/items/BOLT/?site=DEPOT"' in there.content.decode()
    detail = client.get("/stock/items/BOLT/?site=DEPOT")
    assert "On hand 7" in text_of(detail)
    assert 'href="/stock/receive/?item=BOLT&amp;site=DEPOT"' in detail.content.decode()
    form = {"counted": "6", "reason": "lost", "idempotency_key": str(uuid.uuid4())}
    answer = client.post("/stock/items/BOLT/adjust/?site=DEPOT", form)
    assert answer.headers["Location"] == "/stock/items/BOLT/?site=DEPOT"
    assert dict(StockBalance.objects.values_list("site__code", "on_hand")) == {
        site.code: 100,
        "DEPOT": 6,
    }
    for path in (STOCK, "/stock/items/BOLT/"):
        assert client.get(path + "?site=NOWHERE").status_code == 404


def test_cost_is_never_shown(client_for, site):
    item = ItemFactory(
        code="GOLD", supply=Supply.BUY, standard_cost=Decimal("987.65"), list_price=Decimal(1234)
    )
    put_on_stock(item, site, 1)
    for path in (STOCK, "/stock/items/GOLD/"):
        page = client_for("administrator").get(path).content.decode()
        assert "987" not in page
        assert "1,234" not in page


def test_goods_go_to_those_who_wait(client_for, bolt, site):
    need = RequirementFactory(item=bolt, site=site, quantity=30)
    response = client_for("warehouse").post(RECEIVE, received())
    assert response.headers["Location"] == "/stock/items/BOLT/"
    balance = StockBalance.objects.get(item=bolt)
    assert (balance.on_hand, balance.reserved) == (40, 30)
    assert need.reservations.get().quantity == 30
    move = StockMove.objects.get()
    assert (move.kind, move.quantity, move.reference) == ("receipt", 40, "DN-7")
    assert move.by.username == "warehouse"


def test_the_same_receipt_sent_twice_books_once(client_for, bolt):
    client, form = client_for("warehouse"), received()
    for _ in range(2):
        assert client.post(RECEIVE, form).status_code == 302
    assert StockMove.objects.count() == 1
    # The same key for something else is refused, nothing is booked.
    for other in ({"quantity": "41"}, {"supplier_lot": "H-9"}, {"bin": "MAIN/RECEIVING"}):
        answer = client.post(RECEIVE, {**form, **other})
        assert answer.status_code == 422
        assert "sent before with other content" in text_of(answer)
    assert StockMove.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"item": "NUT"}, "There is no item “NUT”."),
        ({"quantity": "0"}, "Enter a quantity above zero."),
        ({"quantity": "many"}, "Enter a number."),
        ({"reference": ""}, "This field is required."),
    ],
)
def test_a_wrong_receipt_is_explained_and_books_nothing(client_for, bolt, changes, sentence):
    response = client_for("warehouse").post(RECEIVE, received(**changes))
    assert response.status_code == 422
    assert sentence in text_of(response)
    assert not StockMove.objects.exists()


def test_who_waits_for_an_item_is_paged(client_for, bolt, site, django_assert_num_queries):
    for number in range(45):
        RequirementFactory(item=bolt, site=site, quantity=number + 1, reference=f"SO-{number:02}/1")
    client, path = client_for("sales"), "/stock/items/BOLT/"
    pages = [text_of(client.get(path + extra)) for extra in ("", "?needs=2", "?needs=3")]
    assert [sum(f"SO-{n:02}/1" in page for n in range(45)) for page in pages] == [20, 20, 5]
    assert "1–20 of 45" in pages[0]
    assert "41–45 of 45" in pages[2]
    # What is read does not grow with those who wait.
    waiting = selectors.waiting_rows(site_id=site.pk, item_ids=[bolt.pk])
    with django_assert_num_queries(1):
        assert [row.missing for row in waiting[:2]] == [1, 2]


def test_a_counted_quantity_corrects_the_stock_once(client_for, bolt, site):
    put_on_stock(bolt, site, 10)
    form = {"counted": "7", "reason": "stocktaking", "idempotency_key": str(uuid.uuid4())}
    for _ in range(2):
        assert client_for("warehouse").post("/stock/items/BOLT/adjust/", form).status_code == 302
    move = StockMove.objects.get()
    assert (move.kind, move.quantity, move.reference) == ("adjustment", -3, "stocktaking")
    assert StockBalance.objects.get().on_hand == 7


def test_one_person_corrects_up_to_the_limit_a_day_and_counts_beyond_it(
    client_for, bolt, site, settings
):
    settings.COUNT_APPROVAL_LIMIT = Decimal(20)  # forty bolts
    put_on_stock(bolt, site, 1000)

    def correct(counted):
        form = {"counted": counted, "reason": "moths", "idempotency_key": str(uuid.uuid4())}
        return client_for("warehouse").post("/stock/items/BOLT/adjust/", form)

    refused = correct(900)
    assert refused.status_code == 422
    assert "worth more than one person may correct of BOLT in a day" in text_of(refused)
    assert 'href="/stock/counts/"' in refused.content.decode()
    # Bit by bit is the same: what was found counts as what was lost.
    assert correct(975).status_code == 302
    assert correct(985).status_code == 302
    assert correct(979).status_code == 422
    assert correct(980).status_code == 302
    assert correct(979).status_code == 422
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        assert correct(950).status_code == 302
    bolt.standard_cost = 0
    bolt.save()
    StockBalance.objects.update(average_cost=0)
    assert "Nobody knows what BOLT costs" in text_of(correct(949))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason": ""}, "This field is required."),
        ({"counted": "3"}, "the rest is reserved"),
        ({"counted": "10"}, "Enter a quantity other than zero."),
        ({"counted": "-1"}, "greater than or equal to 0"),
    ],
)
def test_a_wrong_correction_is_explained(client_for, bolt, site, changes, sentence):
    balance = put_on_stock(bolt, site, 10)
    need = RequirementFactory(item=bolt, site=site, quantity=5)
    Reservation.objects.create(requirement=need, balance=balance, quantity=5)
    StockBalance.objects.update(reserved=5)
    form = {"counted": "8", "reason": "count", "idempotency_key": "k", **changes}
    response = client_for("warehouse").post("/stock/items/BOLT/adjust/", form)
    assert response.status_code == 422
    assert sentence in text_of(response)
    assert StockBalance.objects.get().on_hand == 10


def test_shortages_by_the_date_they_hurt(client_for, bolt, site):
    RequirementFactory(item=bolt, site=site, due_at=NOW + timedelta(days=40), reference="WO-9")
    RequirementFactory(item=bolt, site=site, due_at=NOW + timedelta(days=2), reference="SO-7/10")
    RequirementFactory(item=bolt, site=site, due_at=NOW + timedelta(days=1), reference="WO-8")
    bolt.lead_time_days = 10
    bolt.save()
    page = client_for("purchasing").get(SHORTAGES)
    assert [row.reference for row in page.context["page"]] == ["WO-8", "SO-7/10"]
    assert "Not on order; lead time" in text_of(page)
    every = client_for("purchasing").get(SHORTAGES + "?show=all")
    assert [row.reference for row in every.context["page"]] == ["WO-8", "SO-7/10", "WO-9"]
    found = client_for("purchasing").get(SHORTAGES + "?q=so-7")
    assert [row.reference for row in found.context["page"]] == ["SO-7/10"]


def test_empty_pages_say_what_to_do_next(client_for, site):
    assert "Book in what has come" in text_of(client_for("warehouse").get(STOCK))
    assert "as soon as the warehouse" in text_of(client_for("sales").get(STOCK))
    assert "Nothing comes too late" in text_of(client_for("sales").get(SHORTAGES))


def test_without_a_site_the_lists_are_empty(client_for):
    assert client_for("sales").get(STOCK).status_code == 200
    assert client_for("sales").get(SHORTAGES).status_code == 200
    assert client_for("warehouse").get(RECEIVE).status_code == 404


@pytest.mark.parametrize("path", [STOCK, SHORTAGES + "?show=all", "/stock/items/BOLT/"])
def test_the_number_of_queries_does_not_grow(client_for, bolt, site, path):
    client = client_for("warehouse")

    def add(number):
        for _ in range(number):
            item = ItemFactory(supply=Supply.BUY)
            put_on_stock(item, site, 1)
            RequirementFactory(item=item, site=site, quantity=5)
            RequirementFactory(item=bolt, site=site)
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return [query["sql"] for query in captured]

    few, many = add(2), add(9)
    assert len(few) == len(many), "\n".join(many)
