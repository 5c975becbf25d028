"""Capacity by work center and week: hours, customers, the page and its file."""

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from aps import selectors
from aps.models import ScheduledOperation
from aps.selectors.capacity import split
from common.models import Job
from erp.models import Requirement
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.masterdata.factories import CustomerFactory, WorkCenterFactory, WorkUnitFactory

PAGE = "/plan/capacity/"
# Monday to Friday, 08:00 to 17:00.
WEEK_MINUTES = 5 * 9 * 60


@pytest.fixture(autouse=True)
def monday(request):
    if "db" not in request.fixturenames:
        yield
        return
    with time_machine.travel(MONDAY, tick=False):
        yield


def plant_for(*codes, minutes=60, quantity=10):
    """One lathe, and an order of so many hours for each customer."""
    plant = Factory()
    part = plant.part(minutes=minutes)
    plant.needs = []
    for code in codes:
        need = plant.order(part, quantity, due_at=MONDAY + 10 * DAY)
        Requirement.objects.filter(pk=need.pk).update(customer=CustomerFactory(code=code))
        plant.needs.append(need)
    plant.replan()
    return plant


def read(plant, *, monday=date(2026, 11, 23), weeks=2, now=MONDAY - HOUR, centers=None):
    return selectors.capacity(
        site_id=plant.site.pk, monday=monday, weeks=weeks, now=now, centers=centers
    )


def test_open_planned_and_free_minutes_by_customer(db, settings):
    settings.SOLVE_SECONDS = 0.03
    plant = plant_for("ACME", "BOLT")
    found = read(plant)
    (lathe,) = found.centers
    assert (lathe.code, lathe.units, found.version) == ("LATHE", 1, 1)
    assert found.mondays == (date(2026, 11, 23), date(2026, 11, 30))
    this, next_week = lathe.weeks
    assert (this.available_minutes, next_week.available_minutes) == (WEEK_MINUTES, WEEK_MINUTES)
    assert (this.loaded_minutes, next_week.loaded_minutes) == (1200, 0)
    assert this.free_minutes == WEEK_MINUTES - 1200
    assert {share.customer_code: share.minutes for share in this.customers} == {
        "ACME": 600,
        "BOLT": 600,
    }
    assert found.customer_codes == ("ACME", "BOLT")
    assert not this.is_over


def test_an_operation_over_the_weekend_counts_where_it_is_worked(db, settings):
    settings.SOLVE_SECONDS = 0.03
    plant = plant_for("ACME", minutes=300)  # 50 hours: the week has 45
    this, next_week = read(plant).centers[0].weeks
    assert (this.loaded_minutes, next_week.loaded_minutes) == (WEEK_MINUTES, 300)
    assert this.percent == 100


def test_of_the_week_that_runs_what_is_left_of_it(db):
    plant = Factory()
    this, next_week = read(plant, now=MONDAY + DAY).centers[0].weeks
    assert this.available_minutes == WEEK_MINUTES - 9 * 60
    assert next_week.available_minutes == WEEK_MINUTES


def test_too_much_on_one_machine_is_over_and_nothing_is_free(db, settings):
    settings.SOLVE_SECONDS = 0.03
    plant = plant_for("ACME", "BOLT", minutes=240)
    start = MONDAY
    ScheduledOperation.objects.update(starts_at=start, ends_at=start + 4 * DAY + 9 * HOUR)
    week = read(plant).centers[0].weeks[0]
    assert week.is_over
    assert (week.loaded_minutes, week.free_minutes) == (2 * WEEK_MINUTES, 0)


def test_stock_is_nobodys_and_centers_narrow(db, settings):
    settings.SOLVE_SECONDS = 0.03
    plant = plant_for("ACME")
    Requirement.objects.update(customer=None)
    week = read(plant).centers[0].weeks[0]
    assert [share.customer_code for share in week.customers] == [""]
    assert read(plant, centers=["MILL"]).centers == ()


def test_a_lot_for_two_customers_is_split_by_what_they_ordered(db, settings):
    settings.SOLVE_SECONDS = 0.03
    plant = Factory()
    leg = plant.part("LEG", minutes=30, lot_policy="fixed", lot_size=Decimal(40))
    table = plant.part("TABLE", minutes=1, components={"LEG": 4})
    needs = [plant.order(table, quantity, due_at=MONDAY + 10 * DAY) for quantity in (3, 1)]
    for need, code in zip(needs, ("ACME", "BOLT"), strict=True):
        Requirement.objects.filter(pk=need.pk).update(customer=CustomerFactory(code=code))
    plant.replan()
    assert leg is not None
    legs = [row for row in plant.operations() if row.work_order.item.code == "LEG"]
    assert len(legs) == 1
    week = read(plant).centers[0].weeks[0]
    # 40 legs of half an hour, and a minute for each table.
    assert week.of("ACME") == 900 + 3
    assert week.of("BOLT") == 300 + 1


def test_no_schedule_means_free_hours(db):
    found = read(Factory())
    assert found.version is None
    assert found.centers[0].weeks[0].free_minutes == WEEK_MINUTES


