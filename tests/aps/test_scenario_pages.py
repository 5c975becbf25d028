"""Scenarios by their pages: put together, solved, compared, published, refused, copied."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import translation

from aps.enums import RunKind, RunState
from aps.models import ScheduleRun
from aps.services import scenarios
from aps.views import comparison_words, scenario_words, words
from common.enums import JobState
from common.models import AuditEntry, Job
from masterdata.models import UnitException
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.shared import shared

pytestmark = pytest.mark.django_db

LIST = "/plan/scenarios/"
NEW = "/plan/scenarios/new/"
READERS = ["sales", "supervisor", "manager", "planner"]


@pytest.fixture(autouse=True)
def monday(settings):
    settings.SOLVE_SECONDS = 0.03
    with time_machine.travel(MONDAY, tick=False):
        yield


@shared(at=MONDAY, SOLVE_SECONDS=0.03)
def plant():
    """Two lathes, three orders of a few hours, planned as version 1."""
    plant = Factory(units=2)
    plant.part_made = plant.part(minutes=60)
    plant.needs = [plant.order(plant.part_made, quantity) for quantity in (2, 3, 4)]
    for number, need in enumerate(plant.needs, start=1):
        need.reference = f"SO-{number}/10"
        need.save()
    plant.replan()
    return plant


def at(hours):
    return (MONDAY + hours * HOUR).isoformat()


def typed(moment):
    """As a browser sends a moment."""
    return moment.strftime("%Y-%m-%dT%H:%M")


def closed(unit="LATHE-1", hours=24 * 14):
    return {"kind": "close", "work_unit": unit, "starts_at": at(0), "ends_at": at(hours)}


def page(run, part=""):
    return f"{LIST}{run.pk}/{part}"


def move_live_plan(plant):
    """Another scenario is published meanwhile: everything of the first stands elsewhere."""
    other = plant.scenario(closed("LATHE-2"), name="Other")
    scenarios.publish(run=other, by=None, now=MONDAY)


# ---- who may


@pytest.mark.parametrize("role", READERS)
def test_who_sees_the_schedule_sees_scenarios(client_for, plant, role):
    run = plant.scenario(closed())
    client = client_for(role)
    for url in (LIST, page(run), "/plan/compare/"):
        assert client.get(url).status_code == 200
    shown = client.get(page(run)).content.decode()
    assert ("publish/" in shown) == (role == "planner")
    assert ("scenarios/new/" in client.get(LIST).content.decode()) == (role == "planner")


@pytest.mark.parametrize("role", ["sales", "supervisor", "manager", "operator"])
@pytest.mark.parametrize("step", ["publish", "reject", "rebase", "copy"])
def test_only_planners_decide(client_for, plant, role, step):
    run = plant.scenario(closed())
    assert client_for(role).post(page(run, f"{step}/")).status_code == 403
    run.refresh_from_db()
    assert run.state == RunState.SOLVED
    assert client_for(role).get(NEW).status_code == 403


@pytest.mark.parametrize("step", ["publish", "reject", "rebase", "copy"])
def test_nothing_is_decided_by_a_link(client_for, plant, step):
    run = plant.scenario(closed())
    assert client_for("planner").get(page(run, f"{step}/")).status_code == 405


def test_a_scenario_whose_work_was_given_up_says_so_and_can_be_copied(client_for, plant):
    run = scenarios.create(
        site_id=plant.site.pk, kind=RunKind.WHAT_IF, name="", changes=[], by=None, now=MONDAY
    )
    page, planner = f"{LIST}{run.pk}/", client_for("planner")
    assert 'hx-trigger="every 1s"' in planner.get(page).content.decode()
    Job.objects.filter(name="aps.solve_scenario").update(state=JobState.DEAD)
    shown = planner.get(page).content.decode()
    assert 'hx-trigger="every 1s"' not in shown
    assert "The scenario could not be solved" in shown
    assert reverse("aps:scenario-copy", args=[run.pk]) in shown


def test_the_live_plan_is_no_scenario(client_for, plant):
    live = ScheduleRun.objects.get(state=RunState.PUBLISHED)
    assert client_for("planner").get(page(live)).status_code == 404
    assert client_for("planner").post(page(live, "reject/")).status_code == 404


# ---- the list


def test_the_list_says_what_each_scenario_means_for_late_orders(client_for, plant):
    plant.scenario(closed(), name="Lathe down")
    shown = client_for("sales").get(LIST).content.decode()
    for word in ("Lathe down", "What-if", "Solved", "The same"):
        assert word in shown


def test_the_list_is_narrowed_by_the_url(client_for, plant):
    plant.scenario(closed(), name="Lathe down")
    client = client_for("planner")
    assert "Lathe down" in client.get(LIST + "?kind=what_if&state=solved").content.decode()
    assert "No scenario fits" in client.get(LIST + "?kind=rush").content.decode()
    assert "Lathe down" in client.get(LIST + "?kind=nonsense").content.decode()


def test_the_list_says_what_to_do_while_it_is_empty(client_for, db):
    Factory()
    assert "scenarios/new/" in client_for("planner").get(LIST).content.decode()
    assert "No scenario yet" in client_for("sales").get(LIST).content.decode()


def test_the_list_asks_as_often_for_many_as_for_few(
    client_for, plant, django_assert_max_num_queries
):
    client = client_for("planner")
    plant.scenario(closed())
    client.get(LIST)
    with django_assert_max_num_queries(50) as few:
        client.get(LIST)
    for number in range(4):
        plant.scenario(closed(hours=24 + number))
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(LIST)


# ---- put together


def post_form(client, action, *, changes=(), **fields):
    data = {"action": action, "change": [json.dumps(c) for c in changes], **fields}
    return client.post(NEW, data)


def carried(answer):
    """The changes that the page carries on."""
    return [json.loads(text) for text, _said in answer.context["changes"]]


def test_the_form_offers_machines_and_order_lines(client_for, plant):
    shown = client_for("planner").get(NEW).content.decode()
    assert 'value="LATHE-1"' in shown
    shown = post_form(client_for("planner"), "choose", kind="due").content.decode()
    assert "SO-1/10" in shown
    shown = post_form(client_for("planner"), "choose", kind="demand").content.decode()
    assert 'data-url="/master/items/search/?q="' in shown


FIELDS = {
    "overtime": {
        "work_unit": "LATHE-1",
        "starts_at": typed(MONDAY + 10 * HOUR),
        "ends_at": typed(MONDAY + 14 * HOUR),
    },
    "close": {
        "work_unit": "LATHE-2",
        "starts_at": typed(MONDAY),
        "ends_at": typed(MONDAY + DAY),
        "reason": "service",
    },
    "add_unit": {"like": "LATHE-1", "code": "X"},
    "due": {"line": "SO-1/10", "due_at": typed(MONDAY + 3 * HOUR)},
    "weight": {"line": "SO-2/10", "weight": "10"},
    "demand": {"item": "PART", "quantity": "5", "requested_date": "2026-12-01"},
}


@pytest.mark.parametrize("kind", FIELDS)
def test_each_change_is_added_and_carried_on(client_for, plant, kind):
    answer = post_form(client_for("planner"), "add", kind=kind, **FIELDS[kind])
    assert answer.status_code == 200, answer.context["error"]
    (change,) = carried(answer)
    assert change["kind"] == kind
    again = post_form(client_for("planner"), "add", changes=[change], kind=kind, **FIELDS[kind])
    assert carried(again)[0] == change


@pytest.mark.parametrize("kind", FIELDS)
def test_a_form_with_nothing_in_it_says_what_lacks(client_for, plant, kind):
    answer = post_form(client_for("planner"), "add", kind=kind)
    assert answer.status_code == 422
    assert carried(answer) == []
    assert answer.context["form"].errors


def test_a_change_that_the_plant_does_not_allow_is_refused_in_words(client_for, plant):
    past = {**FIELDS["close"], "starts_at": typed(MONDAY - 2 * DAY), "ends_at": typed(MONDAY - DAY)}
    answer = post_form(client_for("planner"), "add", kind="close", **past)
    assert answer.status_code == 422
    assert "over already" in answer.content.decode()
    wrong = {**FIELDS["close"], "ends_at": typed(MONDAY - HOUR)}
    assert post_form(client_for("planner"), "add", kind="close", **wrong).status_code == 422


def test_a_change_is_taken_out_again(client_for, plant):
    both = [closed(), closed("LATHE-2", hours=2)]
    answer = post_form(client_for("planner"), "remove-0", changes=both)
    assert [one["work_unit"] for one in carried(answer)] == ["LATHE-2"]
    assert len(carried(post_form(client_for("planner"), "remove-7", changes=both))) == 2


@pytest.mark.parametrize(
    "junk", ["{", "[]", '{"kind": "nonsense"}', '{"kind": "close"}', "[" * 9999]
)
def test_what_cannot_be_read_is_refused(client_for, plant, junk):
    answer = client_for("planner").post(NEW, {"action": "solve", "name": "X", "change": junk})
    assert answer.status_code == 422
    assert not ScheduleRun.objects.exclude(kind=RunKind.LIVE).exists()


def test_a_scenario_wants_a_name(client_for, plant):
    answer = post_form(client_for("planner"), "solve", changes=[closed()])
    assert answer.status_code == 422
    assert len(carried(answer)) == 1


def test_solving_leads_to_the_page_that_shows_progress(client_for, plant):
    client = client_for("planner")
    answer = post_form(client, "solve", changes=[closed()], name="Lathe down")
    run = ScheduleRun.objects.get(kind=RunKind.WHAT_IF)
    assert answer.headers["Location"] == page(run)
    shown = client.get(page(run)).content.decode()
    assert 'hx-trigger="every 1s"' in shown
    assert "You may leave this page" in shown
    assert "publish/" not in shown
    plant.solve(run)
    part = client.get(page(run), headers={"HX-Request": "true"})
    assert part.headers["HX-Refresh"] == "true"
    assert "every 1s" not in client.get(page(run)).content.decode()


def test_a_scenario_is_changed_and_solved_anew(client_for, plant):
    run = plant.scenario(closed())
    client = client_for("planner")
    assert "LATHE-1 closed" in client.get(page(run, "change/")).content.decode()
    data = {"action": "solve", "change": json.dumps(closed("LATHE-2"))}
    assert client.post(page(run, "change/"), data).headers["Location"] == page(run)
    run.refresh_from_db()
    assert (run.state, run.changes[0]["work_unit"]) == (RunState.QUEUED, "LATHE-2")
    assert "being solved" in client.get(page(run, "change/")).content.decode()


# ---- compared


def test_the_page_puts_the_scenario_beside_the_plan(client_for, plant):
    run = plant.scenario(closed())
    answer = client_for("sales").get(page(run))
    shown = answer.content.decode()
    for word in ("Late orders", "Weighted lateness", "Utilisation", "Setup", "Makespan"):
        assert word in shown
    assert {row.to_unit for row in answer.context["moves"]} == {"LATHE-2"}
    assert any(row.word == "Later" for row in answer.context["dates"])
    # Never by colour alone: each difference is a badge with an icon and a word.
    assert shown.count('class="status status-') >= 7


def test_a_broken_promise_is_named(client_for, plant):
    run = plant.scenario(closed("LATHE-1", 24 * 30), closed("LATHE-2", 24 * 5))
    answer = client_for("sales").get(page(run))
    rows = {row.line: row for row in answer.context["dates"]}
    assert rows["SO-1/10"].word == "Becomes late"
    late = next(row for row in answer.context["figures"] if row.label == "Late orders")
    assert (late.before, late.after, late.word, late.tone) == ("0", "3", "Worse", "late")
    assert "3 orders more are late." in answer.context["summary"]


def test_moved_operations_are_paged(client_for, plant):
    run = plant.scenario(closed())
    row = run.comparison["moved"][0]
    run.comparison |= {"moved": [row] * 60, "moved_operations": 812}
    run.save()
    client = client_for("sales")
    answer = client.get(page(run) + "?moves=2")
    assert len(answer.context["moves"]) == 25
    assert "26–50 of 60" in answer.content.decode()
    assert "of 812" in answer.content.decode()


def test_any_two_kept_plans_are_compared(client_for, plant):
    first = ScheduleRun.objects.get(state=RunState.PUBLISHED)
    run = plant.scenario(closed())
    client = client_for("sales")
    answer = client.get(f"/plan/compare/?one={first.pk}&other={run.pk}")
    assert answer.context["moved"] == run.comparison["moved_operations"]
    back = client.get(f"/plan/compare/?one={run.pk}&other={first.pk}")
    there = {row.operation: row for row in answer.context["moves"]}
    for row in back.context["moves"]:
        assert (row.before, row.after) == (there[row.operation].after, there[row.operation].before)
    assert (
        "Choose two different"
        in client.get(f"/plan/compare/?one={run.pk}&other={run.pk}").content.decode()
    )
    assert "cannot be compared" in client.get("/plan/compare/?other=999999999").content.decode()
    assert client.get("/plan/compare/?one=x&other=").status_code == 200


def test_a_plan_without_operations_is_not_offered(client_for, plant):
    run = plant.scenario(closed())
    run.operations.all().delete()
    answer = client_for("sales").get(f"/plan/compare/?other={run.pk}")
    assert run not in [one for one, _name in answer.context["offered"]]


def test_comparing_asks_as_often_for_many_moves_as_for_few(
    client_for, plant, django_assert_max_num_queries
):
    first = ScheduleRun.objects.get(state=RunState.PUBLISHED)
    run = plant.scenario(closed())
    client = client_for("sales")
    url = f"/plan/compare/?one={first.pk}&other={run.pk}"
    client.get(url)
    with django_assert_max_num_queries(60) as few:
        client.get(url)
    for number in range(8):
        plant.order(plant.part_made, 1 + number)
    plant.replan()
    live = ScheduleRun.objects.get(state=RunState.PUBLISHED)
    more = plant.scenario(closed())
    with django_assert_max_num_queries(len(few.captured_queries)):
        answer = client.get(f"/plan/compare/?one={live.pk}&other={more.pk}")
    assert answer.context["moved"] > run.comparison["moved_operations"]


# ---- decided


def test_publishing_makes_it_the_plan(client_for, plant):
    run = plant.scenario(closed())
    client = client_for("planner")
    assert client.post(page(run, "publish/")).headers["Location"] == page(run)
    run.refresh_from_db()
    assert (run.state, run.version) == (RunState.PUBLISHED, 2)
    assert UnitException.objects.filter(work_unit__code="LATHE-1").exists()
    assert "version 2" in client.get(page(run)).content.decode()


def test_a_stale_scenario_says_what_moved_and_is_recomputed(client_for, plant):
    run = plant.scenario(closed())
    move_live_plan(plant)
    client = client_for("planner")
    client.post(page(run, "publish/"))
    run.refresh_from_db()
    assert run.state == RunState.STALE
    shown = client.get(page(run)).content.decode()
    assert "version 2" in shown
    assert "WO-" in run.error
    assert run.error in shown
    assert "Recompute on the current plan" in shown
    assert "publish/" not in shown
    client.post(page(run, "rebase/"))
    run.refresh_from_db()
    assert run.state == RunState.QUEUED
    assert plant.solve(run).state in (RunState.SOLVED, RunState.FAILED)
    run.refresh_from_db()
    assert run.base_version == 2


def test_what_only_a_what_if_can_hold_is_told_on_the_button(client_for, plant):
    run = plant.scenario({"kind": "add_unit", "like": "LATHE-1", "code": "X"})
    client = client_for("planner")
    shown = client.get(page(run)).content.decode()
    assert "X does not exist" in shown
    assert "publish/" not in shown
    client.post(page(run, "publish/"))
    run.refresh_from_db()
    assert run.state == RunState.SOLVED


def test_rejecting_keeps_the_reason(client_for, plant):
    run = plant.scenario(closed())
    client_for("planner").post(page(run, "reject/"), {"reason": "too dear"})
    run.refresh_from_db()
    assert run.state == RunState.REJECTED
    assert AuditEntry.objects.get(action="aps.scenario.reject").reason == "too dear"
    client_for("planner").post(page(run, "reject/"))
    assert "reject/" not in client_for("planner").get(page(run)).content.decode()


def test_a_copy_has_the_same_changes_and_its_own_name(client_for, plant):
    run = plant.scenario(closed(), name="Lathe down")
    client = client_for("planner")
    client.post(page(run, "copy/"), {"name": "Lathe down, again"})
    copied = ScheduleRun.objects.latest("pk")
    assert (copied.name, copied.changes) == ("Lathe down, again", run.changes)
    client.post(page(run, "copy/"), {"name": ""})
    assert ScheduleRun.objects.latest("pk").name == "Copy of Lathe down"


def test_a_failed_scenario_says_why_and_can_be_tried_again(client_for, plant):
    run = plant.scenario(closed())
    run.state, run.error, run.comparison = RunState.FAILED, "No room.", {}
    run.save()
    shown = client_for("planner").get(page(run)).content.decode()
    assert "No room." in shown
    assert "Recompute on the current plan" in shown


def test_new_demand_says_when_it_is_ready(client_for, plant):
    run = plant.scenario(
        {"kind": "demand", "item": "PART", "quantity": "2", "requested_date": "2026-12-20"}
    )
    shown = client_for("sales").get(page(run)).content.decode()
    assert "2 × PART: projected" in shown
    assert "in time for" in shown


def test_the_answer_to_a_rush_is_shown_to_other_rooms_as_a_part(client_for, plant):
    due = {"kind": "due", "line": "SO-3/10", "due_at": at(3)}
    run = plant.scenario(due, kind=RunKind.RUSH)
    answer = client_for("sales").get(page(run) + "?part=result")
    shown = answer.content.decode()
    assert "<html" not in shown
    assert "SO-3/10 cannot be kept" in shown
    assert "Material" in shown
    assert "part=" not in shown


def test_the_pages_speak_chinese(client_for, user_for, plant):
    run = plant.scenario(closed())
    planner = user_for("planner")
    planner.language = "zh-hans"
    planner.save()
    for url in (LIST, NEW, page(run), "/plan/compare/"):
        shown = client_for("planner").get(url).content.decode()
        assert 'lang="zh-hans"' in shown
        for english in ("Scenario", "Late orders", "Choose", "Compare"):
            assert english not in shown.split("<main")[1]


# ---- words


def test_less_is_better_and_fuller_machines_are_neither():
    assert comparison_words.judged(3, 1) == ("Better", "done")
    assert comparison_words.judged(1, 3) == ("Worse", "late")
    assert comparison_words.judged(2, 2) == ("The same", "planned")


def test_a_shift_is_told_in_days_or_hours():
    with translation.override("en"):
        assert comparison_words.shift(int(timedelta(days=3).total_seconds() // 60)) == (
            f"{words.duration(3 * 1440)} later"
        )
        assert comparison_words.shift(-90).endswith("sooner")
        assert comparison_words.shift(0) == "same time"
        assert comparison_words.shift(None) == ""


def test_every_address_is_named():
    for name in ("scenario-list", "scenario-create", "plan-compare"):
        assert reverse(f"aps:{name}").startswith("/plan/")


# ---- the diff on a run's page


def repaired(plant):
    """The plan mended by itself after a lathe has gone."""
    plant.units[0].is_active = False
    plant.units[0].save()
    return plant.replan(now=MONDAY + HOUR)


def test_a_repair_says_what_it_moved_and_why(client_for, plant):
    run = repaired(plant)
    run.comparison["cause"] = {"mes.operation.reported": 2, "unknown": 1}
    run.save()
    answer = client_for("sales").get(f"/plan/runs/{run.pk}/")
    shown = answer.content.decode()
    diff = answer.context["diff"]
    assert diff["causes"] == ["2 reports from the floor"]
    assert {row.to_unit for row in diff["moves"]} == {"LATHE-2"}
    assert f"one={ScheduleRun.objects.get(version=1).pk}" in shown
    assert "What changed" in shown


def test_the_diff_is_short_and_says_how_much_there_is_more(client_for, plant):
    run = repaired(plant)
    row = run.comparison["moved"][0]
    run.comparison |= {"moved": [row] * 30, "moved_operations": 30}
    run.save()
    answer = client_for("sales").get(f"/plan/runs/{run.pk}/")
    assert len(answer.context["diff"]["moves"]) == 8
    assert "and 22 more" in answer.content.decode()


def test_a_plan_that_moved_nothing_says_so(client_for, plant):
    run = plant.replan()
    assert "Nothing moved" in client_for("sales").get(f"/plan/runs/{run.pk}/").content.decode()


def test_the_first_plan_has_no_diff(client_for, plant):
    first = ScheduleRun.objects.get(version=1)
    answer = client_for("sales").get(f"/plan/runs/{first.pk}/")
    assert answer.context["diff"] is None


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, ""),
        ({"by_order": [0, 2], "by_search": None}, "nothing else was tried"),
        ({"by_order": [60, 2], "by_search": [0, 9], "chosen": "search"}, "A better plan was found"),
        ({"by_order": [60, 2], "by_search": [0, 90], "chosen": "order"}, "The old order was kept"),
    ],
)
def test_a_repair_tells_what_it_chose_from(found, said):
    told = scenario_words.chosen(found)
    assert said in told
    assert bool(said) == bool(told)


def test_a_published_scenario_is_among_the_runs_and_leads_to_its_page(client_for, plant):
    run = plant.scenario(closed(), name="Lathe down")
    client = client_for("sales")
    assert "Lathe down" not in client.get("/plan/runs/").content.decode()
    scenarios.publish(run=run, by=None, now=MONDAY)
    shown = client.get("/plan/runs/").content.decode()
    assert "Lathe down" in shown
    assert "somebody asked what if" in shown
    assert page(run) in client.get(f"/plan/runs/{run.pk}/").content.decode()
