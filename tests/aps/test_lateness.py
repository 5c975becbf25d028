"""Why a line is late: one plant for each constraint, told in chain, words and what would help."""

import json
import re
from dataclasses import replace
from datetime import time, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aps import selectors
from aps.enums import RunState
from aps.models import ScheduledOperation
from aps.services import changes as kinds
from aps.services import edits, lateness
from aps.services.lateness_types import HelpKind, StepKind
from aps.views import lateness_words
from common.models import Job
from mes.services import work_orders
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.masterdata.factories import (
    CalendarFactory,
    ChangeoverFactory,
    SkillFactory,
    ToolFactory,
    WorkCenterFactory,
    WorkUnitFactory,
)

pytestmark = pytest.mark.django_db

WHY, PANEL = "/plan/why/", "/plan/panel/"


@pytest.fixture(autouse=True)
def monday(settings):
    settings.SOLVE_SECONDS = 0.03
    with time_machine.travel(MONDAY, tick=False):
        yield


def late_line(plant, number=-1):
    """The late line of one of the plant's needs."""
    found = selectors.late_orders(site_id=plant.site.pk, now=MONDAY)
    wanted = plant.needs[number].pk
    return next(line for line in found if line.requirement_id == wanted)


def explained(plant, number=-1):
    return lateness.explain(site_id=plant.site.pk, line=late_line(plant, number), now=MONDAY)


def kinds_of(explanation):
    return [step.kind for step in explanation.steps]


def assert_without_a_hole(explanation):
    """From the end back to now each stretch ends where the one after it begins."""
    steps = explanation.steps
    assert steps[-1].starts_at == MONDAY
    for after, before in zip(steps, steps[1:], strict=False):
        assert before.ends_at == after.starts_at


def put(plant, need, starts_at, ends_at, unit=0):
    """Move the need's only operation in the live schedule."""
    ScheduledOperation.objects.filter(operation__work_order__pegs__requirement=need).update(
        starts_at=starts_at, ends_at=ends_at, work_unit=plant.units[unit]
    )


def busy_plant():
    """Two orders of eight hours on one lathe; the second, due first, has to wait."""
    plant = Factory()
    part = plant.part(minutes=60)
    plant.needs = [
        plant.order(part, 8, due_at=MONDAY + 9 * DAY),
        plant.order(part, 8, due_at=MONDAY + 10 * HOUR),
    ]
    plant.replan()
    put(plant, plant.needs[0], MONDAY, MONDAY + 8 * HOUR)
    put(plant, plant.needs[1], MONDAY + 8 * HOUR, MONDAY + DAY + 7 * HOUR)
    return plant


def test_a_busy_machine_names_who_is_on_it():
    plant = busy_plant()
    found = explained(plant)
    assert kinds_of(found) == [StepKind.WORK, StepKind.MACHINE]
    assert_without_a_hole(found)
    assert found.steps[0].minutes == 23 * 60
    binding = found.binding
    assert binding.kind == StepKind.MACHINE
    assert (binding.unit_code, binding.others) == ("LATHE-1", (plant.needs[0].reference,))
    said = lateness_words.say(found)
    assert f"LATHE-1 is busy with {plant.needs[0].reference} until Mon 23 Nov 16:00" in said.binding


def test_a_free_twin_and_overtime_would_help():
    plant = busy_plant()
    WorkUnitFactory(work_center=plant.center, code="LATHE-2")
    helps = {one.kind: one for one in explained(plant).helps}
    assert helps[HelpKind.MACHINE].unit_code == "LATHE-2"
    assert helps[HelpKind.MACHINE].ends_at == MONDAY + 8 * HOUR
    assert helps[HelpKind.MACHINE].minutes == 23 * 60
    # Its own night: from 17:00 to 08:00.
    assert helps[HelpKind.OVERTIME].starts_at == MONDAY + 9 * HOUR
    assert helps[HelpKind.OVERTIME].minutes == 15 * 60
    said = lateness_words.say(explained(plant)).helps
    texts = [one.text for one in said]
    assert any("on LATHE-2: there it would be done on Mon 23 Nov 16:00" in text for text in texts)
    assert any("Overtime on LATHE-1 on Mon 23 Nov 2026" in text for text in texts)
    # Each is a step that a draft can try.
    kinds.parse_all([json.loads(one.change) for one in said])


