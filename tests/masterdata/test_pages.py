"""The pages of the master data: what they show, who may change, how many queries they take."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.enums import Role
from common.models import AuditEntry
from masterdata.enums import Supply
from masterdata.models import Bom, Customer, Item, Routing, WorkUnit
from tests.masterdata.factories import (
    BomFactory,
    CustomerFactory,
    ItemFactory,
    OperationAlternativeFactory,
    RoutingFactory,
    RoutingOperationFactory,
    SiteFactory,
    SupplierFactory,
    SupplierPriceFactory,
    WorkCenterFactory,
    WorkUnitFactory,
)

pytestmark = pytest.mark.django_db

LISTS = {
    "item-list": ItemFactory,
    "work-unit-list": WorkUnitFactory,
    "customer-list": CustomerFactory,
    "supplier-list": SupplierFactory,
}


def _url(name, *args):
    return reverse(f"masterdata:{name}", args=args)


def _queries(client, url):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def test_the_home_page_counts_every_kind(client_for):
    ItemFactory.create_batch(3)
    page = client_for(Role.PLANNER).get(_url("home"))
    assert page.status_code == 200
    counts = {kind.name: count for kind, count, *_rest in page.context["rows"]}
    assert counts["items"] == 3
    assert not page.context["can_import"]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_the_same_queries_for_many_rows(client_for, name):
    client = client_for(Role.PLANNER)
    make = LISTS[name]
    make()
    client.get(_url(name))
    one = _queries(client, _url(name))
    for _row in range(10):
        make()
    assert _queries(client, _url(name)) == one


@pytest.mark.parametrize("name", LISTS)
def test_a_list_filters_by_code_and_by_chinese_name(client_for, name):
    make = LISTS[name]
    wanted = make(code="FLANGE-1", name_zh="法兰")
    make(code="OTHER")
    client = client_for(Role.PLANNER)
    for text in ("flange", "法兰"):
        page = client.get(_url(name), {"q": text})
        assert [row.record for row in page.context["table"].rows] == [wanted]


def test_a_fragment_holds_the_rows_only(client_for):
    ItemFactory()
    page = client_for(Role.PLANNER).get(_url("item-list"), headers={"HX-Request": "true"})
    assert page.status_code == 200
    assert b"<html" not in page.content
    assert b'id="rows"' in page.content


def test_items_that_cannot_be_made_are_found(client_for):
    lacking = ItemFactory()
    ItemFactory(supply=Supply.BUY)
    BomFactory()
    page = client_for(Role.PLANNER).get(_url("item-list"), {"lacks": "bom"})
    assert [row.record for row in page.context["table"].rows] == [lacking]


def _assembly(components):
    item = ItemFactory()
    parts = [(ItemFactory(supply=Supply.BUY), 2) for _part in range(components)]
    BomFactory(item=item, components=parts)
    center = WorkCenterFactory()
    RoutingFactory(item=item, steps=[(center, 3) for _step in range(components)])
    for part, _quantity in parts:
        SupplierPriceFactory(item=part)
    return item


def test_an_item_shows_its_levels_routing_and_use(client_for):
    below = _assembly(2)
    above = ItemFactory()
    BomFactory(item=above, components=[(below, 3)])
    client = client_for(Role.PLANNER)
    page = client.get(_url("item-detail", above.code))
    assert [(row.level, row.quantity) for row in page.context["tree"]] == [
        (1, Decimal(3)),
        (2, Decimal(6)),
        (2, Decimal(6)),
    ]
    page = client.get(_url("item-detail", below.code))
    assert [line.bom.item for line in page.context["used"]] == [above]


def test_an_item_takes_the_same_queries_for_a_wide_bom(client_for):
    client = client_for(Role.PLANNER)
    narrow, wide = _assembly(1), _assembly(8)
    client.get(_url("item-detail", narrow.code))
    assert _queries(client, _url("item-detail", narrow.code)) == _queries(
        client, _url("item-detail", wide.code)
    )


def test_an_item_that_contains_itself_still_has_a_page(client_for):
    item = ItemFactory(code="LOOP")
    BomFactory(item=item, components=[(item, 1)])
    page = client_for(Role.PLANNER).get(_url("item-detail", "LOOP"))
    assert "LOOP → LOOP" in page.content.decode()


def test_a_code_with_a_slash_has_a_page(client_for):
    ItemFactory(code="A/B 1")
    assert client_for(Role.PLANNER).get(_url("item-detail", "A/B 1")).status_code == 200


ITEM = {
    "code": "NEW-1",
    "name": "New",
    "supply": "make",
    "uom": "EA",
    "lead_time_days": "0",
    "scrap_rate": "0",
    "lot_policy": "lot_for_lot",
    "safety_stock": "0",
    "tracking": "none",
    "issue_method": "at_start",
    "energy_kwh_per_unit": "0",
    "standard_cost": "1",
    "list_price": "2",
    "is_active": "on",
}


def test_a_planner_makes_and_changes_an_item_with_audit(client_for):
    client = client_for(Role.PLANNER)
    assert client.post(_url("item-create"), ITEM).status_code == 302
    item = Item.objects.get(code="NEW-1")
    changed = ITEM | {"name": "Newer", "version": item.version}
    assert client.post(_url("item-edit", "NEW-1"), changed).status_code == 302
    item.refresh_from_db()
    assert (item.name, item.version) == ("Newer", 2)
    entry = AuditEntry.objects.get(action="masterdata.item.edit")
    assert entry.changes == {"name": ["New", "Newer"]}
    # What it is sold for is in the money of the first site.
    SiteFactory(currency="CNY")
    assert "¥2.00" in client.get(_url("item-detail", "NEW-1")).content.decode()


def test_a_form_that_went_stale_changes_nothing_and_says_who(client_for):
    client = client_for(Role.PLANNER)
    client.post(_url("item-create"), ITEM)
    client.post(_url("item-edit", "NEW-1"), ITEM | {"name": "First", "version": 1})
    answer = client.post(_url("item-edit", "NEW-1"), ITEM | {"name": "Second", "version": 1})
    assert answer.status_code == 422
    assert "planner" in answer.content.decode()
    assert Item.objects.get(code="NEW-1").name == "First"


def test_a_period_lot_without_days_is_said_at_its_field(client_for):
    answer = client_for(Role.PLANNER).post(_url("item-create"), ITEM | {"lot_policy": "period"})
    assert answer.status_code == 422
    assert "lot_period_days" in answer.context["form"].errors
    assert not Item.objects.exists()


def test_an_operator_reads_items_and_changes_none(client_for):
    client = client_for(Role.OPERATOR)
    assert client.get(_url("item-list")).status_code == 200
    assert client.post(_url("item-create"), ITEM).status_code == 403
    assert not Item.objects.exists()


def test_sales_changes_a_customer_and_no_work_unit(client_for):
    customer, unit = CustomerFactory(), WorkUnitFactory()
    client = client_for(Role.SALES)
    data = {
        "code": customer.code,
        "name": "Renamed",
        "language": "en",
        "currency": "USD",
        "weight": "3",
        "transit_days": "2",
        "version": "1",
    }
    assert client.post(_url("customer-edit", customer.code), data).status_code == 302
    assert Customer.objects.get().name == "Renamed"
    assert client.post(_url("work-unit-edit", unit.code), {}).status_code == 403
    assert WorkUnit.objects.get().name == unit.name


def _rows(prefix_count, rows):
    data = {"form-TOTAL_FORMS": str(len(rows)), "form-INITIAL_FORMS": str(prefix_count)}
    for number, row in enumerate(rows):
        data |= {f"form-{number}-{name}": value for name, value in row.items()}
    return data


HEAD = {"revision": "A", "valid_from": "2026-01-01", "valid_to": ""}


def test_a_bom_is_written_line_by_line(client_for):
    item, part = ItemFactory(), ItemFactory(supply=Supply.BUY, code="PART")
    line = {
        "position": "10",
        "component": "PART",
        "quantity_per": "2",
        "uom": "EA",
        "scrap_rate": "0",
    }
    client = client_for(Role.PLANNER)
    assert client.get(_url("bom-edit", item.code)).status_code == 200
    answer = client.post(_url("bom-edit", item.code), HEAD | _rows(0, [line]))
    assert answer.status_code == 302
    assert [row.component for row in Bom.objects.get().lines.all()] == [part]
    page = client.get(_url("bom-edit", item.code), {"revision": "A"})
    assert "PART" in page.content.decode()


def test_a_bom_with_an_unknown_component_is_refused_with_its_code(client_for):
    item = ItemFactory()
    line = {
        "position": "10",
        "component": "NOBODY",
        "quantity_per": "2",
        "uom": "EA",
        "scrap_rate": "0",
    }
    answer = client_for(Role.PLANNER).post(_url("bom-edit", item.code), HEAD | _rows(0, [line]))
    assert answer.status_code == 422
    assert "NOBODY" in answer.content.decode()
    assert not Bom.objects.exists()


def test_a_routing_keeps_what_its_form_does_not_show(client_for):
    operation = RoutingOperationFactory(sequence=10, is_interruptible=False)
    choice = OperationAlternativeFactory(operation=operation, run_minutes=Decimal(9))
    code = operation.routing.item.code
    step = {
        "sequence": "10",
        "name": "Mill",
        "work_center": operation.work_center.code,
        "setup_minutes": "5",
        "run_minutes": "2",
        "run_basis": "per_piece",
        "units": choice.work_unit.code,
    }
    client = client_for(Role.PLANNER)
    url = _url("routing-edit", code) + "?revision=A"
    assert client.get(url).status_code == 200
    assert client.post(url, HEAD | _rows(1, [step]) | {"version": "1"}).status_code == 302
    [saved] = Routing.objects.get().operations.all()
    assert (saved.name, saved.is_interruptible) == ("Mill", False)
    assert saved.alternatives.get().run_minutes == Decimal(9)


def test_a_routing_without_work_center_is_refused(client_for):
    item = ItemFactory()
    step = {
        "sequence": "10",
        "name": "Mill",
        "work_center": "NOWHERE",
        "setup_minutes": "5",
        "run_minutes": "2",
        "run_basis": "per_piece",
    }
    answer = client_for(Role.PLANNER).post(_url("routing-edit", item.code), HEAD | _rows(0, [step]))
    assert answer.status_code == 422
    assert "NOWHERE" in answer.content.decode()


LINE = {"position": "10", "component": "PART", "quantity_per": "2", "uom": "EA", "scrap_rate": "0"}


def test_a_bom_that_somebody_else_saved_is_not_overwritten(client_for):
    item = ItemFactory()
    ItemFactory(supply=Supply.BUY, code="PART")
    url, client = _url("bom-edit", item.code), client_for(Role.PLANNER)
    assert client.post(url, HEAD | _rows(0, [LINE])).status_code == 302
    # Opened as new, while the revision is there by now.
    assert client.post(url, HEAD | _rows(0, [LINE])).status_code == 422
    edit = f"{url}?revision=A"
    more = HEAD | _rows(0, [LINE | {"quantity_per": "3"}])
    assert client.post(edit, more | {"version": "1"}).status_code == 302
    answer = client.post(edit, HEAD | _rows(0, []) | {"version": "1"})
    assert answer.status_code == 422
    assert "planner" in answer.content.decode()
    assert Bom.objects.get().lines.get().quantity_per == 3


def test_a_row_with_nothing_but_the_number_that_the_page_gave_is_no_row(client_for):
    item = ItemFactory()
    ItemFactory(supply=Supply.BUY, code="PART")
    added = {"position": "20", "uom": "EA", "scrap_rate": "0"}
    url = _url("bom-edit", item.code)
    answer = client_for(Role.PLANNER).post(url, HEAD | _rows(0, [LINE, added]))
    assert answer.status_code == 302
    assert [line.position for line in Bom.objects.get().lines.all()] == [10]


def test_a_stored_row_that_only_changes_its_position_is_saved(client_for):
    item = ItemFactory()
    BomFactory(item=item, components=[(ItemFactory(supply=Supply.BUY, code="PART"), 2)])
    url = _url("bom-edit", item.code) + "?revision=A"
    data = HEAD | _rows(1, [LINE | {"position": "70"}]) | {"version": "1"}
    assert client_for(Role.PLANNER).post(url, data).status_code == 302
    assert [line.position for line in Bom.objects.get().lines.all()] == [70]


def test_a_routing_that_somebody_else_saved_is_not_overwritten(client_for):
    operation = RoutingOperationFactory(sequence=10)
    url = _url("routing-edit", operation.routing.item.code) + "?revision=A"
    Routing.objects.update(version=2)
    answer = client_for(Role.PLANNER).post(url, HEAD | _rows(0, []) | {"version": "1"})
    assert answer.status_code == 422
    assert Routing.objects.get().operations.exists()


@pytest.mark.parametrize("name", ["bom-edit", "routing-edit", "work-center-rates"])
@pytest.mark.parametrize("total", ["5000", "999999999"])
def test_a_huge_number_of_rows_is_refused_before_any_is_built(client_for, name, total, monkeypatch):
    code = WorkCenterFactory().code if name == "work-center-rates" else ItemFactory().code
    client = client_for(Role.PLANNER)
    built = []
    monkeypatch.setattr("masterdata.forms.rows.dress", built.append)
    data = HEAD | {"form-TOTAL_FORMS": total, "form-INITIAL_FORMS": total, "version": "1"}
    answer = client.post(_url(name, code), data)
    assert answer.status_code == 422
    assert "import a file" in answer.content.decode()
    # The empty row that the page copies, each time it is drawn.
    assert len(built) <= 1


def test_a_revision_longer_than_a_page_is_shown_and_sent_to_the_import(client_for):
    item = ItemFactory()
    parts = [(ItemFactory(supply=Supply.BUY), 1) for _part in range(111)]
    BomFactory(item=item, components=parts)
    page = client_for(Role.PLANNER).get(_url("bom-edit", item.code) + "?revision=A")
    assert page.status_code == 200
    assert not page.context["can_save"]
    assert "change it by import" in page.content.decode()


@pytest.mark.parametrize("days", ["0001-01-01", "9999-12-31", "1899-12-31"])
def test_a_revision_of_no_such_year_is_refused_at_its_field(client_for, days):
    answer = client_for(Role.PLANNER).post(
        _url("bom-edit", ItemFactory().code), HEAD | _rows(0, []) | {"valid_from": days}
    )
    assert answer.status_code == 422
    assert "valid_from" in answer.context["head"].errors


@pytest.mark.parametrize("field", ["lead_time_days", "lot_period_days"])
def test_more_days_than_dates_can_bear_are_refused(client_for, field):
    answer = client_for(Role.PLANNER).post(_url("item-create"), ITEM | {field: "999999999"})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_type_ahead_answers_in_the_shape_of_the_select(client_for):
    item = ItemFactory(code="FLANGE", name="Flange")
    CustomerFactory(code="CUST-A", name="Customer A")
    client = client_for(Role.SALES)
    assert client.get(_url("item-search"), {"q": "fla"}).json() == [
        {"value": item.code, "text": "FLANGE · Flange"}
    ]
    assert client.get(_url("customer-search"), {"q": "cust"}).json()[0]["value"] == "CUST-A"


def test_old_and_new_revisions_stand_beside_one_another(client_for):
    item, part = ItemFactory(), ItemFactory(supply=Supply.BUY)
    today = date(2026, 6, 8)
    for revision, start, end in (("A", today - timedelta(days=9), today), ("B", today, None)):
        BomFactory(
            item=item, revision=revision, valid_from=start, valid_to=end, components=[(part, 1)]
        )
    page = client_for(Role.PLANNER).get(_url("item-detail", item.code))
    assert [bom.revision for bom in page.context["boms"]] == ["B", "A"]


@pytest.mark.parametrize("query", ["per_page=-1", "per_page=0", "per_page=1", "page=-1", "page=x"])
def test_the_length_of_a_page_is_not_for_the_url_to_choose(client_for, query):
    for _number in range(3):
        ItemFactory()
    page = client_for(Role.PLANNER).get(f"{_url('item-list')}?{query}")
    assert page.status_code == 200
    assert len(page.context["table"].page.object_list) == 3


@pytest.mark.parametrize("name", ["bom-edit", "routing-edit"])
def test_a_revision_named_with_a_nul_is_not_there(client_for, name):
    item = ItemFactory()
    page = client_for(Role.PLANNER).get(f"{_url(name, item.code)}?revision=A%00")
    assert page.status_code == 404


def test_costs_are_for_those_who_may_see_them(client_for):
    item = ItemFactory(code="GOLD", standard_cost=Decimal("987.65"))
    SupplierPriceFactory(item=item, price=Decimal("876.54"))
    detail, change = _url("item-detail", "GOLD"), _url("item-edit", "GOLD")
    SiteFactory(code="WORKS", energy_price=Decimal("0.7654"))
    site = _url("site-edit", "WORKS")
    kinds = ("items", "supplier_prices", "cost_rates", "sites")
    files = [_url("export", kind, "csv") for kind in kinds]
    for role in (Role.OPERATOR, Role.SALES, Role.WAREHOUSE, Role.QUALITY):
        client = client_for(role)
        for url in (detail, _url("item-list"), _url("home"), site):
            text = client.get(url).content.decode()
            assert "987.65" not in text
            assert "0.7654" not in text
            assert "876.54" not in text
            assert not any(file in text for file in files)
        assert {client.get(url).status_code for url in (change, *files)} == {403}
    client = client_for(Role.PLANNER)
    assert "876.54" in client.get(detail).content.decode()
    assert "987.65" in client.get(change).content.decode()
    assert "987.65" in client.get(files[0]).content.decode()
    assert "0.7654" in client.get(site).content.decode()
    assert "0.7654" in client.get(files[3]).content.decode()
