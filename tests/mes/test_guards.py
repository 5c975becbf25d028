"""What neither a race nor a clock gets past on the floor."""

from datetime import timedelta

import pytest

from mes.enums import AndonKind, AndonState, IncidentState
from mes.models import Downtime, TimeBooking
from mes.services import andon, breakdowns, execution
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
