"""Tracked goods of a purchase order: received with their numbers, sent back, brought back."""

import re
import uuid
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp import selectors
from erp.enums import RequirementKind
from erp.models import CostEntry, PurchaseReceipt, Requirement, StockBalance, StockQuant, Supply
from erp.services import holds, reservations, stock, warehouses
from masterdata.enums import Supply as ItemSupply
from masterdata.enums import Tracking
from tests.erp.factories import (
    PurchaseOrderFactory,
    PurchaseOrderLineFactory,
    RequirementFactory,
)
from tests.erp.test_lots import books_agree, receive
from tests.masterdata.factories import ItemFactory, SiteFactory, SupplierFactory
from traceability.models import Lot, SerialUnit

pytestmark = pytest.mark.django_db
URL = "/stock/purchases/PO-A77/lines/{}/"
MOTORS, BARS, BOLTS = URL.format(10), URL.format(20), URL.format(30)


@pytest.fixture
def site(db):
    made = SiteFactory(time_zone="UTC")
    warehouses.ensure(made.pk)
    return made


@pytest.fixture
def order(site):
    """Motors with serial numbers, bars by lots with all that a policy may ask, and bolts."""
    placed = PurchaseOrderFactory(site=site, supplier=SupplierFactory(code="NEAR"), number="PO-A77")
    items = [
        ItemFactory(code="MOTOR", supply=ItemSupply.BUY, tracking=Tracking.SERIAL),
        ItemFactory(
            code="BAR",
            supply=ItemSupply.BUY,
            tracking=Tracking.LOT,
            supplier_lot_required=True,
            expiry_required=True,
        ),
        ItemFactory(code="BOLT", supply=ItemSupply.BUY, standard_cost=2),
    ]
    for number, item in enumerate(items, start=1):
        PurchaseOrderLineFactory(
            order=placed, position=number * 10, item=item, quantity=10, unit_price=3
        )
    return placed


@pytest.fixture
def warehouse(client_for):
    return client_for("warehouse")


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def send(client, path, status=302, **fields):
    answer = client.post(path, {"idempotency_key": str(uuid.uuid4()), **fields})
    assert answer.status_code == status, text_of(answer)
    return answer


def test_serial_numbers_are_pasted_and_what_is_wrong_is_named(order, warehouse):
    page = warehouse.get(MOTORS + "receive/").content.decode()
    assert "id_serials" in page
    assert "id_lot_number" not in page
    wrong = send(warehouse, MOTORS + "receive/", 422, quantity="3", serials="M-1\nM-2")
    assert "2 serial numbers are given for 3 pieces" in text_of(wrong)
    wrong = send(warehouse, MOTORS + "receive/", 422, serials="M-1\nM-2\nm1")
    assert "m1 is there twice" in text_of(wrong)
    # The quantity is the number of numbers.
    send(warehouse, MOTORS + "receive/", serials="M-1\nM-2\n\n", reference="DN-1")
    assert order.lines.get(position=10).received == 2
    assert set(SerialUnit.objects.values_list("number", "supplier__code")) == {
        ("M-1", "NEAR"),
        ("M-2", "NEAR"),
    }
    again = send(warehouse, MOTORS + "receive/", 422, serials="M-3\nM-2")
    assert "M-2 was given before" in text_of(again)
    send(warehouse, MOTORS + "receive/", quantity="1", bin="RECEIVING")
    assert StockQuant.objects.get(bin__kind="receiving").unit.number.startswith("SN-")


def test_the_policy_of_the_item_is_asked_at_the_dock(order, warehouse):
    page = text_of(warehouse.get(BARS + "receive/"))
    assert "Supplier's lot (optional)" not in page
    assert "Lot number (optional)" in page
    wrong = send(warehouse, BARS + "receive/", 422, quantity="4")
    assert wrong.context["form"].errors.keys() == {"supplier_lot", "expires_on"}
    # What is refused carries no label.
    send(warehouse, BARS + "receive/", rejected="1", quantity="")
    fields = {"quantity": "4", "supplier_lot": "H-9", "expires_on": "2027-05-01"}
    send(warehouse, BARS + "receive/", **fields, lot_number="RM-7")
    lot = Lot.objects.get()
    assert (lot.number, lot.supplier_lot, lot.expires_on) == ("RM-7", "H-9", date(2027, 5, 1))
    page = warehouse.get(BOLTS + "receive/").content.decode()
    assert "id_supplier_lot" not in page
    assert 'value="10"' in page
    order.state = "closed"
    order.save()
    assert "nothing is to come" in text_of(warehouse.get(BOLTS + "receive/"))
    assert warehouse.get(URL.format(99) + "receive/").status_code == 404


