"""The schedule board's pages: who may, what they say, and constant numbers of queries."""

import gzip
import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from aps.enums import RunState
from aps.models import ScheduledOperation, ScheduleRun
from aps.selectors.readiness import LateLine
from common.enums import JobState
from common.models import Job
from mes import selectors as mes
from mes.services import execution, work_orders
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.masterdata.factories import SiteFactory
from tests.shared import shared

pytestmark = pytest.mark.django_db

BOARD, DATA, PANEL, RUNS = "/plan/", "/plan/data/", "/plan/panel/", "/plan/runs/"
TREE, STATES = "/plan/tree/", "/plan/states/"


@pytest.fixture(autouse=True)
def monday(settings):
    settings.SOLVE_SECONDS = 0.03
    with time_machine.travel(MONDAY, tick=False):
        yield


def plant_with(orders=2, quantity=3, due_at=MONDAY + 4 * DAY):
    """A table of four legs on two lathes: two levels, so a tree to highlight."""
    plant = Factory(units=2)
    plant.part("LEG", minutes=30)
    table = plant.part("TABLE", minutes=20, components={"LEG": 4})
    plant.needs = [plant.order(table, quantity, due_at=due_at) for _ in range(orders)]
    plant.run = plant.replan()
    assert plant.run.state == RunState.PUBLISHED, plant.run.error
    return plant


@shared(at=MONDAY, SOLVE_SECONDS=0.03)
def plant():
    return plant_with()


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def queries(client, url):
    # Once to fill what is kept for good, such as the sites and content types.
    assert client.get(url).status_code == 200
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured]


# ---- who may


@pytest.mark.parametrize("path", [BOARD, DATA, PANEL, TREE, RUNS])
@pytest.mark.parametrize(
    ("role", "status"),
    [("planner", 200), ("supervisor", 200), ("sales", 200), ("operator", 403), ("customer", 403)],
)
def test_staff_but_operators_see_the_schedule(client_for, path, role, status):
    assert client_for(role).get(path).status_code == status


def test_the_planner_plans_again(client_for, plant):
    response = client_for("planner").post("/plan/again/")
    assert response.headers["Location"] == BOARD
    run = ScheduleRun.objects.get(state=RunState.QUEUED)
    assert (run.site, run.cause, run.requested_by.username) == (plant.site, "manual", "planner")
    assert Job.objects.filter(name="aps.replan_site", state=JobState.QUEUED).exists()


@pytest.mark.parametrize("role", ["sales", "supervisor", "manager"])
@pytest.mark.usefixtures("plant")
def test_nobody_else_plans_and_the_button_says_so(client_for, role):
    client = client_for(role)
    assert client.post("/plan/again/").status_code == 403
    assert not ScheduleRun.objects.filter(state=RunState.QUEUED).exists()
    assert "Planners make the schedule anew." in text_of(client.get(BOARD))


@pytest.mark.usefixtures("plant")
def test_the_plan_is_not_made_by_a_link(client_for):
    assert client_for("planner").get("/plan/again/").status_code == 405


# ---- empty states


def test_without_a_plant_the_page_says_what_to_do(client_for):
    assert "imports sites, work centers" in text_of(client_for("planner").get(BOARD))
    assert client_for("planner").get(DATA).json()["rows"] == []


def test_without_work_units_there_is_nothing_to_plan_on(client_for):
    SiteFactory()
    page = text_of(client_for("planner").get(BOARD))
    assert "No work units yet" in page
    assert "There are no work units to plan on." in page


def test_without_a_schedule_the_page_says_how_one_comes(client_for):
    Factory()
    assert "press Plan again" in text_of(client_for("planner").get(BOARD))
    assert "appears by itself" in text_of(client_for("sales").get(BOARD))
    answer = client_for("planner").get(DATA).json()
    assert answer["version"] is None
    assert [row[1] for row in answer["rows"]] == ["LATHE-1"]


# ---- figures and words


