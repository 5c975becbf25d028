"""Checks: frozen with the work order, answered at the machine, and in the way of finishing."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.models import Notification
from masterdata.models import OperationCheck, RoutingOperation
from masterdata.services import checks as plans
from masterdata.services import routings
from mes.enums import Decision
from mes.models import CheckResult, WorkOrderCheck
from mes.services import checks, execution
from tests.factories import UserFactory
from tests.mes.factories import NOW, Plant

pytestmark = pytest.mark.django_db


def bore(**kwargs):
    limits = {"lower": Decimal("9.9"), "upper": Decimal("10.1")}
    return {"position": 10, "name": "Bore", "kind": "measure", "unit": "mm", **limits, **kwargs}


@pytest.fixture
def chief():
    return UserFactory(username="chief", roles=["supervisor"])


@pytest.fixture
def running(request, chief):
    """Make an operation of ten pieces with these checks, all reported good."""

    def running(*rows, good=10):
        plant = Plant()
        plant.make("GEAR")
        step = RoutingOperation.objects.get()
        for row in rows:
            OperationCheck.objects.create(operation=step, **row)
        plant.plan(plant.need("GEAR", 10))
        operation = plant.orders("GEAR")[0].operations.get()
        execution.start(operation=operation, work_unit_id=plant.units[0].pk, by=chief, now=NOW)
        if good:
            execution.report(operation=operation, good=Decimal(good), by=chief, now=NOW)
        operation.refresh_from_db()
        return operation

    return running


def finish(operation, **kwargs):
    return execution.finish(operation=operation, by=None, now=NOW, **kwargs)


def answer(operation, value=None, *, position=10, by=None, **kwargs):
    check = operation.checks.get(position=position)
    given = None if value is None else Decimal(str(value))
    return checks.record(check=check, value=given, by=by, now=NOW, **kwargs)


def test_a_work_order_keeps_the_checks_of_its_day(running):
    operation = running(bore(), good=0)
    step = RoutingOperation.objects.get()
    plans.save(operation=step, checks=[], version=step.routing.version, by=None, now=NOW)
    assert not OperationCheck.objects.exists()
    (kept,) = WorkOrderCheck.objects.filter(operation=operation)
    assert (kept.name, kept.upper) == ("Bore", Decimal("10.1"))


def test_what_is_required_and_open_keeps_the_operation_from_being_finished(running):
    look = {"position": 20, "name": "No burrs"}
    extra = {"position": 30, "name": "Colour", "is_required": False}
    operation = running(bore(), look, extra)
    with pytest.raises(execution.CannotFinish, match=r"Bore: 0 of 1 done; No burrs: 0 of 1 done"):
        finish(operation)
    answer(operation, "10.1")
    answer(operation, position=20, is_good=True)
    assert finish(operation).state == "done"


@pytest.mark.parametrize(
    ("frequency", "every", "needed"), [("per_piece", None, 7), ("every_n", 3, 3), ("every_n", 7, 1)]
)
def test_what_is_due_by_pieces_follows_the_good_ones(running, chief, frequency, every, needed):
    operation = running(bore(frequency=frequency, every=every), good=7)
    execution.report(operation=operation, good=Decimal(0), scrap=Decimal(3), by=chief, now=NOW)
    for number in range(needed):
        with pytest.raises(execution.CannotFinish, match=f"Bore: {number} of {needed} done"):
            finish(operation)
        answer(operation, 10)
    assert finish(operation).state == "done"


def test_where_all_is_scrap_nothing_has_to_be_measured(running, chief):
    operation = running(bore(), good=0)
    execution.report(operation=operation, good=Decimal(0), scrap=Decimal(10), by=chief, now=NOW)
    assert finish(operation).state == "done"


def test_a_value_outside_its_limits_is_measured_again_or_decided(running, chief):
    operation = running(bore(frequency="every_n", every=5))
    first = answer(operation, "10.11")
    assert first.is_good is False
    with pytest.raises(execution.CannotFinish, match=r"Bore is out of limits \(10\.11\)"):
        finish(operation)
    answer(operation, "10.05", replaces=first)
    with pytest.raises(checks.CannotCheck, match="stands already"):
        answer(operation, 10, replaces=first)
    second = answer(operation, "9.89")
    with pytest.raises(checks.CannotDecide, match="Say why"):
        checks.decide(result=second, decision=Decision.ACCEPT, reason=" ", by=chief, now=NOW)
    checks.decide(result=second, decision=Decision.REJECT, reason="too thin", by=chief, now=NOW)
    with pytest.raises(execution.CannotFinish, match="Bore: 1 of 2 done"):
        finish(operation)
    third = answer(operation, "9.89")
    checks.decide(result=third, decision=Decision.ACCEPT, reason="fits", by=chief, now=NOW)
    for result in (first, third):
        with pytest.raises(checks.CannotDecide, match="nothing to decide"):
            checks.decide(result=result, decision=Decision.ACCEPT, reason="x", by=chief, now=NOW)
    assert finish(operation).state == "done"


def test_an_answer_has_the_kind_of_its_check(running):
    operation = running(bore(), {"position": 20, "name": "No burrs"})
    with pytest.raises(checks.CannotCheck, match="Type the value of Bore"):
        answer(operation, is_good=True)
    with pytest.raises(checks.CannotCheck, match="Type the value"):
        answer(operation, "NaN")
    with pytest.raises(checks.CannotCheck, match="passes or fails"):
        answer(operation, 1, position=20)
    assert not CheckResult.objects.exists()


def test_a_machine_answers_by_the_code_of_the_parameter(running):
    operation = running(bore(kind="parameter", code="temp", lower=Decimal("-5"), upper=None))
    assert checks.receive(operation=operation, code="speed", value=Decimal(1), now=NOW) is None
    result = checks.receive(operation=operation, code="temp", value=Decimal(-4), now=NOW)
    assert (result.is_good, result.is_from_machine) == (True, True)
    assert finish(operation).state == "done"


def test_saving_a_routing_keeps_its_checks(running):
    running(bore(), good=0)
    routing = RoutingOperation.objects.get().routing
    steps = [routings.Operation(10, "Cut again", RoutingOperation.objects.get().work_center.code)]
    routings.save(
        item=routing.item,
        revision=routing.revision,
        valid_from=routing.valid_from,
        valid_to=None,
        operations=steps,
        by=None,
        now=NOW,
    )
    assert OperationCheck.objects.get().name == "Bore"
    assert OperationCheck.objects.get().operation.name == "Cut again"


def test_over_http_a_check_is_answered_and_a_fault_decided(running, client_for, api_client_for):
    operation = running(bore())
    number = operation.work_order.number
    path = f"/api/v1/work-orders/{number}/operations/10/check/"
    api = api_client_for("operator")
    assert api.post(path, {"position": 99}, format="json").status_code == 404
    told = api.post(path, {"position": 10, "value": "11"}, format="json").json()
    (shown,) = told["operations"][0]["checks"]
    assert shown["upper"] == "10.10000"
    assert [shown[name] for name in ("needed", "satisfied", "faults", "is_open")] == [1, 0, 1, True]
    fault = CheckResult.objects.get()
    unit = operation.work_unit or operation.work_order.operations.get().work_unit
    page = client_for("operator").get(f"/floor/terminal/?unit={unit.code}").content.decode()
    assert 'data-phase="checks"' in page
    assert "/decide/" not in page
    again = {"position": 10, "value": "11.5", "again": True}
    assert api.post(path, again, format="json").status_code == 200
    fault = CheckResult.objects.get(replaces=fault)
    supervisor = client_for("supervisor")
    assert (
        f"/floor/checks/{fault.pk}/decide/"
        in supervisor.get(f"/floor/terminal/?unit={unit.code}").content.decode()
    )
    assert client_for("operator").post(f"/floor/checks/{fault.pk}/decide/").status_code == 403
    answered = supervisor.post(
        f"/floor/checks/{fault.pk}/decide/", {"decision": "accept", "reason": "fits"}
    )
    assert answered["Location"] == f"/floor/work-orders/{number}/"
    page = client_for("operator").get(f"/floor/terminal/?unit={unit.code}").content.decode()
    assert 'data-phase="full"' in page


def test_what_nobody_decided_is_listed_until_somebody_does(running, client_for, chief):
    operation = running(
        bore(),
        {"position": 20, "name": "No burrs"},
        {"position": 30, "name": "Colour", "is_required": False},
    )
    number, path = operation.work_order.number, reverse("mes:check-faults")
    quality, seller = client_for("quality"), client_for("sales")
    assert "No check waits for a decision" in quality.get(path).content.decode()
    first = answer(operation, "11", by=chief)
    answer(operation, position=30, is_good=False, by=chief)

    def listed(client=quality, q=""):
        page = client.get(path, {"q": q}).content.decode()
        return [
            name for name in ("Bore", "No burrs", "Colour") if f"<strong>{name}</strong>" in page
        ]

    with CaptureQueriesContext(connection) as few:
        assert listed() == ["Bore", "Colour"]
    second = answer(operation, "11.5", replaces=first, by=chief)
    answer(operation, position=20, is_good=False, by=chief)
    with CaptureQueriesContext(connection) as many:
        assert listed() == ["Bore", "No burrs", "Colour"]
    assert len(many) == len(few)
    assert (listed(q=number), listed(q="burrs")) == (["Bore", "No burrs", "Colour"], ["No burrs"])
    assert "No check fits the filter" in quality.get(path, {"q": "nothing"}).content.decode()
    page = quality.get(path).content.decode()
    # What keeps the operation from being finished comes first.
    assert page.index("No burrs") < page.index("Colour")
    assert page.count("Keeps from finishing") == 2
    assert f"nonconformances/new/?check={second.pk}" in page
    decide = f"/floor/checks/{second.pk}/decide/"
    assert decide in page
    assert decide not in seller.get(path).content.decode()
    assert client_for("customer").get(path).status_code == 403
    sent = quality.post(decide, {"decision": "accept", "reason": "fits", "next": path})
    assert sent["Location"] == path
    assert listed() == ["No burrs", "Colour"]
    operation.work_order.state = "cancelled"
    operation.work_order.save()
    assert listed() == []


def plain(operation, client, **answer):
    """Answer as the form of the plain list does; return what the next page says."""
    unit = operation.work_unit.code
    form = {"position": 10, "unit": unit, **answer}
    sent = client.post(f"/floor/operations/{operation.pk}/check/", form)
    assert sent["Location"] == f"/floor/?unit={unit}"
    return client.get(sent["Location"]).content.decode()


def test_the_plain_list_asks_for_the_checks_and_says_what_happens(running, client_for):
    look = {"position": 20, "name": "No burrs"}
    extra = {"position": 30, "name": "Colour", "is_required": False}
    operation = running(bore(), look, extra)
    client = client_for("operator")
    page = client.get(f"/floor/?unit={operation.work_unit.code}").content.decode()
    assert page.count("/check/") == 3
    assert "9.9 … 10.1 mm" in page
    assert "2 before it can be finished" in page
    assert "as a number" in plain(operation, client, value="ten")
    assert "Type the value of Bore" in plain(operation, client, value="")
    for _ in range(2):
        page = plain(operation, client, value="11,5", idempotency_key="once")
    assert CheckResult.objects.get().value == Decimal("11.5")
    assert "11.5\N{NO-BREAK SPACE}mm: measure again, or a supervisor decides" in page
    page = plain(operation, client, value="\N{MINUS SIGN}3", again=1)
    assert "Bore is out of its limits with \N{MINUS SIGN}3\N{NO-BREAK SPACE}mm." in page
    assert "until then the operation cannot be finished" in page
    link = f"/floor/work-orders/{operation.work_order.number}/#checks"
    assert link not in page
    unit = operation.work_unit.code
    assert link in client_for("supervisor").get(f"/floor/?unit={unit}").content.decode()
    assert "Noted: Bore 10\N{NO-BREAK SPACE}mm." in plain(operation, client, value="10", again=1)
    assert "Say whether No burrs passes" in plain(operation, client, position=20)
    assert "No burrs has failed." in plain(operation, client, position=20, passed="0")
    assert "Passed: No burrs." in plain(operation, client, position=20, passed="1", again=1)
    assert "may be finished" in plain(operation, client, position=30, passed="0")
    page = client.get(f"/floor/?unit={unit}").content.decode()
    assert "before it can be finished" not in page
    path = f"/floor/operations/{operation.pk}/check/"
    assert client.post(path, {"position": 99, "value": "1"}).status_code == 404
    assert client_for("sales").post(path, {"position": 10, "value": "1"}).status_code == 403
    assert finish(operation).state == "done"


def test_the_plain_list_takes_the_same_queries_however_many_checks(
    running, client_for, django_assert_max_num_queries
):
    operation = running(*(bore(position=10 + n, name=f"Bore {n}") for n in range(12)))
    client = client_for("operator")
    url = f"/floor/?unit={operation.work_unit.code}"
    client.get(url)
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    WorkOrderCheck.objects.exclude(position=10).delete()
    with django_assert_max_num_queries(len(many)):
        client.get(url)
    assert len(many) < 30


def test_who_may_decide_hears_of_a_fault(running):
    quality = UserFactory(roles=["quality"])
    operation = running(bore(), bore(position=20, name="Colour", is_required=False))
    answer(operation, "9.95")
    answer(operation, "0.001", position=20)
    assert not Notification.objects.exists()
    answer(operation, "11.5")
    told = Notification.objects.get(user=quality)
    assert told.parameters["value"] == "11.5 mm"
    assert told.url == f"/floor/work-orders/{operation.work_order.number}/#checks"
