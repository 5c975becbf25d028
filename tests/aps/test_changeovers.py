"""Changeovers from the master data to the plan, the board, the load and the promise."""

from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from aps import selectors
from aps.models import ScheduledOperation
from aps.services import edits, live, problems, solving
from aps.solver import validate
from aps.views import draft_state
from common.enums import Role
from masterdata.services import changeovers
from tests.aps.factories import DAY, HOUR, MONDAY, Factory, scheduled
from tests.factories import UserFactory
from tests.masterdata.factories import ChangeoverFactory, WorkCenterFactory, WorkUnitFactory
from tests.shared import shared

pytestmark = pytest.mark.django_db
CHANGEOVER = 90


class Painter(Factory):
    """One machine; changing the colour takes an hour and a half."""

    def __init__(self, units=1):
        super().__init__(units)
        ChangeoverFactory(work_center=self.center, minutes=CHANGEOVER)

    def coat(self, code, colour, minutes=60):
        """A part of one step of an hour a piece in that colour."""
        return self.steps(self.make(code, steps=0), minutes, setup_family=colour)


@shared()
def plant():
    return Painter()


def build(plant, now=MONDAY):
    return problems.build(site_id=plant.site.pk, now=now, days=120)


def test_the_problem_has_the_minutes_for_each_unit_of_the_center(plant):
    second = WorkUnitFactory(work_center=plant.center)
    elsewhere = WorkUnitFactory(work_center=WorkCenterFactory(site=plant.site))
    plant.order(plant.coat("A", "RED"), 1)
    plant.order(plant.coat("B", "BLUE"), 1)
    problem = build(plant).problem
    assert {operation.family for operation in problem.operations} == {"RED", "BLUE"}
    matrix = {"RED": {"BLUE": CHANGEOVER}, "BLUE": {"RED": CHANGEOVER}}
    assert problem.setup_minutes == {plant.units[0].pk: matrix, second.pk: matrix}
    assert elsewhere.pk not in problem.setup_minutes


def test_the_problem_takes_the_same_queries_for_many_changeovers(plant):
    plant.order(plant.coat("A", "RED"), 1)
    with CaptureQueriesContext(connection) as one:
        build(plant)
    for number in range(5):
        ChangeoverFactory(work_center=plant.center, from_family=f"F{number}")
        plant.order(plant.coat(f"P{number}", f"F{number}"), 1)
    with CaptureQueriesContext(connection) as many:
        build(plant)
    assert len(one) == len(many)


def test_a_plan_leaves_the_machine_time_to_change_over_and_its_judge_agrees(plant):
    for number, colour in enumerate(["RED", "BLUE", "RED", "BLUE"]):
        plant.order(plant.coat(f"P{number}", colour), 1, due_at=MONDAY + 5 * HOUR)
    run = plant.replan()
    assert run.state == "published", run.error
    problem = build(plant).problem
    family = {operation.id: operation.family for operation in problem.operations}
    row = sorted((*span, family[pk]) for pk, span in scheduled(run).items())
    gaps = [(b[2] != a[2], b[0] - a[1]) for a, b in pairwise(row)]
    assert all(gap >= (1.5 if changes else 0) for changes, gap in gaps)
    changes = sum(changes for changes, _gap in gaps)
    assert run.figures["setup_minutes"] == changes * CHANGEOVER > 0


def test_a_plan_made_before_is_repaired_by_its_order_with_the_changeovers_in_it(plant):
    plant.center.changeovers.all().delete()
    first, second = plant.coat("A", "RED"), plant.coat("B", "BLUE")
    plant.order(first, 1, due_at=MONDAY + HOUR)
    plant.order(second, 1)
    assert sorted(scheduled(plant.replan()).values()) == [(0, 1), (1, 2)]
    plant.center.refresh_from_db()
    changeovers.save(
        center=plant.center,
        minutes={("", ""): CHANGEOVER},
        version=plant.center.version,
        by=None,
        now=MONDAY,
    )
    # The change itself asks for the new plan.
    plant.waiting_job()
    run = plant.replan()
    assert sorted(scheduled(run).values()) == [(0, 1), (2.5, 3.5)]
    built = build(plant)
    kept = solving.keep_order(built.problem, built.previous)
    assert validate(built.problem, kept.placements) == []


def two_colours(plant):
    plant.order(plant.coat("A", "RED"), 1, due_at=MONDAY + HOUR)
    plant.order(plant.coat("B", "BLUE"), 1)
    return plant.replan()


def test_the_board_hatches_the_changeover_before_the_operation_that_needs_it(plant, client_for):
    run = two_colours(plant)
    found = selectors.board(site_id=plant.site.pk, starts_at=MONDAY, ends_at=MONDAY + DAY)
    (row,) = [row for row in found.rows if row.bars]
    assert [bar.changeover_minutes for bar in row.bars] == [0, CHANGEOVER]
    client = client_for(Role.PLANNER)
    window = {"from": MONDAY.isoformat(), "to": (MONDAY + DAY).isoformat()}
    cells = client.get(reverse("aps:board-data"), window).json()["rows"][0][5]
    assert [cell[14] for cell in cells] == [0, CHANGEOVER]
    second = run.operations.latest("starts_at")
    page = client.get(
        reverse("aps:board-panel"),
        {"order": second.operation.work_order.number, "operation": second.operation_id},
    ).content.decode()
    assert "to BLUE, before it begins" in page