def test_late_orders_are_told_in_words(client_for):
    plant = plant_with(due_at=MONDAY + HOUR)
    order = plant.needs[0].reference
    # Above the board, in the list of late lines and in the panel it is the same cause.
    panel = reverse("aps:board-panel-why") + f"?order={order.partition('/')[0]}"
    for url in (BOARD, BOARD + "?view=late", panel):
        page = text_of(client_for("planner").get(url))
        assert order in page
        assert "late" in page
        assert "the work itself takes too long" in page
        assert "finished only then" not in page


@pytest.mark.usefixtures("plant")
def test_nothing_late_is_said_too(client_for):
    page = text_of(client_for("planner").get(BOARD))
    assert "every order keeps its date" in page
    assert "No order is late" in text_of(client_for("planner").get(BOARD + "?view=late"))


def test_the_run_under_way_shows_its_progress(client_for, plant):
    ScheduleRun.objects.create(
        site=plant.site,
        state=RunState.SOLVING,
        cause="manual",
        requested_at=MONDAY,
        progress={
            "phase": "improving",
            "percent": 40,
            "weighted_tardiness_minutes": 120,
            "late_jobs": 1,
        },
    )
    page = text_of(client_for("sales").get(BOARD + "?part=progress&version=1"))
    assert "Looking for a better schedule" in page
    assert "1 late work order, 2 weighted hours" in page


def test_the_progress_answers_nothing_while_nothing_changed(client_for, plant):
    client = client_for("sales")
    assert client.get(BOARD + "?part=progress&version=1").status_code == 204
    newer = client.get(BOARD + "?part=progress&version=9")
    assert newer.status_code == 200
    # The board asks whoever works on it; a list looks again at once.
    told = json.loads(newer.headers["HX-Trigger"])["schedule-newer"]
    assert told["version"] == "1"
    assert told["cause"]
    listed = client.get(BOARD + "?part=progress&view=list&version=9")
    assert "schedule-published" in json.loads(listed.headers["HX-Trigger"])
    # A run that the page watched is over: it is taken away.
    over = client.get(f"{BOARD}?part=progress&version=1&active={plant.run.pk}")
    assert over.status_code == 200
    assert "HX-Trigger" not in over.headers
    # The first schedule of all: the page has no board yet.
    assert client.get(BOARD + "?part=progress&version=").headers["HX-Refresh"] == "true"


def test_the_board_hears_what_the_floor_says_of_operations(client_for):
    plant = plant_with(orders=1)
    client = client_for("sales")
    assert client.get(STATES).json() == {"states": []}
    first, second = ScheduledOperation.objects.filter(run=plant.run).order_by("starts_at")[:2]
    units = [row.work_unit_id for row in (first, second)]
    running = execution.start(operation=first.operation, work_unit_id=units[0], by=None, now=MONDAY)
    execution.report(operation=running, good=3, by=None, now=MONDAY)
    assert client.get(STATES).json() == {"states": [[running.pk, "running", 25]]}
    execution.report(operation=running, good=9, by=None, now=MONDAY)
    execution.finish(operation=running, by=None, now=MONDAY)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(STATES).json() == {"states": [[running.pk, "done", 100]]}
    assert sum("mes_workorderoperation" in query["sql"] for query in captured) == 1
    assert client_for("operator").get(STATES).status_code == 403


def test_the_parts_link_to_the_page(client_for):
    plant_with(orders=14)
    part = client_for("sales").get(BOARD + "?part=rows&view=list&late=")
    assert "<html" not in part.content.decode()
    assert "page=2" in part.content.decode()
    assert not re.search(r'href="[^"]*part=', part.content.decode())
    assert part.headers["HX-Replace-Url"] == BOARD + "?view=list&late="


# ---- the list


def test_the_list_shows_the_window_and_its_filters(client_for):
    plant = plant_with(orders=2, due_at=MONDAY + HOUR)
    client = client_for("sales")
    first, second = (need.reference.partition("/")[0] for need in plant.needs)
    page = client.get(BOARD + "?view=list")
    assert {first, second} <= set(re.findall(r"SO-\d+", text_of(page)))
    rows = page.context["page"].paginator.count
    assert rows == ScheduledOperation.objects.filter(run=plant.run).count()
    only = client.get(f"{BOARD}?view=list&part=rows&q={first}/")
    assert 0 < only.context["page"].paginator.count < rows
    late = client.get(BOARD + "?view=list&late=on")
    assert all(row.bar.is_late for row in late.context["page"])
    assert client.get(BOARD + "?view=list&center=LATHE").context["page"].paginator.count == rows
    long_ago = client.get(BOARD + "?view=list&from=2020-01-01")
    assert "No operation fits" in text_of(long_ago)


