"""A purchase order that a buyer writes: service, pages and API, with hostile input too."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from common.concurrency import StaleWrite
from common.models import AuditEntry, Event
from erp.enums import PurchaseOrderState, PurchaseReceiptKind
from erp.models import PurchaseOrder, PurchaseReceipt, Supply, SupplyRule
from erp.policies_purchase_entry import MOST_LINES
from erp.services import purchase_entry, purchase_orders
from erp.services.purchase_entry import CannotChangeOrder, CannotEnter, CannotOrder, Entered
from masterdata.enums import LotPolicy
from masterdata.enums import Supply as ItemSupply
from masterdata.models import SupplierPrice
from tests.factories import UserFactory
from tests.masterdata.factories import ItemFactory, SiteFactory, SupplierFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TODAY = NOW.date()
NEW, API = "/stock/purchases/new/", "/api/v1/purchase-orders/"


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def site(db):
    return SiteFactory(currency="EUR")


@pytest.fixture
def near(site):
    return SupplierFactory(code="NEAR", name="Near Ltd")


@pytest.fixture
def bolt(near):
    return priced(near, "BOLT", "2.50", lead_time_days=5, minimum_quantity=100)


def priced(supplier, code, price, *, minimum_quantity=0, lead_time_days=3, **item):
    made = ItemFactory(code=code, supply=ItemSupply.BUY, standard_cost=2, **item)
    SupplierPrice.objects.create(
        supplier=supplier,
        item=made,
        price=Decimal(price),
        currency="EUR",
        lead_time_days=lead_time_days,
        min_order_quantity=minimum_quantity,
        valid_from=date(2026, 1, 1),
    )
    return made


def write(site, supplier, *lines):
    return purchase_entry.write(
        supplier_id=supplier.pk, site_id=site.pk, lines=lines, by=UserFactory(), now=NOW
    )


def sent(supplier="NEAR", *rows, **more):
    """What the form sends; each row: item, quantity, day, price."""
    data = {
        "idempotency_key": str(uuid.uuid4()),
        "supplier": supplier,
        "to_site": more.pop("site", ""),
        "lines-TOTAL_FORMS": max(len(rows), 5),
        "lines-INITIAL_FORMS": 0,
        "lines-MAX_NUM_FORMS": MOST_LINES,
    }
    for number, row in enumerate(rows):
        for name, value in zip(("item", "quantity", "due_date", "unit_price"), row, strict=False):
            data[f"lines-{number}-{name}"] = value
    return {**data, **more}


def test_day_and_price_come_from_the_supplier_where_nobody_says(site, near, bolt):
    nut = ItemFactory(code="NUT", supply=ItemSupply.BUY, standard_cost=Decimal("0.25"))
    order = write(
        site,
        near,
        Entered(bolt.pk, Decimal(200)),
        Entered(bolt.pk, Decimal(50), date(2026, 12, 24), Decimal("2.40")),
        Entered(nut.pk, Decimal(10)),
    )
    assert (order.state, order.currency) == (PurchaseOrderState.DRAFT, "EUR")
    named = ("position", "item__code", "quantity", "due_date", "unit_price")
    rows = order.lines.order_by("position").values_list(*named)
    assert list(rows) == [
        (10, "BOLT", 200, date(2026, 11, 28), Decimal("2.50")),
        (20, "BOLT", 50, date(2026, 12, 24), Decimal("2.40")),
        (30, "NUT", 10, TODAY + timedelta(days=nut.lead_time_days), Decimal("0.25")),
    ]
    # Planning and the schedule reckon with it from now on.
    assert sum(Supply.objects.filter(item=bolt).values_list("quantity", flat=True)) == 250
    assert Event.objects.filter(topic="erp.purchase_orders.changed").exists()


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"quantity": Decimal(0)}, "quantity", "above zero"),
        ({"quantity": Decimal("NaN")}, "quantity", "above zero"),
        ({"quantity": Decimal("1e12")}, "quantity", "ten digits"),
        ({"quantity": Decimal("1.5")}, "quantity", "whole pieces"),
        ({"unit_price": Decimal(-1)}, "unit_price", "zero or above"),
        ({"due_date": date(2026, 11, 22)}, "due_date", "over already"),
        ({"due_date": date(9999, 1, 1)}, "due_date", "9999"),
        ({"item_id": 0}, "item", "no such item"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(site, near, bolt, change, field, sentence):
    line = {"item_id": bolt.pk, "quantity": Decimal(1), **change}
    with pytest.raises(CannotEnter, match=sentence) as caught:
        write(site, near, Entered(bolt.pk, Decimal(1)), Entered(**line))
    assert [(fault.number, fault.field) for fault in caught.value.faults] == [(1, field)]
    assert not PurchaseOrder.objects.exists()


def test_no_order_goes_below_the_approval_limit_for_want_of_a_price(site, near, bolt):
    unknown = ItemFactory(code="NUT", supply=ItemSupply.BUY, standard_cost=0)
    line = Entered(unknown.pk, Decimal(1000))
    with pytest.raises(CannotEnter, match="NUT: no price is known"):
        write(site, near, line)
    with pytest.raises(CannotEnter, match="no exchange rate to CHF"):
        purchase_entry.write(
            supplier_id=near.pk,
            site_id=site.pk,
            lines=[Entered(bolt.pk, Decimal(1))],
            currency="CHF",
            by=None,
            now=NOW,
        )
    SupplyRule.objects.update_or_create(site=site, defaults={"approval_limit": Decimal(100)})
    free, dear = (
        write(site, near, replace(line, unit_price=Decimal(price))) for price in ("0", "0.11")
    )
    states = [purchase_orders.submit(order=o, by=o.ordered_by, now=NOW).state for o in (free, dear)]
    assert states == [PurchaseOrderState.TO_APPROVE, PurchaseOrderState.TO_APPROVE]


def test_a_price_of_zero_needs_approval_wherever_it_comes_from(site, near, bolt):
    gift = priced(near, "GIFT", "0")
    SupplyRule.objects.create(site=site, approval_limit=Decimal(100))
    items = (bolt, gift, bolt)
    cheap, listed, changed = (write(site, near, Entered(i.pk, Decimal(1))) for i in items)
    line = changed.lines.get()
    purchase_orders.change_line(
        line=line,
        quantity=Decimal(9000),
        unit_price=Decimal(0),
        due_date=line.due_date,
        version=1,
        by=None,
        now=NOW,
    )
    drafted = purchase_orders.draft(
        supplier_id=near.pk,
        site_id=site.pk,
        lines=[purchase_orders.DraftLine(bolt.pk, Decimal(1), TODAY)],
        currency="EUR",
        by=None,
        now=NOW,
    )
    orders = (cheap, listed, changed, drafted)
    states = [purchase_orders.submit(order=one, by=None, now=NOW).state for one in orders]
    assert states == [PurchaseOrderState.SENT, *[PurchaseOrderState.TO_APPROVE] * 3]
    # Where nobody approves anything, a gift is sent as all the rest.
    SupplyRule.objects.update(approval_limit=None)
    free = write(site, near, Entered(gift.pk, Decimal(1)))
    assert purchase_orders.submit(order=free, by=None, now=NOW).state == PurchaseOrderState.SENT


def test_the_page_and_the_api_say_why_an_order_waits(client_for, api_client_for, site, near, bolt):
    SupplyRule.objects.create(site=site, approval_limit=Decimal(100))
    buyer, other = api_client_for("purchasing"), api_client_for("administrator")
    row = {"item": "BOLT", "quantity": "500", "unit_price": "0"}
    made = buyer.post(API, {"supplier": "NEAR", "lines": [row]}, format="json").json()
    url, page = f"{API}{made['number']}/", f"/stock/purchases/{made['number']}/"
    why = "Position 10, BOLT, has a price of zero."
    assert made["approval_reasons"] == [why]
    assert "Needs approval" in client_for("purchasing").get(page).content.decode()
    sent_on = buyer.post(f"{url}submit/").json()
    assert (sent_on["state"], sent_on["approval_reasons"]) == ("to_approve", [why])
    shown = client_for("manager").get(page).content.decode()
    assert why in shown
    assert "above the site" not in shown
    # Money is for who may see it.
    assert why not in client_for("warehouse").get(page).content.decode()
    assert api_client_for("warehouse").get(url).json()["approval_reasons"] is None
    assert buyer.post(f"{url}approve/").status_code == 409  # its own buyer
    assert other.post(f"{url}approve/").json()["state"] == "sent"
    assert other.post(f"{url}approve/").status_code == 409
    # More of it, for nothing, is noted by another person than its buyer too.
    promise = {"position": 10, "quantity": "900", "due_date": "2026-12-24"}
    version = buyer.get(url).json()["version"]
    body = {"version": version, "lines": [promise]}
    refused = buyer.post(f"{url}confirm/", body, format="json")
    assert "price of zero" in refused.json()["detail"]
    assert other.post(f"{url}confirm/", body, format="json").status_code == 200


def test_a_price_far_below_the_known_one_needs_approval(site, near):
    """The list, the last price paid and the standard cost are each known; else nothing is."""
    SupplyRule.objects.create(site=site, approval_limit=Decimal(1000))
    listed = priced(near, "BOLT", "3")
    unknown = ItemFactory(code="NEW", supply=ItemSupply.BUY, standard_cost=0)
    card = ItemFactory(code="CARD", supply=ItemSupply.BUY, standard_cost=Decimal("0.8"))

    def states(item, *prices):
        made = [write(site, near, Entered(item.pk, Decimal(10), None, Decimal(p))) for p in prices]
        return [purchase_orders.submit(order=o, by=None, now=NOW).state for o in made]

    waits, goes = PurchaseOrderState.TO_APPROVE, PurchaseOrderState.SENT
    assert states(listed, "0.01", "1.4999", "1.5", "9") == [waits, waits, goes, goes]
    assert states(card, "0.3999", "0.4") == [waits, goes]
    assert states(unknown, "0.01") == [goes]
    # A list that says too little is no way around what was paid and what it should cost.
    SupplierPrice.objects.update(price=Decimal("0.01"))
    assert states(listed, "0.01", "1") == [waits, goes]
    paid = write(site, near, Entered(unknown.pk, Decimal(1), None, Decimal(40))).lines.get()
    PurchaseReceipt.objects.create(
        line=paid,
        kind=PurchaseReceiptKind.ACCEPTED,
        quantity=1,
        at=NOW,
        day=TODAY,
        promised_date=TODAY,
    )
    assert states(unknown, "0.01", "20") == [waits, goes]
    # Where the known price is of a currency without a rate, nothing can be compared.
    type(listed).objects.update(standard_cost=0)
    SupplierPrice.objects.update(price=Decimal(3))
    order = write(site, near, Entered(listed.pk, Decimal(10), None, Decimal("0.01")))
    SupplierPrice.objects.update(currency="JPY")
    assert purchase_orders.submit(order=order, by=None, now=NOW).state == goes


def test_a_buyer_is_told_why_a_tiny_price_waits(client_for, api_client_for, site, near, bolt):
    SupplyRule.objects.create(site=site, approval_limit=Decimal(100))
    buyer, other = api_client_for("purchasing"), api_client_for("administrator")
    row = {"item": "BOLT", "quantity": "500", "unit_price": "0.01"}
    made = buyer.post(API, {"supplier": "NEAR", "lines": [row]}, format="json").json()
    url, page = f"{API}{made['number']}/", f"/stock/purchases/{made['number']}/"
    why = "Position 10, BOLT: the price of 0.01 EUR is far below the known one of 2.5 EUR."
    assert made["approval_reasons"] == [why]
    assert why in client_for("purchasing").get(page).content.decode()
    assert buyer.post(f"{url}submit/").json()["state"] == "to_approve"
    assert other.post(f"{url}approve/").json()["state"] == "sent"
    # More of it is noted by another person than its buyer too.
    promise = {"position": 10, "quantity": "900", "due_date": "2026-12-24"}
    body = {"version": buyer.get(url).json()["version"], "lines": [promise]}
    refused = buyer.post(f"{url}confirm/", body, format="json")
    assert "far below" in refused.json()["detail"]
    assert other.post(f"{url}confirm/", body, format="json").status_code == 200


def test_who_is_out_of_use_and_what_we_make_is_not_bought(site, near, bolt):
    made = ItemFactory(code="TABLE", supply=ItemSupply.MAKE)
    old = priced(near, "OLD", 1, is_active=False)
    for item, sentence in ((made, "made here"), (old, "OLD is not active")):
        with pytest.raises(CannotOrder, match=sentence):
            write(site, near, Entered(item.pk, Decimal(1)))
    with pytest.raises(CannotOrder, match="at least one"):
        write(site, near)
    with pytest.raises(CannotOrder, match="write a second one"):
        write(site, near, *[Entered(bolt.pk, Decimal(1))] * (MOST_LINES + 1))
    near.is_active = False
    near.save()
    with pytest.raises(CannotOrder, match="NEAR is not active"):
        write(site, near, Entered(bolt.pk, Decimal(1)))


def test_a_draft_gets_further_lines_until_it_is_sent(site, near, bolt):
    order = write(site, near, Entered(bolt.pk, Decimal(200)))
    who = {"by": UserFactory(), "now": NOW}
    line = Entered(bolt.pk, Decimal(3))
    with pytest.raises(StaleWrite):
        purchase_entry.add_line(order=order, line=line, version=order.version + 1, **who)
    added = purchase_entry.add_line(order=order, line=line, version=order.version, **who)
    assert list(added.lines.order_by("position").values_list("position", "quantity")) == [
        (10, 200),
        (20, 3),
    ]
    assert AuditEntry.objects.filter(action="erp.purchase_order.add_line").count() == 1
    submitted = purchase_orders.submit(order=added, **who)
    with pytest.raises(CannotChangeOrder):
        purchase_entry.add_line(order=submitted, line=line, version=submitted.version, **who)


def test_a_buyer_writes_one_on_the_page_once(client_for, site, near, bolt):
    buyer = client_for("purchasing")
    assert NEW in buyer.get("/stock/purchases/").content.decode()
    assert NEW not in client_for("planner").get("/stock/purchases/").content.decode()
    data = sent("NEAR", ("bolt", "200"), ("BOLT", "50", "2026-12-24", "2.40"), site=site.pk)
    answer = buyer.post(NEW, data)
    assert answer.status_code == 302, answer.content.decode()
    assert buyer.post(NEW, data).url == answer.url, "sent twice, written once"
    order = PurchaseOrder.objects.get()
    assert answer.url == f"/stock/purchases/{order.number}/"
    assert list(order.lines.order_by("position").values_list("unit_price", flat=True)) == [
        Decimal("2.5"),
        Decimal("2.4"),
    ]
    page = buyer.get(answer.url)
    assert page.context["total"] == 620
    # One more line, in the same draft.
    more = {"item": "BOLT", "quantity": "5", "version": order.version}
    assert buyer.post(answer.url + "add/", more).status_code == 302
    refused = buyer.post(answer.url + "add/", {**more, "item": "NONE"})
    assert (refused.status_code, "data-open" in refused.content.decode()) == (422, True)
    assert order.lines.count() == 3
    for role in ("planner", "warehouse", "manager"):
        assert client_for(role).get(NEW).status_code == 403
        assert client_for(role).post(answer.url + "add/", more).status_code == 403


def test_the_page_says_beside_the_field_what_is_wrong(client_for, site, near, bolt):
    ItemFactory(code="TABLE", supply=ItemSupply.MAKE)
    rows = [("NONE", "1"), ("TABLE", "1"), ("BOLT", "1.5"), ("", "3"), ("BOLT", "<b>", "x", "-1")]
    answer = client_for("purchasing").post(NEW, sent("FAR", *rows, site=site.pk))
    assert answer.status_code == 422
    found = answer.context["rows"].errors
    assert "NONE" in found[0]["item"][0]
    assert "made here" in found[1]["item"][0]
    assert "whole pieces" in found[2]["quantity"][0]
    assert list(found[3]) == ["item"]
    assert sorted(found[4]) == ["due_date", "quantity", "unit_price"]
    assert "FAR" in answer.context["form"].errors["supplier"][0]
    # What the service alone can say stands beside its field too, of all lines at once.
    ItemFactory(code="NUT", supply=ItemSupply.BUY, standard_cost=0)
    rows = [("BOLT", "1", "2026-11-22"), ("BOLT", "1"), ("NUT", "1")]
    answer = client_for("purchasing").post(NEW, sent("near", *rows, site=site.pk))
    found = [list(row) for row in answer.context["rows"].errors[:3]]
    assert found == [["due_date"], [], ["unit_price"]]
    assert not answer.context["form"].non_field_errors()
    assert [row.item.code for row in answer.context["known"]] == ["BOLT", "BOLT", "NUT"]
    many = client_for("purchasing").post(NEW, sent("NEAR", *[("BOLT", "1")] * 200, site=site.pk))
    assert "write a second one" in many.content.decode()
    assert many.context["known"] == []
    assert client_for("purchasing").post(NEW, {}).status_code == 422
    empty = client_for("purchasing").post(NEW, sent("NEAR", site=site.pk))
    assert "Order at least one item." in empty.content.decode()
    assert not PurchaseOrder.objects.exists()


def test_terms_are_told_while_it_is_written(
    client_for, site, near, bolt, django_assert_max_num_queries
):
    tube = priced(
        near, "TUBE", 4, lead_time_days=30, lot_policy=LotPolicy.FIXED, lot_size=Decimal(6)
    )
    buyer = client_for("purchasing")
    rows = [("BOLT", "99"), (tube.code, "7", "2026-12-01"), ("NONE", "")]
    data = sent("NEAR", *rows, site=site.pk, action="advise")
    buyer.post(NEW, data)
    with django_assert_max_num_queries(14):
        answer = buyer.post(NEW, data, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert (answer.status_code, "<html" in text) == (200, False)
    for sentence in ("at least", "in lots of", "30 days", "2.50"):
        assert sentence in text
    assert not PurchaseOrder.objects.exists()
    # Nothing is known of a supplier who is not there.
    nothing = buyer.post(NEW, {**data, "supplier": "<script>"}, headers={"HX-Request": "true"})
    assert "Name a supplier and items" in nothing.content.decode()


def test_over_the_api(api_client_for, site, near, bolt):
    buyer = api_client_for("purchasing")
    body = {"supplier": "NEAR", "lines": [{"item": "bolt", "quantity": "200"}]}
    made = buyer.post(API, body, format="json")
    assert made.status_code == 201, made.json()
    assert made.json()["lines"][0]["unit_price"] == "2.5000"
    wrong = [
        {**body, "supplier": "FAR"},
        {**body, "lines": []},
        {**body, "lines": [{"item": "NONE", "quantity": "1"}]},
        {**body, "lines": [{"item": "BOLT", "quantity": "1", "price": "1"}]},
        {**body, "lines": [{"item": "BOLT", "quantity": "NaN"}]},
        {**body, "site": "NOWHERE"},
    ]
    assert [buyer.post(API, one, format="json").status_code for one in wrong] == [400] * len(wrong)
    late = {**body, "lines": [{"item": "BOLT", "quantity": "1", "due_date": "2020-01-01"}]}
    assert buyer.post(API, late, format="json").status_code == 409
    many = {**body, "lines": [{"item": "BOLT", "quantity": "1"}] * 200}
    assert buyer.post(API, many, format="json").status_code == 409
    assert api_client_for("planner").post(API, body, format="json").status_code == 403
    assert PurchaseOrder.objects.count() == 1
    # Sent twice with one key, written once; codes are found however they are cased.
    once = {"format": "json", "headers": {"Idempotency-Key": "again"}}
    twice = [buyer.post(API, {**body, "supplier": "near"}, **once).json() for _ in range(2)]
    assert twice[0] == twice[1]
    assert PurchaseOrder.objects.count() == 2
