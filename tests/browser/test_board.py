"""The schedule board by mouse, keyboard and screen reader, in every dress."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from common.models import Job
from masterdata.models import WorkUnit
from mes.enums import OperationState
from mes.models import WorkOrderOperation
from tests.aps.factories import MONDAY
from tests.browser.boards import BOARD, Tables, opened, order_of, place_of, state, tables, tree_of
from tests.browser.checks import (
    assert_accessible,
    check_page,
    check_width,
    page_bytes,
    watched,
    wear,
)
from tests.browser.conftest import PageFor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("on_sunday"),
]

BOARD_PAGE = 140_000


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.SOLVE_SECONDS = 0.03


@pytest.fixture
def plant() -> Tables:
    return tables()


@pytest.mark.parametrize("view", ["board", "list", "late", ""])
def test_the_schedule_holds_everywhere(
    page_for: PageFor, live_server: Any, plant: Tables, view: str
) -> None:
    query = f"?view={view}&from=2026-11-23&to=2026-11-30&order={order_of(plant, 0)}"
    check_page(page_for("planner"), f"{live_server.url}/plan/{query}")


@pytest.mark.parametrize(
    "path", ["/plan/capacity/", "/plan/runs/", "/stock/", "/floor/shortages/?show=all"]
)
def test_the_pages_beside_hold_everywhere(
    page_for: PageFor, live_server: Any, plant: Tables, path: str
) -> None:
    check_page(page_for("planner"), live_server.url + path)


def test_the_forms_of_the_warehouse_hold(
    page_for: PageFor, live_server: Any, plant: Tables
) -> None:
    page = page_for("warehouse")
    page.goto("/stock/items/LEG/")
    page.get_by_role("button", name="Correct the count").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_accessible(page)
    check_page(page, f"{live_server.url}/stock/receive/")


def test_zoom_by_button_key_and_wheel(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    before = state(page)
    assert before["days"] == pytest.approx(7, abs=0.01)
    page.get_by_role("button", name="Zoom in").click()
    assert state(page)["days"] < before["days"]
    page.locator(".plan-canvas").focus()
    page.keyboard.press("-")
    page.keyboard.press("-")
    wide = state(page)
    assert wide["days"] > before["days"]
    page.get_by_role("button", name="Day", exact=True).click()
    assert state(page)["days"] == pytest.approx(1, abs=0.01)
    page.get_by_role("button", name="Shift", exact=True).click()
    assert state(page)["days"] == pytest.approx(1 / 3, abs=0.01)
    page.get_by_role("button", name="Quarter").click()
    assert state(page)["days"] == pytest.approx(92, abs=0.1)
    # The moment under the pointer stays under it.
    page.get_by_role("button", name="Week", exact=True).click()
    page.evaluate(
        """() => { const c = document.querySelector('.plan-canvas');
        const box = c.getBoundingClientRect();
        window.before = document.querySelector('[data-board]').planBoard();
        c.dispatchEvent(new WheelEvent('wheel', {deltaY: -200, ctrlKey: true, cancelable: true,
        bubbles: true, clientX: box.left + 176, clientY: box.top + 200})); }"""
    )
    after = state(page)
    assert after["days"] < 7
    assert after["start"] == pytest.approx(page.evaluate("window.before.start"), abs=1)


def test_pan_by_drag_wheel_and_arrows(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    start = state(page)["start"]
    box = page.locator(".plan-canvas").bounding_box()
    assert box
    x, y = box["x"] + 500, box["y"] + box["height"] - 20
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 150, y, steps=5)
    page.mouse.up()
    dragged = state(page)
    assert dragged["start"] > start
    assert dragged["order"] == "", "a drag selects nothing"
    page.locator(".plan-canvas").focus()
    page.keyboard.press("ArrowLeft")
    assert state(page)["start"] < dragged["start"]
    page.keyboard.down("Shift")
    page.mouse.wheel(0, 300)
    page.keyboard.up("Shift")
    page.wait_for_function(
        "s => document.querySelector('[data-board]').planBoard().start > s",
        arg=dragged["start"],
    )
    page.get_by_role("button", name="Today").click()
    now = page.evaluate("Date.now() / 60_000")
    assert state(page)["start"] < now < state(page)["end"]


def test_a_click_lights_the_order_on_all_machines(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    everything = state(page)["lit"]
    tree = tree_of(plant, 0)
    assert len(tree) == 2
    assert set(tree) < set(everything)
    with watched(page) as faults:
        page.mouse.click(*place_of(page, tree[-1]))
        panel = page.locator("[data-panel]")
        expect(panel.get_by_role("heading", name=order_of(plant, 0))).to_be_visible()
    assert not faults
    assert sorted(state(page)["lit"]) == tree
    expect(panel).to_contain_text("LEG")
    expect(panel).to_contain_text("TABLE")
    expect(panel).to_contain_text("late")
    assert_accessible(page)
    page.wait_for_url(f"**order={order_of(plant, 0)}*operation={tree[-1]}*")
    # The address brings the same back.
    opened(page, page.url)
    assert sorted(state(page)["lit"]) == tree
    assert state(page)["operation"] == tree[-1]
    page.locator(".plan-canvas").focus()
    page.keyboard.press("Escape")
    assert state(page)["lit"] == everything
    expect(page.locator("[data-panel]")).to_be_hidden()


def test_the_keyboard_walks_from_operation_to_operation(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    page.locator(".plan-canvas").focus()
    seen = set()
    for _ in range(6):
        page.keyboard.press("Enter")
        seen.add(state(page)["operation"])
    assert len(seen) == 6
    expect(page.locator("[data-status]")).to_contain_text("Selected: SO-")
    # A step in the panel goes to that operation.
    page.locator("[data-panel] [data-operation]").last.click()
    assert state(page)["operation"] in seen | set(state(page)["lit"])
    expect(page.locator("[data-panel] [aria-current]")).to_have_count(1)


def test_why_an_order_is_late_opens_in_the_list(page_for: PageFor, plant: Tables) -> None:
    page = page_for("sales", viewport={"width": 360, "height": 740})
    page.goto("/plan/?view=late")
    page.locator("details.why summary").first.click()
    expect(page.locator(".why-binding").first).to_be_visible()
    # The bar at the top lies on what has scrolled under it.
    page.evaluate("scrollTo(0, 0)")
    assert_accessible(page)
    check_width(page, page.url)
    wear(page, "dark")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/plan/?view=late")
    page.locator("details.why summary").first.click()
    expect(page.locator(".why-chain").first).to_contain_text("LATHE")
    assert_accessible(page)


def test_on_paper_the_board_is_light_and_says_its_version(page_for: PageFor, plant: Tables) -> None:
    page = page_for("planner")
    page.goto("/plan/")
    wear(page, "dark")
    opened(page)
    canvas = page.locator(".plan-canvas")
    sharp = int(canvas.get_attribute("width") or 0)
    page.emulate_media(media="print")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert int(canvas.get_attribute("width") or 0) >= 1.5 * sharp
    head = page.locator(".plan-print-head")
    expect(head).to_be_visible()
    expect(head).to_contain_text("Schedule version 1")
    expect(head).to_contain_text("Mon 23 Nov, 00:00 – Mon 30 Nov, 00:00")
    expect(page.locator("[data-legend]")).to_be_visible()
    for gone in (".plan-tools", "[data-table]", "#overview", ".plan-bar"):
        expect(page.locator(gone)).to_be_hidden()
    assert page.evaluate("() => getComputedStyle(document.querySelector('.plan')).colorScheme") == (
        "light"
    )
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
    page.emulate_media(media="screen")
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    expect(canvas).to_have_attribute("width", str(sharp))
    expect(page.locator(".plan-tools")).to_be_visible()


def test_a_late_order_in_words_leads_to_its_bars(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    page.locator("#overview a[data-order]").first.click()
    assert state(page)["order"] in {order_of(plant, 0), order_of(plant, 1)}
    assert len(state(page)["lit"]) == 2
    expect(page.locator("[data-panel]")).to_contain_text("LEG")


def test_the_filter_narrows_board_and_list_alike(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    page.get_by_role("searchbox").fill(order_of(plant, 2))
    assert sorted(state(page)["lit"]) == tree_of(plant, 2)
    page.wait_for_url("**q=*")
    page.get_by_role("link", name="List", exact=True).click()
    expect(page.locator("#rows tbody tr")).to_have_count(2)
    page.get_by_role("link", name=order_of(plant, 2)).first.click()
    page.wait_for_selector("[data-board][data-version]")
    assert sorted(state(page)["lit"]) == tree_of(plant, 2)
    expect(page.locator("[data-panel]")).to_contain_text("LEG")


def test_on_a_phone_the_list_comes_first(page_for: PageFor, plant: Tables) -> None:
    page = page_for("planner", viewport={"width": 360, "height": 740})
    page.goto("/plan/?from=2026-11-23&to=2026-11-30")
    expect(page.locator("#rows tbody tr").first).to_be_visible()
    expect(page.locator("[data-board]")).to_be_hidden()
    page.get_by_role("link", name="Board").first.click()
    page.wait_for_selector("[data-board][data-version]")
    expect(page.locator(".plan-canvas")).to_be_visible()
    # Every tool is within the page.
    for button in page.locator(".plan-tools button").all():
        box = button.bounding_box()
        assert box
        assert box["x"] + box["width"] <= 360


def test_a_new_version_appears_by_itself_but_under_nobodys_hands(
    page_for: PageFor, plant: Tables
) -> None:
    page = opened(page_for("planner"))
    assert state(page)["version"] == 1
    first = state(page)["lit"][0]

    def another_plan(minutes: int) -> None:
        plant.order(plant.items["TABLE"], 1)
        Job.objects.filter(name="aps.replan_site").delete()
        plant.replan(now=MONDAY + timedelta(minutes=minutes))

    def look() -> None:
        page.evaluate("htmx.trigger('#progress', 'live')")

    # Nobody is at the board: it follows.
    another_plan(5)
    look()
    page.wait_for_selector("[data-board][data-version='2']")
    expect(page.locator("#overview")).to_contain_text("2")

    # Somebody is: it waits, and says so; the floor's states are shown all the same.
    page.locator(".plan-canvas").focus()
    page.keyboard.press("ArrowRight")
    another_plan(6)
    shown = page.evaluate("id => document.querySelector('[data-board]').planBoard().bar(id)", first)
    unit = WorkUnit.objects.get(code=shown["unit"])
    WorkOrderOperation.objects.filter(pk=first).update(
        state=OperationState.RUNNING, work_unit=unit, started_at=MONDAY, good=1
    )
    look()
    newer = page.locator("[data-newer]")
    expect(newer).to_contain_text("Plan version 3 is in force")
    page.wait_for_function(
        "id => document.querySelector('[data-board]').planBoard().bar(id).state === 'running'",
        arg=first,
    )
    assert state(page)["version"] == 2
    assert_accessible(page)
    newer.get_by_role("button", name="Load it").click()
    page.wait_for_selector("[data-board][data-version='3']")
    expect(newer).to_be_hidden()
    # An answer that was under way while the board was loaded offers nothing that is there.
    offered = """version => {
      const detail = {version, cause: ''};
      document.body.dispatchEvent(new CustomEvent('schedule-newer', {detail}));
      return !document.querySelector('[data-newer]').hidden;
    }"""
    assert [page.evaluate(offered, version) for version in (3, 4)] == [False, True]


def test_the_page_is_light(page_for: PageFor, live_server: Any, plant: Tables) -> None:
    size = page_bytes(page_for("planner"), live_server.url + BOARD)
    print(f"\nboard page: {size:,} bytes, brotli")
    assert size <= BOARD_PAGE
