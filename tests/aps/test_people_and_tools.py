"""Skills and tools from the master data to the plan and the promise."""

from datetime import time
from itertools import combinations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aps.enums import RunKind
from aps.models import ScheduledOperation
from aps.services import edits, live, locks, problems, repair, runs, solving
from aps.services.problems import BlockKind
from aps.services.shared import skill_pool, tool_pool
from aps.solver import Need, validate
from masterdata.models import Crew, Tool
from mes.enums import OperationState
from mes.models import WorkOrderOperation
from tests.aps.factories import DAY, HOUR, MONDAY, Factory, minute, scheduled
from tests.factories import UserFactory
from tests.masterdata.factories import (
    CalendarFactory,
    CrewFactory,
    RoutingFactory,
    RoutingOperationFactory,
    SkillFactory,
    ToolFactory,
)
from tests.shared import shared

pytestmark = pytest.mark.django_db


class Shop(Factory):
    """Two machines, one fixture that both need."""

    def __init__(self, units=2):
        super().__init__(units)
        self.fixture = ToolFactory(site=self.site, code="F-1")

    def clamped(self, code, minutes=60):
        """A part of one step of an hour a piece with the fixture."""
        return self.steps(self.make(code, steps=0), minutes, tool=self.fixture)

    def welded(self, code, skill, minutes=60, people=1):
        """A part of one step of an hour a piece that takes people."""
        return self.steps(self.make(code, steps=0), minutes, skill=skill, people=people)


@shared()
def plant():
    return Shop()


def build(plant, now=MONDAY):
    return problems.build(site_id=plant.site.pk, now=now, days=120)


def overlapping(spans):
    return [(a, b) for a, b in combinations(sorted(spans), 2) if b[0] < a[1]]


def test_conversion_freezes_what_a_routing_needs(plant):
    skill = SkillFactory()
    routing = RoutingFactory(item=plant.make("ARM", steps=0))
    step = RoutingOperationFactory(
        routing=routing, work_center=plant.center, skill=skill, people=2, tool=plant.fixture
    )
    plant.order(plant.items["ARM"], 1)
    step.skill, step.people, step.tool = None, 1, None
    step.save()
    frozen = WorkOrderOperation.objects.get()
    assert (frozen.skill, frozen.people, frozen.tool) == (skill, 2, plant.fixture)


def test_the_problem_has_a_pool_for_each_skill_and_tool_and_who_needs_them(plant):
    day, night = plant.site.calendar, CalendarFactory(shifts=[(0, time(17), time(23))])
    skill = SkillFactory(crews=[(plant.site, day, 3), (plant.site, night, 1)])
    CrewFactory(skill=skill)  # elsewhere
    ToolFactory()  # elsewhere
    item = plant.make("ARM", steps=0)
    plant.steps(item, 60, skill=skill, people=2, tool=plant.fixture)
    plant.order(item, 1)
    problem = build(plant).problem
    pools = {pool.id: pool for pool in problem.pools}
    assert pools.keys() == {skill_pool(skill.pk), tool_pool(plant.fixture.pk)}
    assert [people for _times, people in pools[skill_pool(skill.pk)].crews] == [3, 1]
    assert pools[tool_pool(plant.fixture.pk)].held_in_pauses
    (operation,) = problem.operations
    assert operation.needs == (
        Need(skill_pool(skill.pk), 2),
        Need(tool_pool(plant.fixture.pk)),
    )


def test_what_was_planned_later_is_not_drawn_forward_on_a_plant_with_tools():
    plant = Shop(units=1)
    plant.order(plant.clamped("LONG"), 20)
    plant.order(plant.clamped("LATER"), 1)
    plant.replan()
    later = plant.operations().last()
    planned = {"planned_starts_at": MONDAY + 4 * DAY, "planned_ends_at": MONDAY + 4 * DAY + HOUR}
    plant.operations().filter(pk=later.pk).update(**planned)
    built = build(plant)
    kept = solving.keep_order(built.problem, built.previous)
    assert kept.by_operation[later.pk].start == minute(MONDAY + 4 * DAY)
    pulled = solving.keep_order(built.problem, built.previous, pull_minutes=None)
    assert pulled.by_operation[later.pk].start == minute(MONDAY + 2 * DAY + 2 * HOUR)


