"""Quality in the browser and over HTTP: one nonconformance from the report to its closure."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from masterdata.models import OperationCheck, RoutingOperation
from mes.enums import ActionKind, ChangeKind
from mes.models import (
    CheckResult,
    Concession,
    ContainmentCount,
    Disposition,
    EightD,
    FmeaRow,
    Nonconformance,
    QualityAction,
    SupplierRequest,
    WorkOrderCheck,
)
from mes.services import quality_actions, supplier_requests
from tests.masterdata.factories import SiteFactory, SupplierFactory
from tests.mes.factories import NOW
from tests.mes.quality import Quality
from tests.shared import shared

pytestmark = pytest.mark.django_db


@shared()
def quality() -> Quality:
    return Quality()


class Page:
    """A nonconformance as one person sees it."""

    def __init__(self, client, number: str) -> None:
        self.client, self.number = client, number

    def get(self) -> str:
        answer = self.client.get(reverse("mes:nonconformance", args=[self.number]))
        assert answer.status_code == 200
        assert len(answer.content) < 120_000
        return str(answer.content.decode())

    def post(self, act: str, view="nonconformance-do", **data):
        arguments = [self.number, act] if act else [self.number]
        return self.client.post(reverse(f"mes:{view}", args=arguments), data)

    def done(self, act: str, **data) -> None:
        answer = self.post(act, **data)
        assert answer.status_code == 302, answer.content.decode()
        told = [str(message) for message in self.client.get(answer.url).context["messages"]]
        assert told == []


def report(client, quality, **more):
    form = client.get(reverse("mes:nonconformance-new")).context["form"]
    data = {
        "idempotency_key": form["idempotency_key"].value(),
        "source": "incoming",
        "site": str(quality.site.pk),
        "item": quality.item.code,
        "problem": "Pores in the casting",
        "quantity": "10",
        "things": "heat-7",
        "reference": "PO-1",
        **more,
    }
    return client.post(reverse("mes:nonconformance-new"), data)


def test_from_the_report_to_the_closed_8d(quality, client_for):
    me, other = client_for("quality"), client_for("manager")
    assert report(me, quality, item="NOTHING").status_code == 422
    answer = report(me, quality, things="heat-7\nheat-8")
    assert "Unknown: heat-8." in answer.content.decode()
    assert report(me, quality).status_code == 302
    found = Nonconformance.objects.get()
    page, second = Page(me, found.number), Page(other, found.number)
    assert "HEAT-7" in page.get()
    assert "Nothing is contained yet" in second.get()
    page.done("contain", place="Store", quantity="10")
    place = ContainmentCount.objects.get()
    counts = {"row": place.pk, "found": "10", "cleared": "0", "shipped": "0", "missing": "0"}
    wrong = page.post("count", **{**counts, "found": "-1"})
    assert wrong.status_code == 422
    assert f'id="count-{place.pk}"' in wrong.content.decode()
    page.done("count", **counts)
    second.done("count", view="nonconformance-verify", row=place.pk)
    parts = {"kind_0": "scrap", "quantity_0": "4", "what_0": "HEAT-7"}
    parts |= {"kind_1": "use_as_is", "quantity_1": "6", "what_1": "HEAT-7"}
    page.done("dispose", **parts)
    scrap, use = Disposition.objects.all()
    page.done("execute", row=scrap.pk)
    page.done("concede", row=use.pk, reason="Inside only")
    second.done("", view="concession-decide", row=use.pk, action="approve")
    assert Concession.objects.get().state == "approved"
    page.done("execute", row=use.pk)
    page.done("begin", leader=found.opened_by_id)
    assert "D3 · Containment" in page.get()
    page.done("team", leader=found.opened_by_id, members=[quality.anna.pk])
    page.done("emergency", emergency="Stopped")
    page.done("problem", statement="Pores", what_is="Pores", what_is_not="Cracks")
    for chain in ("occurrence", "escape"):
        why = {"chain": chain, "because_1": "Gas", "cause": "Wet mould", "category": "method"}
        assert page.post("why", **{**why, "because_1": ""}).status_code == 422
        page.done("why", **why, escape_point="Gate")
    for step in range(5):
        page.done("complete", action=str(step))
    due = (timezone.localdate() + timedelta(days=5)).isoformat()
    page.done(
        "plan", kind="corrective", title="Dry", owner=quality.anna.pk, due_on=due, change="nothing"
    )
    page.done("complete", action="5")
    [action] = QualityAction.objects.all()
    page.done("", view="quality-action-finish", row=action.pk, result="Dried")
    second.done("action", view="nonconformance-verify", row=action.pk, action="verify")
    effect = {"metric": "complaints", "before_days": "90", "within_days": "30"}
    page.done("effect", fixed_at="2026-11-01T06:00", **effect)
    page.done("complete", action="6")
    found.refresh_from_db()
    assert found.state == "verification"
    page.done("look")
    text = page.get()
    assert "these figures cannot show an effect" in text
    answer = second.post("close-8d", view="nonconformance-verify")
    told = list(other.get(answer.url).context["messages"])
    assert "The effect is not shown" in str(told[0])
    assert page.post("complete", action="8").status_code == 404


def test_changes_are_made_from_the_page(quality, client_for):
    plant = quality.plant
    gear = plant.make("GEAR")
    me = client_for("quality")
    found = quality.report(item_id=gear.pk, things=[], quantity=0)
    quality.contain(found, suspect=0)
    page = Page(me, found.number)
    today = timezone.now()

    def planned(change):
        return quality.plan(found, ActionKind.CORRECTIVE, change, at=today)

    step = RoutingOperation.objects.get()
    check = {
        "operation": step.pk,
        "position": 0,
        "name": "Bore",
        "kind": "measure",
        "upper": "10.1",
    }
    action = planned(ChangeKind.CHECK)
    bad = page.post("change", row=action.pk, **{**check, "name": ""}, frequency="per_order")
    assert bad.status_code == 422
    bad = page.post("change", row=action.pk, **{**check, "upper": ""}, frequency="per_order")
    assert "needs a lower or an upper limit" in bad.content.decode()
    page.done("change", row=action.pk, **check, frequency="per_order")
    page.done(
        "change",
        row=planned(ChangeKind.INSTRUCTION).pk,
        operation=step.pk,
        text="Cool it",
        text_zh="先冷却",
    )
    assert OperationCheck.objects.filter(reason__startswith=found.number).count() == 2
    # What is planned from then on carries both, with the reason.
    plant.plan(plant.need("GEAR", 10))
    order = plant.orders("GEAR")[0].number
    shown = me.get(reverse("mes:work-order-detail", args=[order])).content.decode()
    assert "Bore · ≤ 10.1" in shown
    assert shown.count(f"{found.number}: {found.problem}") == 2
    span = {"starts_at": "2099-01-05T06:00", "ends_at": "2099-01-05T10:00"}
    page.done("change", row=planned(ChangeKind.MAINTENANCE).pk, unit=plant.units[0].pk, **span)
    supplier = SupplierFactory()
    due = (timezone.localdate() + timedelta(days=9)).isoformat()
    asked = {"supplier": supplier.code, "text": "Why?", "answer_due_on": due}
    page.done("change", row=planned(ChangeKind.SUPPLIER).pk, **asked)
    rating = {"failure_mode": "Too wide", "severity": 7, "occurrence": 3, "detection": 4}
    page.done("change", row=planned(ChangeKind.FMEA).pk, **rating)
    text = page.get()
    # What was changed leads there.
    address = "/master/items/GEAR/checks/?revision=A&amp;sequence=10"
    assert text.count(f'href="{address}"') == 2
    assert me.get(address.replace("&amp;", "&")).status_code == 200
    request = SupplierRequest.objects.get()
    assert request.number in text
    buyer = client_for("purchasing")
    buyer.post(reverse("mes:supplier-answer", args=[request.number]), {"text": "Wet"})
    buyer.post(reverse("mes:supplier-accept", args=[request.number]), {"action": "accept"})
    request.refresh_from_db()
    assert request.state == "accepted"
    row = FmeaRow.objects.get()
    assert "Too wide" in me.get(reverse("mes:fmea")).content.decode()
    answer = me.post(reverse("mes:fmea-rate", args=[row.pk]), follow=True)
    assert "Nothing was delivered" in answer.content.decode()


def test_a_request_to_a_supplier_prints(quality, client_for):
    found = quality.report()
    quality.contain(found)
    action = quality.plan(found, change=ChangeKind.SUPPLIER)
    asked = supplier_requests.ask(
        action=action,
        supplier=SupplierFactory(),
        text="Why?",
        answer_due_on=NOW.date() + timedelta(days=3),
        by=quality.anna,
        now=NOW,
    )
    answer = client_for("purchasing").get(reverse("mes:supplier-request", args=[asked.number]))
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


def test_a_failed_check_is_reported_with_all_that_is_known(quality, client_for):
    plant = quality.plant
    plant.make("GEAR")
    step = RoutingOperation.objects.get()
    limits = {"kind": "measure", "upper": Decimal("10.1")}
    OperationCheck.objects.create(operation=step, position=10, name="Bore", **limits)
    plant.plan(plant.need("GEAR", 10))
    [check] = WorkOrderCheck.objects.all()
    result = CheckResult.objects.create(
        check_row=check, value=Decimal("10.30"), is_good=False, at=NOW
    )
    me = client_for("quality")
    url = reverse("mes:nonconformance-new") + f"?check={result.pk}"
    order = check.operation.work_order
    page = me.get(reverse("mes:work-order-detail", args=[order.number])).content.decode()
    assert url in page
    form = me.get(url).context["form"]
    assert (form["item"].value(), form["work_order"].value()) == ("GEAR", order.number)
    assert (form["problem"].value(), form["source"].value()) == ("Bore: 10.3", "inspection")


def test_the_address_says_what_is_known_and_no_more_than_fits(quality, client_for):
    me = client_for("quality")
    url = reverse("mes:nonconformance-new")
    given = {"source": "ticket", "thing": quality.lot.pk, "problem": "x" * 400, "symptom": "LEAK"}
    form = me.get(url, given).context["form"]
    assert (form["item"].value(), form["things"].value()) == ("CASTING", "HEAT-7")
    assert (form["source"].value(), form["symptom"].value()) == ("ticket", "LEAK")
    assert len(form["problem"].value()) == 300
    for thing in ("0", "x", "9" * 18, "9" * 30, "²"):
        form = me.get(url, {"source": "moon", "thing": thing}).context["form"]
        assert (form["source"].value(), form["things"].value()) == ("floor", "")


def test_the_list_is_narrowed_and_shows_what_one_has_to_do(quality, client_for):
    found = quality.report()
    quality.contain(found)
    me = client_for("quality")
    action = quality.plan(found)
    QualityAction.objects.update(owner=me.get("/").wsgi_request.user)
    page = me.get(reverse("mes:nonconformances")).content.decode()
    assert found.number in page
    assert action.title in page
    for given, shown in (({"state": "closed"}, []), ({"q": "po-1"}, [found])):
        page = me.get(reverse("mes:nonconformances"), given).context["page"]
        assert list(page.object_list) == shown
    assert client_for("sales").get(reverse("mes:nonconformances")).context["mine"] == []


def test_pages_cost_a_constant_number_of_queries(
    quality, client_for, django_assert_max_num_queries
):
    found = quality.report()
    quality.contain(found)
    quality.analysed(found)
    for _ in range(6):
        quality.carry_out(quality.plan(found))
    me = client_for("quality")
    url = reverse("mes:nonconformance", args=[found.number])
    me.get(url)
    with django_assert_max_num_queries(60):
        me.get(url)
    count = _queries(me, url)
    for _ in range(4):
        quality.carry_out(quality.plan(found))
    assert _queries(me, url) == count


def _queries(client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_who_may_not_work_on_it_sees_no_buttons_and_is_refused(quality, client_for):
    found = quality.report()
    sales = Page(client_for("sales"), found.number)
    text = sales.get()
    assert 'id="contain"' not in text
    assert sales.post("contain", place="x", quantity="1").status_code == 403
    assert sales.post("count", view="nonconformance-verify", row=1).status_code == 403
    assert sales.post("", view="concession-decide", row=1).status_code == 403
    me = Page(client_for("quality"), found.number)
    assert me.post("frobnicate").status_code == 404
    assert me.post("team", leader=1).status_code in (404, 422)
    assert me.post("count", row=10**12, found=1, cleared=0, shipped=0, missing=0).status_code == 404
    assert me.client.get(reverse("mes:nonconformance", args=["NC-0"])).status_code == 404


def test_an_action_of_one_s_own_is_finished_without_the_right_to_manage(quality, client_for):
    found = quality.report()
    quality.contain(found)
    operator = client_for("operator")
    action = quality.plan(found)
    QualityAction.objects.update(owner=operator.get("/").wsgi_request.user)
    Page(operator, found.number).done("", view="quality-action-finish", row=action.pk, result="Dry")
    action.refresh_from_db()
    assert action.state == "done"
    assert quality_actions.locked(action).is_over is False


def test_nonconformances_over_http(quality, api_client_for):
    api = api_client_for("quality")
    body = {"item": "CASTING", "problem": "Pores", "quantity": "10", "things": ["HEAT-7"]}
    assert api.post("/api/v1/nonconformances/", {**body, "item": "NO"}, "json").status_code == 400
    assert (
        api.post("/api/v1/nonconformances/", {**body, "things": ["NO"]}, "json").status_code == 400
    )
    # With several sites it is that which makes the item, or the one that is named.
    other = SiteFactory(code="NORTH")
    for asked in (body, {**body, "site": "NOWHERE"}):
        assert list(api.post("/api/v1/nonconformances/", asked, "json").json()) == ["site"]
    north = api.post("/api/v1/nonconformances/", {**body, "site": "NORTH", "things": []}, "json")
    assert Nonconformance.objects.get(number=north.json()["number"]).site == other
    Nonconformance.objects.all().delete()
    other.delete()
    made = api.post("/api/v1/nonconformances/", body, format="json")
    assert made.status_code == 201, made.json()
    number = made.json()["number"]
    found = Nonconformance.objects.get(number=number)
    quality.contain(found)
    quality.analysed(found)
    one = api.get(f"/api/v1/nonconformances/{number}/").json()
    assert [step["discipline"] for step in one["steps"]] == list(range(9))
    assert one["containment"][0]["state"] == "verified"
    listed = api.get("/api/v1/nonconformances/", {"state": "all_open"}).json()
    assert [row["number"] for row in listed["results"]] == [number]
    assert EightD.objects.count() == 1
    assert api_client_for("sales").post("/api/v1/nonconformances/", body, "json").status_code == 403


def test_a_search_that_finds_nothing_does_not_say_that_nothing_is_open(quality, client):
    quality.report()
    client.force_login(quality.anna)
    lists = {
        "mes:nonconformances": "No nonconformance fits the filter",
        "mes:fmea": "No line fits the filter",
    }
    for name, said in lists.items():
        assert said not in client.get(reverse(name)).content.decode()
        assert said in client.get(reverse(name), {"q": "zebra"}).content.decode()
    nothing = client.get(reverse("mes:nonconformances"), {"state": "closed"}).content.decode()
    assert "No nonconformance fits the filter" in nothing
