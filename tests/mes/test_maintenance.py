"""Maintenance orders: the machine is kept free, parts and time are booked, it runs again."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from rest_framework.test import APIClient

from common import audit
from common.models import Event, Job, Notification
from erp.enums import CostKind, MoveKind, RequirementState
from erp.models import CostEntry, Requirement, StockMove
from erp.services import returns
from masterdata.models import UnitException
from mes import selectors
from mes.enums import ActionState, ChangeKind, MaintenanceKind, MaintenanceState
from mes.models import MaintenanceOrder, MaintenanceTime
from mes.problem_policies import CannotAct
from mes.services import improvements, maintenance, maintenance_spans, quality_actions
from mes.services.maintenance import CannotMaintain, NewPart
from mes.views import problem_page
from tests.erp.factories import put_on_stock
from tests.factories import UserFactory
from tests.masterdata.factories import CostRateFactory, ItemFactory, WorkUnitFactory
from tests.mes.factories import NOW
from tests.mes.quality import Quality

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
FOUR = Decimal(4)


@pytest.fixture
def unit():
    return WorkUnitFactory(code="MILL-1")


@pytest.fixture
def chief():
    return UserFactory(username="chief", roles=["supervisor"])


@pytest.fixture
def ada():
    return UserFactory(username="ada", roles=["operator"])


@pytest.fixture
def bearing(unit):
    item = ItemFactory(code="BEARING", standard_cost=Decimal("12.50"))
    put_on_stock(item, unit.work_center.site, FOUR)
    return item


def ordered(unit, by, **more):
    new = {
        "work_unit_id": unit.pk,
        "kind": MaintenanceKind.PREVENTIVE,
        "title": "Change the bearing",
        "starts_at": NOW + 2 * HOUR,
        "ends_at": NOW + 5 * HOUR,
    }
    return maintenance.create(new=maintenance.NewOrder(**new | more), by=by, now=NOW)


def closed(unit):
    rows = UnitException.objects.filter(work_unit=unit, is_working=False)
    return [(row.starts_at - NOW, row.ends_at - NOW) for row in rows.order_by("starts_at")]


def test_a_machine_is_closed_worked_on_with_parts_and_time_and_free_again(
    unit, chief, ada, bearing
):
    CostRateFactory(work_center=unit.work_center, kind="labour", amount_per_hour=60)
    order = ordered(unit, chief, owner=ada, parts=[NewPart(bearing.pk, FOUR)])
    assert order.state == MaintenanceState.ASSIGNED
    assert Notification.objects.get(user=ada).kind == "mes.maintenance_given"
    assert closed(unit) == [(2 * HOUR, 5 * HOUR)]
    [line] = selectors.maintenance_parts(order)
    assert (line.cover.reserved, line.missing) == (FOUR, 0)

    maintenance.start(order=order, by=ada, now=NOW + HOUR)
    # Its span begins when it does.
    assert closed(unit) == [(HOUR, 4 * HOUR)]
    maintenance.issue_part(part=line.part, quantity=Decimal(1), by=ada, now=NOW + HOUR)
    maintenance.book_time(order=order, person=ada, minutes=45, by=ada, now=NOW + HOUR)
    done = maintenance.complete(order=order, result="New bearing", by=ada, now=NOW + 2 * HOUR)

    assert done.state == MaintenanceState.COMPLETED
    assert closed(unit) == [(HOUR, 2 * HOUR)]
    [move] = StockMove.objects.filter(item=bearing, kind=MoveKind.ISSUE)
    assert (move.quantity, move.reference) == (-1, order.number)
    entry = CostEntry.objects.get(work_order=order.number)
    assert (entry.kind, entry.source) == (CostKind.MATERIAL, f"move:{move.pk}")
    cost = selectors.maintenance_cost(done)
    assert (cost.parts, cost.labour) == (entry.amount, Decimal("45.00"))
    # What was not used is nobody's any more.
    assert Requirement.objects.get(pk=line.part.requirement_id).state == RequirementState.FULFILLED
    assert not selectors.maintenance_parts(done)[0].cover.reserved


def test_each_refusal_says_why_and_changes_nothing(unit, chief, ada, bearing):
    for wrong, why in (
        ({"title": " "}, "Say what is to be done"),
        ({"ends_at": NOW + HOUR}, "later than the start"),
        ({"starts_at": NOW - 3 * HOUR, "ends_at": NOW - HOUR}, "over already"),
        ({"parts": [NewPart(bearing.pk, Decimal(0))]}, "Say how many"),
        ({"parts": [NewPart(0, FOUR)]}, "no such item"),
    ):
        with pytest.raises(CannotMaintain, match=why):
            ordered(unit, chief, **wrong)
    assert not MaintenanceOrder.objects.exists()
    assert closed(unit) == []

    order = ordered(unit, chief)
    who = {"by": chief, "now": NOW}
    part = maintenance.add_part(order=order, part=NewPart(bearing.pk, FOUR), **who)
    for act, why in (
        (lambda: maintenance.complete(order=order, result="x", **who), "Begin the work first"),
        (lambda: maintenance.book_time(order=order, person=ada, minutes=5, **who), "Begin the"),
        (lambda: maintenance.issue_part(part=part, quantity=FOUR, **who), "Begin the work first"),
        (lambda: maintenance.cancel(order=order, reason=" ", **who), "Say why"),
    ):
        with pytest.raises(CannotMaintain, match=why):
            act()
    maintenance.start(order=order, **who)
    for act, why in (
        (lambda: maintenance.start(order=order, **who), "begun already"),
        (lambda: maintenance.assign(order=order, owner=ada, **who), "begun already"),
        (lambda: maintenance.cancel(order=order, reason="x", **who), "begun already"),
        (lambda: maintenance.complete(order=order, result=" ", **who), "Say what was done"),
        (lambda: maintenance.book_time(order=order, person=ada, minutes=1441, **who), "1 to 1440"),
        (lambda: maintenance.issue_part(part=part, quantity=Decimal("NaN"), **who), "how many"),
    ):
        with pytest.raises(CannotMaintain, match=why):
            act()
    maintenance.complete(order=order, result="Done", **who)
    with pytest.raises(CannotMaintain, match="is over"):
        maintenance.add_part(order=order, part=NewPart(bearing.pk, FOUR), **who)


def test_moved_it_closes_the_machine_at_the_other_time_and_called_off_not_at_all(
    unit, chief, bearing
):
    order = ordered(unit, chief, parts=[NewPart(bearing.pk, FOUR + 1)])
    [line] = selectors.maintenance_parts(order)
    assert line.missing == 1
    maintenance.move(
        order=order, starts_at=NOW + 9 * HOUR, ends_at=NOW + 10 * HOUR, by=chief, now=NOW
    )
    assert closed(unit) == [(9 * HOUR, 10 * HOUR)]
    need = Requirement.objects.get(pk=line.part.requirement_id)
    assert need.due_at == NOW + 9 * HOUR
    maintenance.cancel(order=order, reason="Not now", by=chief, now=NOW)
    assert closed(unit) == []
    need.refresh_from_db()
    assert need.state == RequirementState.CANCELLED
    assert not selectors.maintenance_parts(order)[0].cover.reserved


def test_work_that_takes_longer_keeps_the_machine_closed(unit, chief, ada):
    waiting = ordered(unit, chief)
    order = ordered(unit, chief, owner=ada)
    maintenance.start(order=order, by=ada, now=NOW)
    end, later = NOW + 3 * HOUR, NOW + 5 * HOUR
    assert Job.objects.filter(name="mes.check_maintenance", run_at=end).count() == 1
    Notification.objects.all().delete()
    # Asked before its end, or for work that was not begun: nothing happens.
    maintenance_spans.check(order_id=order.pk, now=end - HOUR)
    maintenance_spans.check(order_id=waiting.pk, now=later)
    assert not Notification.objects.exists()
    maintenance_spans.check(order_id=order.pk, now=later)
    order.refresh_from_db()
    assert order.ends_at == later + maintenance_spans.ROLLED_ON
    assert order.closure.ends_at == order.ends_at
    # The one row, longer.
    assert UnitException.objects.filter(reason__startswith=order.number).count() == 1
    assert set(Notification.objects.values_list("user__username", flat=True)) == {"ada", "chief"}
    assert Job.objects.filter(name="mes.check_maintenance", run_at=order.ends_at).exists()
    maintenance.complete(order=order, result="Done", by=ada, now=later + HOUR / 4)
    order.closure.refresh_from_db()
    assert order.closure.ends_at == later + HOUR / 4


def test_what_it_needs_is_planned_for_until_it_is_over(unit, chief, ada, bearing):
    def asked() -> int:
        return Event.objects.filter(topic="mes.maintenance.needs_changed").count()

    order = ordered(unit, chief)
    assert asked() == 0
    part = maintenance.add_part(order=order, part=NewPart(bearing.pk, FOUR), by=chief, now=NOW)
    assert asked() == 1
    maintenance.start(order=order, by=ada, now=NOW)
    maintenance.issue_part(part=part, quantity=Decimal(2), by=ada, now=NOW)
    maintenance.complete(order=order, result="Done", by=ada, now=NOW)
    assert asked() == 2
    back = {"requirement_id": part.requirement_id, "reference": order.number, "by": chief}
    with pytest.raises(returns.CannotReturn, match="needs nothing any more"):
        returns.from_work_order(quantity=Decimal(1), still_needed=True, now=NOW, **back)
    cost = selectors.maintenance_cost(order).parts
    returns.from_work_order(quantity=Decimal(1), now=NOW, **back)
    assert selectors.maintenance_cost(order).parts == cost / 2


def test_an_action_of_an_8d_is_done_when_its_maintenance_is():
    quality = Quality()
    found = quality.report()
    quality.contain(found)
    action = quality.plan(found, change=ChangeKind.MAINTENANCE)
    unit = WorkUnitFactory(work_center__site=quality.site)
    span = {"starts_at": NOW + HOUR, "ends_at": NOW + 2 * HOUR}
    who = {"by": quality.ben, "now": NOW}
    first = improvements.maintain(action=action, work_unit_id=unit.pk, **span, **who)
    action.refresh_from_db()
    assert action.changed == f"{first.number} {unit.code}"
    assert problem_page.changed_url(action) == f"/floor/maintenance/{first.number}/"
    with pytest.raises(CannotAct, match=f"{first.number} is not completed yet"):
        quality_actions.finish(action=action, result="Done", **who)
    # Called off, it is to be ordered anew.
    maintenance.cancel(order=first, reason="Another machine", **who)
    said = audit.history(found)[0].reason
    assert said == f"{action.title}: {first.number} – cancelled"
    with pytest.raises(CannotAct, match="not made yet"):
        quality_actions.finish(action=action, result="Done", **who)
    second = improvements.maintain(action=action, work_unit_id=unit.pk, **span, **who)
    maintenance.start(order=second, **who)
    maintenance.complete(order=second, result="Aligned", **who)
    done = quality_actions.finish(action=action, result="Done", **who)
    assert done.state == ActionState.DONE


def test_a_day_on_the_pages(unit, chief, ada, bearing, client):
    client.force_login(chief)
    assert "No maintenance is planned" in client.get("/floor/maintenance/").content.decode()
    page = client.get(f"/floor/maintenance/new/?unit={unit.code}")
    form = page.context["form"]
    sent = {
        "idempotency_key": form["idempotency_key"].value(),
        "unit": unit.pk,
        "kind": "corrective",
        "title": "Noise",
        "starts_at": "2099-01-05T08:00",
        "ends_at": "2099-01-05T07:00",
    }
    assert form.initial["unit"] == str(unit.pk)
    wrong = client.post("/floor/maintenance/new/", sent)
    assert wrong.status_code == 422
    assert "later than the start" in wrong.content.decode()
    sent["ends_at"] = "2099-01-05T10:00"
    # Sent twice by an impatient finger, it is ordered once.
    urls = {client.post("/floor/maintenance/new/", sent)["Location"] for _ in range(2)}
    order = MaintenanceOrder.objects.get()
    assert urls == {reverse("mes:maintenance", args=[order.number])}
    [url] = urls

    client.force_login(ada)
    assert client.post(f"{url}plan/cancel/", {"reason": "x"}).status_code == 403
    client.post(f"{url}do/part/", {"idempotency_key": "p", "item": "BEARING", "quantity": "2"})
    client.post(f"{url}do/start/")
    [part] = order.parts.all()
    page = client.get(url)
    assert f"issue-{part.pk}" in page.content.decode()
    bad = client.post(f"{url}do/issue/", {"idempotency_key": "i", "row": part.pk, "quantity": ""})
    assert bad.status_code == 422
    issue = {"idempotency_key": "i", "row": part.pk, "quantity": "1"}
    time = {"idempotency_key": "t", "person": ada.pk, "minutes": "30"}
    for _ in range(2):
        client.post(f"{url}do/issue/", issue)
        client.post(f"{url}do/time/", time)
    assert Requirement.objects.get(pk=part.requirement_id).issued == 1
    assert MaintenanceTime.objects.count() == 1
    client.post(f"{url}do/complete/", {"result": "Quiet"})
    done = client.get(url)
    assert "Quiet" in done.content.decode()
    # What it cost is not for everybody.
    assert done.context["cost"] is None
    # Nor is who worked on it, by name.
    client.force_login(UserFactory(roles=["planner"]))
    assert f"Operator No. {ada.pk}" in client.get(url).content.decode()
    client.force_login(UserFactory(roles=["manager"]))
    assert client.get(url).context["cost"].total > 0
    assert client.get("/floor/maintenance/?state=completed&q=nois").context["page"].object_list


def test_the_list_asks_as_often_for_twenty_as_for_two(
    unit, chief, client, django_assert_max_num_queries
):
    client.force_login(chief)
    for count in (2, 20):
        while MaintenanceOrder.objects.count() < count:
            ordered(unit, chief, owner=chief)
        with django_assert_max_num_queries(12):
            client.get("/floor/maintenance/")


def test_other_systems_order_and_do_it(unit, chief, ada, bearing):
    client = APIClient()
    client.force_authenticate(chief)
    body = {
        "work_unit": "MILL-1",
        "kind": "preventive",
        "title": "Oil",
        "starts_at": "2099-01-05T08:00Z",
        "ends_at": "2099-01-05T09:00Z",
        "owner": "ada",
        "parts": [{"item": "BEARING", "quantity": "2"}],
    }
    for field, wrong in (
        ("work_unit", "NONE"),
        ("owner", "nobody"),
        ("parts", [{"item": "NONE", "quantity": "1"}]),
    ):
        answer = client.post("/api/v1/maintenance/", body | {field: wrong}, format="json")
        assert answer.status_code == 400
    made = client.post("/api/v1/maintenance/", body, format="json")
    assert made.status_code == 201
    url = f"/api/v1/maintenance/{made.json()['number']}/"
    span = {"starts_at": "2099-01-06T08:00Z", "ends_at": "2099-01-06T09:00Z"}
    assert client.post(f"{url}move/", span, format="json").status_code == 200
    assert client.post(f"{url}assign/", {"owner": "chief"}, format="json").status_code == 200
    client.force_authenticate(ada)
    for act, said in (
        ("start", None),
        ("issue", {"item": "BEARING", "quantity": "2"}),
        ("time", {"minutes": 20}),
        ("complete", {"result": "Oiled"}),
    ):
        assert client.post(f"{url}{act}/", said, format="json").status_code == 200, act
    got = client.get(url).json()
    assert got["state"] == "completed"
    assert got["parts"] == [
        {"item": "BEARING", "quantity": "2.0000", "issued": "2.0000", "reserved": "0.0000"}
    ]
    assert client.get("/api/v1/maintenance/?state=all_open").json()["count"] == 0
    assert client.post(f"{url}parts/", body["parts"][0], format="json").status_code == 409


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("mes_maintenanceorder_ends_after_it_starts", {"ends_at": NOW + 2 * HOUR}),
        ("mes_maintenanceorder_completed_says_what_was_done", {"state": "completed"}),
        ("mes_maintenanceorder_has_somebody", {"state": "assigned"}),
    ],
)
def test_each_constraint_of_an_order_holds(unit, chief, name, change):
    order = ordered(unit, chief)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        MaintenanceOrder.objects.filter(pk=order.pk).update(**change)


def test_time_is_within_a_day(unit, chief):
    order = ordered(unit, chief)
    row = {"order": order, "person": chief, "amount": 0, "at": NOW}
    with (
        pytest.raises(IntegrityError, match="mes_maintenancetime_within_a_day"),
        transaction.atomic(),
    ):
        MaintenanceTime.objects.create(minutes=1441, **row)
