"""Order entry when answers come late: one that is older than what is typed counts for nothing."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PageFor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WISH, EARLIEST = "2031-03-03", "2031-03-20"
DIALOG = (
    f"<p>Full until then.</p><button data-way='date' data-date='{EARLIEST}' autofocus>Take</button>"
)


def _answer(route: Route, *, kept: bool) -> None:
    row = {
        "name": "Flange",
        "price": "1",
        "html": f"<p class='told'>{'kept' if kept else 'not kept'}</p>",
        "dialog": "" if kept else DIALOG,
    }
    route.fulfill(json={"rows": {"0": row}})


def _last(page: Page, held: list[Route], before: int = 0) -> Route:
    """The newest question after those before, once half a second has brought no other."""
    asked = before
    while len(held) != asked or asked == before:
        asked = len(held)
        page.wait_for_timeout(500)
    return held[-1]


def _typed(page: Page) -> None:
    page.goto("/orders/new/")
    page.locator("#id_line-0-item").fill("FLANGE")
    page.locator("#id_line-0-quantity").fill("5")
    page.locator("#id_line-0-requested_date").fill(WISH)


def test_an_answer_that_is_older_than_the_date_does_not_interrupt(
    page_for: PageFor, live_server: Any
) -> None:
    page = page_for("sales")
    held: list[Route] = []

    def hold(route: Route) -> None:  # Playwright marks its handlers, which a built-in refuses.
        held.append(route)

    page.route("**/orders/check/", hold)
    _typed(page)
    page.locator("#id_note").focus()
    _answer(_last(page, held), kept=False)
    expect(page.locator("#ways-out")).to_be_visible()

    # The focus went into the dialog, so the date is checked once more; that answer is late.
    asked = len(held)
    page.locator("#id_line-0-requested_date").evaluate(
        "node => node.dispatchEvent(new FocusEvent('focusout', {bubbles: true}))"
    )
    late = _last(page, held, asked)
    asked = len(held)
    page.locator("[data-way=date]").click()
    _answer(late, kept=False)
    _answer(_last(page, held, asked), kept=True)

    expect(page.locator(".told")).to_have_text("kept")
    expect(page.locator("#ways-out")).to_be_hidden()
    expect(page.locator("#id_line-0-requested_date")).to_have_value(EARLIEST)


def test_a_rush_that_was_chosen_stays_in_sight_until_the_line_changes(
    page_for: PageFor, live_server: Any
) -> None:
    page = page_for("sales")
    row = {"name": "Flange", "price": "1", "html": "<div class='answer'>not kept</div>"}
    dialog = "<button data-way='rush'>Ask for a rush</button>"
    page.route(
        "**/orders/check/",
        lambda route: route.fulfill(json={"rows": {"0": row | {"dialog": dialog}}}),
    )
    _typed(page)
    page.locator("#id_note").focus()
    page.locator("[data-way=rush]").click()
    expect(page.locator(".answer-rush")).to_have_text("A rush is asked for")
    # The next check brings a new answer, and the mark with it; another date takes it away.
    with page.expect_response("**/orders/check/"):
        page.locator("#id_customer").fill("C")
    expect(page.locator(".answer-rush")).to_have_count(1)
    page.locator("#id_line-0-requested_date").fill(EARLIEST)
    expect(page.locator(".answer-rush")).to_have_count(0)
