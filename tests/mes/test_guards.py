"""What neither a race nor a clock gets past on the floor."""

from datetime import timedelta

import pytest

from mes.enums import AndonKind, AndonState, IncidentState
from mes.models import Downtime, TimeBooking, WorkOrderOperation
from mes.services import andon, breakdowns, execution
from tests.masterdata.factories import ToolFactory
from tests.mes.factories import NOW, Plant

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def plant():
    plant = Plant()
    for code in ("PART", "OTHER"):
        plant.make(code, steps=1)
        plant.plan(plant.need(code, 5))
    return plant


def test_a_stop_reported_while_its_alarm_is_resolved_opens_an_incident_of_its_own(
    plant, monkeypatch
):
    unit = plant.units[0].pk
    call = andon.raise_call(work_unit_id=unit, kind=AndonKind.MACHINE_DOWN, by=None, now=NOW)
    look = andon.open_call

    def look_and_lose_the_race(*args):
        found = look(*args)
        monkeypatch.setattr(andon, "open_call", look)
        andon.resolve(call=call, by=None, now=NOW)
        return found

    monkeypatch.setattr(andon, "open_call", look_and_lose_the_race)
    incident = breakdowns.report(work_unit_id=unit, estimated_ends_at=None, by=None, now=NOW)
    assert incident.pk != call.incident_id
    assert incident.state == IncidentState.OPEN
    assert incident.calls.get().state == AndonState.RAISED
    assert Downtime.objects.get().incident == incident


def test_a_machine_is_never_booked_twice_by_what_a_tablet_sends_late(plant):
    unit = plant.units[0].pk
    first, second = (plant.orders(code)[0].operations.get() for code in ("PART", "OTHER"))
    execution.start(operation=first, work_unit_id=unit, by=None, now=NOW)
    execution.interrupt(operation=first, by=None, now=NOW + 30 * MINUTE)
    # It was without network, and says that it began when the machine was still at the other job.
    execution.start(operation=second, work_unit_id=unit, by=None, now=NOW + 10 * MINUTE)
    execution.interrupt(operation=second, by=None, now=NOW + 50 * MINUTE)
    work = TimeBooking.objects.filter(work_unit=unit, kind="run").order_by("pk")
    assert [(row.starts_at, row.ends_at) for row in work] == [
        (NOW, NOW + 30 * MINUTE),
        (NOW + 30 * MINUTE, NOW + 50 * MINUTE),
    ]


def test_a_tool_is_at_as_many_machines_as_there_are_of_it(plant, client_for):
    fixture = ToolFactory(code="FIXTURE-7", site=plant.site)
    WorkOrderOperation.objects.update(tool=fixture)
    first, second = (
        {"operation": plant.orders(code)[0].operations.get(), "by": None, "now": NOW}
        for code in ("PART", "OTHER")
    )
    here, there = (unit.pk for unit in plant.units)
    execution.start(**first, work_unit_id=here, in_setup=True)
    words = f"FIXTURE-7 is in use at {plant.units[0].code} .{plant.orders('PART')[0].number}/10"
    with pytest.raises(execution.CannotStart, match=words):
        execution.start(**second, work_unit_id=there)
    # Whoever stands there reads it before trying.
    for page in ("/floor/terminal/", "/floor/"):
        text = client_for("operator").get(f"{page}?unit={plant.units[1].code}").content.decode()
        assert "FIXTURE-7 is in use" in text
    # As with the machine: what is interrupted gives it up, and has to get it back.
    execution.interrupt(**first)
    execution.start(**second, work_unit_id=there)
    with pytest.raises(execution.CannotResume, match="FIXTURE-7 is in use"):
        execution.resume(**first)
    fixture.quantity = 2
    fixture.save()
    assert execution.resume(**first).state == "running"
