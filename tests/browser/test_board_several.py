"""Several operations at once, and fingers on the board."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.boards import BOARD, Tables, opened, place_of, state, tables, tree_of
from tests.browser.checks import assert_accessible, watched
from tests.browser.conftest import PageFor
from tests.browser.test_board_edits import bar, wait_for_draft

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.SOLVE_SECONDS = 0.03


@pytest.fixture
def plant() -> Tables:
    return tables()


def lasts(plant: Tables) -> list[int]:
    """The last operation of each order."""
    return [tree_of(plant, number)[-1] for number in range(3)]


class Fingers:
    """Touches on the canvas, as a screen sends them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session = page.context.new_cdp_session(page)

    def send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def tap(self, x: float, y: float) -> None:
        self.send("touchStart", (x, y))
        self.send("touchEnd")

    def drag(self, x: float, y: float, by: tuple[float, float], steps: int = 6) -> None:
        self.send("touchStart", (x, y))
        for step in range(1, steps + 1):
            self.send("touchMove", (x + by[0] * step / steps, y + by[1] * step / steps))
        self.send("touchEnd")

    def press_long(self, x: float, y: float) -> None:
        self.send("touchStart", (x, y))
        self.page.wait_for_timeout(700)
        self.send("touchEnd")


# ---- several at once


