"""A scenario is the live plan with changes: solved, compared, published once or not at all."""

import pytest

from aps.enums import RunKind, RunState
from aps.models import OperationLock, ScheduledOperation, ScheduleRun
from aps.services import scenarios, solving
from aps.services.scenarios import CannotApply, CannotPublish, CannotRead, CannotReject, StaleBase
from common.enums import Role
from common.jobs import claims
from common.models import AuditEntry, Event, Job, Notification
from masterdata.models import UnitException
from mes.enums import OperationState
from mes.models import WorkOrder
from tests.aps.factories import DAY, HOUR, MONDAY, Factory, scheduled
from tests.shared import shared

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(settings):
    settings.SOLVE_SECONDS = 0.03


@shared(SOLVE_SECONDS=0.03)
def plant():
    """Two lathes; three parts of 2, 3 and 4 hours, planned."""
    plant = Factory(units=2)
    part = plant.part(minutes=60)
    plant.needs = [plant.order(part, quantity) for quantity in (2, 3, 4)]
    for number, need in enumerate(plant.needs, start=1):
        need.reference = f"SO-{number}/10"
        need.save()
    plant.replan()
    return plant


def iso(moment):
    return moment.isoformat()


def at(hours):
    return iso(MONDAY + hours * HOUR)


def first(plant):
    return plant.operations().first()


def move(operation, unit, hours):
    return {
        "kind": "move",
        "operation": operation.pk,
        "work_unit": unit.code,
        "starts_at": at(hours),
    }


# What a scenario is.


def test_a_scenario_is_solved_beside_the_live_plan_and_leaves_it_alone(plant):
    before = scheduled(ScheduleRun.objects.get(state=RunState.PUBLISHED))
    run = plant.scenario(move(first(plant), plant.units[0], 6))
    assert run.state == RunState.SOLVED, run.error
    assert scheduled(run)[first(plant).pk] == (6, 8)
    assert scheduled(ScheduleRun.objects.get(state=RunState.PUBLISHED)) == before
    assert first(plant).planned_starts_at < MONDAY + 6 * HOUR
    assert not OperationLock.objects.exists()
    event = Event.objects.get(topic="aps.scenario.solved")
    assert event.payload["state"] == "solved"


def test_it_says_what_it_means_against_the_live_plan(plant):
    run = plant.scenario(
        {"kind": "close", "work_unit": "LATHE-1", "starts_at": at(0), "ends_at": at(24 * 14)},
    )
    found = run.comparison
    assert found["base_version"] == 1
    assert found["moved_operations"] >= 1
    assert found["machine_changes"] >= 1
    assert {one["to_unit"] for one in found["moved"]} == {"LATHE-2"}
    assert found["before"]["late_orders"] == found["after"]["late_orders"] == 0
    assert found["after"]["makespan_minutes"] > found["before"]["makespan_minutes"]
    assert any(one["minutes"] and one["minutes"] > 0 for one in found["orders"])


def test_publishing_makes_it_the_plan_and_its_changes_permanent(plant, user_for):
    planner = user_for(Role.PLANNER)
    operation = first(plant)
    run = plant.scenario(move(operation, plant.units[1], 30), by=planner)
    run = scenarios.publish(run=run, by=planner, now=MONDAY)
    assert (run.state, run.version) == (RunState.PUBLISHED, 2)
    operation.refresh_from_db()
    assert operation.planned_work_unit == plant.units[1]
    assert operation.planned_starts_at == MONDAY + 30 * HOUR
    lock = OperationLock.objects.get()
    assert (lock.operation, lock.locked_by, lock.starts_at) == (
        operation,
        planner,
        MONDAY + 30 * HOUR,
    )
    told = AuditEntry.objects.get(action="aps.run.publish", target_id=run.pk)
    assert "LATHE-2" in told.reason
    assert Event.objects.filter(topic="aps.schedule.published").count() == 2
    with pytest.raises(CannotPublish):
        scenarios.publish(run=run, by=planner, now=MONDAY)


def test_a_lock_survives_every_later_plan_until_it_is_released(plant):
    operation = first(plant)
    scenarios.publish(run=plant.scenario(move(operation, plant.units[1], 30)), by=None, now=MONDAY)
    again = plant.replan(now=MONDAY + HOUR)
    assert scheduled(again)[operation.pk] == (30, 32)
    scenarios.publish(
        run=plant.scenario({"kind": "unlock", "operation": operation.pk}, now=MONDAY + HOUR),
        by=None,
        now=MONDAY + HOUR,
    )
    assert not OperationLock.objects.exists()
    assert scheduled(plant.replan(now=MONDAY + HOUR))[operation.pk][0] < 30


