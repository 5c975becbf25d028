"""Other hours of calendars and machines: what would move is shown first, saving counts after."""

import json
from datetime import time, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from aps.enums import RunState
from aps.models import PlanState, ScheduledOperation, ScheduleRun
from aps.services import changes, previews, scenarios
from aps.views import hours
from common.enums import JobState
from common.models import AuditEntry, Job
from masterdata.models import (
    Calendar,
    CalendarException,
    Crew,
    Shift,
    UnitException,
    WorkUnit,
)
from masterdata.services import unit_exceptions
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.masterdata.factories import CrewFactory, CustomerFactory, office_hours
from tests.shared import shared

pytestmark = pytest.mark.django_db
URL = "/plan/hours/"
MOVES = "/plan/hours/moves/"
MINUTE = timedelta(minutes=1)
HTMX = {"HTTP_HX_REQUEST": "true"}
# The last minutes of the shipping days Monday and Tuesday.
DUE = (9 * HOUR - MINUTE, DAY + 9 * HOUR - MINUTE)
WEEK = ["08:00–17:00"] * 5 + ["", ""]


@pytest.fixture(autouse=True)
def monday(settings):
    settings.SOLVE_SECONDS = 0.03
    with time_machine.travel(MONDAY, tick=False):
        yield


@shared(at=MONDAY, SOLVE_SECONDS=0.03)
def plant():
    """One lathe, two orders of six hours each: the second is due Tuesday evening."""
    plant = Factory()
    item = plant.part(minutes=60)
    plant.needs = [plant.order(item, 6, due_at=MONDAY + due) for due in DUE]
    for number, need in enumerate(plant.needs, start=1):
        need.reference = f"SO-{number}/10"
        need.customer = CustomerFactory(code=f"C{number}", transit_days=number)
        need.save()
    assert plant.replan().state == RunState.PUBLISHED
    return plant


def iso(hours):
    return (MONDAY + timedelta(hours=hours)).isoformat()


