"""Pages of planning and purchasing: who may, what is shown, what the buttons do."""

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from common.enums import JobState
from common.jobs import runner
from common.models import Event, Job
from erp.models import MrpRun, Proposal, PurchaseOrder, StockBalance, Supply, SupplyRule
from masterdata.enums import Supply as ItemSupply
from masterdata.models import Supplier, SupplierPrice
from tests.erp.factories import (
    PurchaseOrderFactory,
    PurchaseOrderLineFactory,
    RequirementFactory,
    put_on_stock,
)
from tests.masterdata.factories import CustomerFactory, ItemFactory, SiteFactory, SupplierFactory
from tests.mes import invariants
from tests.mes.factories import Plant

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TODAY = NOW.date()
PLANNING, PURCHASES = "/stock/planning/", "/stock/purchases/"


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def site(db):
    return SiteFactory()


@pytest.fixture
def bolt(site):
    item = ItemFactory(code="BOLT", name="Bolt", supply=ItemSupply.BUY, standard_cost=2)
    supplier = SupplierFactory(code="NEAR", name="Near Ltd")
    SupplierPrice.objects.create(
        supplier=supplier,
        item=item,
        price=Decimal("2.50"),
        lead_time_days=5,
        valid_from=date(2026, 1, 1),
    )
    return item


@pytest.fixture
def order(site, bolt):
    placed = PurchaseOrderFactory(
        site=site, supplier=Supplier.objects.get(code="NEAR"), number="PO-A77"
    )
    PurchaseOrderLineFactory(
        order=placed, position=10, item=bolt, quantity=40, unit_price=3, due_date=date(2026, 12, 4)
    )
    return placed


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def planned(client):
    """Ask for a run on the page and let it happen."""
    answer = client.post("/stock/planning/run/")
    run_job("erp.run_mrp")
    return answer


def run_job(name):
    assert runner.run_one(Job.objects.get(name=name, state=JobState.QUEUED).pk, now=NOW)


def once(**data):
    return {**data, "idempotency_key": str(uuid.uuid4())}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (PURCHASES, {"purchasing", "planner", "warehouse", "quality", "manager"}),
        (PURCHASES + "PO-A77/", {"purchasing", "planner", "warehouse", "quality", "manager"}),
        (PURCHASES + "PO-A77/pdf/", {"purchasing", "planner", "manager"}),
        (PURCHASES + "PO-A77/confirm/", {"purchasing"}),
        (PLANNING, {"purchasing", "planner", "manager"}),
    ],
)
def test_who_sees_what(client_for, order, path, allowed):
    roles = ["purchasing", "planner", "warehouse", "quality", "manager", "sales", "operator"]
    found = {role for role in roles if client_for(role).get(path).status_code == 200}
    assert found == allowed


def test_money_is_for_those_who_may_see_cost(client_for, order):
    for path in (PURCHASES, PURCHASES + "PO-A77/"):
        assert "120.00" in text_of(client_for("purchasing").get(path))
        assert "120.00" not in text_of(client_for("warehouse").get(path))


def test_a_planner_plans_reads_overrides_and_accepts(client_for, bolt, site):
    customer = CustomerFactory(name="Brook & Sons")
    RequirementFactory(
        item=bolt, site=site, reference="SO-9/10", customer=customer, quantity=30, due_at=NOW
    )
    planner = client_for("planner")
    assert "Not planned yet" in text_of(planner.get(PLANNING))
    answer = planned(planner)
    run = MrpRun.objects.get()
    assert answer.headers["Location"] == f"/stock/planning/runs/{run.pk}/"
    assert "Planned" in text_of(planner.get(answer.headers["Location"]))
    page = text_of(planner.get(PLANNING + "?show=buy"))
    assert "BOLT Bolt 30 pcs" in page
    assert "Near Ltd $75.00 SO-9/10" in page
    proposal = Proposal.objects.get()
    url = f"{PLANNING}proposals/{proposal.pk}/"
    detail = text_of(planner.get(url))
    assert "Brook &amp; Sons" in detail
    form = {"quantity": "50", "version": proposal.version, "due_date": "", "supplier": ""}
    refused = planner.post(url, {**form, "reason": ""})
    assert refused.status_code == 422
    assert "Say why" in text_of(refused)
    dialog = planner.get(url, headers={"HX-Request": "true"})
    assert "<dialog" in dialog.content.decode()
    assert "The system proposes 30 pcs" in text_of(dialog)
    kept = planner.post(url, {**form, "reason": "a full box", "back": "list"})
    assert kept.headers["Location"] == PLANNING
    assert "system: 30" in text_of(planner.get(PLANNING + "?show=overridden"))
    assert planner.post(PLANNING + "accept/", {"proposal": proposal.pk}).status_code == 302
    assert PurchaseOrder.objects.get().lines.get().quantity == 50
    assert "Nothing is to be done" in text_of(planner.get(PLANNING))
    assert client_for("manager").post(PLANNING + "accept/", {"all": "1"}).status_code == 403