def test_the_problem_takes_the_same_queries_for_many_crews_and_tools(plant):
    plant.order(plant.clamped("A"), 1)
    CrewFactory(site=plant.site)
    with CaptureQueriesContext(connection) as one:
        build(plant)
    for number in range(4):
        CrewFactory(site=plant.site)
        ToolFactory(site=plant.site)
        plant.order(plant.clamped(f"P{number}"), 1)
    with CaptureQueriesContext(connection) as many:
        build(plant)
    assert len(one) == len(many)


def test_two_operations_with_one_tool_do_not_overlap_in_a_plan(plant):
    for number in range(4):
        plant.order(plant.clamped(f"P{number}"), 2, due_at=MONDAY + HOUR)
    run = plant.replan()
    assert run.state == "published", run.error
    spans = list(scheduled(run).values())
    assert len(spans) == 4
    assert overlapping(spans) == []
    # The next plan keeps the old one's order: nothing overlaps there either.
    built = build(plant)
    kept = solving.keep_order(built.problem, built.previous)
    assert validate(built.problem, kept.placements) == []


def test_two_of_a_tool_let_two_machines_work(plant):
    Tool.objects.update(quantity=2)
    for number in range(2):
        plant.order(plant.clamped(f"P{number}"), 1, due_at=MONDAY + HOUR)
    assert list(scheduled(plant.replan()).values()) == [(0, 1), (0, 1)]


def test_a_plan_waits_for_the_people_of_the_shift(plant):
    """The machine is open at eight; the welder comes at ten."""
    late = CalendarFactory(shifts=[(day, time(10), time(17)) for day in range(5)])
    skill = SkillFactory(crews=[(plant.site, late, 1)])
    plant.order(plant.welded("ARM", skill), 1)
    assert list(scheduled(plant.replan()).values()) == [(2, 3)]


def test_what_nobody_can_do_is_left_out_with_its_reason_and_stops_nobody_else(plant):
    plant.order(plant.welded("ARM", SkillFactory(code="WELDER")), 1)
    plant.order(plant.part(), 1)
    run = plant.replan()
    assert run.state == "published", run.error
    built = build(plant)
    ((_pk, block),) = built.left_out.items()
    order = plant.orders("ARM")[0].number
    assert (block.kind, block.reference) == (BlockKind.NO_PEOPLE, f"{order}/10 (WELDER)")
    assert len(scheduled(run)) == 1


def test_work_longer_than_a_crew_is_there_at_a_stretch_is_left_out(plant):
    """A pool does not pause an operation: eight hours do not fit into the four of the crew."""
    morning = CalendarFactory(shifts=[(day, time(8), time(12)) for day in range(5)])
    skill = SkillFactory(crews=[(plant.site, morning, 1)])
    plant.order(plant.welded("SHORT", skill), 4)
    plant.order(plant.welded("LONG", skill), 8)
    built = build(plant)
    assert [block.kind for block in built.left_out.values()] == [BlockKind.NO_PEOPLE]
    assert plant.replan().state == "published"


def test_a_tool_that_is_not_active_leaves_its_work_out(plant):
    plant.order(plant.clamped("A"), 1)
    Tool.objects.update(is_active=False)
    ((_pk, block),) = build(plant).left_out.items()
    assert block.kind == BlockKind.NO_TOOL
    assert "(F-1)" in block.reference


def test_what_runs_keeps_its_tool_whatever_the_master_data_says(plant):
    plant.order(plant.clamped("A"), 2)
    plant.order(plant.clamped("B"), 1)
    first = plant.operations().first()
    plant.operations().filter(pk=first.pk).update(
        state=OperationState.RUNNING, work_unit=plant.units[0], started_at=MONDAY
    )
    assert max(scheduled(plant.replan()).values()) == (2, 3)
    Tool.objects.update(is_active=False)
    built = build(plant)
    assert [operation.id for operation in built.problem.operations] == [first.pk]