@pytest.mark.parametrize(
    "query",
    [
        "from=x&to=y",
        "from=9999-12-31",
        "from=2026-11-23&to=2020-01-01",
        "page=-1",
        "center=nope",
        "operation=99999999999999999999&order=%00",
        "view=what",
        "from=0001-01-01",
        "to=9999-12-31",
    ],
)
def test_a_strange_url_is_no_error(client_for, query):
    plant_with(orders=1)
    client = client_for("planner")
    for path in (BOARD, DATA, PANEL, TREE):
        assert client.get(f"{path}?{query}").status_code == 200


# ---- the window of data


def test_the_data_of_a_window(client_for):
    plant = plant_with(orders=1)
    answer = client_for("sales").get(DATA + "?from=2026-11-23&to=2026-11-24").json()
    assert answer["version"] == 1
    assert answer["length"] == 2 * 24 * 60
    assert answer["base"] * 60 == (MONDAY - 8 * HOUR).timestamp()
    assert answer["late"] == []
    assert [row[1:4] for row in answer["rows"]] == [
        ["LATHE-1", "LATHE-1", "LATHE"],
        ["LATHE-2", "LATHE-2", "LATHE"],
    ]
    bars = [bar for row in answer["rows"] for bar in row[5]]
    planned = ScheduledOperation.objects.filter(run=plant.run).order_by("operation")
    assert sorted(bar[0] for bar in bars) == [row.operation_id for row in planned]
    leg = next(bar for bar in bars if answer["items"][bar[4]] == "LEG")
    assert leg[1:3] == [8 * 60, 12 * 30]
    assert answer["states"][leg[7]] in {"ready", "waiting"}
    assert [answer["orders"][n] for n in leg[11]] == [plant.needs[0].reference.split("/")[0]]
    # The units share a calendar, so its closed hours come once: nights before 8 and after 17.
    assert answer["closed"] == [[0, 480, 1020, 900, 2460, 420]]


def test_the_data_comes_compressed_to_whoever_takes_it(client_for):
    plant_with(orders=30)
    client = client_for("sales")
    plain = client.get(DATA)
    packed = client.get(DATA, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.content)) == plain.json()
    assert len(packed.content) < len(plain.content) / 2


def test_the_setup_ahead_is_told_and_gone_once_it_runs(client_for):
    plant = Factory()
    part = plant.steps(plant.make("PART", None, steps=0), 30, setup=15)
    plant.order(part, 1)
    run = plant.replan()
    client = client_for("sales")
    assert client.get(DATA).json()["rows"][0][5][0][10] == 15
    ScheduledOperation.objects.get(run=run)
    plant.operations().update(state="running", started_at=MONDAY, work_unit=plant.units[0])
    assert client.get(DATA).json()["rows"][0][5][0][10] == 0


# ---- the panel


def test_the_panel_shows_the_whole_tree_of_an_order(client_for):
    plant = plant_with(orders=1)
    order = plant.needs[0].reference.partition("/")[0]
    leg = plant.operations().get(work_order__item__code="LEG")
    page = client_for("sales").get(f"{PANEL}?order={order}&operation={leg.pk}")
    assert [step.row.operation.work_order.item.code for step in page.context["steps"]] == [
        "LEG",
        "TABLE",
    ]
    assert page.context["chosen"].row.operation == leg
    assert f"/floor/work-orders/{leg.work_order.number}/" in page.content.decode()


def test_the_panel_of_a_work_order_for_stock(client_for):
    plant = plant_with(orders=1)
    number = plant.operations().first().work_order.number
    page = client_for("sales").get(f"{PANEL}?order={number}")
    assert {step.row.operation.work_order.number for step in page.context["steps"]} == {number}


def test_the_panel_of_what_is_not_planned_says_so(client_for):
    plant_with(orders=1)
    assert "Nothing of it is in the schedule" in text_of(
        client_for("sales").get(PANEL + "?order=SO-404")
    )


