"""What several pages count is counted in one place: loads, moves, setup families, days."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aps import selectors
from aps.selectors import beside, load
from aps.services import comparison, lateness, problems, scenario_solving, solving
from aps.services.lateness_types import HelpKind
from common.intervals import WorkingTime
from mes.models import OperationUnit
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.masterdata.factories import ChangeoverFactory, CustomerFactory

DAYS = WorkingTime([(480, 960), (1920, 2400)])


@pytest.fixture(autouse=True)
def quick(settings):
    settings.SOLVE_SECONDS = 0.03


@pytest.mark.parametrize(
    ("begins", "ends", "changeover", "minutes"),
    [
        (500, 600, 0, 100),
        (500, 600, 15, 115),
        # Nobody works before 480, nor between the days.
        (500, 600, 90, 120),
        (900, 2000, 0, 60),
        # It begins after the window: neither it nor its changeover is in it.
        (1000, 1100, 90, 0),
        (960, 1000, 90, 0),
        # It begins inside and ends outside.
        (950, 1930, 0, 10),
    ],
)
def test_an_operation_loads_a_window_with_its_changeover(begins, ends, changeover, minutes):
    span = load.taken(begins, ends, changeover, until=960)
    assert load.loaded(DAYS, span, 0, 960) == minutes


@pytest.mark.parametrize(
    ("unit", "shift", "moved"), [(1, 15, False), (1, -15, False), (1, 16, True), (2, 0, True)]
)
def test_an_operation_has_moved_on_another_unit_or_beyond_the_tolerance(unit, shift, moved):
    assert beside.has_moved(1, unit, shift, 15) is moved


@pytest.mark.django_db
def test_a_comparison_counts_the_load_of_its_window_as_the_board_does(monkeypatch):
    plant = Factory()
    ChangeoverFactory(work_center=plant.center, minutes=90)
    for code, family, due in (("A", "RED", HOUR), ("B", "BLUE", DAY)):
        part = plant.steps(plant.make(code, steps=0), 60, setup_family=family)
        plant.order(part, 1, due_at=MONDAY + due)
    plant.replan()
    # A until 9:00, B from 10:30; the window ends at 10:00, within the changeover.
    (shown,) = selectors.utilisation(
        site_id=plant.site.pk, starts_at=MONDAY, ends_at=MONDAY + 2 * HOUR
    )
    assert shown.percent == 50
    monkeypatch.setattr(comparison, "UTILISATION_DAYS", 2 / 24)
    built = problems.build(site_id=plant.site.pk, now=MONDAY, days=60)
    solution = solving.keep_order(built.problem, built.previous)
    assert comparison.utilisation(built, solution) == 50


@pytest.mark.django_db
def test_an_item_without_a_family_changes_nothing_over_whatever_its_code():
    """An item that is coded like a family: its bars are coloured by it, no machine is set up."""
    plant = Factory(units=2)
    ChangeoverFactory(work_center=plant.center, minutes=90)
    plant.steps(plant.make("OTHER", steps=0), 60, setup_family="BLUE")
    red = plant.steps(plant.make("RED-PART", steps=0), 60, setup_family="RED")
    # Eight hours of red on the first machine, an hour of what has no family on the second.
    plant.order(red, 8, due_at=MONDAY + 8 * HOUR)
    plant.order(red, 1, due_at=MONDAY + HOUR)
    plant.order(plant.part("BLUE", minutes=60), 1)
    long, late, other = plant.operations()
    for operation, unit in ((long, 0), (other, 1)):
        OperationUnit.objects.create(
            operation=operation, work_unit=plant.units[unit], setup_minutes=0, run_minutes=60
        )
    plant.replan()
    run = selectors.current_run(plant.site.pk)
    places = {long.pk: (0, 0), late.pk: (0, 8), other.pk: (1, 0)}
    for pk, (unit, begins) in places.items():
        hours = 8 if pk == long.pk else 1
        run.operations.filter(operation=pk).update(
            work_unit=plant.units[unit],
            starts_at=MONDAY + begins * HOUR,
            ends_at=MONDAY + (begins + hours) * HOUR,
        )
    lines = selectors.late_orders(site_id=plant.site.pk, now=MONDAY)
    [line] = [one for one in lines if one.due_at == MONDAY + HOUR]
    found = lateness.explain(site_id=plant.site.pk, line=line, now=MONDAY)
    [other_machine] = [one for one in found.helps if one.kind == HelpKind.MACHINE]
    assert other_machine.ends_at == MONDAY + 2 * HOUR


@pytest.mark.django_db
def test_the_days_of_many_demands_take_as_many_queries_as_that_of_one(monkeypatch):
    plant = Factory()
    part = plant.part()
    plant.order(part, 1)
    plant.replan()
    asked = []
    real = scenario_solving._demands

    def counted(*args):
        with CaptureQueriesContext(connection) as queries:
            found = real(*args)
        asked.append((len(found), len(queries)))
        return found

    monkeypatch.setattr(scenario_solving, "_demands", counted)
    customers = [CustomerFactory(transit_days=days).pk for days in (0, 1, 3)]
    wanted = [
        {
            "kind": "demand",
            "item": "PART",
            "quantity": 1,
            "requested_date": "2026-12-11",
            "customer": customer,
        }
        for customer in customers
    ]
    plant.scenario(wanted[0])
    run = plant.scenario(*wanted)
    days = [one["day"] for one in run.comparison["demands"]]
    assert days == ["2026-11-23", "2026-11-24", "2026-11-26"]
    assert [rows for rows, _queries in asked] == [1, 3]
    assert asked[0][1] == asked[1][1]
