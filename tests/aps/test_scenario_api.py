"""Scenarios and drafts under /api/v1/: the same as on the board, for programs."""

import pytest
import time_machine

from aps.enums import RunState
from aps.models import ScheduleRun
from common.jobs import run_due
from mes.enums import OperationState
from tests.aps.factories import HOUR, MONDAY, Factory
from tests.shared import shared

pytestmark = pytest.mark.django_db
SCENARIOS, EDITS = "/api/v1/scenarios/", "/api/v1/schedules/edits/"


@pytest.fixture(autouse=True)
def quick(settings):
    settings.SOLVE_SECONDS = 0.03


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


@shared(at=MONDAY, SOLVE_SECONDS=0.03)
def plant():
    plant = Factory(units=2)
    part = plant.part(minutes=60)
    for quantity in (2, 3):
        plant.order(part, quantity)
    plant.replan()
    return plant


def move(operation, hours=5, unit="LATHE-2"):
    return {
        "kind": "move",
        "operation": operation.pk,
        "work_unit": unit,
        "starts_at": (MONDAY + hours * HOUR).isoformat(),
    }


def post(client, url, body=None, key=None):
    headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    return client.post(url, body or {}, format="json", **headers)


def test_a_scenario_is_made_solved_read_and_published(plant, api_client_for):
    client = api_client_for("planner")
    operation = plant.operations().first()
    made = post(client, SCENARIOS, {"name": "Later", "changes": [move(operation)]}, key="k1")
    assert made.status_code == 201, made.json()
    again = post(client, SCENARIOS, {"name": "Later", "changes": [move(operation)]}, key="k1")
    assert again.json()["id"] == made.json()["id"]
    assert ScheduleRun.objects.filter(name="Later").count() == 1
    run_due(now=MONDAY)
    url = f"{SCENARIOS}{made.json()['id']}/"
    body = client.get(url).json()
    assert (body["status"], body["kind"], body["base_version"]) == ("solved", "what_if", 1)
    assert "LATHE-2" in body["changes"][0]["text"]
    assert body["comparison"]["moved_operations"] >= 1
    assert client.get(f"{SCENARIOS}?status=solved").json()["count"] == 1
    published = post(client, f"{url}publish/", key="k2")
    assert (published.status_code, published.json()["version"]) == (200, 2)
    assert post(client, f"{url}reject/").status_code == 409


def test_what_is_badly_written_is_a_bad_request_and_what_is_impossible_a_conflict(
    plant, api_client_for
):
    client = api_client_for("planner")
    bad = post(client, SCENARIOS, {"changes": [{"kind": "fly"}]})
    assert bad.status_code == 400
    assert "no change of kind" in str(bad.json()["changes"])
    operation = plant.operations().first()
    plant.operations().filter(pk=operation.pk).update(state=OperationState.RUNNING)
    refused = post(client, SCENARIOS, {"changes": [move(operation)]})
    assert refused.status_code == 409
    assert "has started" in refused.json()["detail"]


def test_a_stale_scenario_is_refused_with_what_changed_and_stays_stale(plant, api_client_for):
    client = api_client_for("planner")
    one, two = plant.operations()
    for name, operation in (("A", one), ("B", two)):
        post(client, SCENARIOS, {"name": name, "changes": [move(operation, 25)]})
    run_due(now=MONDAY)
    first, second = ScheduleRun.objects.filter(name__in="AB").order_by("name")
    post(client, f"{SCENARIOS}{first.pk}/publish/")
    refused = post(client, f"{SCENARIOS}{second.pk}/publish/", key="k")
    assert refused.status_code == 409
    assert refused.json()["versions"] == [{"version": 2, "by": "planner", "cause": "what_if"}]
    assert one.work_order.number in refused.json()["work_orders"]
    second.refresh_from_db()
    assert second.state == RunState.STALE
    again = post(client, f"{SCENARIOS}{second.pk}/rebase/")
    assert again.json()["status"] == "queued"


def test_a_draft_step_by_step(plant, api_client_for):
    client = api_client_for("planner")
    assert client.get(EDITS).status_code == 404
    operation = plant.operations().first()
    night = move(operation, hours=12)
    answer = post(client, EDITS, {"change": night, "base_version": 1})
    assert answer.status_code == 200, answer.json()
    body = answer.json()
    assert "closed until" in body["violations"][0]
    assert body["placements"][0]["work_unit"].startswith("LATHE-")
    assert (body["can_undo"], body["can_redo"]) == (True, False)
    assert client.get(EDITS).json()["kind"] == "edit"
    assert post(client, EDITS, {"action": "undo"}).json()["can_redo"]
    assert post(client, EDITS, {"action": "undo"}).status_code == 409
    assert post(client, EDITS, {"action": "redo"}).status_code == 200
    assert post(client, EDITS, {"action": "publish"}).json()["scenario"]["version"] == 2
    assert post(client, EDITS, {"action": "discard"}).status_code == 409
    assert post(client, EDITS, {}).status_code == 400


@pytest.mark.parametrize(
    ("role", "read", "write"),
    [("planner", 200, 400), ("sales", 200, 403), ("operator", 403, 403), (None, 401, 401)],
)
def test_who_may(plant, api_client_for, role, read, write):
    client = api_client_for(role)
    assert client.get(SCENARIOS).status_code == read
    assert post(client, SCENARIOS, {"colour": "red"}).status_code == write


def test_live_plans_are_no_scenarios(plant, api_client_for):
    client = api_client_for("planner")
    live = ScheduleRun.objects.get(state=RunState.PUBLISHED)
    assert client.get(SCENARIOS).json()["count"] == 0
    assert client.get(f"{SCENARIOS}{live.pk}/").status_code == 404
