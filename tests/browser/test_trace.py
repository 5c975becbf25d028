"""The trace page in the browser: the drawing grows by a click, the list says it without script."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from common.enums import Role
from tests.browser.checks import assert_accessible, check_page, watched
from tests.browser.conftest import PageFor
from tests.traceability.test_lives import Life

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TRACE_BYTES = 250_000


@pytest.fixture
def life(transactional_db: None) -> Life:
    return Life()


def in_list(page: Page, number: str) -> Locator:
    """The thing's line in the nested list."""
    return page.locator(".chain strong").filter(has_text=re.compile(f"^{number}$"))


def click_node(page: Page, pk: int) -> None:
    """Click where the drawing has put the thing."""
    place = page.evaluate(
        """id => {
          const box = document.getElementById("trace-graph");
          const at = box._cyreg.cy.getElementById(id).renderedPosition();
          const edge = box.getBoundingClientRect();
          return {x: edge.left + at.x, y: edge.top + at.y};
        }""",
        str(pk),
    )
    page.mouse.click(place["x"], place["y"])


def test_after_sales_goes_from_a_number_to_whom_its_cause_reached(
    page_for: PageFor, live_server: Any, life: Life
) -> None:
    page = page_for(Role.AFTER_SALES)
    pump, shaft = life.pumps[0], life.shafts[0]
    page.goto("/trace/")
    with watched(page) as faults:
        box = page.get_by_role("searchbox", name=re.compile("Serial number, lot"))
        expect(box).to_be_focused()
        box.fill(f"(21){pump.number.lower()}")
        box.press("Enter")
        page.wait_for_url(f"**/trace/{pump.pk}/")
        expect(page.get_by_role("heading", level=1)).to_contain_text(pump.number)
        # Pump, motor, shaft and its steel: two levels up.
        expect(page.locator("#trace-graph")).to_have_attribute("data-nodes", "4")
        page.locator("#trace-graph").scroll_into_view_if_needed()
        click_node(page, shaft.pk)
        # The other two pumps with this shaft.
        expect(page.locator("#trace-graph")).to_have_attribute("data-nodes", "6")
        expect(page.locator("#trace-picked a")).to_have_attribute("href", f"/trace/{shaft.pk}/")
        assert_accessible(page)
        # What the drawing shows stands in the list.
        for thing in (life.motors[0], shaft, life.steel):
            expect(in_list(page, thing.number)).to_be_visible()
        page.get_by_role("link", name="Table", exact=True).click()
        table = page.get_by_role("table", name="What it is made of")
        expect(table.get_by_role("row")).to_have_count(4)
        table.get_by_text(life.steel.number, exact=True).click()
        page.get_by_role("link", name="Impact", exact=True).first.click()
        expect(page.get_by_text("2 confirmed, 1 possible").first).to_be_visible()
    assert not faults, faults


def test_the_pages_hold_in_every_look_within_their_bytes(
    page_for: PageFor, live_server: Any, life: Life
) -> None:
    page = page_for(Role.QUALITY)
    base = live_server.url
    check_page(page, f"{base}/trace/{life.pumps[1].pk}/", most_bytes=TRACE_BYTES)
    check_page(page, f"{base}/trace/{life.steel.pk}/impact/", most_bytes=120_000)


def test_without_script_the_list_and_the_table_are_there(
    page_for: PageFor, live_server: Any, life: Life
) -> None:
    page = page_for(Role.AFTER_SALES, java_script_enabled=False)
    page.goto(f"/trace/{life.pumps[0].pk}/")
    expect(page.locator("#trace-figure")).to_be_hidden()
    expect(in_list(page, life.steel.number)).to_be_visible()
    page.get_by_role("link", name="Table", exact=True).click()
    expect(page.get_by_role("table", name="What it is made of")).to_be_visible()
