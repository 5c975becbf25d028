"""The floor over HTTP: start, report, finish; refused with a sentence, never a server error."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from common.models import AuditEntry
from erp.models import StockMove
from mes.models import OperationReport, TimeBooking, WorkOrder
from tests.conftest import ApiClientFor
from tests.mes import invariants
from tests.mes.factories import FloorReasonFactory, Plant
from tests.shared import shared


@shared()
def plant() -> Plant:
    """BOX is made in two steps of LID, which is made in one of bought TIN."""
    plant = Plant()
    plant.make("LID", {"TIN": 1})
    plant.make("BOX", {"LID": 2}, steps=2)
    plant.stock("TIN", 100)
    plant.plan(plant.need("BOX", 5), now=timezone.now())
    return plant


@pytest.fixture
def operator(plant: Plant, api_client_for: ApiClientFor) -> APIClient:
    return api_client_for("operator")


def number(code: str) -> str:
    return str(WorkOrder.objects.get(item__code=code).number)


def url(code: str, sequence: int | str | None = None, verb: str = "") -> str:
    operation = f"operations/{sequence}/{verb}/" if verb else ""
    return f"/api/v1/work-orders/{number(code)}/{operation}"


def post(client: APIClient, path: str, data: Any = None, **headers: str) -> Any:
    return client.post(path, {} if data is None else data, format="json", headers=headers)


def start(client: APIClient, plant: Plant, code: str, sequence: int = 10, unit: int = 0) -> Any:
    return post(client, url(code, sequence, "start"), {"work_unit": plant.units[unit].code})


def written() -> tuple[int, ...]:
    return tuple(
        model.objects.count() for model in (OperationReport, StockMove, AuditEntry, WorkOrder)
    )


def test_child_and_parent_from_start_to_stock(operator: APIClient, plant: Plant) -> None:
    begun = start(operator, plant, "LID")
    assert begun.status_code == 200, begun.json()
    operation = begun.json()["operations"][0]
    assert operation["state"] == "running"
    assert operation["work_unit"] == plant.units[0].code
    assert begun.json()["materials"] == [
        {"item": "TIN", "quantity": "10.0000", "issued": "10.0000"}
    ]
    assert post(operator, url("LID", 10, "report"), {"good": 10}).status_code == 200
    done = post(operator, url("LID", 10, "finish"))
    assert done.json()["state"] == "completed"
    parent = operator.get(url("BOX")).json()
    assert [row["state"] for row in parent["operations"]] == ["ready", "waiting"]
    for sequence in (10, 20):
        assert start(operator, plant, "BOX", sequence).status_code == 200
        post(operator, url("BOX", sequence, "report"), {"good": "5"})
        assert post(operator, url("BOX", sequence, "finish")).status_code == 200
    told = operator.get(url("BOX")).json()
    assert (told["state"], told["good"], told["serves"][0]["quantity"]) == (
        "completed",
        "5.0000",
        "5.0000",
    )
    invariants.check()


def test_what_waited_too_long_starts_by_a_supervisors_reason(
    operator: APIClient, plant: Plant, api_client_for: ApiClientFor
) -> None:
    start(operator, plant, "LID")
    post(operator, url("LID", 10, "report"), {"good": 10})
    post(operator, url("LID", 10, "finish"))
    start(operator, plant, "BOX")
    post(operator, url("BOX", 10, "report"), {"good": 5})
    post(operator, url("BOX", 10, "finish"))
    first = WorkOrder.objects.get(item__code="BOX").operations.filter(sequence=10)
    first.update(max_wait_minutes=60, finished_at=timezone.now() - timedelta(hours=2))
    late = start(operator, plant, "BOX", 20)
    assert (late.status_code, "had to start by" in late.json()["detail"]) == (409, True)
    body = {"work_unit": plant.units[0].code, "overrule": "still warm"}
    assert "Only a supervisor" in post(operator, url("BOX", 20, "start"), body).json()["detail"]
    assert post(api_client_for("supervisor"), url("BOX", 20, "start"), body).status_code == 200


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        (("BOX", 20, "start"), "unit", "cannot start"),
        (("BOX", 10, "start"), "unit", "lacks material"),
        (("LID", 10, "report"), {"good": 1}, "start it first"),
        (("LID", 10, "finish"), {}, "is not running"),
    ],
)
def test_out_of_turn_is_a_409_with_a_sentence_and_changes_nothing(
    operator: APIClient, plant: Plant, path: tuple[str, int, str], data: Any, words: str
) -> None:
    before = written()
    body = {"work_unit": plant.units[0].code} if data == "unit" else data
    answer = post(operator, url(*path), body)
    assert answer.status_code == 409
    assert words in answer.json()["detail"]
    assert written() == before


@pytest.mark.parametrize(
    ("verb", "data", "words"),
    [
        ("report", {"good": 11}, "too many"),
        ("report", {"good": 9, "scrap": 2}, "too many"),
        ("report", {"good": 0}, "at least one"),
        ("report", {}, "at least one"),
        ("report", {"good": "0.5"}, "whole pieces"),
        ("finish", {}, "not accounted for"),
    ],
)
def test_what_does_not_add_up_is_a_409(
    operator: APIClient, plant: Plant, verb: str, data: Any, words: str
) -> None:
    start(operator, plant, "LID")
    before = written()
    answer = post(operator, url("LID", 10, verb), data)
    assert answer.status_code == 409
    assert words in answer.json()["detail"]
    assert written() == before


def test_a_busy_or_wrong_work_unit_is_a_409_and_an_unknown_one_a_400(
    operator: APIClient, plant: Plant
) -> None:
    plant.make("PIN", {"TIN": 1})
    plant.plan(plant.need("PIN", 5), now=timezone.now())
    start(operator, plant, "LID")
    assert "is busy" in start(operator, plant, "PIN").json()["detail"]
    unknown = post(operator, url("PIN", 10, "start"), {"work_unit": "NOWHERE"})
    assert unknown.status_code == 400
    assert "work_unit" in unknown.json()
    assert start(operator, plant, "PIN", unit=1).status_code == 200


def test_without_a_plan_a_start_without_a_work_unit_says_what_to_send(
    operator: APIClient, plant: Plant
) -> None:
    answer = post(operator, url("LID", 10, "start"))
    assert answer.status_code == 400
    assert "work_unit" in answer.json()


def test_the_same_report_sent_twice_counts_once(operator: APIClient, plant: Plant) -> None:
    start(operator, plant, "LID")
    for _ in range(2):
        answer = post(operator, url("LID", 10, "report"), {"good": 4}, **{"Idempotency-Key": "k"})
        assert answer.json()["operations"][0]["good"] == "4.0000"
    assert OperationReport.objects.count() == 1


@pytest.mark.parametrize(
    ("verb", "data"),
    [
        ("start", {"work_unit": None}),
        ("start", {"work_unit": 5.5, "force": True}),
        ("start", {"work_unit": "x" * 41}),
        ("start", {"work_unit": "\x00"}),
        ("start", [1]),
        ("report", None),
        ("report", []),
        ("report", {"good": "many"}),
        ("report", {"good": -1}),
        ("report", {"good": "NaN"}),
        ("report", {"good": "Infinity"}),
        ("report", {"good": "1e99"}),
        ("report", {"good": 1, "scrap": None}),
        ("report", {"good": 1, "reason": "x" * 201}),
        ("report", {"good": 1, "reason": {}}),
        ("report", {"good": 1, "cost": 5}),
    ],
)
def test_hostile_input_is_a_400_and_changes_nothing(
    operator: APIClient, plant: Plant, verb: str, data: Any
) -> None:
    if verb == "report":
        start(operator, plant, "LID")
    before = written()
    answer = operator.post(url("LID", 10, verb), json.dumps(data), content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert written() == before


@pytest.mark.parametrize("sequence", ["99", "99999999999999999999", "-1", "x"])
def test_an_operation_that_is_not_there_is_404(
    operator: APIClient, plant: Plant, sequence: str
) -> None:
    for verb in ("start", "report", "finish"):
        data = {"good": 1} if verb == "report" else {}
        assert post(operator, url("LID", sequence, verb), data).status_code == 404, verb


@pytest.mark.parametrize("wanted", ["WO-404", "%00", "x" * 300])
def test_a_work_order_that_is_not_there_is_404(operator: APIClient, wanted: str) -> None:
    assert operator.get(f"/api/v1/work-orders/{wanted}/").status_code in (400, 404)


def test_who_may(plant: Plant, api_client_for: ApiClientFor) -> None:
    before = written()
    assert post(APIClient(), url("LID", 10, "start")).status_code == 401
    for role in ("sales", "planner", "warehouse", "customer"):
        assert start(api_client_for(role), plant, "LID").status_code == 403, role
    assert api_client_for("customer").get(url("LID")).status_code == 403
    assert written() == before


def test_a_work_order_takes_as_many_queries_with_many_operations_as_with_one(
    operator: APIClient, plant: Plant
) -> None:
    plant.make("LONG", {"TIN": 1}, steps=9)
    plant.plan(plant.need("LONG", 5), now=timezone.now())

    def queries(code: str) -> int:
        path = url(code)
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(path).status_code == 200
        return len(captured)

    assert queries("LONG") == queries("LID")


def test_an_operation_is_set_up_paused_reworked_and_taken_back(
    operator: APIClient, plant: Plant, api_client_for: ApiClientFor
) -> None:
    FloorReasonFactory(kind="pause", code="tea", name="Tea")
    FloorReasonFactory(kind="rework", code="edge", name="Edge")
    second = api_client_for("supervisor")

    def act(verb: str, data: Any = None, client: APIClient = operator, **headers: Any) -> Any:
        answer = post(client, url("LID", 10, verb), data, **headers)
        assert answer.status_code == 200, answer.json()
        return answer.json()["operations"][0]

    assert act("start", {"work_unit": plant.units[0].code, "setup": True})["state"] == "setup"
    act("join", client=second)
    assert act("run")["state"] == "running"
    act("leave", client=second)
    bad = post(operator, url("LID", 10, "interrupt"), {"reason_code": "edge"})
    assert bad.json() == {"reason_code": ["There is no such reason."]}
    assert act("interrupt", {"reason_code": "tea"})["state"] == "interrupted"
    assert act("resume")["state"] == "running"
    report = {"good": 6, "rework": 2, "reason_code": "edge"}
    for _repeat in range(2):
        told = act("report", report, operator, **{"Idempotency-Key": "tablet-1"})
        assert (told["good"], told["rework"]) == ("6.0000", "2.0000")
    assert act("report", {"good": 2, "from_rework": True})["rework"] == "0.0000"
    told = act("undo")
    assert (told["good"], told["rework"]) == ("6.0000", "2.0000")
    first = OperationReport.objects.earliest("pk")
    late = post(operator, url("BOX", 10, "undo"), {"report": first.pk})
    assert late.status_code == 404
    assert act("undo", {"report": first.pk}, client=second)["good"] == "0.0000"
    assert TimeBooking.objects.filter(ends_at__isnull=True).count() == 2


def test_a_device_cannot_talk_itself_back_into_the_seconds_of_undoing(
    operator: APIClient, plant: Plant
) -> None:
    start(operator, plant, "LID")
    assert post(operator, url("LID", 10, "report"), {"good": 4}).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        late = post(operator, url("LID", 10, "undo"), **{"X-Age-Seconds": "598"})
    assert late.status_code == 409
    assert "Only a supervisor" in late.json()["detail"]
    assert OperationReport.objects.count() == 1
    # A network that was away for a moment takes nobody's right.
    with time_machine.travel(timezone.now() + timedelta(seconds=20), tick=False):
        soon = post(operator, url("LID", 10, "undo"), **{"X-Age-Seconds": "17"})
    assert soon.status_code == 200


def test_the_answer_to_a_report_costs_the_same_after_many(
    operator: APIClient, plant: Plant
) -> None:
    start(operator, plant, "LID")
    for _piece in range(3):
        assert post(operator, url("LID", 10, "report"), {"good": 1}).status_code == 200
    with CaptureQueriesContext(connection) as asked:
        operator.get(url("LID"))
    assert not [row for row in asked if "mes_operationreport" in row["sql"]]
