"""A planner edits the plan on the board: each step is answered at once and can be taken back."""

from datetime import timedelta

import pytest

from aps.enums import RunKind, RunState
from aps.models import OperationLock, ScheduleRun
from aps.services import edits, live, scenarios
from aps.services.edits import StaleDraft
from aps.services.scenarios import CannotApply, CannotChange, StaleBase
from common.enums import Role
from mes.enums import OperationState
from tests.aps.factories import HOUR, MONDAY, Factory, scheduled
from tests.factories import UserFactory
from tests.shared import shared

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(settings):
    settings.SOLVE_SECONDS = 0.03


@shared(SOLVE_SECONDS=0.03)
def planned():
    """Two lathes; parts of 2, 3 and 4 hours, planned."""
    plant = Factory(units=2)
    part = plant.part(minutes=60)
    for number, quantity in enumerate((2, 3, 4), start=1):
        need = plant.order(part, quantity)
        need.reference = f"SO-{number}/10"
        need.save()
    plant.replan()
    return plant


@pytest.fixture
def plant(planned, user_for):
    """The plant as planned, and a planner."""
    planned.planner = user_for(Role.PLANNER)
    return planned


def at(hours):
    return (MONDAY + hours * HOUR).isoformat()


def apply(plant, change, *, by=None, now=MONDAY, **kwargs):
    return edits.apply(
        site_id=plant.site.pk, change=change, by=by or plant.planner, now=now, **kwargs
    )


def move(plant, operation, unit, hours, **kwargs):
    change = {
        "kind": "move",
        "operation": operation.pk,
        "work_unit": plant.units[unit].code,
        "starts_at": at(hours),
    }
    return apply(plant, change, **kwargs)


def hours(edited):
    return scheduled(edited.run)


def test_a_drag_is_answered_with_the_repaired_plan(plant):
    one, two, three = plant.operations()
    move(plant, three, 0, 0)
    edited = move(plant, two, 0, 1)
    # The machine is taken by the locked one: the wish goes after it.
    assert hours(edited)[two.pk] == (4, 7)
    assert edited.violations == (
        f"LATHE-1 is taken by {three.work_order.number}/10 until 23 Nov 2026, 12:00.",
    )
    assert {placed.operation for placed in edited.placements} >= {two.pk}
    assert edited.run.kind == RunKind.EDIT
    assert edited.run.state == RunState.SOLVED
    assert [one["kind"] for one in edited.run.changes] == ["move", "move"]
    assert edited.comparison["moved_operations"] >= 1
    assert any(row["line"] == "SO-2/10" for row in edited.comparison["orders"])
    assert one.pk in hours(edited)


def test_what_is_not_locked_makes_room(plant):
    one, two, three = plant.operations()
    move(plant, two, 0, 0)
    edited = move(plant, three, 1, 0)
    # The two-hour part goes behind one of them; nothing overlaps and nothing is in the way.
    assert edited.violations == ()
    assert hours(edited)[two.pk] == (0, 3)
    assert hours(edited)[three.pk] == (0, 4)
    assert hours(edited)[one.pk][0] in (3, 4)


def test_a_wish_at_night_goes_to_the_morning_and_says_so(plant):
    edited = move(plant, plant.operations()[0], 0, 12)
    assert hours(edited)[plant.operations()[0].pk] == (24, 26)
    assert edited.violations == ("LATHE-1 is closed until 24 Nov 2026, 08:00.",)


def test_a_wish_in_the_past_goes_to_now(plant):
    operation = plant.operations()[0]
    edited = move(plant, operation, 0, -3)
    assert hours(edited)[operation.pk][0] == 0
    assert "has passed" in edited.violations[0]


def test_a_wish_before_the_work_before_it_goes_behind_that(user_for):
    plant = Factory(units=2)
    plant.planner = user_for(Role.PLANNER)
    plant.order(plant.steps(plant.make("PART", steps=0), 60, 60), 2)
    plant.replan()
    one, two = plant.operations()
    edited = move(plant, two, 1, 1)
    assert hours(edited)[two.pk] == (2, 4)
    assert edited.violations == (
        f"{one.work_order.number}/10 before it ends at 23 Nov 2026, 10:00.",
    )


def test_a_wish_before_its_material_goes_behind_that(user_for):
    plant = Factory()
    plant.planner = user_for(Role.PLANNER)
    part = plant.part(minutes=60, components={"RAW": 1})
    plant.items["RAW"].lead_time_days = 2
    plant.items["RAW"].save()
    plant.order(part, 1)
    plant.replan()
    operation = plant.operations().get()
    edited = move(plant, operation, 0, 1)
    assert hours(edited)[operation.pk][0] == 48
    assert "material" in edited.violations[0]