def test_all_of_a_list_is_accepted_at_once(client_for, bolt, site):
    for days in (20, 30, 40):
        RequirementFactory(item=bolt, site=site, due_at=NOW + timedelta(days=days))
    buyer = client_for("purchasing")
    planned(buyer)
    buyer.post(PLANNING + "accept/", {"all": "1", "show": "buy", "q": "bolt"})
    assert PurchaseOrder.objects.get().lines.count() == 3
    again = buyer.post(PLANNING + "accept/", {"all": "1"}, follow=True)
    assert "Tick at least one" in text_of(again)


def test_another_day_shows_at_once_whom_it_hurts_and_moves_the_plan(client_for, order, bolt, site):
    RequirementFactory(
        item=bolt, site=site, reference="SO-9/10", quantity=40, due_at=NOW + timedelta(days=14)
    )
    line, buyer = order.lines.get(), client_for("purchasing")
    url, late = PURCHASES + "PO-A77/confirm/", "2026-12-20"
    fields = {f"quantity_{line.pk}": "40", f"due_{line.pk}": late, "version": order.version}
    preview = buyer.get(url, fields, headers={"HX-Request": "true"})
    assert "SO-9/10 BOLT" in text_of(preview)
    assert "Becomes late" in text_of(preview)
    assert "<form" not in preview.content.decode()
    same = buyer.get(url, {**fields, f"due_{line.pk}": "2026-12-04"}, headers={"HX-Request": "1"})
    assert "move nobody" in text_of(same)
    line.refresh_from_db()
    assert line.due_date == date(2026, 12, 4)  # nothing is changed by looking
    assert buyer.post(url, {**fields, "supplier_reference": "X-1"}).status_code == 302
    line.refresh_from_db()
    order.refresh_from_db()
    assert (line.due_date, line.confirmed_date) == (date(2026, 12, 20), date(2026, 12, 20))
    assert (order.state, order.supplier_reference) == ("confirmed", "X-1")
    assert Supply.objects.get(source_id=line.pk).due_at == datetime(2026, 12, 21, tzinfo=UTC)
    assert Event.objects.filter(topic="erp.purchase_orders.changed").count() == 1
    assert Job.objects.filter(name="aps.replan_site").exists()
    stale = buyer.post(url, fields)
    assert stale.status_code == 422
    assert "was changed" in text_of(stale)


def test_goods_come_are_refused_and_go_back(client_for, order, bolt, site):
    SupplyRule.objects.create(site=site, over_delivery=Decimal("0.1"), under_delivery="0.05")
    warehouse, url = client_for("warehouse"), PURCHASES + "PO-A77/lines/10/"
    form = once(quantity="20", rejected="2", reference="DN-1")
    for _ in range(2):  # a repeated form books once
        assert warehouse.post(url + "receive/", form).status_code == 302
    line = order.lines.get()
    assert (line.received, line.rejected) == (20, 2)
    too_many = warehouse.post(url + "receive/", once(quantity="30"))
    assert too_many.status_code == 422
    assert "18 is open, with the tolerance 22, not 30" in text_of(too_many)
    warehouse.post(url + "receive/", once(quantity="17"))  # one is missing: within 5 %
    line.refresh_from_db()
    order.refresh_from_db()
    assert (order.state, line.quantity, line.ordered_quantity) == ("received", 39, 40)
    assert not Supply.objects.filter(source_id=line.pk).exists()
    assert StockBalance.objects.get(item=bolt).on_hand == 37
    refused = warehouse.post(url + "return/", once(quantity="3", reason=""))
    assert refused.status_code == 422
    warehouse.post(url + "return/", once(quantity="3", reason="bent", replace="on"))
    line.refresh_from_db()
    order.refresh_from_db()
    assert (line.received, line.returned, order.state) == (34, 3, "partly_received")
    assert Supply.objects.get(source_id=line.pk).quantity == 3
    assert StockBalance.objects.get(item=bolt).on_hand == 34
    invariants.check(all_covered=False)
    page = text_of(warehouse.get(PURCHASES + "PO-A77/"))
    assert "DN-1" in page
    panel = client_for("purchasing").get("/stock/suppliers/NEAR/performance/")
    shown = text_of(panel)
    assert "On time 100 %" in shown
    assert "Refused 5 %" in shown
    assert "+50 %" in shown