def test_the_changeover_is_known_where_the_operation_before_lies_left_of_the_window(plant):
    two_colours(plant)
    since = MONDAY + 2 * HOUR
    found = selectors.board(site_id=plant.site.pk, starts_at=since, ends_at=since + DAY)
    (row,) = [row for row in found.rows if row.bars]
    assert [bar.changeover_minutes for bar in row.bars] == [CHANGEOVER]


def test_a_changeover_loads_the_machine_that_takes_it(plant):
    two_colours(plant)
    (load,) = selectors.utilisation(
        site_id=plant.site.pk, starts_at=MONDAY, ends_at=MONDAY + 9 * HOUR
    )
    assert load.planned_minutes == 60 + CHANGEOVER + 60
    found = selectors.capacity(
        site_id=plant.site.pk, monday=MONDAY.date(), weeks=1, now=MONDAY - HOUR
    )
    assert found.centers[0].weeks[0].loaded_minutes == 60 + CHANGEOVER + 60


def test_a_plan_and_its_board_count_the_same_load(plant):
    run = two_colours(plant)
    # Nine hours on each of the ten working days from now on.
    assert run.figures["utilisation_percent"] == round(100 * (120 + CHANGEOVER) / (90 * 60), 1)


def test_a_promise_counts_the_changeovers_on_both_sides_of_a_gap(plant):
    """RED runs until 1:00, BLUE from 2:30 to 3:30: half an hour of RED would fit, and yet not."""
    two_colours(plant)
    red, blue = plant.coat("C", "RED", 30), plant.coat("D", "BLUE", 30)
    (later,) = plant.check((red, 1, MONDAY.date()))
    assert later.ready_at == MONDAY + 5.5 * HOUR
    (soon,) = plant.check((blue, 1, MONDAY.date()))
    assert soon.ready_at == MONDAY + 4 * HOUR


def test_lines_of_one_check_change_over_between_each_other(plant):
    red, blue = plant.coat("A", "RED"), plant.coat("B", "BLUE")
    day = MONDAY.date()
    one, other = plant.check((red, 1, day), (blue, 1, day))
    assert (one.ready_at, other.ready_at) == (MONDAY + HOUR, MONDAY + 3.5 * HOUR)


def test_a_promise_and_the_plan_made_of_it_agree(plant):
    two_colours(plant)
    blue = plant.coat("C", "BLUE")
    (promised,) = plant.check((blue, 1, MONDAY.date()))
    plant.order(blue, 1)
    live.forget()
    run = plant.replan()
    assert max(scheduled(run).values()) == (3.5, 4.5)
    assert promised.ready_at == MONDAY + 4.5 * HOUR


def test_new_demand_in_a_scenario_brings_its_family_with_it(plant):
    plant.order(plant.coat("A", "RED"), 1, due_at=MONDAY + HOUR)
    plant.replan()
    plant.coat("B", "BLUE")
    run = plant.scenario(
        {"kind": "demand", "item": "B", "quantity": "1", "requested_date": "2026-11-27"}
    )
    assert run.state == "solved", run.error
    (demand,) = run.comparison["demands"]
    assert demand["ready_at"] == (MONDAY + 3.5 * HOUR).isoformat()


def test_a_machine_that_exists_in_a_scenario_only_changes_over_like_its_model(plant):
    for number, colour in enumerate(["RED", "BLUE", "RED"]):
        plant.order(plant.coat(f"P{number}", colour), 1, due_at=MONDAY + HOUR)
    plant.replan()
    run = plant.scenario({"kind": "add_unit", "like": "LATHE-1", "code": "LATHE-X"})
    assert run.state == "solved", run.error


def test_a_draft_says_where_its_changeovers_lie(plant):
    live_run = two_colours(plant)
    second = live_run.operations.latest("starts_at")
    edited = edits.apply(
        site_id=plant.site.pk,
        change={
            "kind": "move",
            "operation": second.operation_id,
            "work_unit": plant.units[0].code,
            "starts_at": (MONDAY + 4 * HOUR).isoformat(),
        },
        by=UserFactory(),
        now=MONDAY,
    )
    said = draft_state.state(draft=edited.run, live=live_run)
    assert said["changeovers"] == {second.operation_id: CHANGEOVER}


def test_a_wish_too_near_to_a_locked_operation_goes_after_its_changeovers(plant):
    """BLUE is locked from 4:00; RED ending at 3:00 would leave half an hour to change over."""
    run = two_colours(plant)
    first, second = run.operations.order_by("starts_at")
    by = UserFactory()

    def move(row, hours):
        return edits.apply(
            site_id=plant.site.pk,
            change={
                "kind": "move",
                "operation": row.operation_id,
                "work_unit": plant.units[0].code,
                "starts_at": (MONDAY + hours * HOUR).isoformat(),
            },
            by=by,
            now=MONDAY,
        )

    move(second, 4)
    edited = move(first, 2)
    placed = ScheduledOperation.objects.get(run=edited.run, operation=first.operation_id)
    assert placed.starts_at == MONDAY + 6.5 * HOUR
    assert edited.violations
