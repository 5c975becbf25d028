"""The plan made anew by itself: what is near stays, little moves, nothing gets later for it."""

import random
from datetime import timedelta

import pytest

from aps import selectors
from aps.enums import RunKind, RunState
from aps.models import PlanState, ScheduleRun
from aps.services import causes, inputs, plan_settings, problems, repair, scenarios, solving
from aps.solver import Placement
from common.enums import Role
from common.models import AuditEntry
from masterdata.services import unit_exceptions
from mes.enums import OperationState
from tests.aps.factories import DAY, HOUR, MONDAY, Factory, minute, scheduled

pytestmark = pytest.mark.django_db
NOON = MONDAY + 4 * HOUR


@pytest.fixture(autouse=True)
def quick(settings):
    settings.SOLVE_SECONDS = 0.03


def busy_plant(seed=1, orders=12, due_days=4):
    """Three machines, parts of one and two steps, some of them due soon."""
    chance = random.Random(seed)
    plant = Factory(units=3)
    short = plant.part("SHORT", minutes=60)
    long = plant.steps(plant.make("LONG", steps=0), 60, 90)
    for _number in range(orders):
        plant.order(
            chance.choice([short, long]),
            chance.randint(1, 5),
            due_at=MONDAY + chance.randint(1, due_days) * DAY,
            weight=chance.randint(1, 5),
        )
    plant.replan()
    return plant


def down(plant, unit, hours, now=MONDAY, *, is_planned=True):
    unit_exceptions.add(
        work_unit_id=plant.units[unit].pk,
        starts_at=now,
        ends_at=now + hours * HOUR,
        is_working=False,
        reason="spindle",
        by=None,
        now=now,
        is_planned=is_planned,
    )


def right_shift(plant, now):
    """Weighted minutes late if the old plan simply kept its order."""
    built = problems.build(site_id=plant.site.pk, now=now, days=120)
    return solving.keep_order(built.problem, built.previous).weighted_tardiness


@pytest.mark.parametrize("seed", range(6))
def test_a_breakdown_is_repaired_no_worse_than_by_right_shift(seed):
    plant = busy_plant(seed)
    down(plant, seed % 3, 20)
    baseline = right_shift(plant, MONDAY + HOUR)
    run = plant.replan(now=MONDAY + HOUR)
    assert run.state == RunState.PUBLISHED, run.error
    assert run.figures["weighted_tardiness_minutes"] <= baseline
    assert run.comparison["by_order"][0] <= baseline


@pytest.mark.parametrize("seed", range(4))
def test_what_starts_within_the_frozen_minutes_stays(seed):
    plant = busy_plant(seed)
    PlanState.objects.update(frozen_minutes=8 * 60)
    before = ScheduleRun.objects.get(state=RunState.PUBLISHED)
    near = {
        row.operation_id: (row.work_unit_id, row.starts_at)
        for row in before.operations.filter(starts_at__lt=MONDAY + 8 * HOUR)
    }
    assert near
    # An urgent order that would like to be first.
    plant.order(plant.items["SHORT"], 6, due_at=MONDAY + 2 * HOUR, weight=50)
    run = plant.replan()
    after = {row.operation_id: (row.work_unit_id, row.starts_at) for row in run.operations.all()}
    assert {pk: after[pk] for pk in near} == near


def test_without_frozen_minutes_the_urgent_order_goes_first():
    """The control."""
    plant = busy_plant(1)
    plant.order(plant.items["SHORT"], 6, due_at=MONDAY + 2 * HOUR, weight=500)
    urgent = plant.operations().last()
    assert scheduled(plant.replan())[urgent.pk][0] == 0


def test_what_is_frozen_on_a_machine_that_breaks_down_moves_all_the_same():
    plant = busy_plant(2)
    PlanState.objects.update(frozen_minutes=8 * 60)
    down(plant, 0, 24)
    run = plant.replan()
    assert run.state == RunState.PUBLISHED, run.error
    rows = run.operations.filter(work_unit=plant.units[0])
    assert all(row.starts_at >= MONDAY + DAY for row in rows)


def test_a_plan_that_makes_nothing_late_is_kept_without_a_search(monkeypatch):
    plant = Factory(units=2)
    part = plant.part(minutes=60)
    for quantity in (2, 3, 4):
        plant.order(part, quantity)
    before = scheduled(plant.replan())
    monkeypatch.setattr(solving, "solve", None)
    run = plant.replan()
    assert scheduled(run) == before
    assert run.comparison["chosen"] == "order"
    assert run.comparison["moved_operations"] == 0


def test_the_search_pays_for_what_it_moves_away_from_the_plan_in_force(monkeypatch):
    plant = busy_plant(6)
    before = scheduled(plant.replan())
    asked = []
    honest = solving.solve
    monkeypatch.setattr(
        solving, "solve", lambda problem, **more: asked.append(problem) or honest(problem, **more)
    )
    down(plant, 0, 24)
    assert plant.replan().state == RunState.PUBLISHED
    assert asked[-1].objective == repair.STAY
    assert asked[-1].reference.keys() == before.keys()