def typed(hours):
    return (MONDAY + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")


def calendar(plant, *, week=WEEK, exceptions=(), version=None, removed=()):
    found = plant.site.calendar
    return {
        "kind": "calendar",
        "calendar": found.code,
        "version": found.version if version is None else version,
        "time_zone": "UTC",
        "week": list(week),
        "exceptions": list(exceptions),
        "removed": list(removed),
    }


def holiday(day=1):
    """The whole of a day after Monday."""
    return {"starts_at": iso(24 * day - 8), "ends_at": iso(24 * day + 16), "is_working": False}


def everything():
    """All that a preview must leave as it is."""
    return (
        list(ScheduledOperation.objects.order_by("pk").values_list()),
        list(ScheduleRun.objects.order_by("pk").values_list("pk", "state")),
        list(Calendar.objects.order_by("pk").values_list()),
        CalendarException.objects.count(),
        UnitException.objects.count(),
        AuditEntry.objects.count(),
        Job.objects.count(),
    )


def preview(plant, change):
    return previews.preview(site_id=plant.site.pk, changes=[change], now=MONDAY)


# ---- what moves


def test_a_holiday_shows_whose_date_moves_and_which_promise_breaks(plant):
    before = everything()
    found = preview(plant, calendar(plant, exceptions=[holiday()]))
    [row] = found.comparison["orders"]
    assert row["line"] == "SO-2/10"
    # Ready Tuesday 11:00, at the door two days later; with Tuesday free on Wednesday.
    assert (row["before_day"], row["after_day"], row["days"]) == ("2026-11-26", "2026-11-27", 1)
    assert row["breaks"]
    assert found.comparison["promise_breaks"] == ["SO-2/10"]
    # It begins on Monday as before and goes on on Wednesday.
    assert found.comparison["moved_operations"] == 0
    assert everything() == before


def test_the_preview_of_a_holiday_is_the_plan_that_saving_brings(plant, client_for):
    found = preview(plant, calendar(plant, exceptions=[holiday()]))
    CalendarException.objects.create(
        calendar=plant.site.calendar, starts_at=MONDAY + 16 * HOUR, ends_at=MONDAY + 40 * HOUR
    )
    run = plant.replan()
    ends = dict(ScheduledOperation.objects.filter(run=run).values_list("operation", "ends_at"))
    last = max(ends.values()).isoformat()
    assert last == found.comparison["orders"][0]["after"]


def test_another_shift_moves_what_no_longer_fits(plant):
    found = preview(plant, calendar(plant, week=["08:00–12:00"] * 5 + ["", ""]))
    lines = {row["line"]: row for row in found.comparison["orders"]}
    assert set(lines) == {"SO-1/10", "SO-2/10"}
    assert lines["SO-1/10"]["breaks"]


def test_a_longer_shift_heals_what_is_late(plant):
    plant.needs[1].due_at = MONDAY + 12 * HOUR
    plant.needs[1].save()
    plant.replan()
    found = preview(plant, calendar(plant, week=["08:00–20:00"] * 5 + ["", ""]))
    assert [row["line"] for row in found.comparison["orders"] if row["heals"]] == ["SO-2/10"]


@pytest.fixture
def welder(plant):
    """A machine's work of eleven hours that needs somebody, who has a calendar of their own."""
    crew = CrewFactory(site=plant.site, calendar=office_hours())
    item = plant.steps(plant.make("ARM", steps=0), 60, skill=crew.skill)
    for need in plant.needs:
        plant.operations().filter(work_order__pegs__requirement=need).update(state="cancelled")
    need = plant.order(item, 11, due_at=MONDAY + 9 * HOUR)
    need.reference = "SO-3/10"
    need.save()
    assert plant.replan().state == RunState.PUBLISHED
    return crew


LONG_WEEK = ["08:00–20:00"] * 5 + ["", ""]


def ready(found, line="SO-3/10"):
    return next((row["after"] for row in found.comparison["orders"] if row["line"] == line), None)


def test_people_come_with_the_other_hours_of_their_calendar(plant, welder):
    Crew.objects.update(calendar=plant.site.calendar)
    found = preview(plant, calendar(plant, week=LONG_WEEK))
    assert ready(found) == iso(11)
    Shift.objects.filter(calendar=plant.site.calendar).update(ends_at=time(20))
    run = plant.replan()
    assert max(row.ends_at for row in run.operations.all()).isoformat() == ready(found)


def test_hours_of_people_and_of_machines_are_tried_together(plant, welder):
    theirs = {"calendar": welder.calendar.code, "version": welder.calendar.version}
    people = calendar(plant, week=LONG_WEEK) | theirs
    wanted = [people, calendar(plant, week=LONG_WEEK)]
    for changes_ in (wanted, wanted[::-1]):
        found = previews.preview(site_id=plant.site.pk, changes=changes_, now=MONDAY)
        assert ready(found) == iso(11)


def test_a_holiday_of_people_alone_moves_what_needs_them(plant, welder):
    off = {"calendar": welder.calendar.code, "version": welder.calendar.version}
    found = preview(plant, calendar(plant, exceptions=[holiday(0)]) | off)
    assert ready(found) > iso(24)


def test_a_holiday_far_away_moves_nothing(plant):
    found = preview(plant, calendar(plant, exceptions=[holiday(30)]))
    assert found.comparison["orders"] == []
    assert found.comparison["moved_operations"] == 0


def test_a_holiday_of_the_shipping_days_alone_moves_the_day_at_the_door(plant):
    """The machines go on; nothing leaves the dock on the day that is free."""
    other = Calendar.objects.create(code="SHIP", name="Ship", time_zone="UTC")
    for shift in plant.site.calendar.shifts.all():
        other.shifts.create(weekday=shift.weekday, starts_at=shift.starts_at, ends_at=shift.ends_at)
    plant.site.shipping_calendar = other
    plant.site.save()
    change = calendar(plant, exceptions=[holiday()]) | {"calendar": "SHIP", "version": 1}
    found = preview(plant, change)
    assert found.comparison["moved_operations"] == 0
    [row] = found.comparison["orders"]
    assert (row["line"], row["minutes"], row["days"], row["breaks"]) == ("SO-2/10", 0, 1, True)


def test_a_closed_machine_and_its_reopening_are_each_others_opposite(plant):
    closing = {"kind": "close", "work_unit": "LATHE-1", "starts_at": iso(0), "ends_at": iso(9)}
    found = preview(plant, closing)
    assert found.comparison["promise_breaks"]
    row = UnitException.objects.create(
        work_unit=plant.units[0], starts_at=MONDAY, ends_at=MONDAY + 9 * HOUR
    )
    plant.replan()
    back = preview(plant, {"kind": "reopen", "exception": row.pk})
    assert [one["line"] for one in back.comparison["orders"] if one["heals"]] == [
        one["line"] for one in found.comparison["orders"] if one["breaks"]
    ]


def test_the_frozen_zone_stays_in_the_preview_as_in_the_plan(plant):
    PlanState.objects.filter(site=plant.site).update(frozen_minutes=24 * 60)
    found = preview(plant, calendar(plant, week=["06:00–17:00"] * 5 + ["", ""]))
    first = plant.operations()[0].pk
    assert first not in [move["operation"] for move in found.comparison["moved"]]


def test_two_changes_of_hours_in_one_scenario_do_not_undo_each_other(plant):
    closing = {"kind": "close", "work_unit": "LATHE-1", "starts_at": iso(0), "ends_at": iso(2)}
    run = plant.scenario(closing, calendar(plant, exceptions=[holiday()]))
    assert run.state == RunState.SOLVED, run.error
    starts = ScheduledOperation.objects.filter(run=run).values_list("starts_at", "ends_at")
    assert min(start for start, _end in starts) >= MONDAY + 2 * HOUR
    # Seven hours are left of Monday, nothing of Tuesday.
    assert max(end for _start, end in starts) == MONDAY + 2 * DAY + 5 * HOUR


# ---- refusals


@pytest.mark.parametrize(
    "spoil",
    [
        {"calendar": "NONE"},
        {"week": ["08:00–17:00"]},
        {"week": ["early"] * 7},
        {"week": [["08:00"]] * 7},
        {"week": ["08:00–17:00, 09:00–10:00"] + [""] * 6},
        {"time_zone": "Moon/Base"},
        {"exceptions": "none"},
        {"exceptions": [1]},
        {"exceptions": [{"starts_at": "soon", "ends_at": "later"}]},
        {"exceptions": [{"starts_at": "2026-11-25T00:00Z", "ends_at": "2026-11-24T00:00Z"}]},
        {"exceptions": [{"starts_at": iso(1), "ends_at": iso(2), "pk": "x"}]},
        {"removed": "all"},
        {"removed": [None]},
        {"version": "new"},
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(client_for, plant, spoil):
    answer = client_for("planner").post(
        MOVES, {"change": json.dumps(calendar(plant) | spoil)}, **HTMX
    )
    assert answer.status_code == 200
    assert b'role="alert"' in answer.content


@pytest.mark.parametrize("text", ["", "[]", "{", '{"kind": "calendar"}', "[" * 5000])
def test_a_change_that_is_none_is_told(client_for, plant, text):
    answer = client_for("planner").post(MOVES, {"change": text}, **HTMX)
    assert answer.status_code == 200
    assert b'role="alert"' in answer.content


def test_a_calendar_that_somebody_saved_meanwhile_is_stale(client_for, plant):
    Calendar.objects.filter(pk=plant.site.calendar_id).update(version=9)
    change = calendar(plant, version=1, exceptions=[holiday()])
    answer = client_for("planner").post(MOVES, {"change": json.dumps(change)}, **HTMX)
    assert "was changed" in answer.content.decode()
    with pytest.raises(changes.CannotApply):
        preview(plant, change)


def test_without_a_plan_nothing_can_move(client_for):
    plant = Factory()
    answer = client_for("planner").post(MOVES, {"change": json.dumps(calendar(plant))}, **HTMX)
    assert "There is no plan yet" in answer.content.decode()


def test_hours_that_leave_no_room_are_told(plant):
    found = preview(plant, calendar(plant, week=[""] * 7))
    assert found.unplanned == 2


@pytest.mark.parametrize("role", ["sales", "supervisor", "manager", "operator", "purchasing"])
def test_who_may_not_edit_capacity_gets_neither_preview_nor_page_buttons(client_for, plant, role):
    client = client_for(role)
    assert client.post(MOVES, {"change": "{}"}).status_code == 403
    assert client.post(URL, {}).status_code == 403
    row = UnitException.objects.create(
        work_unit=plant.units[0], starts_at=MONDAY, ends_at=MONDAY + HOUR
    )
    assert client.post(f"{URL}{row.pk}/remove/").status_code == 403
    assert UnitException.objects.count() == 1
    if role != "operator":
        assert "hours-form" not in client.get(URL).content.decode()


# ---- the page of closures and overtime


def test_the_form_shows_what_moves_and_saves_nothing(client_for, plant):
    client = client_for("planner")
    before = everything()
    data = {"work_unit": "LATHE-1", "what": "close", "starts_at": typed(0), "ends_at": typed(9)}
    shown = client.post(URL, data | {"act": "moves"}, **HTMX).content.decode()
    assert "promises break" in shown
    assert "SO-1/10" in shown
    assert "<html" not in shown
    assert everything() == before
    whole = client.post(URL, data | {"act": "moves"}).content.decode()
    assert "<html" in whole
    assert "promises break" in whole


def test_saving_closes_the_machine_and_asks_for_a_plan(client_for, plant):
    Job.objects.all().delete()
    client = client_for("planner")
    data = {"work_unit": "LATHE-1", "what": "close", "starts_at": typed(0), "ends_at": typed(9)}
    assert client.post(URL, data | {"reason": "Belt"}).status_code == 302
    [row] = UnitException.objects.all()
    assert (row.is_working, row.reason, row.starts_at) == (False, "Belt", MONDAY)
    assert Job.objects.filter(name="aps.replan_site", state=JobState.QUEUED).exists()
    shown = client.get(URL).content.decode()
    assert "Belt" in shown
    assert "Closed" in shown
    run = plant.replan()
    starts = run.operations.values_list("starts_at", flat=True)
    assert min(starts) == MONDAY + DAY
    Job.objects.all().delete()
    assert client.post(f"{URL}{row.pk}/remove/").status_code == 302
    assert not UnitException.objects.exists()
    assert Job.objects.filter(name="aps.replan_site", state=JobState.QUEUED).exists()
    again = client.post(f"{URL}{row.pk}/remove/", follow=True)
    assert "has removed it already" in again.content.decode()


@pytest.mark.parametrize(
    "wrong", [{"work_unit": "NONE"}, {"ends_at": typed(-1)}, {"starts_at": "soon"}, {"what": "?"}]
)
@pytest.mark.parametrize("act", ["moves", ""])
def test_a_form_that_is_wrong_says_so_at_its_field(client_for, plant, wrong, act):
    data = {"work_unit": "LATHE-1", "what": "close", "starts_at": typed(0), "ends_at": typed(9)}
    answer = client_for("planner").post(URL, data | wrong | {"act": act})
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    assert not UnitException.objects.exists()


def test_without_a_plant_the_page_says_what_to_do(client_for):
    assert "No plant yet" in client_for("planner").get(URL).content.decode()


def test_a_list_of_many_costs_as_many_queries_as_one(client_for, plant, django_assert_num_queries):
    client = client_for("planner")

    def add(number):
        UnitException.objects.bulk_create(
            UnitException(
                work_unit=plant.units[0],
                starts_at=MONDAY + n * DAY,
                ends_at=MONDAY + n * DAY + HOUR,
            )
            for n in range(number)
        )

    add(1)
    client.get(URL)
    with CaptureQueriesContext(connection) as few:
        client.get(URL)
    add(20)
    with django_assert_num_queries(len(few)):
        client.get(URL)


# ---- the calendar's page


def form_of(plant, **more):
    found = plant.site.calendar
    data = {"code": found.code, "name": found.name, "time_zone": "UTC", "version": found.version}
    data |= {f"day_{day}": line for day, line in enumerate(WEEK)}
    data |= {
        "ex-TOTAL_FORMS": 1,
        "ex-INITIAL_FORMS": 0,
        "ex-0-starts_at": typed(16),
        "ex-0-ends_at": typed(40),
        "ex-0-reason": "Feast",
    }
    return data | more


def test_the_calendar_page_asks_planning_and_then_saves_what_was_shown(client_for, plant):
    client = client_for("planner")
    url = reverse("masterdata:calendar-edit", args=[plant.site.calendar.code])
    assert 'value="moves"' in client.get(url).content.decode()
    before = everything()
    asked = client.post(url, form_of(plant, act="moves"), **HTMX)
    proposal = asked.context["proposal"]
    assert MOVES in asked.content.decode()
    shown = client.post(MOVES, {"change": proposal}, **HTMX).content.decode()
    assert "1 promise breaks" in shown
    assert "SO-2/10" in shown
    assert everything() == before
    assert client.post(url, form_of(plant)).status_code == 302
    assert CalendarException.objects.get().reason == "Feast"
    plant.site.calendar.refresh_from_db()
    assert plant.site.calendar.version == 2


def test_a_calendar_page_with_a_mistake_asks_to_correct_it(client_for, plant):
    url = reverse("masterdata:calendar-edit", args=[plant.site.calendar.code])
    data = form_of(plant, act="moves", day_0="early")
    answer = client_for("planner").post(url, data, **HTMX)
    assert "cannot be read yet" in answer.content.decode()
    assert not answer.context["proposal"]


def test_a_reader_of_calendars_is_offered_no_preview(client_for, plant):
    url = reverse("masterdata:calendar-edit", args=[plant.site.calendar.code])
    assert 'value="moves"' not in client_for("sales").get(url).content.decode()


def test_a_preview_without_htmx_is_a_page(client_for, plant):
    change = json.dumps(calendar(plant, exceptions=[holiday()]))
    shown = client_for("planner").post(MOVES, {"change": change}).content.decode()
    assert "<html" in shown
    assert "SO-2/10" in shown


# ---- the same change as a scenario


def test_the_change_opens_as_a_scenario_that_publishing_saves(client_for, plant):
    client = client_for("planner")
    change = calendar(plant, exceptions=[holiday() | {"reason": "Feast"}])
    shown = client.post("/plan/scenarios/new/", {"offer": json.dumps([change])})
    assert shown.status_code == 200
    assert f"Other hours of calendar {plant.site.calendar.code}" in shown.content.decode()
    run = plant.scenario(change)
    assert run.state == RunState.SOLVED, run.error
    assert [row["line"] for row in run.comparison["orders"]] == ["SO-2/10"]
    assert not CalendarException.objects.exists()
    Job.objects.all().delete()
    run = scenarios.publish(run=run, by=None, now=MONDAY)
    assert run.state == RunState.PUBLISHED
    assert CalendarException.objects.get().reason == "Feast"
    # The plan reckons with it already.
    assert not Job.objects.filter(name="aps.replan_site").exists()


def test_a_scenario_of_a_calendar_that_was_saved_meanwhile_is_refused(plant):
    run = plant.scenario(calendar(plant, exceptions=[holiday()]))
    Calendar.objects.filter(pk=plant.site.calendar_id).update(version=9)
    with pytest.raises(changes.CannotApply):
        scenarios.publish(run=run, by=None, now=MONDAY)
    run.refresh_from_db()
    assert run.state == RunState.SOLVED
    assert not CalendarException.objects.exists()
    copied, dropped = scenarios.still_possible(run, MONDAY)
    assert not copied
    assert len(dropped) == 1


@pytest.mark.parametrize(
    "offer", ["{", "[1]", '[{"kind": "reopen", "exception": 99}]', '{"kind": "x"}']
)
def test_an_offer_that_does_not_work_is_told_on_the_form(client_for, plant, offer):
    answer = client_for("planner").post("/plan/scenarios/new/", {"offer": offer})
    assert answer.status_code == 422
    assert "This does not work" in answer.content.decode()


def test_the_panel_of_hours_that_move_nothing_says_so(client_for, plant):
    change = json.dumps(calendar(plant, exceptions=[holiday(30)]))
    shown = client_for("planner").post(MOVES, {"change": change}, **HTMX).content.decode()
    assert "Nothing moves" in shown
    assert "Every operation and every date stays where it is." in shown


def test_the_panel_says_each_figure_once(client_for, plant):
    change = json.dumps(calendar(plant, exceptions=[holiday()]))
    shown = client_for("planner").post(MOVES, {"change": change}, **HTMX).content.decode()
    assert shown.count("promise breaks") == 1


def test_a_line_that_is_only_ready_at_another_hour_is_no_line_with_another_date(plant):
    found = preview(plant, calendar(plant, exceptions=[holiday()]))
    rows = found.comparison["orders"]
    for row in rows:
        row["breaks"] = row["heals"] = False
    found.comparison["promise_breaks"] = []
    rows.append({**rows[0], "after_day": rows[0]["before_day"], "days": 0})
    moved = sum(row["before_day"] != row["after_day"] for row in rows)
    said = hours.say(found)
    assert len(said.dates) == moved + 1
    noun = "line gets" if moved == 1 else "lines get"
    assert said.title == f"{moved} order {noun} another date, no promise breaks"


# ---- what would poison the plan


@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [("0001-01-01T00:00", "2026-12-01T10:00"), ("2026-12-01T10:00", "9999-12-31T23:59")],
)
@pytest.mark.parametrize("act", ["", "moves"])
def test_a_span_that_other_zones_cannot_say_is_refused(client_for, plant, starts_at, ends_at, act):
    client = client_for("planner")
    facts = {"work_unit": "LATHE-1", "what": "close", "starts_at": starts_at, "ends_at": ends_at}
    answer = client.post(URL, facts | {"act": act})
    assert answer.status_code == 422
    assert "is not between 1900 and 2999" in answer.content.decode()
    assert not UnitException.objects.exists()
    assert client.get("/plan/").status_code == 200


def test_closing_a_machine_refuses_a_moment_out_of_reach_and_what_is_over(plant, user_for):
    unit = WorkUnit.objects.get(code="LATHE-1")

    def close(starts_at, ends_at):
        unit_exceptions.add(
            work_unit_id=unit.pk,
            starts_at=starts_at,
            ends_at=ends_at,
            is_working=False,
            reason="",
            by=user_for("planner"),
            now=MONDAY,
        )

    with pytest.raises(unit_exceptions.CannotChange, match="1900 and 2999"):
        close(MONDAY, MONDAY.replace(year=9999))
    with pytest.raises(unit_exceptions.CannotChange, match="over already"):
        close(MONDAY - timedelta(days=2), MONDAY - timedelta(days=1))
    assert not UnitException.objects.exists()


@pytest.mark.parametrize("field", ["kind", "time_zone", "calendar", "week", "unknown"])
def test_half_a_character_in_a_change_is_told_and_not_a_server_error(client_for, plant, field):
    change = calendar(plant) | {field: ["\ud800"] * 7 if field == "week" else "\ud800"}
    answer = client_for("planner").post(MOVES, {"change": json.dumps(change)})
    assert answer.status_code == 200
    assert "The change could not be read." in answer.content.decode()


def test_half_a_character_in_a_scenario_is_told_and_not_a_server_error(client_for, plant):
    change = {"kind": "\ud800"}
    page = client_for("planner").post(
        "/plan/scenarios/new/", {"action": "solve", "name": "x", "change": json.dumps(change)}
    )
    assert page.status_code == 422
    assert "The change could not be read." in page.content.decode()
    answer = client_for("planner").post(
        "/api/v1/scenarios/",
        json.dumps({"name": "x", "changes": [change]}),
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert "The change could not be read." in str(answer.json())