@pytest.mark.parametrize("kind", [HelpKind.MACHINE, HelpKind.OVERTIME])
def test_what_would_help_does_help(kind, user_for):
    plant = busy_plant()
    WorkUnitFactory(work_center=plant.center, code="LATHE-2")
    before = explained(plant)
    (best,) = [one for one in before.helps if one.kind == kind]
    change = json.loads(lateness_words.say(replace(before, helps=(best,))).helps[0].change)
    planner = user_for("planner")
    edits.apply(site_id=plant.site.pk, change=change, by=planner, now=MONDAY)
    edits.publish(site_id=plant.site.pk, by=planner, now=MONDAY)
    after = ScheduledOperation.objects.get(
        run__state=RunState.PUBLISHED,
        operation__work_order__pegs__requirement=plant.needs[1],
    )
    assert after.ends_at < before.steps[0].ends_at


def test_without_another_machine_none_is_named():
    plant = busy_plant()
    other = WorkCenterFactory(site=plant.site, code="MILL")
    WorkUnitFactory(work_center=other, code="MILL-1")
    assert {one.kind for one in explained(plant).helps} == {HelpKind.OVERTIME}


def test_material_names_the_item_and_what_to_expedite():
    plant = Factory()
    plant.buy("SCREW", lead_time_days=5)
    table = plant.part("TABLE", minutes=60, components={"SCREW": 4})
    plant.needs = [plant.order(table, 2, due_at=MONDAY + DAY)]
    plant.replan()
    found = explained(plant)
    assert found.binding.kind == StepKind.MATERIAL
    assert found.binding.material_code == "SCREW"
    assert_without_a_hole(found)
    said = lateness_words.say(found)
    assert "waits for SCREW, which is not on order" in said.binding
    assert any("Order SCREW now and expedite it" in one.text for one in said.helps)


def test_the_chain_goes_down_to_the_component():
    plant = Factory()
    plant.part("LEG", minutes=60)
    table = plant.part("TABLE", minutes=60, components={"LEG": 4})
    plant.needs = [plant.order(table, 2, due_at=MONDAY + HOUR)]
    plant.replan()
    found = explained(plant)
    assert [step.bar.item_code for step in found.steps] == ["TABLE", "LEG"]
    assert_without_a_hole(found)
    assert found.binding.kind == StepKind.WORK
    said = lateness_words.say(found)
    assert said.binding.startswith("Nothing waits")
    # The due moment passes while the legs are made.
    assert [step.holds_due for step in said.steps] == [False, True]


def test_a_shift_that_is_missing():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.needs = [plant.order(part, 2, due_at=MONDAY + HOUR)]
    plant.replan()
    evening = MONDAY + 9 * HOUR
    with time_machine.travel(evening, tick=False):
        put(plant, plant.needs[0], MONDAY + DAY, MONDAY + DAY + 2 * HOUR)
        line = late_line(plant)
        found = lateness.explain(site_id=plant.site.pk, line=line, now=evening)
    assert kinds_of(found) == [StepKind.WORK, StepKind.SHIFT]
    assert found.binding.minutes == 15 * 60
    assert "LATHE-1 has no shift" in lateness_words.say(found).binding


def test_a_machine_that_is_free_is_the_plans_own_choice():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.needs = [plant.order(part, 2, due_at=MONDAY + HOUR)]
    plant.replan()
    put(plant, plant.needs[0], MONDAY + 5 * HOUR, MONDAY + 7 * HOUR)
    found = explained(plant)
    assert found.binding.kind == StepKind.CHOICE
    assert "though LATHE-1 is free before" in lateness_words.say(found).binding


def test_no_shift_long_enough_is_no_choice():
    plant = Factory()
    part = plant.steps(plant.make("PART", None, steps=0), 60, is_interruptible=False)
    plant.needs = [plant.order(part, 6, due_at=MONDAY + HOUR)]
    plant.replan()
    noon = MONDAY + 4 * HOUR
    put(plant, plant.needs[0], MONDAY + DAY, MONDAY + DAY + 6 * HOUR)
    found = lateness.explain(site_id=plant.site.pk, line=late_line(plant), now=noon)
    assert found.binding.kind == StepKind.SHIFT


