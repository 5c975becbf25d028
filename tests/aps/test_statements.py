"""What planning asks the database: never a join of thousands of rows that the planner may misjudge.

With 5,490 open operations and statistics of a table that was empty a moment ago, PostgreSQL took
139 s to join the rows of a plan with their operations, and 224 s to delete old ones by a join.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aps import selectors
from aps.enums import RunState
from aps.models import ScheduledOperation
from aps.services import edits, inputs, lateness, live, publishing, runs
from aps.views import board_data, draft_state
from tests.aps.factories import MONDAY, Factory
from tests.factories import UserFactory
from tests.masterdata.factories import ChangeoverFactory

pytestmark = pytest.mark.django_db

# Tables that hold a row for every open operation, or more.
LONG = ("aps_scheduledoperation", "mes_workorderoperation", "mes_workordermaterial")


@pytest.fixture
def plant(settings) -> Factory:
    settings.SOLVE_SECONDS = 0.03
    plant = Factory(units=2)
    plant.part("LEG", minutes=30)
    table = plant.part("TABLE", minutes=20, components={"LEG": 4})
    for days in (1, 2, 9):
        plant.order(table, 3, due_at=MONDAY + timedelta(days=days))
    plant.replan()
    return plant


def joined(act: Callable[[], object]) -> list[str]:
    """Statements in which rows of a plan and operations meet."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        act()
    assert any("aps_scheduledoperation" in query["sql"] for query in captured)
    return [
        query["sql"]
        for query in captured
        if sum(f'"{table}"."' in query["sql"] for table in LONG) > 1
    ]


def test_a_plan_is_made_anew_and_published_without_joining_its_rows(plant: Factory) -> None:
    assert joined(plant.replan) == []


def test_a_draft_is_edited_and_published_without_joining_its_rows(plant: Factory) -> None:
    by = UserFactory(username="p", roles=["planner"])
    row = ScheduledOperation.objects.order_by("-starts_at")[0]
    assert row.work_unit is not None
    change = {
        "kind": "move",
        "operation": row.operation_id,
        "work_unit": row.work_unit.code,
        "starts_at": (row.starts_at + timedelta(days=1)).isoformat(),
    }

    def act() -> None:
        edits.apply(site_id=plant.site.pk, change=change, by=by, now=MONDAY)
        edits.publish(site_id=plant.site.pk, by=by, now=MONDAY)

    assert joined(act) == []


def test_a_plan_is_drawn_without_joining_its_rows(plant: Factory) -> None:
    run = selectors.current_run(plant.site.pk)
    assert run is not None
    drawn = []
    assert joined(lambda: drawn.extend(selectors.as_bars(run.operations.all()))) == []
    assert len(drawn) == 6


def test_board_capacity_and_why_late_are_read_without_joining_a_plans_rows(plant: Factory) -> None:
    window = {"starts_at": MONDAY, "ends_at": MONDAY + timedelta(days=30)}
    ChangeoverFactory(work_center=plant.center)
    plant.order(plant.items["TABLE"], 3, due_at=MONDAY)
    plant.replan()
    late = selectors.late_orders(site_id=plant.site.pk, now=MONDAY)
    assert late
    other = plant.scenario({"kind": "add_unit", "like": plant.units[0].code, "code": "X"})

    def act() -> None:
        selectors.board(site_id=plant.site.pk, **window)
        selectors.utilisation(site_id=plant.site.pk, **window)
        selectors.capacity(site_id=plant.site.pk, monday=MONDAY.date(), weeks=2, now=MONDAY)
        selectors.ghosts(run=other, **window)
        lateness.explain_all(site_id=plant.site.pk, lines=late, now=MONDAY)
        live.forget()
        live.read(site_id=plant.site.pk, days=30, now=MONDAY)
        board_data._setups(plant.site.pk, *window.values())
        run = selectors.current_run(plant.site.pk)
        assert run is not None
        draft_state._places(run)

    # What is asked for in every check of a promise is one row of figures, see ``live``.
    assert [sql for sql in joined(act) if "COUNT(" not in sql] == []


def test_old_rows_are_deleted_by_the_ids_of_their_runs(plant: Factory, monkeypatch) -> None:
    monkeypatch.setattr(publishing, "KEEP_RUNS", 1)
    old = selectors.current_run(plant.site.pk)
    assert old is not None
    with CaptureQueriesContext(
        connection,
    ) as captured:
        plant.replan()
    assert not old.operations.exists()
    [deleted] = [
        q["sql"] for q in captured if q["sql"].startswith("DELETE") and "run_id" in q["sql"]
    ]
    assert "SELECT" not in deleted


def test_a_plan_that_needs_longer_calendars_is_read_once(plant: Factory, monkeypatch) -> None:
    reads = []
    read = inputs.read

    def counted(**facts):
        reads.append(facts["days"])
        return read(**facts)

    monkeypatch.setattr(inputs, "read", counted)
    monkeypatch.setattr(runs, "HORIZON_DAYS", (1, 2, 120))
    run = plant.replan()
    assert run.state == RunState.PUBLISHED, run.error
    assert run.figures["operations"] == 6
    assert reads == [1]