# ---- runs


def test_a_run_tells_figures_and_what_it_left_out(client_for, user_for):
    plant = plant_with(orders=1)
    order = plant.operations().get(work_order__item__code="LEG").work_order
    work_orders.hold(order=order, reason="crack", by=user_for("planner"), now=MONDAY)
    # The hold itself asked for a new plan, a little later.
    Job.objects.filter(name="aps.replan_site").delete()
    run = plant.replan(now=MONDAY + timedelta(minutes=5))
    page = text_of(client_for("sales").get(f"{RUNS}{run.pk}/"))
    assert f"{order.number} is on hold" in page
    assert "could not be planned" in page
    listed = text_of(client_for("sales").get(RUNS + "?state=published"))
    assert "something changed" in listed
    assert "Superseded" not in listed.partition("Seconds")[2]


def test_a_failed_run_tells_its_error(client_for):
    plant = Factory()
    run = ScheduleRun.objects.create(
        site=plant.site,
        state=RunState.FAILED,
        cause="manual",
        requested_at=MONDAY,
        error="The lathe has no shift.",
    )
    page = client_for("sales").get(f"{RUNS}{run.pk}/")
    assert "The lathe has no shift." in text_of(page)
    assert "every 1s" not in page.content.decode()


def test_a_run_under_way_looks_again_by_itself(client_for):
    plant = Factory()
    run = ScheduleRun.objects.create(site=plant.site, cause="manual", requested_at=MONDAY)
    page = client_for("sales").get(f"{RUNS}{run.pk}/")
    assert "every 1s" in page.content.decode()
    part = client_for("sales").get(f"{RUNS}{run.pk}/", headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()


# ---- queries


@pytest.mark.parametrize(
    "url",
    [BOARD, BOARD + "?view=board", BOARD + "?view=list", BOARD + "?view=late", DATA, RUNS],
)
def test_the_number_of_queries_does_not_grow(client_for, url):
    client = client_for("planner")
    plant = plant_with(orders=2, due_at=MONDAY + HOUR)
    few = queries(client, url)
    for _ in range(6):
        plant.order(plant.items["TABLE"], 2, due_at=MONDAY + HOUR)
    plant.replan()
    many = queries(client, url)
    assert len(many) == len(few), "\n".join(many)


# ---- the tree


def test_the_tree_of_an_order_with_who_waits_for_whom(client_for):
    plant = plant_with(orders=2)
    leg, table = plant.operations().filter(
        work_order__in=[order.pk for order in mes.work_orders_serving([plant.needs[0].pk])]
    )
    if leg.work_order.item.code == "TABLE":
        leg, table = table, leg
    order = plant.needs[0].reference.partition("/")[0]
    answer = client_for("sales").get(f"{TREE}?order={order}").json()
    assert [row["id"] for row in answer["operations"]] == [leg.pk, table.pk]
    assert answer["links"] == [[leg.pk, table.pk]]
    planned = ScheduledOperation.objects.get(run=plant.run, operation=leg)
    assert answer["operations"][0]["start"] * 60 == planned.starts_at.timestamp()
    assert answer["operations"][0]["unit"] == planned.work_unit_id


def test_the_tree_of_nothing_is_empty(client_for):
    plant_with(orders=1)
    for order in ("", "SO-404", "%00"):
        answer = client_for("sales").get(f"{TREE}?order={order}").json()
        assert (answer["operations"], answer["links"]) == ([], [])


def test_a_family_is_the_operations_own_else_the_item(client_for):
    plant = plant_with(orders=1)
    plant.operations().filter(work_order__item__code="LEG").update(setup_family="ROUND")
    answer = client_for("sales").get(DATA).json()
    assert set(answer["families"]) == {"ROUND", "TABLE"}


def test_the_figure_of_late_orders_says_how_many_have_no_date(client_for, monkeypatch):
    plant_with(due_at=MONDAY + HOUR)
    assert "without a date" not in text_of(client_for("planner").get(BOARD))
    monkeypatch.setattr(LateLine, "late_minutes", property(lambda line: None))
    page = text_of(client_for("planner").get(BOARD))
    assert re.search(r"(\d+) order lines?, \1 without a date", page)
