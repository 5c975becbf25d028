"""The planner's draft by its addresses: steps, refusals, what the answers hold."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from aps.enums import RunKind, RunState
from aps.models import OperationLock, ScheduledOperation, ScheduleRun
from aps.services import edits
from common.models import Job
from masterdata.services import calendars
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.factories import UserFactory
from tests.masterdata.factories import WorkCenterFactory, WorkUnitFactory
from tests.shared import shared

pytestmark = pytest.mark.django_db

DRAFT = "/plan/edits/"
STEPS = ("undo", "redo", "rebase", "publish", "discard")


@pytest.fixture(autouse=True)
def monday(settings):
    settings.SOLVE_SECONDS = 0.03
    with time_machine.travel(MONDAY, tick=False):
        yield


@shared(at=MONDAY, SOLVE_SECONDS=0.03)
def plant():
    """Two orders of two hours on two lathes."""
    plant = Factory(units=2)
    part = plant.part(minutes=60)
    plant.needs = [plant.order(part, 2, due_at=MONDAY + 4 * DAY) for _ in range(2)]
    plant.run = plant.replan()
    assert plant.run.state == RunState.PUBLISHED, plant.run.error
    return plant


def operation(plant, number=0):
    return plant.operations().get(work_order__pegs__requirement=plant.needs[number])


def post(client, change, version=None):
    body = {"change": change} | ({"version": version} if version is not None else {})
    return client.post(DRAFT, json.dumps(body), content_type="application/json")


def move(plant, *, unit="LATHE-2", at=MONDAY + DAY, number=0):
    return {
        "kind": "move",
        "operation": operation(plant, number).pk,
        "work_unit": unit,
        "starts_at": at.isoformat(),
    }


# ---- who may


@pytest.mark.parametrize("role", ["sales", "supervisor", "manager", "operator", "customer"])
def test_only_planners_edit_the_plan(client_for, plant, role):
    client = client_for(role)
    assert client.get(DRAFT).status_code == 403
    assert post(client, move(plant)).status_code == 403
    assert client.get(DRAFT + "eligible/").status_code == 403
    for step in STEPS:
        assert client.post(f"{DRAFT}{step}/").status_code == 403
    assert not ScheduleRun.objects.filter(kind=RunKind.EDIT).exists()


@pytest.mark.parametrize("step", STEPS)
def test_no_step_by_a_link(client_for, plant, step):
    assert client_for("planner").get(f"{DRAFT}{step}/").status_code == 405


def test_others_see_a_board_without_the_tools_of_planners(client_for, plant):
    page = client_for("sales").get("/plan/?view=board")
    assert "edits" not in page.context["config"]["modules"]
    assert page.context["config"]["edits"] is None
    assert "data-draft" not in page.content.decode()


# ---- steps


def test_without_a_draft_the_answer_is_empty(client_for, plant):
    answer = client_for("planner").get(DRAFT).json()
    assert (answer["open"], answer["moved"], answer["version"]) == (False, [], 1)


def test_a_move_answers_the_bars_that_lie_elsewhere(client_for, plant):
    client = client_for("planner")
    answer = post(client, move(plant), version=1)
    assert answer.status_code == 200, answer.json()["message"]
    told = answer.json()
    assert told["open"]
    assert told["canUndo"]
    assert not told["canRedo"]
    assert told["summary"].startswith("1 change · ")
    assert len(told["changes"]) == 1
    (bar,) = [bar for bar in told["moved"] if bar["id"] == operation(plant).pk]
    assert bar["unit"] == plant.units[1].pk
    assert bar["start"] == calendars.to_minutes(MONDAY + DAY)
    assert bar["end"] == calendars.to_minutes(MONDAY + DAY + 2 * HOUR)
    assert bar["orders"] == [plant.needs[0].reference.partition("/")[0]]
    assert told["locked"] == [operation(plant).pk]
    # The live plan is as it was.
    assert plant.run.operations.get(operation=operation(plant)).starts_at == MONDAY
    assert client.get(DRAFT).json()["moved"] == told["moved"]


def test_a_line_that_is_ready_later_on_the_same_day_has_no_other_date(client_for, plant):
    client = client_for("planner")
    told = post(client, move(plant, at=MONDAY + 2 * HOUR)).json()
    assert "stays on" in told["dates"][0]["text"]
    assert told["summary"].endswith("0 orders get another date")
    told = post(client, move(plant)).json()
    assert told["summary"].endswith("1 order gets another date")


def test_undo_and_redo_and_discard(client_for, plant):
    client = client_for("planner")
    done = post(client, move(plant)).json()
    undone = client.post(DRAFT + "undo/").json()
    assert (undone["moved"], undone["canUndo"], undone["canRedo"]) == ([], False, True)
    assert client.post(DRAFT + "redo/").json()["moved"] == done["moved"]
    gone = client.post(DRAFT + "discard/").json()
    assert (gone["open"], gone["moved"]) == (False, [])


def test_publishing_makes_it_the_plan(client_for, plant):
    client = client_for("planner")
    post(client, move(plant))
    answer = client.post(DRAFT + "publish/").json()
    assert (answer["open"], answer["version"]) == (False, 2)
    live = ScheduledOperation.objects.get(run__state=RunState.PUBLISHED, operation=operation(plant))
    assert (live.work_unit, live.starts_at) == (plant.units[1], MONDAY + DAY)
    assert OperationLock.objects.get(operation=operation(plant)).starts_at == MONDAY + DAY
    data = client.get("/plan/data/").json()
    bars = {bar[0]: bar for row in data["rows"] for bar in row[5]}
    assert bars[operation(plant).pk][13] == 1
    assert bars[operation(plant, 1).pk][13] == 0


def test_the_panel_tells_the_place_of_the_draft_and_what_it_was(client_for, plant):
    client, other = client_for("planner"), Client()
    other.force_login(UserFactory(roles=["planner"]))
    number = plant.needs[0].reference.partition("/")[0]
    moved = operation(plant)
    url = f"/plan/panel/?order={number}&operation={moved.pk}"
    live = plant.run.operations.get(operation=moved)
    (step,) = client.get(url).context["steps"]
    assert (step.row, step.was, step.off) == (live, None, None)

    dates = post(client, move(plant, at=MONDAY + 8 * DAY)).json()["dates"]
    page = client.get(url)
    (step,) = page.context["steps"]
    assert step == page.context["chosen"]
    assert (step.row.work_unit.code, step.row.starts_at) == ("LATHE-2", MONDAY + 8 * DAY)
    assert step.was == live
    told = page.content.decode()
    assert told.count("in the plan in force: ") == 4  # machine, start, end; in the list at once
    assert f"in the plan in force: {live.work_unit.code}" in told
    assert page.context["draft_dates"] == dates
    assert "becomes late" in told
    # The order itself is in time as long as nothing is published, and its badge does not say so.
    assert "On time" not in told
    # Nobody else sees the draft, and beside a scenario neither does its planner.
    for reader, asked in ((other, url), (client_for("sales"), url), (client, url + "&scenario=1")):
        (step,) = reader.get(asked).context["steps"]
        assert (step.row, step.was) == (live, None)

    post(client, {"kind": "unplan", "operation": moved.pk})
    page = client.get(url)
    (step,) = page.context["steps"]
    assert (step.row, step.off) == (live, "taken")
    assert "Taken off the plan" in page.content.decode()
    assert f'data-back="{moved.pk}"' in page.content.decode()
    # Planned again: as before, with no word of the draft on it.
    assert post(client, {"kind": "unlock", "operation": moved.pk}).status_code == 200
    (step,) = client.get(url).context["steps"]
    assert (step.row.starts_at, step.off, step.was) == (live.starts_at, None, None)


def test_what_only_time_pushes_on_the_draft_has_not_moved(client_for, plant):
    with time_machine.travel(MONDAY + HOUR / 2, tick=False):
        told = post(client_for("planner"), move(plant)).json()
    moved = {bar["id"]: bar["isMoved"] for bar in told["moved"]}
    assert moved == {operation(plant).pk: True, operation(plant, 1).pk: False}


def test_what_waits_for_work_off_the_plan_stays_in_the_panel(client_for):
    plant = Factory(units=2)
    plant.part("LEG", minutes=30)
    table = plant.part("TABLE", minutes=20, components={"LEG": 4})
    number = plant.order(table, 1, due_at=MONDAY + DAY).reference.partition("/")[0]
    plant.replan()
    client, leg = client_for("planner"), plant.operations().get(work_order__item__code="LEG")
    post(client, {"kind": "unplan", "operation": leg.pk})
    page = client.get(f"/plan/panel/?order={number}&operation={leg.pk}")
    assert [step.off for step in page.context["steps"]] == ["taken", "waits"]
    assert "No time: it waits for what is off the plan" in page.content.decode()


def test_what_comes_back_onto_the_plan_is_new_in_the_panel(client_for, plant):
    client = client_for("planner")
    back = operation(plant)
    number = plant.needs[0].reference.partition("/")[0]
    post(client, {"kind": "unplan", "operation": back.pk})
    client.post(DRAFT + "publish/")
    url = f"/plan/panel/?order={number}&operation={back.pk}"
    assert client.get(url).context["steps"] == []
    post(client, {"kind": "unlock", "operation": back.pk})
    page = client.get(url)
    assert [(step.row.operation, step.is_new) for step in page.context["steps"]] == [(back, True)]
    assert "Put onto the plan" in page.content.decode()


def test_lock_and_unlock_are_told(client_for, plant):
    client = client_for("planner")
    pk = operation(plant).pk
    assert post(client, {"kind": "lock", "operation": pk}).json()["locked"] == [pk]
    told = post(client, {"kind": "unlock", "operation": pk}).json()
    assert (told["locked"], told["unlocked"]) == ([], [pk])


def test_what_is_taken_off_the_plan_is_removed(client_for, plant):
    pk = operation(plant).pk
    told = post(client_for("planner"), {"kind": "unplan", "operation": pk}).json()
    assert told["removed"] == [pk]


def test_what_was_taken_off_comes_back(client_for, plant):
    client, row = client_for("planner"), operation(plant)
    post(client, {"kind": "unplan", "operation": row.pk})
    told = client.post(DRAFT + "publish/").json()
    assert told["keptOut"] == [{"id": row.pk, "label": f"{row.work_order.number}/{row.sequence}"}]
    assert not ScheduledOperation.objects.filter(
        run__state=RunState.PUBLISHED, operation=row
    ).exists()
    back = post(client, {"kind": "unlock", "operation": row.pk}).json()
    assert row.pk in [bar["id"] for bar in back["moved"]]
    assert client.post(DRAFT + "publish/").json()["keptOut"] == []


def test_an_order_is_planned_backward(client_for, plant):
    order = plant.needs[0].reference.partition("/")[0]
    told = post(
        client_for("planner"), {"kind": "replan_order", "order": order, "direction": "backward"}
    ).json()
    (bar,) = [bar for bar in told["moved"] if bar["id"] == operation(plant).pk]
    assert bar["start"] > calendars.to_minutes(MONDAY + 2 * DAY)


def test_a_date_that_moves_is_a_sentence(client_for, plant):
    told = post(client_for("planner"), move(plant, at=MONDAY + 7 * DAY)).json()
    (date,) = told["dates"]
    assert date["tone"] == "late"
    assert f"{plant.needs[0].reference} becomes late" in date["text"]


def test_a_draft_kept_from_before_days_is_shown(client_for, plant):
    client = client_for("planner")
    post(client, move(plant, at=MONDAY + 8 * DAY))
    draft = ScheduleRun.objects.get(kind=RunKind.EDIT)
    assert draft.comparison["orders"]
    days = ("due_day", "before_day", "after_day", "days")
    for order in draft.comparison["orders"]:
        for name in days:
            del order[name]
    draft.save()
    told = client.get(DRAFT)
    assert told.status_code == 200
    assert len(told.json()["dates"]) == len(draft.comparison["orders"])


def test_what_was_in_the_way_is_told(client_for, plant):
    """Nobody works at night: it goes to the morning, and the answer says why."""
    told = post(client_for("planner"), move(plant, at=MONDAY + 14 * HOUR)).json()
    assert told["violations"]
    (bar,) = [bar for bar in told["moved"] if bar["id"] == operation(plant).pk]
    assert bar["start"] == calendars.to_minutes(MONDAY + DAY)


def test_the_number_of_queries_does_not_grow(client_for, plant):
    client = client_for("planner")
    post(client, move(plant))
    with CaptureQueriesContext(connection) as few:
        client.get(DRAFT)
    for _ in range(6):
        plant.needs.append(plant.order(plant.items["PART"], 2, due_at=MONDAY + 5 * DAY))
    Job.objects.filter(name="aps.replan_site").delete()
    plant.replan(now=MONDAY + timedelta(minutes=5))
    client.post(DRAFT + "discard/")
    for number in range(2, 8):
        assert post(client, move(plant, number=number, at=MONDAY + DAY)).status_code == 200
    with CaptureQueriesContext(connection) as many:
        assert len(client.get(DRAFT).json()["moved"]) >= 6
    assert len(many) == len(few), "\n".join(q["sql"] for q in many)


# ---- refusals


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "1",
        "[" * 3000,
        "x" * 5000,
        '{"change": 1}',
        '{"version": 1}',
        '{"change": {"kind": "move"}}',
        '{"change": {"kind": "lock", "operation": 1, "reason": "\\u0000"}}',
        '{"change": {"kind": "lock", "operation": 99999999999999999999999}}',
        '{"change": {"kind": "lock", "operation": 1}, "version": 99999999999999999999999}',
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(client_for, plant, body):
    answer = client_for("planner").post(DRAFT, body, content_type="application/json")
    assert answer.status_code in (400, 409, 422)
    assert answer.json()["message"]
    assert not answer.json()["open"]


def test_a_machine_that_cannot_do_it_is_refused(client_for, plant):
    other = WorkCenterFactory(site=plant.site, code="MILL")
    WorkUnitFactory(work_center=other, code="MILL-1")
    answer = post(client_for("planner"), move(plant, unit="MILL-1"))
    assert answer.status_code == 422
    assert answer.json()["message"]
    assert answer.json()["moved"] == []


def test_nothing_to_undo_is_said(client_for, plant):
    answer = client_for("planner").post(DRAFT + "undo/")
    assert answer.status_code == 422
    assert answer.json()["message"]


def test_a_stale_edit_is_refused_with_what_changed(client_for, plant):
    first, second = client_for("planner"), client_for("administrator")
    post(first, move(plant))
    post(second, move(plant, number=1, at=MONDAY + 2 * DAY))
    assert second.post(DRAFT + "publish/").status_code == 200
    # It is told before a step finds out.
    seen = first.get(DRAFT).json()
    assert seen["stale"]
    assert "version 2" in seen["message"]
    answer = first.post(DRAFT + "publish/")
    assert answer.status_code == 409
    assert answer.json()["stale"]
    assert "version 2 by administrator" in answer.json()["message"].lower()
    again = first.post(DRAFT + "rebase/").json()
    assert again["open"]
    assert first.post(DRAFT + "publish/").json()["version"] == 3


def test_a_first_step_on_an_old_page_is_refused(client_for, plant):
    plant.needs.append(plant.order(plant.items["PART"], 3, due_at=MONDAY + HOUR))
    Job.objects.filter(name="aps.replan_site").delete()
    plant.replan(now=MONDAY + timedelta(minutes=5))
    answer = post(client_for("planner"), move(plant), version=1)
    assert answer.status_code == 409
    assert answer.json()["message"]


# ---- where it may go


def test_the_machines_that_may_do_it(client_for, plant):
    other = WorkCenterFactory(site=plant.site, code="MILL")
    WorkUnitFactory(work_center=other, code="MILL-1")
    url = f"{DRAFT}eligible/?operation={operation(plant).pk}"
    answer = client_for("planner").get(url).json()
    assert answer == {"units": sorted(unit.pk for unit in plant.units), "reason": ""}


def test_what_runs_stays(client_for, plant):
    row = plant.operations().filter(pk=operation(plant).pk)
    row.update(state="running", started_at=MONDAY, work_unit=plant.units[0])
    url = f"{DRAFT}eligible/?operation={operation(plant).pk}"
    assert "started" in client_for("planner").get(url).json()["reason"]


@pytest.mark.parametrize("text", ["", "x", "0", "9" * 30])
def test_an_operation_that_is_not_there(client_for, plant, text):
    answer = client_for("planner").get(f"{DRAFT}eligible/?operation={text}")
    assert answer.status_code == 200
    assert answer.json()["reason"]


# ---- several at once


def post_all(client, changes):
    return client.post(DRAFT, json.dumps({"changes": changes}), content_type="application/json")


def test_several_are_locked_at_once_and_undone_one_by_one(client_for, plant):
    client = client_for("planner")
    wanted = [{"kind": "lock", "operation": operation(plant, n).pk} for n in (0, 1)]
    told = post_all(client, wanted).json()
    assert sorted(told["locked"]) == sorted(one["operation"] for one in wanted)
    assert len(told["changes"]) == 2
    assert len(client.post(f"{DRAFT}undo/").json()["changes"]) == 1
    assert client.post(f"{DRAFT}undo/").json()["canUndo"] is False
    assert len(client.post(f"{DRAFT}redo/").json()["changes"]) == 1


def test_several_are_taken_off_at_once(client_for, plant):
    client = client_for("planner")
    gone = [operation(plant, n).pk for n in (0, 1)]
    told = post_all(client, [{"kind": "unplan", "operation": pk} for pk in gone]).json()
    assert told["removed"] == sorted(gone)


def test_of_several_one_that_is_refused_refuses_all_by_name(client_for, plant):
    client = client_for("planner")
    running = operation(plant, 1)
    plant.operations().filter(pk=running.pk).update(state="running", started_at=MONDAY)
    wanted = [{"kind": "lock", "operation": operation(plant, n).pk} for n in (0, 1)]
    answer = post_all(client, wanted)
    assert answer.status_code == 422
    assert running.work_order.number in answer.json()["message"]
    assert not answer.json()["open"]


def test_moves_one_after_the_other_see_each_other(client_for, plant):
    """The second goes behind the first, which is wanted at the same place."""
    told = post_all(client_for("planner"), [move(plant), move(plant, number=1)]).json()
    places = sorted((bar["start"], bar["end"]) for bar in told["moved"])
    assert places[0][1] <= places[1][0]
    assert told["violations"]


@pytest.mark.parametrize(
    "changes", [[], "all", [1], [{}] * 201, {"kind": "lock"}, [{"kind": "lock"}], [{"kind": "no"}]]
)
def test_several_that_cannot_be_read_are_refused(client_for, plant, changes):
    answer = post_all(client_for("planner"), changes)
    assert answer.status_code in (400, 422)
    assert answer.json()["message"]
    assert not ScheduleRun.objects.filter(kind=RunKind.EDIT).exists()


# ---- what nobody's board sends


@pytest.mark.parametrize("reason", ["\ud800", "null \x00 character"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_text_that_the_database_cannot_hold_is_refused(client_for, plant, reason, encoding):
    body = json.dumps({"change": move(plant) | {"reason": reason}}).encode(encoding)
    answer = client_for("planner").post(DRAFT, body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["message"] == "The change could not be read."
    assert not ScheduleRun.objects.filter(kind=RunKind.EDIT).exists()


@pytest.mark.parametrize("version", ["1", True, 1.5, [], {}])
def test_a_version_that_is_no_number_does_not_pass_for_none(client_for, plant, version):
    body = json.dumps({"change": move(plant), "version": version})
    answer = client_for("planner").post(DRAFT, body, content_type="application/json")
    assert answer.status_code == 400
    assert not ScheduleRun.objects.filter(kind=RunKind.EDIT).exists()


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"quantity": "1e9"}, "there is no room for all the work"),
        ({"quantity": "1e-99999"}, "quantity of more than zero"),
        ({"weight": 10**30}, "A weight lies between 0 and 1000000."),
    ],
)
def test_absurd_demand_is_refused_with_a_sentence(client_for, plant, facts, sentence):
    demand = {
        "kind": "demand",
        "item": "PART",
        "quantity": "1",
        "requested_date": "2026-12-20",
    }
    client = client_for("planner")
    answer = post(client, demand | facts)
    assert answer.status_code == 422, answer.json()
    assert sentence in answer.json()["message"]
    assert not ScheduleRun.objects.filter(kind=RunKind.EDIT).exists()
    assert post(client, demand).status_code == 200


def test_a_draft_begun_in_two_windows_at_once_is_one_with_both_steps(
    client_for, plant, monkeypatch
):
    client = client_for("planner")
    assert post(client, move(plant)).status_code == 200
    # As the other window sees it before the first has committed.
    committed, looked = edits.draft, []

    def draft(**facts):
        looked.append(facts)
        return committed(**facts) if len(looked) > 1 else None

    monkeypatch.setattr(edits, "draft", draft)
    assert post(client, move(plant, number=1)).status_code == 200
    assert len(ScheduleRun.objects.get(kind=RunKind.EDIT).changes) == 2


@pytest.mark.parametrize("step", ["publish", "rebase", "reject"])
def test_a_draft_is_its_planners_own_by_every_address(client_for, plant, step):
    assert post(client_for("planner"), move(plant)).status_code == 200
    draft = ScheduleRun.objects.get(kind=RunKind.EDIT)
    other = client_for("administrator")
    url = f"/api/v1/scenarios/{draft.pk}/{step}/"
    answer = other.post(url, "{}", content_type="application/json")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "This draft belongs to another planner."
    page = other.post(f"/plan/scenarios/{draft.pk}/{step}/", follow=True)
    assert "This draft belongs to another planner." in page.content.decode()
    draft.refresh_from_db()
    assert draft.state == RunState.SOLVED
