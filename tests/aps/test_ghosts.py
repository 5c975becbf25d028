"""A scenario beside the plan in force: what it has elsewhere, on the board and in the list."""

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aps.enums import RunState
from aps.models import PlanState, ScheduledOperation
from aps.selectors import ghosts, shown_run
from aps.services import scenarios
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.masterdata.factories import SiteFactory
from tests.shared import shared

pytestmark = pytest.mark.django_db
DATA = "/plan/data/?from=2026-11-22&to=2026-11-29"


@pytest.fixture(autouse=True)
def monday(settings):
    settings.SOLVE_SECONDS = 0.03
    with time_machine.travel(MONDAY, tick=False):
        yield


@shared(at=MONDAY, SOLVE_SECONDS=0.03)
def plant():
    """Two lathes with an order each."""
    plant = Factory(units=2)
    item = plant.part(minutes=60)
    plant.needs = [plant.order(item, 3) for _number in range(2)]
    plant.replan()
    return plant


@pytest.fixture
def moved(plant):
    """The operation that is on LATHE-1 by the plan in force."""
    return plant.operations().get(planned_work_unit__code="LATHE-1").pk


@pytest.fixture
def scenario(plant, moved):
    """It is done on LATHE-2 on Tuesday; the other operation stays."""
    wish = {"work_unit": "LATHE-2", "starts_at": (MONDAY + DAY).isoformat()}
    other = plant.operations().exclude(pk=moved).get().pk
    run = plant.scenario(
        {"kind": "lock", "operation": other},
        {"kind": "move", "operation": moved} | wish,
        name="Belt",
    )
    assert run.state == RunState.SOLVED, run.error
    return run


def window(run, days=7):
    return ghosts(run=run, starts_at=MONDAY - DAY, ends_at=MONDAY + days * DAY)


def test_what_the_scenario_moves_has_a_ghost_and_the_rest_has_none(plant, scenario, moved):
    found = window(scenario)
    assert [bar.operation_id for bar in found.bars] == [moved]
    assert {bar.work_unit_id for bar in found.bars} == {plant.units[1].pk}
    assert found.removed == ()


def test_what_only_time_pushes_on_has_no_ghost(plant, scenario, moved):
    plant.order(plant.items["PART"], 1)
    plant.replan()
    fresh = plant.scenario({"kind": "add_unit", "like": "LATHE-1", "code": "X"})
    pushed = fresh.operations.exclude(operation=moved).first()
    fresh.operations.filter(pk=pushed.pk).update(ends_at=pushed.ends_at + HOUR)
    fresh.operations.filter(pk=pushed.pk).update(starts_at=pushed.starts_at + HOUR)
    known = [row["operation"] for row in fresh.comparison["moved"]]
    assert pushed.operation_id not in known
    assert pushed.operation_id not in [bar.operation_id for bar in window(fresh).bars]
    # Of a plan that was made on another one all that differs is shown.
    fresh.base_version = 0
    assert pushed.operation_id in [bar.operation_id for bar in window(fresh).bars]


def test_a_ghost_that_leaves_the_window_or_enters_it_is_found(scenario, moved):
    ScheduledOperation.objects.filter(run=scenario, operation=moved).update(
        starts_at=MONDAY + 30 * DAY, ends_at=MONDAY + 30 * DAY + HOUR
    )
    assert [bar.operation_id for bar in window(scenario).bars] == [moved]
    later = ghosts(run=scenario, starts_at=MONDAY + 29 * DAY, ends_at=MONDAY + 31 * DAY)
    assert [bar.operation_id for bar in later.bars] == [moved]
    between = ghosts(run=scenario, starts_at=MONDAY + 10 * DAY, ends_at=MONDAY + 11 * DAY)
    assert between.bars == ()


def test_what_the_scenario_has_no_time_for_is_told(plant, scenario):
    gone = window(scenario).bars[0].operation_id
    ScheduledOperation.objects.filter(run=scenario, operation=gone).delete()
    assert window(scenario).removed == (gone,)


def test_minutes_within_the_tolerance_are_no_move(scenario, moved):
    PlanState.objects.update(tolerance_minutes=5)
    stays = ScheduledOperation.objects.exclude(operation=moved).get(run=scenario)
    for minutes, is_moved in ((5, False), (6, True)):
        ScheduledOperation.objects.filter(pk=stays.pk).update(
            starts_at=stays.starts_at + minutes * HOUR / 60
        )
        found = [bar.operation_id for bar in window(scenario).bars]
        assert (stays.operation_id in found) is is_moved


def test_what_is_done_has_no_ghost(plant, scenario):
    plant.operations().update(state="done")
    assert window(scenario).bars == ()


def test_only_plans_of_the_site_whose_operations_are_kept_are_shown(plant, scenario):
    assert shown_run(site_id=plant.site.pk, pk=scenario.pk) == scenario
    assert shown_run(site_id=SiteFactory().pk, pk=scenario.pk) is None
    ScheduledOperation.objects.filter(run=scenario).delete()
    assert shown_run(site_id=plant.site.pk, pk=scenario.pk) is None


# ---- the pages