def test_the_way_of_an_order_through_its_buttons(client_for, order):
    order.state = "draft"
    order.save()
    SupplyRule.objects.create(site=order.site, approval_limit=100)
    buyer, manager, url = client_for("purchasing"), client_for("manager"), PURCHASES + "PO-A77/"
    line = {"quantity": "50", "due_date": "2026-12-05", "unit_price": "3", "version": 1}
    assert buyer.post(url + "lines/10/", line).status_code == 302
    assert order.lines.get().quantity == 50
    assert buyer.post(url + "lines/10/", {**line, "quantity": "x"}).status_code == 422
    buyer.post(url + "act/", {"action": "submit"})
    order.refresh_from_db()
    assert order.state == "to_approve"
    assert "You ordered PO-A77 yourself" in text_of(buyer.get(url))
    manager.post(url + "decide/", {"action": "send_back", "reason": "too dear"})
    buyer.post(url + "act/", {"action": "submit"})
    assert buyer.post(url + "decide/", {"action": "approve"}, follow=True).status_code == 200
    order.refresh_from_db()
    assert order.state == "to_approve"
    manager.post(url + "decide/", {"action": "approve"})
    order.refresh_from_db()
    assert order.state == "sent"
    buyer.post(url + "act/", {"action": "cancel", "reason": "not needed"})
    order.refresh_from_db()
    assert order.state == "cancelled"
    assert "not needed" in text_of(buyer.get(url))
    assert buyer.post(url + "act/", {"action": "explode"}).status_code == 404
    assert manager.post(url + "act/", {"action": "close"}).status_code == 403


def test_the_supplier_gets_the_order_in_its_language(client_for, order, monkeypatch):
    order.supplier.language, order.supplier.name_zh = "zh-hans", "近处有限公司"
    order.supplier.save()
    order.site.street, order.site.town, order.site.country = "1 Mill Road", "48000 Detroit", "USA"
    order.site.save()
    # Prices of small parts have four places; what is printed of lines sums to the total.
    bolt = order.lines.get().item
    for position in (20, 30):
        PurchaseOrderLineFactory(
            order=order, position=position, item=bolt, quantity=5, unit_price=Decimal("0.0123")
        )
    seen = {}

    def render(*, template, context, language):
        paper = render_to_string(template, {**context, "language": language})
        seen.update(paper=paper, language=language, total=context["total"])
        return b"%PDF-1.7"

    with monkeypatch.context() as patch:
        patch.setattr("erp.views.purchases.documents.pdf", render)
        answer = client_for("purchasing").get(PURCHASES + "PO-A77/pdf/")
    assert (answer["Content-Type"], seen["language"], seen["total"]) == (
        "application/pdf",
        "zh-hans",
        Decimal("120.12"),
    )
    # Where it is to be delivered, and who writes.
    for line in ("1 Mill Road", "48000 Detroit", "USA"):
        assert seen["paper"].count(line) == 2
    assert seen["paper"].count("$0.0123") == seen["paper"].count("$0.06") == 2
    assert "$120.12" in seen["paper"]
    assert "$120.12" in text_of(client_for("manager").get(PURCHASES))
    for state, words in (("sent", None), ("draft", "Draft: not sent"), ("cancelled", "Cancelled")):
        PurchaseOrder.objects.update(state=state)
        with monkeypatch.context() as patch:
            patch.setattr("erp.views.purchases.documents.pdf", render)
            client_for("purchasing").get(PURCHASES + "PO-A77/pdf/")
        assert ('class="draft"' in seen["paper"]) == bool(words)
        assert words is None or words in seen["paper"]
    real = client_for("purchasing").get(PURCHASES + "PO-A77/pdf/")
    assert real.content.startswith(b"%PDF")


def test_shortages_name_the_order_and_customer_that_wait_above(client_for):
    plant = Plant()
    plant.make("TABLE", {"LEG": 4})
    need = plant.need("TABLE", 5)
    need.customer = CustomerFactory(name="Brook Ltd")
    need.reference = "SO-9/10"
    need.save()
    plant.plan(need)
    leg = plant.items["LEG"]
    leg.lead_time_days = 90
    leg.save()
    page = text_of(client_for("purchasing").get("/floor/shortages/"))
    assert "SO-9/10 Brook Ltd" in page
    found = text_of(client_for("purchasing").get("/floor/shortages/?q=brook"))
    assert "LEG" in found
    assert "No shortage fits" in text_of(client_for("purchasing").get("/floor/shortages/?q=nix"))
    component = leg.pk and need.__class__.objects.get(item=leg)
    panel = client_for("planner").get(f"/floor/served/?r={component.pk}&r=x&r=99999999999999999999")
    assert "SO-9/10 Brook Ltd" in text_of(panel)
    assert client_for("operator").get("/floor/served/").status_code == 403