def test_units_go_back_to_the_supplier_and_come_again_under_their_numbers(
    order, warehouse, site, now
):
    send(warehouse, MOTORS + "receive/", serials="M-1\nM-2\nM-3")
    receive(order.lines.get(position=10).item, site, 1, now, serials=["X-1"])
    bad = SerialUnit.objects.get(number="M-2")
    holds.hold(unit_ids=[bad.pk], reason="noise", by=None, now=now)
    page = text_of(warehouse.get(MOTORS + "return/"))
    assert "M-1, M-2, M-3" in page
    assert "X-1" not in page
    back = {"reason": "noise", "replace": "on"}
    for serials, sentence in (
        ("", "This field is required"),
        ("GHOST", "GHOST: no serial number of MOTOR"),
        ("X-1", "X-1 came with another order"),
    ):
        answer = send(warehouse, MOTORS + "return/", 422, serials=serials, **back)
        assert sentence in text_of(answer)
    send(warehouse, MOTORS + "return/", serials="m 2", **back)
    bad.refresh_from_db()
    line = order.lines.get(position=10)
    assert (bad.state, line.received, line.returned) == ("returned", 2, 1)
    assert Supply.objects.get(source_id=line.pk).quantity == 8
    assert PurchaseReceipt.objects.filter(kind="returned", line=line, quantity=1).count() == 1
    assert "M-2: " not in text_of(warehouse.get("/stock/purchases/PO-A77/"))
    send(warehouse, MOTORS + "receive/", serials="M-2")
    bad.refresh_from_db()
    # The hold still lies on it.
    assert bad.state == "on_hold"
    assert books_agree()


def test_a_lot_goes_back_at_its_own_price_out_of_quarantine_first(order, warehouse, site, now):
    steel = order.lines.get(position=20).item
    old = stock.Origin(None, "H-1", date(2027, 5, 1))
    receive(steel, site, 6, now, lot_number="OLD", origin=old, price=Decimal(1))
    fields = {"quantity": "6", "supplier_lot": "H-9", "expires_on": "2027-05-01"}
    send(warehouse, BARS + "receive/", **fields, lot_number="NEW")
    assert selectors.average_costs([steel.pk], site_id=site.pk) == {steel.pk: 2}
    need = RequirementFactory(item=steel, site=site, quantity=12)
    reservations.give_free(site_id=site.pk, item_ids=[steel.pk])
    back = {"lot": "NEW", "quantity": "6", "reason": "bent"}
    kept = send(warehouse, BARS + "return/", 422, **back)
    assert "is free to leave this site" in text_of(kept)
    lot = Lot.objects.get(number="NEW")
    send(warehouse, "/stock/move/", what="NEW", target="QUARANTINE")
    assert warehouse.get(BARS + "return/").context["form"].fields["lot"].choices == [
        ("NEW", f"NEW · 6 {steel.uom}")
    ]
    send(warehouse, BARS + "return/", **back)
    lot.refresh_from_db()
    assert lot.state == "returned"
    # What stays cost one a piece, not the average of both deliveries.
    assert selectors.average_costs([steel.pk], site_id=site.pk) == {steel.pk: 1}
    assert Requirement.objects.get(pk=need.pk).quantity == 12
    assert StockBalance.objects.get(item=steel).on_hand == 6
    assert books_agree()


def test_over_http_numbers_come_and_go_back(api_client_for, order):
    client, url = api_client_for("warehouse"), "/api/v1/purchase-orders/PO-A77/lines/10/"
    body = {"quantity": "2", "serials": ["M-1", "M-2"], "bin": "RECEIVING"}
    assert client.post(url + "receive/", body, format="json").status_code == 200
    back = {"quantity": "1", "serials": ["M-1"], "reason": "noise", "replace": True}
    answer = client.post(url + "return/", back, format="json").json()
    assert (answer["lines"][0]["received"], answer["lines"][0]["returned"]) == ("1.0000", "1.0000")
    again = client.post(url + "return/", back, format="json")
    assert (again.status_code, again.json()["detail"]) == (409, "M-1 came with another order.")


@pytest.fixture
def made(site, order, now):
    """A work order that got five bars of two lots, two motors and four bolts."""
    motor, steel, bolt = (order.lines.get(position=place).item for place in (10, 20, 30))
    keeps = stock.Origin(None, "H-1", now.date() + timedelta(days=90))
    receive(steel, site, 3, now, lot_number="A-1", origin=keeps)
    receive(steel, site, 3, now, lot_number="A-2", origin=keeps)
    receive(motor, site, 3, now, serials=["M-1", "M-2", "M-3"])
    receive(bolt, site, 9, now)
    needs = {}
    for item, quantity in ((steel, 5), (motor, 2), (bolt, 4)):
        need = needs[item.code] = RequirementFactory(
            item=item,
            site=site,
            quantity=quantity,
            kind=RequirementKind.COMPONENT,
            reference="WO-1",
        )
        reservations.give_free(site_id=site.pk, item_ids=[item.pk])
        stock.issue(
            requirement_id=need.pk, quantity=Decimal(quantity), reference="WO-1", by=None, now=now
        )
    return needs