def test_the_board_names_the_scenario_and_leads_back_and_out(client_for, scenario):
    shown = client_for("planner").get(f"/plan/?view=board&scenario={scenario.pk}")
    text = shown.content.decode()
    assert "Beside the plan in force: Belt" in text
    assert f'href="/plan/scenarios/{scenario.pk}/"' in text
    assert 'href="?view=board"' in text
    assert shown.context["config"]["scenario"] == scenario.pk
    # For looking: nothing on it can be dragged.
    assert shown.context["config"]["edits"] is None
    assert "data-draft" not in text
    assert "drag" not in shown.context["config"]["modules"]


def test_the_data_holds_the_ghosts_only_when_asked(client_for, plant, scenario):
    client = client_for("sales")
    plain = client.get(DATA).json()
    assert plain["ghosts"] == []
    found = client.get(f"{DATA}&scenario={scenario.pk}").json()
    [[unit, cell]] = found["ghosts"]
    assert unit == plant.units[1].pk
    place = ScheduledOperation.objects.get(run=scenario, operation=cell[0])
    assert found["base"] + cell[1] == place.starts_at.timestamp() // 60
    assert found["work_orders"][cell[3]] == place.operation.work_order.number
    assert [row[5] for row in found["rows"]] == [row[5] for row in plain["rows"]]


def test_the_list_says_old_and_new(client_for, scenario):
    client = client_for("planner")
    text = client.get(f"/plan/?view=list&from=2026-11-22&scenario={scenario.pk}").content.decode()
    assert "In the scenario" in text
    assert text.count("→ <strong>") == 1
    assert "LATHE-2" in text
    assert "unchanged" in text
    assert f'name="scenario" value="{scenario.pk}"' in text
    assert "In the scenario" not in client.get("/plan/?view=list&from=2026-11-22").content.decode()


def test_the_list_tells_what_has_no_time_in_the_scenario(client_for, scenario):
    gone = window(scenario).bars[0].operation_id
    ScheduledOperation.objects.filter(run=scenario, operation=gone).delete()
    text = client_for("planner").get(f"/plan/?view=list&from=2026-11-22&scenario={scenario.pk}")
    assert "no time" in text.content.decode()


@pytest.mark.parametrize("asked", ["0", "999999", "x", "²", "9" * 30])
def test_a_scenario_that_is_none_is_told_and_the_board_is_as_always(client_for, plant, asked):
    client = client_for("planner")
    shown = client.get(f"/plan/?view=board&scenario={asked}")
    assert "This scenario is not shown" in shown.content.decode()
    assert shown.context["config"]["edits"]
    assert client.get(f"{DATA}&scenario={asked}").json()["ghosts"] == []


def test_a_published_scenario_is_the_plan_and_has_no_ghosts(client_for, scenario):
    scenarios.publish(run=scenario, by=None, now=MONDAY)
    shown = client_for("planner").get(f"/plan/?view=board&scenario={scenario.pk}")
    assert "This scenario is not shown" in shown.content.decode()


def test_an_earlier_version_can_be_laid_over_the_plan(client_for, plant, scenario):
    first = plant.site.pk
    before = scenarios.ScheduleRun.objects.get(site_id=first, state=RunState.PUBLISHED)
    scenarios.publish(run=scenario, by=None, now=MONDAY)
    text = client_for("planner").get(f"/plan/?view=board&scenario={before.pk}").content.decode()
    assert "An earlier version" in text
    assert f'href="/plan/runs/{before.pk}/"' in text


def test_the_scenario_and_the_comparison_lead_to_the_board(client_for, plant, scenario):
    client = client_for("sales")
    link = f"/plan/?view=board&amp;scenario={scenario.pk}"
    assert link in client.get(f"/plan/scenarios/{scenario.pk}/").content.decode()
    assert link in client.get(f"/plan/compare/?other={scenario.pk}").content.decode()


def test_the_panel_offers_no_edit_beside_a_scenario(client_for, plant, scenario):
    operation = plant.operations()[0]
    client = client_for("planner")
    url = f"/plan/panel/?order={operation.work_order.number}&operation={operation.pk}"
    assert "data-edit" in client.get(url).content.decode()
    assert "data-edit" not in client.get(f"{url}&scenario={scenario.pk}").content.decode()


def test_many_ghosts_cost_as_many_queries_as_one(client_for, plant, scenario):
    client = client_for("planner")

    def count(run):
        found = []
        for url in (f"{DATA}&scenario={run.pk}", f"/plan/?view=list&scenario={run.pk}"):
            client.get(url)
            with CaptureQueriesContext(connection) as queries:
                client.get(url)
            found.append(len(queries))
        return found

    few = count(scenario)
    for _number in range(6):
        plant.order(plant.needs[0].item, 1)
    plant.replan()
    closed = {"starts_at": MONDAY.isoformat(), "ends_at": (MONDAY + 3 * DAY).isoformat()}
    run = plant.scenario({"kind": "close", "work_unit": "LATHE-1"} | closed)
    assert run.state == RunState.SOLVED, run.error
    assert len(window(run).bars) > 1
    assert count(run) == few
