"""A scenario put together by mouse, and the pages of scenarios and rush requests in every dress."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from aps.enums import RunKind
from aps.models import ScheduleRun
from tests.browser.boards import Tables, tables
from tests.browser.checks import check_page
from tests.browser.conftest import PageFor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.SOLVE_SECONDS = 0.03


@pytest.fixture
def plant() -> Tables:
    return tables()


@pytest.mark.parametrize("path", ["/plan/scenarios/new/", "/plan/compare/", "/orders/rush/"])
def test_the_pages_hold_everywhere(
    page_for: PageFor, live_server: Any, plant: Tables, path: str
) -> None:
    check_page(page_for("planner"), f"{live_server.url}{path}")


def test_demand_is_added_and_solved_by_mouse(
    page_for: PageFor, live_server: Any, plant: Tables
) -> None:
    page = page_for("planner")
    page.goto("/plan/scenarios/new/")
    page.fill("[name=name]", "By mouse")
    page.select_option("#id_kind", "demand")
    page.locator("[name=quantity]").fill("2")
    page.locator("[name=requested_date]").fill("2027-01-15")
    expect(page.locator("[name=name]")).to_have_value("By mouse")
    page.locator(".ts-control input").click()
    page.keyboard.type("TABLE")
    page.locator(".ts-dropdown [data-selectable]").first.click()
    # The field that was left must not move the button away from under the mouse.
    page.get_by_role("button", name="Add this change").click()
    expect(page.locator(".change-list li")).to_contain_text("2 × TABLE")
    expect(page.get_by_text("it stays a what-if")).to_be_visible()
    page.get_by_role("button", name="Solve").click()
    run = _solved(page)
    assert run.name == "By mouse"
    plant.solve(run, now=run.requested_at)
    # The page looks again by itself.
    expect(page.locator(".plan-summary")).to_be_visible()
    expect(page.get_by_text("2 × TABLE: projected")).to_be_visible()


def _solved(page: Any) -> ScheduleRun:
    """The scenario whose page shows its progress."""
    expect(page).to_have_url(re.compile(r"/plan/scenarios/\d+/$"))
    expect(page.get_by_text("You may leave this page")).to_be_visible()
    return ScheduleRun.objects.get(kind=RunKind.WHAT_IF)


def test_a_solved_scenario_holds_everywhere(
    page_for: PageFor, live_server: Any, plant: Tables
) -> None:
    run = plant.scenario({"kind": "add_unit", "like": "LATHE-1", "code": "X"})
    for path in (f"/plan/scenarios/{run.pk}/", "/plan/scenarios/"):
        check_page(page_for("planner"), f"{live_server.url}{path}")