def test_a_repair_records_what_it_moved_and_why():
    plant = Factory()
    part = plant.part(minutes=60)
    for number, quantity in enumerate((2, 3), start=1):
        need = plant.order(part, quantity, due_at=MONDAY + 7 * HOUR)
        need.reference = f"SO-{number}/10"
        need.save()
    plant.replan()
    down(plant, 0, 4)
    run = plant.replan()
    found = run.comparison
    assert found["base_version"] == 1
    assert found["moved_operations"] == 2
    assert {one["minutes"] for one in found["moved"]} == {4 * 60}
    assert [one["line"] for one in found["orders"]]
    assert len(found["promise_breaks"]) == 1


def test_a_repair_names_the_breakdown_that_it_was_made_for():
    plant = Factory()
    plant.order(plant.part(minutes=60), 6)
    plant.replan()
    down(plant, 0, 4, now=NOON, is_planned=False)
    run = plant.replan(now=NOON)
    assert run.comparison["cause"] == {"masterdata.capacity.changed": 1}
    assert causes.of_plan(run) == causes.PlanCause.CAPACITY


def test_every_fact_that_asks_for_a_plan_can_be_its_cause_and_has_words():
    from aps.views.comparison_words import CAUSES
    from config.subscriptions import SUBSCRIPTIONS

    asking = {
        topic
        for topic, reactions in SUBSCRIPTIONS.items()
        if any(reaction.job == "aps.replan_site" for reaction in reactions)
    }
    assert causes.TOPICS.keys() == asking == CAUSES.keys()


def test_a_plan_asked_for_by_hand_is_free_to_move(user_for):
    from aps.services import runs
    from common.jobs.runner import run_one

    plant = busy_plant(3)
    runs.request(site_id=plant.site.pk, cause="manual", by=user_for(Role.PLANNER), now=MONDAY)
    assert run_one(plant.waiting_job().pk, now=MONDAY)
    run = ScheduleRun.objects.latest("pk")
    assert run.state == RunState.PUBLISHED
    assert run.comparison["chosen"] == "search"


def test_what_runs_stays_whatever_else_moves():
    plant = busy_plant(4)
    row = ScheduleRun.objects.get(state=RunState.PUBLISHED).operations.order_by("starts_at").first()
    plant.operations().filter(pk=row.operation_id).update(
        state=OperationState.RUNNING, work_unit=row.work_unit, started_at=MONDAY
    )
    down(plant, 0, 5, now=NOON)
    run = plant.replan(now=MONDAY + timedelta(minutes=30))
    kept = run.operations.get(operation=row.operation_id)
    assert kept.work_unit == row.work_unit


def test_a_repair_can_be_tried_before_it_is_published():
    plant = busy_plant(5)
    run = plant.scenario(
        {
            "kind": "close",
            "work_unit": "LATHE-2",
            "starts_at": MONDAY.isoformat(),
            "ends_at": (MONDAY + 2 * DAY).isoformat(),
        },
        kind=RunKind.REPAIR,
    )
    assert run.state == RunState.SOLVED
    assert "LATHE-2" not in {
        one["to_unit"] for one in run.comparison["moved"] if one["to_starts_at"] < NOON.isoformat()
    }
    scenarios.publish(run=run, by=None, now=MONDAY)


def test_moves_within_the_tolerance_are_none():
    before = {1: Placement(1, 7, 100, 160), 2: Placement(2, 7, 160, 200)}
    after = {1: Placement(1, 7, 104, 164), 2: Placement(2, 8, 160, 200), 3: Placement(3, 7, 0, 9)}
    assert repair.moved(before, after, 5) == [2]
    assert repair.moved(before, after, 3) == [1, 2]


def test_freezing_leaves_what_no_longer_fits():
    plant = busy_plant(6)
    found = inputs.read(site_id=plant.site.pk, now=MONDAY, days=30)
    built = problems.build_from(found)
    held = repair.freeze(built, until=minute(MONDAY + 4 * HOUR))
    fixed = {o.id for o in held.problem.operations if o.fixed}
    assert fixed == {p.operation for p in built.previous if p.start < minute(MONDAY + 4 * HOUR)}
    assert repair.freeze(built, until=built.problem.now) is built


def test_a_planner_sets_what_is_frozen_and_what_counts_as_a_move(user_for):
    plant, planner = Factory(), user_for(Role.PLANNER)
    state = plan_settings.change(
        site_id=plant.site.pk, frozen_minutes=480, tolerance_minutes=10, by=planner, now=MONDAY
    )
    assert (state.frozen_minutes, state.tolerance_minutes) == (480, 10)
    told = AuditEntry.objects.get(action="aps.plan.settings")
    assert told.changes == {"frozen": [0, 480], "tolerance": [5, 10]}
    for frozen, tolerance in ((-1, 0), (10**6, 0), (0, -1), (0, 10**4)):
        with pytest.raises(plan_settings.CannotChange):
            plan_settings.change(
                site_id=plant.site.pk,
                frozen_minutes=frozen,
                tolerance_minutes=tolerance,
                by=planner,
                now=MONDAY,
            )


def test_what_waits_as_a_scenario_is_no_plan_under_way():
    plant = Factory()
    scenarios.create(
        site_id=plant.site.pk, kind=RunKind.WHAT_IF, name="", changes=[], by=None, now=MONDAY
    )
    assert selectors.run_under_way(plant.site.pk) is None
    assert not selectors.runs(plant.site.pk).exists()