def test_without_the_lock_the_next_plan_would_pull_it_back(plant):
    """The control."""
    operation = first(plant)
    scenarios.publish(run=plant.scenario(move(operation, plant.units[1], 5)), by=None, now=MONDAY)
    OperationLock.objects.all().delete()
    assert scheduled(plant.replan())[operation.pk][0] < 5


def test_a_lock_that_cannot_hold_is_dropped_and_told_and_the_plan_goes_on(plant, user_for):
    planner = user_for(Role.PLANNER)
    operation = first(plant)
    run = plant.scenario(move(operation, plant.units[1], 30), by=planner)
    scenarios.publish(run=run, by=planner, now=MONDAY)
    plant.units[1].is_active = False
    plant.units[1].save()
    again = plant.replan(now=MONDAY + HOUR)
    assert again.state == RunState.PUBLISHED, again.error
    assert not OperationLock.objects.exists()
    told = Notification.objects.get(kind="aps.lock_dropped")
    assert told.user == planner
    assert told.parameters["operation"].endswith("/10")
    assert AuditEntry.objects.filter(action="aps.lock.drop").exists()


def test_a_lock_that_the_work_before_it_misses_is_dropped(user_for):
    planner = user_for(Role.PLANNER)
    plant = Factory(units=2)
    plant.order(plant.steps(plant.make("PART", steps=0), 60, 60), 2)
    plant.replan()
    one, two = plant.operations()
    scenarios.publish(
        run=plant.scenario(move(two, plant.units[1], 2), by=planner), by=planner, now=MONDAY
    )
    plant.operations().filter(pk=one.pk).update(
        state=OperationState.RUNNING, work_unit=plant.units[0], started_at=MONDAY + HOUR
    )
    run = plant.replan(now=MONDAY + HOUR)
    assert run.state == RunState.PUBLISHED, run.error
    assert scheduled(run)[two.pk][0] == pytest.approx(3, abs=0.02)
    assert not OperationLock.objects.exists()
    assert "end later" in Notification.objects.get().parameters["reason"]


def test_a_lock_that_others_locks_crowd_out_is_dropped_and_the_plan_goes_on():
    plant = Factory()
    other = plant.order(plant.part("OTHER", minutes=60), 2)
    plant.order(plant.steps(plant.make("PART", steps=0), 60, 60), 2)
    plant.replan()
    crowd = plant.operations().get(work_order__pegs__requirement=other)
    one, two = plant.operations().filter(work_order__item__code="PART")
    scenarios.publish(run=plant.scenario(move(two, plant.units[0], 2)), by=None, now=MONDAY)
    OperationLock.objects.create(
        operation=crowd, work_unit=plant.units[0], starts_at=MONDAY, locked_at=MONDAY
    )
    run = plant.replan()
    assert run.state == RunState.PUBLISHED, run.error
    assert scheduled(run)[crowd.pk] == (0, 2)
    assert scheduled(run)[one.pk][1] <= scheduled(run)[two.pk][0]
    assert OperationLock.objects.get().operation == crowd


def test_a_lock_is_over_once_the_operation_runs(plant):
    operation = first(plant)
    scenarios.publish(run=plant.scenario(move(operation, plant.units[1], 2)), by=None, now=MONDAY)
    plant.operations().filter(pk=operation.pk).update(
        state=OperationState.RUNNING, work_unit=plant.units[0], started_at=MONDAY
    )
    run = plant.replan(now=MONDAY + HOUR)
    row = ScheduledOperation.objects.get(run=run, operation=operation)
    assert row.work_unit == plant.units[0]


# Stale bases.


def test_a_scenario_on_an_old_plan_is_refused_with_what_changed_and_can_be_rebased(plant, user_for):
    planner = user_for(Role.PLANNER)
    one, two, three = plant.operations()
    mine = plant.scenario(move(one, plant.units[0], 26), by=planner)
    theirs = plant.scenario(move(two, plant.units[1], 25), by=planner)
    scenarios.publish(run=theirs, by=planner, now=MONDAY)
    with pytest.raises(StaleBase) as refused:
        scenarios.publish(run=mine, by=planner, now=MONDAY)
    assert "version 2 by planner" in str(refused.value)
    assert two.work_order.number in str(refused.value)
    mine.refresh_from_db()
    assert mine.state == RunState.STALE
    assert scheduled(mine)
    mine = plant.solve(scenarios.rebase(run=mine, by=planner, now=MONDAY))
    assert (mine.state, mine.base_version) == (RunState.SOLVED, 2)
    mine = scenarios.publish(run=mine, by=planner, now=MONDAY)
    assert mine.version == 3
    assert scheduled(mine)[one.pk][0] == 26
    assert scheduled(mine)[two.pk][0] == 25
    assert three.pk in scheduled(mine)