def test_the_rules_are_kept_and_a_stale_form_is_refused(client_for, site):
    client, url = client_for("planner"), PLANNING + "rules/"
    form = {
        "tolerance_days": 3,
        "approval_limit": "",
        "auto_order_limit": "50",
        "over_delivery": "10",
        "under_delivery": "2.5",
        "opened": 1,
    }
    client.post(url, form)
    rule = SupplyRule.objects.get()
    assert (rule.over_delivery, rule.under_delivery) == (Decimal("0.1"), Decimal("0.025"))
    client.post(url, {**form, "tolerance_days": 4})
    assert "was changed" in text_of(client.post(url, {**form, "tolerance_days": 5}, follow=True))
    assert SupplyRule.objects.get().tolerance_days == 4
    assert client.post(url, {**form, "over_delivery": "200"}).status_code == 422


def test_a_second_site_has_its_own_planning_shortages_and_purchases(client_for, bolt, order, site):
    depot, shortages = SiteFactory(code="DEPOT", name="Depot"), "/floor/shortages/"
    due_at = NOW + timedelta(days=2)
    RequirementFactory(item=bolt, site=depot, quantity=9, due_at=due_at, reference="SO-7/10")
    buyer, warehouse = client_for("purchasing"), client_for("warehouse")
    # Planned there and nowhere else, whatever another window looks at.
    buyer.post(PLANNING + "run/", {"site": "DEPOT"})
    run_job("erp.run_mrp")
    run, proposal = MrpRun.objects.get(), Proposal.objects.get()
    assert (run.site, proposal.site) == (depot, depot)
    for path in (PLANNING, PLANNING + "runs/", PLANNING + "rules/", PURCHASES, shortages):
        assert buyer.get(path, {"site": "NOWHERE"}).status_code == 404
        for asked in ({"site": site.code}, {"site": "DEPOT"}, {}):
            page, code = buyer.get(path, asked).content.decode(), asked.get("site", "DEPOT")
            assert re.findall(rf'"{path}\?site=([^"&]+)" aria-current="page"', page) == [code]
    assert "BOLT Bolt 9 pcs" in text_of(buyer.get(PLANNING, {"site": "DEPOT"}))
    assert "SO-7/10" in text_of(buyer.get(shortages, {"show": "all"}))
    assert "SO-7/10" not in text_of(buyer.get(shortages, {"show": "all", "site": site.code}))
    assert "Not planned yet" in text_of(buyer.get(PLANNING))
    assert "PO-A77" in text_of(buyer.get(PURCHASES))
    # Whoever opens what is another site's goes on there.
    assert "Depot" in text_of(buyer.get(f"{PLANNING}proposals/{proposal.pk}/"))
    assert "BOLT Bolt 9 pcs" in text_of(buyer.get(PLANNING))
    answer = buyer.post(PLANNING + "accept/", {"all": "1", "site": "DEPOT", "show": "buy"})
    assert answer.headers["Location"] == PLANNING + "?site=DEPOT&show=buy"
    placed = PurchaseOrder.objects.get(site=depot)
    assert placed.number in text_of(buyer.get(PURCHASES))
    assert "PO-A77" not in text_of(buyer.get(PURCHASES))
    buyer.post(f"{PURCHASES}{placed.number}/act/", {"action": "submit"})
    line = f"{PURCHASES}{placed.number}/lines/{placed.lines.get().position}/receive/"
    assert warehouse.post(line, once(quantity="9", reference="DN-1")).status_code == 302
    assert (StockBalance.objects.get().site, StockBalance.objects.get().reserved) == (depot, 9)
    assert "Nobody waits for material" in text_of(buyer.get(shortages, {"show": "all"}))
    rules = {"plans_itself": "", "tolerance_days": "7", "approval_limit": "", "opened": "1"}
    more = {"auto_order_limit": "0", "over_delivery": "0", "under_delivery": "0", "site": "DEPOT"}
    kept = buyer.post(PLANNING + "rules/", rules | more)
    assert kept.headers.get("Location") == PLANNING + "rules/?site=DEPOT", text_of(kept)
    assert SupplyRule.objects.get().site == depot


@pytest.mark.parametrize(
    "path", [PURCHASES, PURCHASES + "PO-A77/", PLANNING, "/floor/shortages/?show=all"]
)
def test_the_number_of_queries_does_not_grow(client_for, order, bolt, site, path):
    client = client_for("purchasing")
    SiteFactory(code="DEPOT")

    def add(number):
        for index in range(number):
            item = ItemFactory(supply=ItemSupply.BUY)
            put_on_stock(item, site, 1)
            PurchaseOrderLineFactory(
                order=order, item=item, position=order.lines.count() * 10 + 100
            )
            PurchaseOrderLineFactory(order=PurchaseOrderFactory(site=site), item=item)
            RequirementFactory(item=bolt, site=site, due_at=NOW + timedelta(days=20 + index))
            RequirementFactory(item=item, site=site, due_at=NOW + timedelta(days=20 + index))
        planned(client)
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return [query["sql"] for query in captured]

    few, many = add(2), add(7)
    assert len(few) == len(many), "\n".join(many)
