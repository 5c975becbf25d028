"""A second site with machines: planning pages and the API show the one that is chosen."""

import json

import pytest
import time_machine

from aps.models import ScheduleRun
from masterdata.models import WorkUnit
from tests.aps.factories import MONDAY, Factory
from tests.masterdata.factories import SiteFactory, WorkCenterFactory, WorkUnitFactory
from tests.shared import shared

pytestmark = pytest.mark.django_db

PAGES = ("", "capacity/", "hours/", "scenarios/", "runs/", "compare/")


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


@shared(at=MONDAY, SOLVE_SECONDS=0.03)
def plant():
    """The first site has a plan; the second one a mill that nothing is planned on yet."""
    first = Factory()
    first.order(first.part("PART", minutes=30), 2)
    first.replan()
    calendar = first.site.calendar
    first.second = SiteFactory(code="WEST", calendar=calendar, shipping_calendar=calendar)
    WorkUnitFactory(work_center=WorkCenterFactory(site=first.second, code="MILL"), code="MILL-1")
    # A store without machines is nothing to plan.
    SiteFactory(code="STORE", calendar=calendar, shipping_calendar=calendar)
    return first


@pytest.mark.parametrize("page", PAGES)
def test_each_page_offers_the_sites_with_machines_and_keeps_the_choice(client_for, plant, page):
    client, url = client_for("planner"), f"/plan/{page}"
    shown = client.get(url).content.decode()
    assert f"{url}?site=WEST" in shown
    assert "site=STORE" not in shown
    assert client.get(url).context["place"].site == plant.site
    assert client.get(f"{url}?site=WEST").context["place"].site == plant.second
    assert client.get(url).context["place"].site == plant.second
    # One without machines says so, and where to go on; what is no site is not there.
    idle = client.get(f"{url}?site=STORE")
    assert idle.status_code == 200
    assert f'href="{url}?site={plant.site.code}"' in idle.content.decode()
    assert "This site has no machines" in idle.content.decode()
    assert client.get(f"{url}?site=STORE", headers={"HX-Request": "true"}).status_code == 404
    assert client.get(f"{url}?site=NOWHERE").status_code == 404


def test_the_board_is_the_chosen_sites_and_so_is_all_that_it_asks_for(client_for, plant):
    client = client_for("planner")
    board = client.get("/plan/?site=WEST")
    assert [unit.code for unit in board.context["units"]] == ["MILL-1"]
    assert "No schedule yet" in board.content.decode()
    config = client.get(f"/plan/?site={plant.site.code}").context["config"]
    assert config["place"] == {"site": plant.site.code}
    # Another window went to the other site since: what this one sends stays with its own.
    client.get("/plan/?site=WEST")
    rows = client.get(config["data"], config["place"]).json()["rows"]
    assert [row[1] for row in rows if row[1]] == ["LATHE-1"]
    operation = ScheduleRun.objects.get(site=plant.site).operations.first().operation_id
    change = {"change": {"kind": "lock", "operation": operation}, "version": None}
    done = client.post(config["edits"]["draft"], json.dumps(change), "application/json")
    assert done.status_code == 200, done.json()
    again = client.post(f"/plan/again/?site={plant.site.code}")
    assert again["Location"] == f"/plan/?site={plant.site.code}"
    asked = ScheduleRun.objects.exclude(state="published").latest("pk")
    assert (asked.site, asked.cause) == (plant.site, "manual")


def test_the_api_is_asked_about_a_site(api_client_for, plant):
    client = api_client_for("planner")
    at = f"?site={plant.site.code}"
    assert client.get(f"/api/v1/schedules/current/{at}").json()["operations"]
    assert client.get("/api/v1/schedules/current/?site=WEST").status_code == 404
    assert client.get("/api/v1/schedules/current/?site=NOWHERE").status_code == 400
    assert client.get(f"/api/v1/scenarios/{at}").json()["results"] == []
    assert client.get("/api/v1/scenarios/?site=NOWHERE").status_code == 400


def test_where_one_site_has_machines_nothing_is_to_choose(client_for, plant):
    WorkUnit.objects.filter(code="MILL-1").update(is_active=False)
    shown = client_for("planner").get("/plan/")
    assert not shown.context["place"].has_choice
    assert "?site=" not in shown.content.decode()
