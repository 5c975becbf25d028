"""GET /api/v1/schedules/current/."""

import pytest

from aps.models import ScheduledOperation
from tests.aps.factories import MONDAY, Factory

pytestmark = pytest.mark.django_db

URL = "/api/v1/schedules/current/"


@pytest.fixture(autouse=True)
def quick(settings):
    settings.SOLVE_SECONDS = 0.03


def test_the_schedule_in_force(api_client_for):
    plant = Factory()
    plant.order(plant.part(minutes=60), 2)
    run = plant.replan()
    answer = api_client_for("planner").get(URL)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"version", "published_at", "cause", "operations"}
    assert body["version"] == 1
    assert body["cause"] == "change"
    row = ScheduledOperation.objects.get(run=run)
    assert body["operations"] == [
        {
            "work_order": row.operation.work_order.number,
            "sequence": 10,
            "item": "PART",
            "work_unit": "LATHE-1",
            "starts_at": MONDAY.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ends_at": MONDAY.replace(hour=10).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "state": "ready",
        }
    ]


def test_without_a_schedule_it_says_so(api_client_for):
    assert api_client_for("planner").get(URL).status_code == 404
    Factory()
    answer = api_client_for("planner").get(URL)
    assert answer.status_code == 404
    assert "No schedule is published yet" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("role", "status"), [("sales", 404), ("operator", 403), ("customer", 403), (None, 401)]
)
def test_who_may_ask(api_client_for, role, status):
    assert api_client_for(role).get(URL).status_code == status


def test_the_answer_is_in_the_openapi_document(api_client_for):
    answer = api_client_for("planner").get("/api/v1/schema/?format=json")
    operation = answer.json()["paths"][URL]["get"]
    assert set(operation["responses"]) >= {"200", "404"}


def test_the_number_of_queries_does_not_grow(api_client_for, django_assert_num_queries):
    plant = Factory()
    part = plant.part(minutes=5)
    for _ in range(4):
        plant.order(part, 2)
    plant.replan()
    client = api_client_for("planner")
    client.get(URL)
    # The token with its user, the site, the run, its operations.
    with django_assert_num_queries(4):
        assert len(client.get(URL).json()["operations"]) >= 1