def test_a_version_that_moved_nothing_leaves_a_scenario_alone(plant):
    run = plant.scenario(move(first(plant), plant.units[0], 26))
    plant.replan()
    assert scenarios.publish(run=run, by=None, now=MONDAY).version == 3


def test_new_work_makes_a_scenario_stale(plant):
    run = plant.scenario(move(first(plant), plant.units[0], 26))
    plant.order(plant.items["PART"], 1)
    plant.replan()
    with pytest.raises(StaleBase):
        scenarios.publish(run=run, by=None, now=MONDAY)


def test_a_plan_published_while_it_is_solved_makes_it_stale(plant, monkeypatch):
    run = scenarios.create(
        site_id=plant.site.pk,
        kind=RunKind.WHAT_IF,
        name="Try",
        changes=[move(first(plant), plant.units[0], 26)],
        by=None,
        now=MONDAY,
    )
    original = solving.solve

    def solve(*args, **kwargs):
        monkeypatch.setattr(solving, "solve", original)
        plant.order(plant.items["PART"], 1)
        plant.replan()
        return original(*args, **kwargs)

    monkeypatch.setattr(solving, "solve", solve)
    assert plant.solve(run).state == RunState.STALE


def test_rebasing_drops_what_the_plant_no_longer_allows_and_says_so(plant):
    one, two, _three = plant.operations()
    run = plant.scenario(move(one, plant.units[0], 26), move(two, plant.units[1], 25))
    plant.operations().filter(pk=one.pk).update(
        state=OperationState.RUNNING, work_unit=plant.units[0], started_at=MONDAY
    )
    run = plant.solve(scenarios.rebase(run=run, by=None, now=MONDAY))
    assert [row["operation"] for row in run.changes] == [two.pk]
    assert "has started" in run.comparison["dropped_changes"][0]


# One change after the other.


def test_a_closed_machine_does_nothing_and_publishing_closes_it(plant):
    run = plant.scenario(
        {"kind": "close", "work_unit": "LATHE-1", "starts_at": at(0), "ends_at": at(24)},
        kind=RunKind.REPAIR,
    )
    rows = ScheduledOperation.objects.filter(run=run, work_unit=plant.units[0])
    assert all(row.starts_at >= MONDAY + DAY for row in rows)
    scenarios.publish(run=run, by=None, now=MONDAY)
    closed = UnitException.objects.get()
    assert (closed.work_unit, closed.is_working) == (plant.units[0], False)
    assert scheduled(plant.replan()) == scheduled(run)


def test_overtime_makes_room_and_publishing_keeps_it(plant):
    plant.order(plant.items["PART"], 20)
    long = plant.operations().last()
    plant.replan()
    overtime = {"kind": "overtime", "work_unit": "LATHE-1", "starts_at": at(9), "ends_at": at(15)}
    run = plant.scenario(
        {"kind": "close", "work_unit": "LATHE-2", "starts_at": at(0), "ends_at": at(24 * 30)},
        overtime,
        {"kind": "move", "operation": long.pk, "work_unit": "LATHE-1", "starts_at": at(0)},
    )
    # Nine hours, six of overtime, and five on the next day.
    assert scheduled(run)[long.pk] == (0, 29)
    scenarios.publish(run=run, by=None, now=MONDAY)
    assert UnitException.objects.get(is_working=True).work_unit == plant.units[0]


def test_one_more_machine_takes_work_but_cannot_be_published(plant):
    run = plant.scenario(
        {"kind": "close", "work_unit": "LATHE-2", "starts_at": at(0), "ends_at": at(24 * 14)},
        {"kind": "add_unit", "like": "LATHE-1", "code": "LATHE-9"},
    )
    assert {row["work_unit"] for row in run.comparison["extra_units"]} == {"LATHE-9"}
    with pytest.raises(CannotPublish, match="LATHE-9 does not exist"):
        scenarios.publish(run=run, by=None, now=MONDAY)