def test_work_that_has_to_lie_in_one_shift_finds_one(user_for):
    plant = Factory()
    plant.planner = user_for(Role.PLANNER)
    plant.order(plant.part(minutes=60), 3)
    plant.operations().update(is_interruptible=False)
    plant.replan()
    operation = plant.operations().get()
    edited = move(plant, operation, 0, 7)
    assert hours(edited)[operation.pk] == (24, 27)
    assert "no shift long enough" in edited.violations[0]


def test_a_machine_that_cannot_do_it_is_refused_and_the_draft_is_as_before(plant):
    operation = plant.operations()[0]
    operation.units.create(work_unit=plant.units[0], setup_minutes=0, run_minutes=60)
    with pytest.raises(CannotApply, match="LATHE-2 cannot do .*; it can run on LATHE-1"):
        move(plant, operation, 1, 5)
    assert edits.draft(site_id=plant.site.pk, by=plant.planner) is None


def test_what_runs_stays(plant):
    operation = plant.operations()[0]
    plant.operations().filter(pk=operation.pk).update(
        state=OperationState.RUNNING, work_unit=plant.units[0], started_at=MONDAY
    )
    with pytest.raises(CannotApply, match="has started"):
        move(plant, operation, 1, 5)


def test_work_before_a_lock_that_would_miss_it_is_refused(user_for):
    plant = Factory(units=2)
    plant.planner = user_for(Role.PLANNER)
    plant.order(plant.steps(plant.make("PART", steps=0), 60, 60), 2)
    plant.replan()
    one, two = plant.operations()
    edited = move(plant, two, 1, 3)
    with pytest.raises(CannotApply, match="after the locked start of .*/20"):
        move(plant, one, 0, 2)
    edited.run.refresh_from_db()
    assert edited.run.cursor == 1
    assert hours(edited)[one.pk] == (0, 2)


def test_undo_and_redo_lead_to_the_very_same_place(plant):
    one, two, _three = plant.operations()
    start = scheduled(ScheduleRun.objects.get(state=RunState.PUBLISHED))
    first = hours(move(plant, one, 1, 5))
    second = hours(move(plant, two, 0, 7))
    site, by = plant.site.pk, plant.planner
    assert hours(edits.undo(site_id=site, by=by, now=MONDAY)) == first
    back = edits.undo(site_id=site, by=by, now=MONDAY)
    assert hours(back) == start
    assert (back.can_undo, back.can_redo) == (False, True)
    with pytest.raises(CannotChange, match="nothing to undo"):
        edits.undo(site_id=site, by=by, now=MONDAY)
    assert hours(edits.redo(site_id=site, by=by, now=MONDAY)) == first
    assert hours(edits.redo(site_id=site, by=by, now=MONDAY)) == second
    with pytest.raises(CannotChange, match="nothing to redo"):
        edits.redo(site_id=site, by=by, now=MONDAY)


def test_another_step_after_undo_forgets_what_was_undone(plant):
    one, two, _three = plant.operations()
    move(plant, one, 1, 5)
    edits.undo(site_id=plant.site.pk, by=plant.planner, now=MONDAY)
    edited = move(plant, two, 0, 7)
    assert [row["operation"] for row in edited.run.changes] == [two.pk]
    assert not edited.can_redo


def test_publishing_a_draft_makes_its_locks_and_the_next_step_begins_a_new_one(plant):
    one = plant.operations()[0]
    move(plant, one, 1, 5)
    run = edits.publish(site_id=plant.site.pk, by=plant.planner, now=MONDAY)
    assert (run.state, run.version) == (RunState.PUBLISHED, 2)
    assert OperationLock.objects.get().operation == one
    edited = apply(plant, {"kind": "unlock", "operation": one.pk})
    assert edited.run != run
    assert edited.run.base_version == 2
    edits.publish(site_id=plant.site.pk, by=plant.planner, now=MONDAY)
    assert not OperationLock.objects.exists()


def test_a_lock_in_place_stores_where_the_draft_has_the_operation(plant):
    one = plant.operations()[0]
    move(plant, one, 1, 5)
    edited = apply(plant, {"kind": "lock", "operation": plant.operations()[1].pk})
    stored = edited.run.changes[-1]
    assert stored["starts_at"]
    assert stored["work_unit"].startswith("LATHE-")
    assert hours(edited)[one.pk] == (5, 7)