def test_material_comes_back_from_a_work_order_by_lot_and_serial_number(warehouse, made):
    page, url = "/stock/returns/", "/stock/returns/lines/{}/"
    for query in ("", "?q=wo-1", "?q=a1", "?q=M-1"):
        assert "WO-1" in text_of(warehouse.get(page + query)), query
    assert "No work order got this" in text_of(warehouse.get(page + "?q=M-3"))
    shown = text_of(warehouse.get(page + "WO-1/"))
    for words in ("A-1", "A-2", "M-1, M-2", "At the work order 4"):
        assert words in shown, words
    lot = Lot.objects.get(number="A-2")
    bars, motors, bolts = (url.format(made[code].pk) for code in ("BAR", "MOTOR", "BOLT"))
    wrong = send(warehouse, bars, 422, lot=lot.pk, quantity="3")
    assert "2 of it went there, not 3" in text_of(wrong)
    send(warehouse, bars, lot=lot.pk, quantity="2", bin="QUARANTINE")
    wrong = send(warehouse, motors, 422, serials="M-3")
    assert "0 of it went there, not 1" in text_of(wrong)
    send(warehouse, motors, serials="M-2", still_needed="on")
    send(warehouse, bolts, quantity="1")
    made["MOTOR"].refresh_from_db()
    assert (made["MOTOR"].state, made["MOTOR"].issued) == ("open", 1)
    assert SerialUnit.objects.get(number="M-2").state == "available"
    assert StockQuant.objects.get(lot=lot, bin__kind="quarantine").quantity == 2
    bolt = CostEntry.objects.filter(work_order="WO-1", item__code="BOLT")
    assert [entry.amount for entry in bolt.order_by("pk")] == [8, -2]
    assert "A-2" not in text_of(warehouse.get(page + "WO-1/"))
    assert warehouse.get(page + "WO-2/").status_code == 404
    assert "Bring back" in text_of(warehouse.get("/stock/picking/WO-1/"))
    assert books_agree()


def test_the_page_asks_the_same_queries_however_much_was_issued(warehouse, made, site, now):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            warehouse.get("/stock/returns/WO-1/")
        return len(queries)

    before = asked()
    for number in range(4):
        item = ItemFactory(code=f"X-{number}", supply=ItemSupply.BUY, tracking=Tracking.LOT)
        receive(item, site, 2, now, lot_number=f"X{number}")
        need = RequirementFactory(
            item=item, site=site, quantity=2, kind=RequirementKind.COMPONENT, reference="WO-1"
        )
        reservations.give_free(site_id=site.pk, item_ids=[item.pk])
        stock.issue(requirement_id=need.pk, quantity=Decimal(2), reference="WO-1", by=None, now=now)
    assert asked() == before


def test_prices_of_a_supplier_are_shown_to_who_may_see_cost(client_for, order):
    bolts = order.lines.get(position=30)
    for day, price in ((1, "2.00"), (10, "2.00"), (20, "2.50")):
        PurchaseOrderLineFactory(
            order=order,
            position=100 + day,
            item=bolts.item,
            quantity=10,
            unit_price=Decimal(price),
        )
        send(
            client_for("warehouse"),
            f"/stock/purchases/PO-A77/lines/{100 + day}/receive/",
            quantity="10",
        )
    panel = "/stock/suppliers/NEAR/performance/"
    shown = text_of(client_for("purchasing").get(panel))
    assert "Price trend +25 %" in shown
    assert re.search(r"BOLT .{0,12}2\.50 .{0,40}2\.00 .{0,20}\+25 %", shown)
    hidden = text_of(client_for("warehouse").get(panel))
    assert "On time" in hidden
    assert "rice" not in hidden
    assert client_for("operator").get(panel).status_code == 403
    assert client_for("warehouse").get("/master-data/suppliers/NEAR/").status_code in (200, 404)


def test_what_has_expired_says_so_where_it_lies(client_for, order, site, now):
    steel = order.lines.get(position=20).item
    last = stock.Origin(None, "H-1", now.date())
    receive(steel, site, 6, now, lot_number="OLD", origin=last)
    later = now + timedelta(days=2)
    holds.set_expired_aside(by=None, now=later)
    with time_machine.travel(later, tick=False):
        shown = text_of(client_for("warehouse").get("/stock/items/BAR/"))
    assert "6 pcs – Expired" in shown
    assert "Held 6" in shown