def test_what_is_taken_off_the_plan_stays_off_until_it_is_unlocked(plant):
    operation = first(plant)
    run = plant.scenario({"kind": "unplan", "operation": operation.pk, "reason": "no drawing"})
    assert operation.pk not in scheduled(run)
    scenarios.publish(run=run, by=None, now=MONDAY)
    again = plant.replan()
    assert operation.pk not in scheduled(again)
    assert [cause for cause, _ in again.figures["left_out_causes"]] == ["kept_out"]
    scenarios.publish(
        run=plant.scenario({"kind": "unlock", "operation": operation.pk}), by=None, now=MONDAY
    )
    assert operation.pk in scheduled(plant.replan())


def test_what_waits_for_work_off_the_plan_is_off_as_well():
    plant = Factory()
    plant.steps(plant.make("CHILD", steps=0), 60, 60)
    parent = plant.steps(plant.make("PARENT", {"CHILD": 1}, steps=0), 60)
    plant.order(parent, 1)
    plant.replan()
    one, two = plant.operations().filter(work_order__item__code="CHILD")
    run = plant.scenario({"kind": "unplan", "operation": two.pk})
    assert list(scheduled(run)) == [one.pk]


def test_an_order_is_planned_as_late_as_its_date_allows_and_stays_there(plant):
    run = plant.scenario(
        {"kind": "replan_order", "order": "SO-2/10", "direction": "backward"}, kind=RunKind.EDIT
    )
    operation = plant.operations().get(work_order__pegs__requirement=plant.needs[1])
    # Due on Friday at 08:00: Thursday 14:00 to 17:00.
    assert scheduled(run)[operation.pk] == (3 * 24 + 6, 3 * 24 + 9)
    scenarios.publish(run=run, by=None, now=MONDAY)
    assert scheduled(plant.replan())[operation.pk] == (3 * 24 + 6, 3 * 24 + 9)
    forward = plant.scenario(
        {"kind": "unlock", "operation": operation.pk},
        {"kind": "replan_order", "order": "SO-2", "direction": "forward"},
        kind=RunKind.EDIT,
    )
    assert scheduled(forward)[operation.pk][0] < 24


def test_an_order_without_room_before_its_date_fails_with_a_sentence():
    plant = Factory()
    need = plant.order(plant.part(minutes=60), 5, due_at=MONDAY + 2 * HOUR)
    need.reference = "SO-1/10"
    need.save()
    plant.replan()
    run = plant.scenario(
        {"kind": "replan_order", "order": "SO-1", "direction": "backward"}, kind=RunKind.EDIT
    )
    assert run.state == RunState.FAILED
    assert "no room before its date" in run.error


def test_a_weight_is_kept_for_later_plans_and_dispatch_lists(plant):
    run = plant.scenario({"kind": "weight", "line": "SO-3/10", "weight": 40})
    scenarios.publish(run=run, by=None, now=MONDAY)
    plant.needs[2].refresh_from_db()
    assert plant.needs[2].weight == 40
    assert WorkOrder.objects.get(pegs__requirement=plant.needs[2]).priority == 40


def test_another_date_is_tried_but_the_promise_is_revised_on_the_order(plant):
    run = plant.scenario({"kind": "due", "line": "SO-3/10", "due_at": at(3)})
    assert run.figures["late_work_orders"] == 1
    with pytest.raises(CannotPublish, match="promise to the customer"):
        scenarios.publish(run=run, by=None, now=MONDAY)


def test_new_demand_takes_its_room_and_cannot_be_published(plant):
    run = plant.scenario(
        {"kind": "demand", "item": "PART", "quantity": 20, "requested_date": "2026-11-27"}
    )
    (found,) = run.comparison["demands"]
    assert found["kept"]
    assert found["ready_at"] > at(19)
    assert set(scheduled(run)) == {o.pk for o in plant.operations()}
    with pytest.raises(CannotPublish, match="Nobody has ordered"):
        scenarios.publish(run=run, by=None, now=MONDAY)


# What is refused.


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "fly"}, "no change of kind"),
        ({"kind": "move", "operation": 1}, "needs the field"),
        ({"kind": "unlock", "operation": "x"}, "whole number"),
        ({"kind": "unlock", "operation": 1, "colour": "red"}, "no field"),
        ({"kind": "due", "line": "SO-1/10", "due_at": "soon"}, "a moment"),
        ({"kind": "due", "line": "SO-1/10", "due_at": "2026-11-27T08:00"}, "time zone"),
        ({"kind": "demand", "item": "PART", "quantity": 0, "requested_date": "2026-11-27"}, "more"),
        ({"kind": "replan_order", "order": "SO-1", "direction": "up"}, "backward"),
        ("move", "an object"),
    ],
)
def test_what_is_not_well_written_is_refused(plant, change, why):
    with pytest.raises(CannotRead, match=why):
        plant.scenario(change)