def test_on_hold_has_no_chain_and_says_so(user_for):
    plant = busy_plant()
    order = plant.operations().get(work_order__pegs__requirement=plant.needs[1]).work_order
    work_orders.hold(order=order, reason="crack", by=user_for("planner"), now=MONDAY)
    found = explained(plant)
    assert (found.steps, found.binding) == ((), None)
    assert "is on hold" in lateness_words.say(found).binding


def test_what_runs_is_the_beginning_of_the_chain():
    plant = busy_plant()
    plant.operations().filter(work_order__pegs__requirement=plant.needs[1]).update(
        state="running", started_at=MONDAY - HOUR, work_unit=plant.units[0]
    )
    put(plant, plant.needs[1], MONDAY - HOUR, MONDAY + DAY)
    found = explained(plant)
    assert kinds_of(found) == [StepKind.WORK]
    assert found.steps[0].starts_at == MONDAY


def test_the_number_of_queries_does_not_grow():
    plant = busy_plant()
    line = late_line(plant)
    with CaptureQueriesContext(connection) as few:
        lateness.explain(site_id=plant.site.pk, line=line, now=MONDAY)
    for _ in range(6):
        plant.needs.append(plant.order(plant.items["PART"], 8, due_at=MONDAY + HOUR))
    Job.objects.filter(name="aps.replan_site").delete()
    plant.replan(now=MONDAY + timedelta(minutes=5))
    line = late_line(plant)
    with CaptureQueriesContext(connection) as many:
        lateness.explain(site_id=plant.site.pk, line=line, now=MONDAY)
    assert len(many) == len(few), "\n".join(q["sql"] for q in many)


def test_many_lines_are_explained_like_each_by_itself_with_as_many_queries():
    plant = busy_plant()
    for _ in range(5):
        plant.needs.append(plant.order(plant.items["PART"], 8, due_at=MONDAY + HOUR))
    Job.objects.filter(name="aps.replan_site").delete()
    plant.replan(now=MONDAY + timedelta(minutes=5))
    lines = selectors.late_orders(site_id=plant.site.pk, now=MONDAY)
    assert len(lines) > 3
    alone = [lateness.explain(site_id=plant.site.pk, line=line, now=MONDAY) for line in lines]
    assert lateness.explain_all(site_id=plant.site.pk, lines=lines, now=MONDAY) == alone
    with CaptureQueriesContext(connection) as one:
        lateness.explain_all(site_id=plant.site.pk, lines=lines[:1], now=MONDAY)
    with CaptureQueriesContext(connection) as many:
        lateness.explain_all(site_id=plant.site.pk, lines=lines, now=MONDAY)
    assert len(many) == len(one)


# ---- the fragment and the panel


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.mark.parametrize(("role", "status"), [("planner", 200), ("sales", 200), ("operator", 403)])
def test_those_who_see_the_schedule_may_ask_why(client_for, role, status):
    busy_plant()
    assert client_for(role).get(WHY).status_code == status


def test_the_fragment_says_what_binds_and_what_would_help(client_for):
    plant = busy_plant()
    WorkUnitFactory(work_center=plant.center, code="LATHE-2")
    page = text_of(client_for("sales").get(f"{WHY}?line={plant.needs[1].reference}"))
    assert "LATHE-1 is busy with" in page
    assert "What would help" in page
    assert "Machine busy" in page
    assert "The due date passes here." in page


def test_what_is_not_late_is_said_too(client_for):
    busy_plant()
    assert "not late any more" in text_of(client_for("sales").get(WHY + "?line=SO-404/10"))


def test_the_panel_and_the_late_list_lead_to_it(client_for):
    plant = busy_plant()
    order = plant.needs[1].reference.partition("/")[0]
    panel = client_for("sales").get(f"{PANEL}?order={order}").content.decode()
    # What is read from the whole plan does not hold the rest up.
    assert "LATHE-1 is busy with" not in panel
    assert f'hx-get="{PANEL}why/?order={order}"' in panel
    assert "LATHE-1 is busy with" in text_of(client_for("sales").get(f"{PANEL}why/?order={order}"))
    page = client_for("sales").get("/plan/?view=late").content.decode()
    assert f"{WHY}?line={order}/10" in page


