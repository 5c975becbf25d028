"""Who machine data comes from, and what it says of parameters that checks ask for."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from common.enums import Role
from common.models import AuditEntry
from mes.models import CheckResult, MachineEvent, MachineSource
from mes.services import execution, machine_events, machine_parsing
from tests.masterdata.factories import WorkUnitFactory
from tests.mes.factories import Plant, WorkOrderCheckFactory

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
URL = "/api/v1/machine-events/"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def unit():
    return WorkUnitFactory(code="MILL-1")


def event(number):
    now = timezone.now().isoformat()
    return {"id": f"e{number}", "unit": "MILL-1", "at": now, "kind": "state", "state": "running"}


def send(client, *events, source="plc-7"):
    body = json.dumps({"source": source, "events": list(events)})
    return client.post(URL, body, content_type="application/json")


def test_a_source_belongs_to_the_account_that_sent_under_it_first(unit, api_client_for, client_for):
    operator, other = api_client_for(Role.OPERATOR), api_client_for(Role.SUPERVISOR)
    assert send(operator, event(1)).status_code == 200
    refused = send(other, event(2))
    assert refused.status_code == 409
    assert "belongs to another account" in refused.json()["detail"]
    assert send(other, event(2), source="plc-8").status_code == 200
    for name in ("mqtt/MAIN/MILL-1", "simulator"):
        assert "the system's own" in send(operator, event(3), source=name).json()["detail"]
    assert MachineEvent.objects.count() == 2
    # A supervisor lets another account have it; what was sent stays.
    supervisor = client_for(Role.SUPERVISOR)
    source = MachineSource.objects.get(name="plc-7")
    assert f"/sources/{source.pk}/free/" in supervisor.get("/floor/terminals/").content.decode()
    assert client_for(Role.OPERATOR).post(f"/floor/sources/{source.pk}/free/").status_code == 403
    supervisor.post(f"/floor/sources/{source.pk}/free/")
    assert send(other, event(2)).json() == {"stored": 1, "duplicates": 0}
    assert MachineSource.objects.get(name="plc-7").account.username == "supervisor"
    told = AuditEntry.objects.filter(target_type="mes.machinesource", target_label="plc-7")
    assert list(told.order_by("pk").values_list("action", flat=True)) == [
        "mes.machine_source.claim",
        "mes.machine_source.free",
        "mes.machine_source.claim",
    ]


def test_a_parameter_answers_the_check_that_asks_for_it(user_for):
    plant = Plant()
    plant.make("GEAR")
    plant.plan(plant.need("GEAR", 10))
    operation = plant.orders("GEAR")[0].operations.get()
    check = WorkOrderCheckFactory(
        operation=operation,
        position=10,
        code="torque",
        kind="parameter",
        lower=Decimal(2),
        upper=Decimal(3),
        frequency="per_piece",
    )
    (unit, *_others), by = plant.units, user_for(Role.OPERATOR)

    def says(seconds, value, *, name="torque", of=unit):
        row = machine_parsing.Row(
            of.pk, f"{name}{seconds}", "parameter", at(seconds), name=name, value=Decimal(value)
        )
        machine_events.record(source="plc", rows=[row], by=None, now=at(seconds))
        return list(check.results.order_by("pk").values_list("value", "is_good"))

    assert says(1, "2.5") == []
    execution.start(operation=operation, work_unit_id=unit.pk, by=by, now=at(10))
    assert says(5, "2.5") == says(11, "2.5", name="speed") == says(12, "2.5", of=_others[0]) == []
    # The first piece is not reported yet; a second value before that is not asked for.
    assert says(20, "2.4") == says(21, "2.6") == [(Decimal("2.4"), True)]
    execution.report(operation=operation, good=Decimal(1), by=by, now=at(30))
    fault = [(Decimal("2.4"), True), (Decimal("3.5"), False)]
    # No later value hides one that was out of limits.
    assert says(31, "3.5") == says(32, "2.5") == fault
    assert MachineEvent.objects.count() == 8
    assert CheckResult.objects.filter(is_from_machine=True, by=None).count() == 2