def test_what_the_plant_does_not_have_is_refused(plant):
    operation = first(plant)
    for change, why in [
        ({"kind": "unlock", "operation": operation.pk}, "not locked"),
        ({"kind": "unplan", "operation": 10**9}, "not at this site"),
        (
            {"kind": "close", "work_unit": "MILL", "starts_at": at(0), "ends_at": at(1)},
            "no active work unit MILL",
        ),
        (
            {"kind": "close", "work_unit": "LATHE-1", "starts_at": at(1), "ends_at": at(1)},
            "later than the start",
        ),
        (
            {"kind": "overtime", "work_unit": "LATHE-1", "starts_at": at(-9), "ends_at": at(-8)},
            "over already",
        ),
        ({"kind": "add_unit", "like": "LATHE-1", "code": "LATHE-2"}, "already"),
        ({"kind": "weight", "line": "SO-9/10", "weight": 3}, "no open work"),
        ({"kind": "weight", "line": "SO-1/10", "weight": -3}, "between"),
        ({"kind": "demand", "item": "?", "quantity": 1, "requested_date": "2026-11-27"}, "no such"),
        ({"kind": "replan_order", "order": "SO-9", "direction": "forward"}, "no open work"),
    ]:
        with pytest.raises(CannotApply, match=why):
            plant.scenario(change)
    plant.operations().filter(pk=operation.pk).update(
        state=OperationState.RUNNING, work_unit=plant.units[0], started_at=MONDAY
    )
    with pytest.raises(CannotApply, match="has started"):
        plant.scenario({"kind": "unplan", "operation": operation.pk})


def test_a_place_that_cannot_hold_the_operation_is_refused(plant):
    with pytest.raises(CannotApply, match="does not work then"):
        plant.scenario(move(first(plant), plant.units[0], 20))


def test_what_is_rejected_is_over(plant):
    run = plant.scenario()
    scenarios.reject(run=run, by=None, now=MONDAY)
    with pytest.raises(CannotReject):
        scenarios.reject(run=run, by=None, now=MONDAY)
    with pytest.raises(CannotPublish):
        scenarios.publish(run=run, by=None, now=MONDAY)


def test_what_was_rejected_while_it_was_solved_stays_rejected(plant, monkeypatch):
    run = scenarios.create(
        site_id=plant.site.pk, kind=RunKind.WHAT_IF, name="", changes=[], by=None, now=MONDAY
    )
    original = solving.solve

    def solve(*args, **kwargs):
        scenarios.reject(run=run, by=None, now=MONDAY)
        return original(*args, **kwargs)

    monkeypatch.setattr(solving, "solve", solve)
    assert plant.solve(run).state == RunState.REJECTED


def test_a_killed_worker_leaves_a_scenario_that_is_solved_by_the_next(plant, monkeypatch):
    run = scenarios.create(
        site_id=plant.site.pk, kind=RunKind.WHAT_IF, name="", changes=[], by=None, now=MONDAY
    )

    def killed(*args, **kwargs):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(solving, "solve", killed)
        with pytest.raises(SystemExit):
            plant.solve(run)
    run.refresh_from_db()
    assert run.state == RunState.SOLVING
    Job.objects.filter(name="aps.solve_scenario").update(lease_until=MONDAY - DAY)
    claims.take_back_lost(now=MONDAY)
    assert plant.solve(run).state == RunState.SOLVED


def test_what_the_judge_finds_is_no_scenario(plant, monkeypatch):
    monkeypatch.setattr(solving, "validate", lambda problem, placements: ["One."])
    run = plant.scenario()
    assert (run.state, run.error) == (RunState.FAILED, "One.")


def test_a_copy_has_the_changes_that_still_fit(plant):
    run = plant.scenario(move(first(plant), plant.units[0], 26))
    other = plant.solve(scenarios.copy(run=run, name="Other", by=None, now=MONDAY))
    assert other.changes == run.changes
    assert scheduled(other)[first(plant).pk] == (26, 28)


def test_live_plans_take_no_notice_of_scenarios_that_wait(plant):
    waiting = scenarios.create(
        site_id=plant.site.pk, kind=RunKind.WHAT_IF, name="", changes=[], by=None, now=MONDAY
    )
    plant.replan()
    waiting.refresh_from_db()
    assert waiting.state == RunState.QUEUED