@pytest.mark.parametrize("path", [PANEL, f"{PANEL}why/"])
def test_the_panel_asks_as_often_for_one_order_as_among_many(client_for, path):
    plant = busy_plant()
    client = client_for("planner")
    url = f"{path}?order={plant.needs[1].reference.partition('/')[0]}"
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        assert "late" in text_of(client.get(url))
    part = plant.needs[0].item
    for hours in range(1, 6):
        plant.needs.append(plant.order(part, 8, due_at=MONDAY + hours * HOUR))
    plant.replan()
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(few) == len(many)


def twins(*, due_at=MONDAY + 30 * timedelta(minutes=1), **needs):
    """Two orders of four hours, each on a lathe of its own, the second one due first."""
    plant = Factory(units=2)
    needs = {name: make(plant) for name, make in needs.items()}
    part = plant.steps(plant.make("PART", steps=0), 60, **needs)
    plant.needs = [plant.order(part, 4), plant.order(part, 4, due_at=due_at)]
    plant.replan()
    put(plant, plant.needs[0], MONDAY, MONDAY + 4 * HOUR)
    put(plant, plant.needs[1], MONDAY + 4 * HOUR, MONDAY + 8 * HOUR, unit=1)
    return plant


def test_a_tool_in_use_is_named_with_whom_it_is_used_for():
    plant = twins(tool=lambda plant: ToolFactory(site=plant.site, code="F-1"))
    found = explained(plant)
    assert kinds_of(found) == [StepKind.WORK, StepKind.TOOL]
    assert_without_a_hole(found)
    assert (found.binding.needed, found.binding.others) == ("F-1", (plant.needs[0].reference,))
    # Neither the free twin nor overtime brings a second fixture.
    assert found.helps == ()
    said = lateness_words.say(found).binding
    assert f"Tool F-1 is in use for {plant.needs[0].reference} until Mon 23 Nov 12:00" in said


def test_people_at_work_for_others_are_named():
    plant = twins(
        skill=lambda plant: SkillFactory(
            code="WELDER", crews=[(plant.site, plant.site.calendar, 1)]
        )
    )
    found = explained(plant)
    assert kinds_of(found) == [StepKind.WORK, StepKind.PEOPLE]
    said = lateness_words.say(found).binding
    assert f"Those with the skill WELDER work for {plant.needs[0].reference} until" in said


def test_people_who_come_only_with_a_later_shift_are_said_to():
    late = CalendarFactory(shifts=[(day, time(11), time(17)) for day in range(5)])
    plant = Factory()
    skill = SkillFactory(code="WELDER", crews=[(plant.site, late, 1)])
    part = plant.steps(plant.make("PART", steps=0), 60, skill=skill)
    plant.needs = [plant.order(part, 4, due_at=MONDAY + HOUR)]
    plant.replan()
    found = explained(plant)
    assert kinds_of(found) == [StepKind.WORK, StepKind.PEOPLE]
    assert_without_a_hole(found)
    assert lateness_words.say(found).binding == (
        "No shift has enough people with the skill WELDER for PART 10 Step 10 until "
        "Mon 23 Nov 11:00."
    )


def test_a_tool_that_two_can_hold_is_no_reason():
    plant = twins(tool=lambda plant: ToolFactory(site=plant.site, quantity=2))
    assert kinds_of(explained(plant)) == [StepKind.WORK, StepKind.CHOICE]


def test_a_changeover_has_its_own_place_in_the_chain():
    plant = Factory()
    ChangeoverFactory(work_center=plant.center, minutes=90)
    red = plant.steps(plant.make("RED", steps=0), 60, setup_family="RED")
    blue = plant.steps(plant.make("BLUE", steps=0), 60, setup_family="BLUE")
    plant.needs = [
        plant.order(red, 2, due_at=MONDAY + 2 * HOUR),
        plant.order(blue, 1, due_at=MONDAY + 3 * HOUR),
    ]
    plant.replan()
    put(plant, plant.needs[0], MONDAY, MONDAY + 2 * HOUR)
    put(plant, plant.needs[1], MONDAY + 3.5 * HOUR, MONDAY + 4.5 * HOUR)
    found = explained(plant)
    assert kinds_of(found) == [StepKind.WORK, StepKind.CHANGEOVER, StepKind.MACHINE]
    assert_without_a_hole(found)
    assert [step.minutes for step in found.steps] == [60, 90, 120]
    assert "LATHE-1 is changed over" in [step.text for step in lateness_words.say(found).steps]
