"""Another calendar of one machine or of a work center: what would move, shown before it counts."""

import html
import json
import re
from datetime import time

import pytest
import time_machine
from django.urls import reverse

from aps.enums import RunState
from aps.models import PlanState, ScheduledOperation, ScheduleRun
from aps.services import changes, previews, scenarios
from common.models import AuditEntry, Event, Job
from masterdata.models import Calendar, WorkCenter, WorkUnit
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.masterdata.factories import (
    CalendarFactory,
    WorkCenterFactory,
    WorkUnitFactory,
    office_hours,
)
from tests.shared import shared

pytestmark = pytest.mark.django_db
MOVES = "/plan/hours/moves/"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def monday(settings):
    settings.SOLVE_SECONDS = 0.03
    with time_machine.travel(MONDAY, tick=False):
        yield


@shared(at=MONDAY, SOLVE_SECONDS=0.03)
def plant():
    """One lathe with six hours of work, due on Monday evening; a calendar of Fridays alone."""
    plant = Factory()
    plant.item = plant.part(minutes=60)
    plant.needs = [plant.order(plant.item, 6, due_at=MONDAY + 9 * HOUR)]
    assert plant.replan().state == RunState.PUBLISHED
    CalendarFactory(code="FRIDAY", shifts=[(4, time(8), time(17))])
    return plant


def unit(plant, **fields):
    return {
        "kind": "own_calendar",
        "work_unit": "LATHE-1",
        "calendar": "FRIDAY",
        "version": plant.units[0].version,
    } | fields


def center(plant, **fields):
    return {
        "kind": "own_calendar",
        "work_center": "LATHE",
        "calendar": "FRIDAY",
        "version": plant.center.version,
    } | fields


def preview(plant, change):
    return previews.preview(site_id=plant.site.pk, changes=[change], now=MONDAY)


@pytest.mark.parametrize("owner", [unit, center])
def test_what_moves_is_worked_out_and_nothing_is_saved(plant, owner):
    before = (ScheduleRun.objects.count(), AuditEntry.objects.count(), Job.objects.count())
    found = preview(plant, owner(plant))
    assert found.comparison["moved_operations"] == 1
    assert len(found.comparison["promise_breaks"]) == 1
    after = (ScheduleRun.objects.count(), AuditEntry.objects.count(), Job.objects.count())
    assert after == before
    assert WorkUnit.objects.get(code="LATHE-1").calendar is None


def test_a_machine_with_a_calendar_of_its_own_does_not_follow_its_center(plant):
    WorkUnit.objects.update(calendar=office_hours())
    assert preview(plant, center(plant)).comparison["moved_operations"] == 0
    # Taken away, it goes by its center's again, which is closed until Friday.
    WorkCenter.objects.filter(pk=plant.center.pk).update(
        calendar=Calendar.objects.get(code="FRIDAY")
    )
    assert preview(plant, unit(plant, calendar="")).comparison["moved_operations"] == 1


def test_a_machine_out_of_use_leaves_its_work_without_a_time(plant):
    found = preview(plant, unit(plant, calendar="", is_active=False))
    assert found.unplanned == 1
    assert found.comparison["promise_breaks"]
    assert WorkUnit.objects.get(code="LATHE-1").is_active


def test_a_machine_back_in_use_takes_its_share_and_is_called_by_its_name(plant):
    WorkUnitFactory(work_center=plant.center, code="LATHE-2", is_active=False)
    plant.needs.append(plant.order(plant.item, 6, due_at=MONDAY + 9 * HOUR))
    assert plant.replan().state == RunState.PUBLISHED
    change = unit(plant, work_unit="LATHE-2", calendar="", is_active=True)
    assert preview(plant, change) is not None
    found = plant.scenario(change).comparison
    assert found["after"]["late_orders"] < found["before"]["late_orders"]
    assert {row["to_unit"] for row in found["moved"]} == {"LATHE-2"}
    assert "in use again" in changes.parse(change).describe()


def test_a_machine_that_moves_to_another_work_center_leaves_the_work_of_this_one(plant):
    other = WorkCenterFactory(code="MILL", site=plant.site, calendar=office_hours())
    found = preview(plant, unit(plant, calendar="", moved_to="MILL"))
    assert found.unplanned == 1
    run = plant.scenario(unit(plant, calendar="", moved_to="MILL"))
    assert "in work center MILL" in changes.parse(run.changes[0]).describe()
    scenarios.publish(run=run, by=None, now=MONDAY)
    assert WorkUnit.objects.get(code="LATHE-1").work_center == other


def test_what_was_shown_is_what_publishing_saves(plant):
    run = plant.scenario(unit(plant))
    assert run.state == RunState.SOLVED, run.error
    assert "by calendar FRIDAY" in changes.parse(run.changes[0]).describe()
    Event.objects.all().delete()
    published = scenarios.publish(run=run, by=None, now=MONDAY)
    assert published.state == RunState.PUBLISHED
    assert WorkUnit.objects.get(code="LATHE-1").calendar.code == "FRIDAY"
    [row] = ScheduledOperation.objects.filter(run=published)
    assert row.starts_at == MONDAY + 4 * DAY
    # The plan that is in force has it already: no other is asked for.
    assert not Event.objects.filter(topic="masterdata.capacity.changed").exists()
    assert PlanState.objects.get().last_version == published.version


@pytest.mark.parametrize(
    ("owner", "spoil", "sentence"),
    [
        (unit, {"calendar": "NONE"}, "There is no calendar NONE"),
        (center, {"calendar": ""}, "There is no calendar"),
        (unit, {"work_unit": "NONE"}, "There is no work unit or work center NONE"),
        (center, {"version": 99}, "was changed"),
        (unit, {"moved_to": "NONE"}, "There is no work unit or work center NONE"),
        (unit, {"is_active": "no"}, "true or false"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(client_for, plant, owner, spoil, sentence):
    change = json.dumps(owner(plant, **spoil))
    answer = client_for("planner").post(MOVES, {"change": change}, **HTMX)
    assert sentence in html.unescape(answer.content.decode())


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("work-unit-edit", {"code": "LATHE-1", "energy_kw": "0", "is_active": "on"}),
        ("work-center-edit", {"code": "LATHE"}),
    ],
)
def test_the_page_hands_what_is_typed_to_planning(client_for, plant, url, fields):
    client = client_for("planner")
    path = reverse(f"masterdata:{url}", args=[fields["code"]])
    assert "What moves?" in client.get(path).content.decode()
    friday = Calendar.objects.get(code="FRIDAY").pk
    data = {"name": "Lathe", "calendar": friday, "act": "moves", "site": plant.site.pk, **fields}
    data |= {"work_center": plant.center.pk, "version": 1}
    part = client.post(path, data, **HTMX).content.decode()
    change = html.unescape(re.search(r'name="change" value="([^"]+)"', part)[1])
    said = client.post(MOVES, {"change": change}, **HTMX).content.decode()
    assert "1 promise breaks" in said
    # Nothing is saved by looking, and without htmx it is a page.
    assert not WorkUnit.objects.filter(calendar=friday).exists()
    assert 'name="change"' in client.post(path, data).content.decode()
    bad = client.post(path, data | {"name": ""}, **HTMX).content.decode()
    assert "cannot be read yet" in bad