def test_an_older_plan_that_double_books_a_tool_is_not_frozen(plant):
    Tool.objects.update(quantity=2)
    for number in range(2):
        plant.order(plant.clamped(f"P{number}"), 1, due_at=MONDAY + HOUR)
    plant.replan()
    Tool.objects.update(quantity=1)
    held = repair.freeze(build(plant), until=minute(MONDAY + DAY))
    assert sum(operation.fixed is not None for operation in held.problem.operations) == 1


class TestDrafts:
    def _two(self, plant):
        for number in range(2):
            plant.order(plant.clamped(f"P{number}"), 1, due_at=MONDAY + HOUR)
        plant.replan()
        return list(plant.operations())

    def _move(self, plant, operation, unit, at, by):
        return edits.apply(
            site_id=plant.site.pk,
            change={
                "kind": "move",
                "operation": operation.pk,
                "work_unit": unit.code,
                "starts_at": at.isoformat(),
            },
            by=by,
            now=MONDAY,
        )

    def test_a_draft_keeps_the_tool_to_one_at_a_time(self, plant):
        first, second = self._two(plant)
        edited = self._move(plant, first, plant.units[0], MONDAY + 3 * HOUR, UserFactory())
        rows = ScheduledOperation.objects.filter(run=edited.run)
        spans = [(row.starts_at, row.ends_at) for row in rows]
        assert overlapping(spans) == []

    def test_a_wish_while_the_tool_is_locked_elsewhere_goes_after_it_and_says_why(self, plant):
        first, second = self._two(plant)
        by = UserFactory()
        self._move(plant, first, plant.units[0], MONDAY + 3 * HOUR, by)
        edited = self._move(plant, second, plant.units[1], MONDAY + 3.5 * HOUR, by)
        assert any("F-1 is in use until" in said for said in edited.violations)
        row = ScheduledOperation.objects.get(run=edited.run, operation=second)
        assert row.starts_at == MONDAY + 4 * HOUR


def test_a_lock_at_an_hour_without_people_is_dropped_with_its_reason(plant):
    late = CalendarFactory(shifts=[(day, time(10), time(17)) for day in range(5)])
    skill = SkillFactory(crews=[(plant.site, late, 1)])
    plant.order(plant.welded("ARM", skill), 1)
    operation = plant.operations().get()
    for hours, kept in ((1, False), (3, True)):
        locks.put(
            operation_id=operation.pk,
            work_unit_id=plant.units[0].pk,
            starts_at=MONDAY + hours * HOUR,
            reason="",
            by=None,
            now=MONDAY,
        )
        built = build(plant)
        assert (built.problem.operations[0].fixed is not None) == kept
        assert list(built.dropped.values()) == (
            [] if kept else ["not enough people of its skill work then"]
        )