def test_what_was_off_the_plan_can_be_moved_onto_it_again(plant):
    one = plant.operations()[0]
    edited = apply(plant, {"kind": "unplan", "operation": one.pk})
    assert one.pk not in hours(edited)
    assert edited.removed == (one.pk,)
    edited = move(plant, one, 1, 5)
    assert hours(edited)[one.pk] == (5, 7)


def test_a_discarded_draft_leaves_nothing(plant):
    move(plant, plant.operations()[0], 1, 5)
    edits.discard(site_id=plant.site.pk, by=plant.planner, now=MONDAY)
    assert edits.draft(site_id=plant.site.pk, by=plant.planner) is None
    assert not OperationLock.objects.exists()
    with pytest.raises(CannotChange, match="no draft"):
        edits.publish(site_id=plant.site.pk, by=plant.planner, now=MONDAY)


def test_two_planners_have_two_drafts_and_the_second_to_publish_is_told_what_changed(plant):
    one, two, _three = plant.operations()
    other = UserFactory(username="paula", roles=["planner"])
    move(plant, one, 1, 5)
    move(plant, two, 0, 27, by=other)
    edits.publish(site_id=plant.site.pk, by=other, now=MONDAY)
    with pytest.raises(StaleDraft, match="version 2 by paula") as refused:
        move(plant, one, 1, 6)
    assert two.work_order.number in str(refused.value)
    with pytest.raises(StaleBase):
        edits.publish(site_id=plant.site.pk, by=plant.planner, now=MONDAY)
    edited = edits.rebase(site_id=plant.site.pk, by=plant.planner, now=MONDAY)
    assert hours(edited)[one.pk] == (5, 7)
    assert hours(edited)[two.pk] == (27, 30)
    run = edits.publish(site_id=plant.site.pk, by=plant.planner, now=MONDAY)
    assert run.version == 3


def test_a_board_that_shows_an_old_version_is_refused(plant):
    one, two, _three = plant.operations()
    scenario = plant.scenario(
        {
            "kind": "move",
            "operation": two.pk,
            "work_unit": "LATHE-1",
            "starts_at": at(27),
        }
    )
    scenarios.publish(run=scenario, by=None, now=MONDAY)
    with pytest.raises(StaleDraft):
        move(plant, one, 1, 5, base_version=1)
    assert move(plant, one, 1, 5, base_version=2).run.base_version == 2


def test_a_draft_outlives_reports_that_move_nothing(plant):
    one = plant.operations()[0]
    move(plant, one, 1, 5)
    plant.replan(now=MONDAY + timedelta(minutes=1))
    live.forget()
    edited = move(plant, one, 1, 6, now=MONDAY + timedelta(minutes=1))
    assert hours(edited)[one.pk] == (6, 8)


def test_more_moves_than_can_be_answered_at_once_are_refused_and_nothing_moves(plant, monkeypatch):
    one, two, three = plant.operations()
    # Three operations are open: two moves are six placed.
    monkeypatch.setattr(edits, "MOST_PLACED", 6)
    moves = [
        {"kind": "move", "operation": o.pk, "work_unit": "LATHE-1", "starts_at": at(24 + 4 * n)}
        for n, o in enumerate((one, two, three))
    ]
    asked = {"site_id": plant.site.pk, "by": plant.planner, "now": MONDAY}
    with pytest.raises(CannotApply, match="3 moves at once .* 3 open .* at most 2 at a time"):
        edits.apply_all(changes=moves, **asked)
    assert edits.draft(site_id=plant.site.pk, by=plant.planner) is None
    assert len(edits.apply_all(changes=moves[:2], **asked).run.changes) == 2
    # What is no move is one plan, however much of it.
    locks = [{**one, "kind": "lock"} for one in moves]
    edits.apply_all(changes=locks, **asked)


def test_a_step_that_came_in_while_publishing_waited_is_published_whole(plant):
    one, two = plant.operations()[:2]
    move(plant, one, 1, 2)
    seen = edits.draft(site_id=plant.site.pk, by=plant.planner)
    # Their other window moves another one before this publishing gets the lock.
    edited = move(plant, two, 0, 8)
    run = scenarios.publish(run=seen, by=plant.planner, now=MONDAY)
    assert scheduled(run) == hours(edited)
    assert set(OperationLock.objects.values_list("operation", flat=True)) == {one.pk, two.pk}