def test_the_number_of_queries_does_not_grow(db, settings, django_assert_num_queries):
    settings.SOLVE_SECONDS = 0.03
    plant = plant_for("ACME")
    with CaptureQueriesContext(connection) as few:
        read(plant)
    for code in ("BOLT", "CORK", "DISC"):
        need = plant.order(plant.items["PART"], 2, due_at=MONDAY + 10 * DAY)
        Requirement.objects.filter(pk=need.pk).update(customer=CustomerFactory(code=code))
    WorkUnitFactory(work_center=plant.center, code="LATHE-9")
    Job.objects.filter(name="aps.replan_site").delete()
    plant.replan(now=MONDAY + timedelta(minutes=5))
    with django_assert_num_queries(len(few)):
        read(plant, weeks=13)


@given(
    st.integers(0, 10_000),
    st.dictionaries(st.sampled_from("ABCDE"), st.integers(0, 50).map(Decimal)),
)
def test_shares_add_up(minutes, weights):
    parts = split(minutes, weights)
    assert sum(parts.values()) == minutes
    assert all(part >= 0 for part in parts.values())


# ---- the page


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.mark.parametrize(
    ("role", "status"),
    [("planner", 200), ("sales", 200), ("manager", 200), ("operator", 403), ("customer", 403)],
)
def test_those_who_see_the_schedule_see_the_capacity(db, client_for, role, status):
    assert client_for(role).get(PAGE).status_code == status


def test_the_page_shows_work_centers_customers_and_weeks(db, client_for, settings):
    settings.SOLVE_SECONDS = 0.03
    plant_for("ACME", "BOLT")
    page = text_of(client_for("sales").get(PAGE))
    assert "Week 48" in page
    assert "LATHE" in page
    assert "ACME" in page
    assert "20 of 45 h free 25 h" in page
    only = client_for("sales").get(PAGE + "?customer=BOLT&weeks=4")
    assert [line.code for line in only.context["tables"][0].lines] == ["LATHE", "BOLT"]
    assert len(only.context["capacity"].mondays) == 4
    centers = client_for("sales").get(PAGE + "?detail=center")
    assert [line.code for line in centers.context["tables"][0].lines] == ["LATHE"]


def test_the_page_has_its_place_among_the_pages_of_planning(db, client_for):
    Factory()
    assert f'href="{PAGE}"' in client_for("planner").get("/plan/").content.decode()


def test_without_a_plant_or_units_the_page_says_what_to_do(db, client_for):
    assert "imports sites" in text_of(client_for("planner").get(PAGE))
    Factory()
    assert "No work center fits" in text_of(client_for("planner").get(PAGE + "?center=nope"))


@pytest.mark.parametrize(
    "query", ["from=x", "from=9999-12-31", "from=0001-01-01", "weeks=-1", "weeks=x", "center=%00"]
)
def test_a_strange_url_is_no_error(db, client_for, query):
    Factory()
    assert client_for("planner").get(f"{PAGE}?{query}").status_code == 200


def test_the_file_has_a_line_for_each_customer_and_no_formula(db, client_for, settings):
    settings.SOLVE_SECONDS = 0.03
    plant_for("ACME", "=BOLT()")
    response = client_for("sales").get(PAGE + "?format=csv&weeks=4")
    assert response.headers["Content-Disposition"].endswith('"capacity-2026-11-23.csv"')
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    first = [row for row in rows if row["monday"] == "2026-11-23"]
    assert {row["customer"] for row in first} == {"ACME", "'=BOLT()"}
    assert {row["customer_hours"] for row in first} == {"10.00"}
    assert first[0]["loaded_hours"] == "20.00"
    empty = [row for row in rows if row["monday"] == "2026-12-14"]
    assert [(row["customer"], row["free_hours"]) for row in empty] == [("", "45.00")]


def test_the_fullest_centers_come_first_and_those_with_hours_to_spare_are_folded(
    db, client_for, settings
):
    settings.SOLVE_SECONDS = 0.03
    plant = plant_for("ACME", "BOLT")
    for number in range(4):
        center = WorkCenterFactory(site=plant.site, code=f"C{number}", calendar=plant.site.calendar)
        WorkUnitFactory(work_center=center)
    shown = client_for("planner").get(PAGE)
    # 20 of 45 hours of the lathe are little, but nobody has more: then all are shown.
    [table] = shown.context["tables"]
    assert (table.is_folded, table.lines[0].code) == (False, "LATHE")
    plant.order(plant.items["PART"], 20)
    plant.replan()
    first, rest = client_for("planner").get(PAGE).context["tables"]
    assert (first.is_folded, first.centers, first.lines[0].code) == (False, 1, "LATHE")
    assert (rest.is_folded, [line.code for line in rest.lines]) == (True, ["C0", "C1", "C2", "C3"])
    page = client_for("planner").get(PAGE).content.decode()
    assert "4 work centers with hours to spare" in page


def test_the_largest_customers_have_lines_of_their_own_and_the_others_one(db, client_for, settings):
    settings.SOLVE_SECONDS = 0.03
    plant_for("A", "B", "C", "D", "E", quantity=2)
    client = client_for("planner")

    def codes(query=""):
        return [line.code for line in client.get(PAGE + query).context["tables"][0].lines]

    assert codes() == ["LATHE", "A", "B", "C", "2 others"]
    assert codes("?detail=all") == ["LATHE", "A", "B", "C", "D", "E"]
    assert codes("?detail=center") == ["LATHE"]
    assert codes("?customer=E") == ["LATHE", "E"]
    lines = client.get(PAGE).context["tables"][0].lines
    assert [line.cells[0].loaded for line in lines] == [10, 2, 2, 2, 4]