def test_ctrl_and_shift_click_gather_and_lock_together(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    wait_for_draft(page, is_open=False)
    one, two, three = lasts(plant)
    page.mouse.click(*place_of(page, one))
    page.keyboard.down("Control")
    page.mouse.click(*place_of(page, two))
    page.keyboard.up("Control")
    page.keyboard.down("Shift")
    page.mouse.click(*place_of(page, three))
    page.keyboard.up("Shift")
    assert sorted(state(page)["several"]) == sorted([one, two, three])
    box = page.locator("[data-several-box]")
    expect(box).to_contain_text("Operations selected: 3")
    assert_accessible(page)
    with watched(page) as faults:
        box.get_by_role("button", name="Lock or unlock").click()
        wait_for_draft(page)
    assert not faults
    assert all(bar(page, pk)["locked"] for pk in (one, two, three))
    expect(page.locator("[data-changes] li")).to_have_count(3)
    # Once more: all of them are free again.
    page.locator(".plan-canvas").focus()
    page.keyboard.press("l")
    expect(page.locator("[data-changes] li")).to_have_count(6)
    assert not any(bar(page, pk)["locked"] for pk in (one, two, three))
    page.keyboard.press("Control+z")
    expect(page.locator("[data-changes] li")).to_have_count(5)


def test_several_are_taken_off_by_one_key(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    wait_for_draft(page, is_open=False)
    _one, two, three = lasts(plant)
    page.mouse.click(*place_of(page, two))
    page.keyboard.down("Control")
    page.mouse.click(*place_of(page, three))
    page.keyboard.up("Control")
    page.locator(".plan-canvas").focus()
    page.keyboard.press("Delete")
    wait_for_draft(page)
    assert not {two, three} & set(state(page)["lit"])
    expect(page.locator("[data-several-box]")).to_be_hidden()
    expect(page.locator("[data-kept-out]")).to_be_hidden()


def test_the_space_bar_is_the_twin_of_ctrl_and_click(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    page.locator(".plan-canvas").focus()
    seen = []
    for _step in range(2):
        page.keyboard.press("Enter")
        page.keyboard.press("Space")
        seen.append(state(page)["operation"])
    assert sorted(state(page)["several"]) == sorted(seen)
    page.keyboard.press("Space")
    assert state(page)["several"] == seen[:1]
    page.keyboard.press("Escape")
    assert state(page)["several"] == []


def test_a_plain_click_begins_anew(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    one, two, _three = lasts(plant)
    page.mouse.click(*place_of(page, one))
    page.keyboard.down("Control")
    page.mouse.click(*place_of(page, two))
    page.mouse.click(*place_of(page, one))
    page.keyboard.up("Control")
    assert state(page)["several"] == [two]
    page.mouse.click(*place_of(page, one))
    assert state(page)["several"] == []
    assert state(page)["operation"] == one


def test_who_does_not_plan_gathers_nothing(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("sales"))
    one, two, _three = lasts(plant)
    page.mouse.click(*place_of(page, one))
    page.keyboard.down("Control")
    page.mouse.click(*place_of(page, two))
    page.keyboard.up("Control")
    assert state(page)["several"] == []
    assert page.locator("[data-several]").count() == 0


# ---- fingers


@pytest.fixture
def tablet(page_for: PageFor, plant: Tables) -> Page:
    page = page_for("planner", has_touch=True, viewport={"width": 900, "height": 700})
    opened(page)
    wait_for_draft(page, is_open=False)
    page.locator(".plan-canvas").scroll_into_view_if_needed()
    return page


def test_a_finger_pans_and_does_not_move_what_it_lies_on(tablet: Page, plant: Tables) -> None:
    before = state(tablet)
    operation = lasts(plant)[2]
    place = bar(tablet, operation)
    Fingers(tablet).drag(*place_of(tablet, operation), by=(-120, 0))
    after = state(tablet)
    width = after["end"] - after["start"]
    assert after["start"] > before["start"]
    assert width == pytest.approx(before["end"] - before["start"])
    assert bar(tablet, operation) == place
    assert not after["draft"]
    assert after["operation"] == 0


def test_a_tap_selects_and_a_tap_beside_clears(tablet: Page, plant: Tables) -> None:
    operation = lasts(plant)[2]
    fingers = Fingers(tablet)
    fingers.tap(*place_of(tablet, operation))
    expect(tablet.locator("[data-panel]")).to_be_visible()
    assert state(tablet)["operation"] == operation
    assert_accessible(tablet)


def test_a_long_press_opens_move_to(tablet: Page, plant: Tables) -> None:
    operation = lasts(plant)[2]
    Fingers(tablet).press_long(*place_of(tablet, operation))
    expect(tablet.get_by_role("dialog", name="Move to…")).to_be_visible()
    assert state(tablet)["operation"] == operation


def test_a_long_press_of_a_reader_selects(page_for: PageFor, plant: Tables) -> None:
    page = page_for("sales", has_touch=True)
    opened(page)
    operation = lasts(plant)[2]
    Fingers(page).press_long(*place_of(page, operation))
    expect(page.locator("[data-panel]")).to_be_visible()
    assert state(page)["operation"] == operation


def test_two_fingers_zoom_around_what_lies_between_them(tablet: Page) -> None:
    before = state(tablet)
    box = tablet.locator(".plan-canvas").bounding_box()
    assert box
    x, y = box["x"] + 500, box["y"] + 100
    fingers = Fingers(tablet)
    fingers.send("touchStart", (x - 40, y))
    fingers.send("touchStart", (x - 40, y), (x + 40, y))
    for spread in (60, 90, 120):
        fingers.send("touchMove", (x - spread, y), (x + spread, y))
    fingers.send("touchEnd")
    after = state(tablet)
    assert after["days"] < 0.6 * before["days"]
    share = (x - box["x"] - 176) / (box["width"] - 176)
    middle = before["start"] + share * (before["end"] - before["start"])
    assert after["start"] + share * (after["end"] - after["start"]) == pytest.approx(
        middle, abs=0.05 * (before["end"] - before["start"])
    )
    assert after["operation"] == 0


def test_taps_gather_while_the_button_is_pressed(tablet: Page, plant: Tables) -> None:
    _one, two, three = lasts(plant)
    mode = tablet.get_by_role("button", name="Select several")
    mode.click()
    expect(mode).to_have_attribute("aria-pressed", "true")
    fingers = Fingers(tablet)
    for operation in (two, three):
        tablet.locator(".plan-canvas").scroll_into_view_if_needed()
        fingers.tap(*place_of(tablet, operation))
        # It takes its room beside the board.
        expect(tablet.locator("[data-panel]")).to_be_visible()
    assert sorted(state(tablet)["several"]) == sorted([two, three])
    tablet.get_by_role("button", name="Select none").click()
    expect(mode).to_have_attribute("aria-pressed", "false")
    assert state(tablet)["several"] == []


def test_where_no_rows_are_left_the_finger_scrolls_the_page(
    page_for: PageFor, plant: Tables
) -> None:
    page = page_for("planner", has_touch=True, viewport={"width": 360, "height": 640})
    opened(page, BOARD)
    page.evaluate("scrollTo(0, 0)")
    page.locator(".plan-canvas").scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    box = page.locator(".plan-canvas").bounding_box()
    assert box
    Fingers(page).drag(box["x"] + 200, box["y"] + 150, by=(0, -100))
    assert page.evaluate("scrollY") > before
