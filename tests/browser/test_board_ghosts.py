"""A scenario on the board, beside the plan in force; and other hours that are tried first."""

from __future__ import annotations

import statistics
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from aps.enums import RunKind, RunState
from aps.models import ScheduledOperation, ScheduleRun
from masterdata.models import CalendarException
from tests.aps.factories import DAY, HOUR, MONDAY
from tests.browser.boards import BOARD, Tables, crowd, opened, place_of, state, tables, tree_of
from tests.browser.checks import assert_accessible, check_page, watched, wear
from tests.browser.conftest import PageFor
from tests.browser.test_board_parts import DRAW, FRAME_MS, panned

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("on_sunday"),
]

BARS = 10_000


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.SOLVE_SECONDS = 0.03


@pytest.fixture
def plant() -> Tables:
    return tables()


@pytest.fixture
def moved(plant: Tables) -> int:
    return tree_of(plant, 2)[-1]


@pytest.fixture
def scenario(plant: Tables, moved: int) -> ScheduleRun:
    """The table that is due last is made two days later."""
    run: ScheduleRun = plant.scenario(
        {
            "kind": "move",
            "operation": moved,
            "work_unit": "LATHE-2",
            "starts_at": (MONDAY + 2 * DAY + HOUR).isoformat(),
        },
        name="Later",
    )
    assert run.state == RunState.SOLVED, run.error
    return run


def ghost(page: Page, operation: int) -> dict[str, Any]:
    [found] = [one for one in state(page)["theirs"] if one["id"] == operation]
    return dict(found)


def test_the_scenario_is_drawn_as_ghosts_named_and_left_again(
    page_for: PageFor, scenario: ScheduleRun, moved: int
) -> None:
    page = opened(page_for("planner"), f"{BOARD}&scenario={scenario.pk}")
    row = ScheduledOperation.objects.get(run=scenario, operation=moved)
    theirs = ghost(page, moved)
    assert theirs["unit"] == "LATHE-2"
    assert theirs["start"] == row.starts_at.timestamp() / 60
    expect(page.locator("[data-legend]")).to_contain_text("Where the scenario has it")
    expect(page.get_by_role("note")).to_contain_text("Beside the plan in force: Later")
    assert_accessible(page)
    page.mouse.click(*place_of(page, moved))
    assert state(page)["operation"] == moved
    page.mouse.move(*place_of(page, moved))
    expect(page.locator("[data-tip]")).to_contain_text("In the scenario: LATHE-2, Wed")
    # The table beneath says old and new.
    cell = page.locator("[data-table] tr", has_text="LATHE-2").filter(has_text="→").first
    expect(cell).to_be_visible()
    page.get_by_role("link", name="The plan alone").click()
    page.wait_for_selector("[data-board][data-version]")
    assert state(page)["theirs"] == []
    expect(page.locator("[data-legend]")).not_to_contain_text("Where the scenario has it")


def test_a_ghost_is_clicked_like_a_bar_and_nothing_is_dragged(
    page_for: PageFor, scenario: ScheduleRun, moved: int
) -> None:
    page = opened(page_for("planner"), f"{BOARD}&scenario={scenario.pk}")
    page.locator(".plan-canvas").scroll_into_view_if_needed()
    theirs, now = ghost(page, moved), state(page)
    box = page.locator(".plan-canvas").bounding_box()
    assert box
    share = ((theirs["start"] + theirs["end"]) / 2 - now["start"]) / (now["end"] - now["start"])
    x = box["x"] + 176 + share * (box["width"] - 176)
    y = box["y"] + page.evaluate(
        "code => document.querySelector('[data-board]').planBoard().rowY(code)", "LATHE-2"
    )
    with watched(page) as faults:
        page.mouse.click(x, y)
        assert state(page)["operation"] == moved
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 80, y, steps=4)
        page.mouse.up()
    assert not faults
    assert state(page)["start"] > now["start"]
    assert not ScheduleRun.objects.filter(kind=RunKind.EDIT).exists()


@pytest.mark.slow
def test_the_board_with_a_scenario_holds_everywhere(
    page_for: PageFor, live_server: Any, scenario: ScheduleRun
) -> None:
    page = page_for("planner")
    check_page(page, f"{live_server.url}{BOARD}&scenario={scenario.pk}")
    check_page(page, f"{live_server.url}/plan/?view=list&scenario={scenario.pk}&from=2026-11-22")


def test_ten_thousand_ghosts_still_pan(page_for: PageFor) -> None:
    run = crowd(rows=200, bars=BARS)
    other = ScheduleRun.objects.create(
        site=run.site,
        kind=RunKind.WHAT_IF,
        state=RunState.SOLVED,
        cause="what_if",
        name="All",
        requested_at=run.requested_at,
        base_version=1,
    )
    rows = ScheduledOperation.objects.filter(run=run)
    ScheduledOperation.objects.bulk_create(
        ScheduledOperation(
            run=other,
            operation_id=row.operation_id,
            work_unit_id=row.work_unit_id,
            starts_at=row.starts_at + HOUR,
            ends_at=row.ends_at + HOUR,
        )
        for row in rows
    )
    page = page_for("planner", viewport={"width": 1280, "height": 900})
    opened(page, f"/plan/?view=board&scenario={other.pk}")
    assert len(state(page)["theirs"]) == BARS
    for days in (1, 7, 31, 92):
        page.locator(f"[data-days='{days}']").click()
        median = statistics.median(panned(page)["gaps"])
        print(f"\n{days:2} days: frame median {median:.1f} ms, {page.evaluate(DRAW):.1f} ms a draw")
        assert median <= FRAME_MS


# ---- other hours


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_holiday_is_tried_on_the_calendar_page_before_it_is_saved(
    page_for: PageFor, plant: Tables, theme: str
) -> None:
    page = page_for("planner")
    page.goto("/")
    wear(page, theme)
    page.goto(f"/master/calendars/{plant.site.calendar.code}/")
    page.get_by_label("From").first.fill("2026-11-24T00:00")
    page.get_by_label("Until").first.fill("2026-11-25T00:00")
    with watched(page) as faults:
        page.get_by_role("button", name="What moves?").click()
        panel = page.get_by_role("region", name="What moves")
        expect(panel).to_be_visible()
    assert not faults
    expect(panel).to_contain_text("Nothing is saved yet")
    assert not CalendarException.objects.exists()
    assert_accessible(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is saved.")).to_be_visible()
    assert CalendarException.objects.count() == 1


def test_a_closure_is_tried_saved_and_removed(page_for: PageFor, plant: Tables) -> None:
    page = page_for("planner")
    page.goto("/plan/hours/")
    page.get_by_label("Work unit").select_option("LATHE-1")
    page.get_by_label("From").fill("2026-11-23T08:00")
    page.get_by_label("Until").fill("2026-11-28T08:00")
    page.get_by_role("button", name="What moves?").click()
    panel = page.get_by_role("region", name="What moves")
    expect(panel).to_be_visible()
    assert_accessible(page)
    # Once something else is typed it is no answer any more.
    page.get_by_label("Reason").fill("Belt")
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("table")).to_contain_text("Belt")
    page.get_by_role("table").get_by_role("button", name="What moves?").click()
    expect(panel).to_be_visible()
    assert_accessible(page)


def test_the_pages_of_hours_hold_everywhere(
    page_for: PageFor, live_server: Any, plant: Tables
) -> None:
    page = page_for("planner")
    check_page(page, f"{live_server.url}/plan/hours/")