class TestPromises:
    def test_a_promise_waits_for_the_tool_that_the_plan_holds(self, plant):
        plant.order(plant.clamped("A"), 4)
        plant.replan()
        (answer,) = plant.check((plant.clamped("B"), 1, MONDAY.date()))
        assert answer.ready_at == MONDAY + 5 * HOUR
        assert "F-1" in answer.reasons[0].text
        assert answer.reasons[0].kind == "pool"
        assert [link.kind for link in answer.chain] == ["pool", "work"]

    def test_a_promise_waits_for_people_and_says_who(self, plant):
        skill = SkillFactory(code="WELDER", crews=[(plant.site, plant.site.calendar, 1)])
        plant.order(plant.welded("A", skill), 4)
        plant.replan()
        (answer,) = plant.check((plant.welded("B", skill), 1, MONDAY.date()))
        assert answer.ready_at == MONDAY + 5 * HOUR
        assert "WELDER" in answer.reasons[0].text

    def test_lines_of_one_check_share_the_tool(self, plant):
        a, b = plant.clamped("A"), plant.clamped("B")
        one, other = plant.check((a, 1, MONDAY.date()), (b, 1, MONDAY.date()))
        assert (one.ready_at, other.ready_at) == (MONDAY + HOUR, MONDAY + 2 * HOUR)

    def test_the_latest_start_leaves_the_tool_to_who_holds_it(self, plant):
        plant.order(plant.clamped("A"), 2)
        plant.replan()
        day = (MONDAY + DAY).date()
        (answer,) = plant.check((plant.clamped("B"), 9, day))
        assert answer.feasible
        assert answer.latest_start >= MONDAY + 2 * HOUR

    def test_a_promise_and_the_plan_made_of_it_agree(self, plant):
        plant.order(plant.clamped("A"), 3)
        plant.replan()
        item = plant.clamped("B")
        (promised,) = plant.check((item, 2, MONDAY.date()))
        plant.order(item, 2)
        live.forget()
        run = plant.replan()
        assert max(end for _start, end in scheduled(run).values()) == 5
        assert promised.ready_at == MONDAY + 5 * HOUR

    def test_what_nobody_can_do_is_not_promised_and_says_who_is_missing(self, plant):
        (answer,) = plant.check((plant.welded("A", SkillFactory(code="WELDER")), 1, MONDAY.date()))
        assert "WELDER" in answer.refusal
        Tool.objects.update(is_active=False)
        live.forget()
        (answer,) = plant.check((plant.clamped("B"), 1, MONDAY.date()))
        assert "F-1" in answer.refusal


def test_crews_that_leave_are_seen_by_the_next_plan(plant):
    skill = SkillFactory(crews=[(plant.site, plant.site.calendar, 2)])
    for number in range(2):
        plant.order(plant.welded(f"P{number}", skill), 1, due_at=MONDAY + HOUR)
    assert list(scheduled(plant.replan()).values()) == [(0, 1), (0, 1)]
    Crew.objects.update(people=1)
    assert overlapping(list(scheduled(plant.replan()).values())) == []


def test_a_scenario_knows_the_pools(plant):
    for number in range(2):
        plant.order(plant.clamped(f"P{number}"), 1, due_at=MONDAY + HOUR)
    plant.replan()
    run = plant.scenario(
        {
            "kind": "close",
            "work_unit": plant.units[0].code,
            "starts_at": MONDAY.isoformat(),
            "ends_at": (MONDAY + DAY).isoformat(),
        },
        kind=RunKind.WHAT_IF,
    )
    assert run.state == "solved", run.error
    rows = ScheduledOperation.objects.filter(run=run)
    assert overlapping([(row.starts_at, row.ends_at) for row in rows]) == []


def with_welders(plant):
    """A skill that one person brings whenever the machines work."""
    return SkillFactory(crews=[(plant.site, plant.site.calendar, 1)])


def test_people_work_beyond_the_first_horizon(monkeypatch):
    monkeypatch.setattr(runs, "HORIZON_DAYS", (1, 2, 120))
    plant = Shop()
    skill = with_welders(plant)
    for number in range(4):
        plant.order(plant.welded(f"P{number}", skill), 8)
    run = plant.replan()
    assert run.state == "published", run.error
    spans = list(scheduled(run).values())
    assert len(spans) == 4
    assert overlapping(spans) == []
    assert max(end for _start, end in spans) > 72


def test_people_of_one_piece_of_work_longer_than_the_first_horizon(monkeypatch):
    monkeypatch.setattr(runs, "HORIZON_DAYS", (2, 120))
    plant = Shop()
    plant.order(plant.welded("LONG", with_welders(plant)), 9 * 5)
    run = plant.replan()
    assert run.state == "published", run.error
    assert run.figures["left_out_causes"] == []
    ((_start, end),) = scheduled(run).values()
    assert end > 96
