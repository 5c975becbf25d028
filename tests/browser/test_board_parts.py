"""The board's parts: colours, an order's tree, the linked table, the load chart; and its speed."""

from __future__ import annotations

import statistics
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from aps.models import PlanState, ScheduledOperation
from tests.aps.factories import HOUR, MONDAY
from tests.browser.boards import (
    BOARD,
    Tables,
    crowd,
    opened,
    order_of,
    place_of,
    state,
    tables,
    tree_of,
)
from tests.browser.checks import assert_accessible, wear
from tests.browser.conftest import PageFor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("on_sunday"),
]

FRAME_MS = 33
BARS = 10_000


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.SOLVE_SECONDS = 0.03


@pytest.fixture
def plant() -> Tables:
    return tables()


def legend(page: Page) -> list[str]:
    return page.locator("[data-legend] li").all_inner_texts()


# ---- colours


@pytest.mark.parametrize(
    ("colour", "words"),
    [
        ("lateness", {"On time", "Tight", "Late", "Order is late"}),
        ("family", {"LEG", "TABLE", "Late"}),
        ("state", {"Ready", "Running", "Done", "Late"}),
    ],
)
def test_every_colour_is_told_in_words_and_kept_in_the_address(
    page_for: PageFor, plant: Tables, colour: str, words: set[str]
) -> None:
    page = opened(page_for("planner"))
    page.get_by_label("Colour by").select_option(colour)
    assert words | {"Setup", "Locked"} <= set(legend(page))
    if colour != "lateness":
        page.wait_for_url(f"**colour={colour}*")
        opened(page, page.url)
    assert state(page)["colour"] == colour
    assert words <= set(legend(page))


def test_colour_by_order_names_the_orders_in_view(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"), BOARD + "&colour=order")
    expect(page.locator("[data-legend]")).to_contain_text(order_of(plant, 0))
    page.get_by_role("searchbox").fill(order_of(plant, 2))
    expect(page.locator("[data-legend]")).not_to_contain_text(order_of(plant, 0))


def test_a_strange_colour_is_no_error(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"), BOARD + "&colour=nope")
    assert state(page)["colour"] == "lateness"


def test_the_frozen_zone_is_shaded_and_named(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    assert "Frozen zone" not in legend(page)
    PlanState.objects.update(frozen_minutes=480)
    opened(page)
    assert state(page)["frozen"] == 480
    assert "Frozen zone" in legend(page)


# ---- the tree


def test_links_go_from_child_to_parent_and_signs_to_what_is_out_of_sight(
    page_for: PageFor, plant: Tables
) -> None:
    page = opened(page_for("planner"))
    leg, table = tree_of(plant, 0)
    page.mouse.click(*place_of(page, table))
    page.wait_for_function("() => document.querySelector('[data-board]').planBoard().links === 1")
    assert state(page)["hints"] == []
    # A day later both are past, and the sign leads back to them.
    page.get_by_role("button", name="Day", exact=True).click()
    page.locator(".plan-canvas").focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function("() => document.querySelector('[data-board]').planBoard().hints.length")
    assert state(page)["hints"] == ["◀ 2 earlier"]
    box = page.locator(".plan-canvas").bounding_box()
    assert box
    page.mouse.click(box["x"] + 176 + 30, box["y"] + 48 + (box["height"] - 48) / 2)
    assert state(page)["operation"] in {leg, table}
    # The hints follow with the next picture that is drawn.
    page.wait_for_function(
        "() => document.querySelector('[data-board]').planBoard().hints[0] !== '◀ 2 earlier'"
    )


# ---- the table


def test_the_table_shows_the_view_then_the_order_and_sorts(
    page_for: PageFor, plant: Tables
) -> None:
    page = opened(page_for("planner"))
    table = page.locator("[data-table]")
    expect(table.get_by_role("heading")).to_have_text("Operations in view")
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(6)
    table.get_by_role("button", name="Operation", exact=True).click()
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    expect(rows.first).to_contain_text("LEG")
    table.get_by_role("button", name="Operation", exact=True).click()
    expect(rows.first).to_contain_text("TABLE")
    # A row leads to its bar, and to its order's rows.
    rows.first.get_by_role("button").press("Enter")
    chosen = state(page)
    middle = (chosen["start"] + chosen["end"]) / 2
    bar = page.evaluate(
        "id => document.querySelector('[data-board]').planBoard().bar(id)", chosen["operation"]
    )
    assert (bar["start"] + bar["end"]) / 2 == pytest.approx(middle, abs=1)
    expect(table.get_by_role("heading")).to_have_text(f"All operations of {chosen['order']}")
    expect(rows).to_have_count(2)


# ---- the load chart


def overload(plant: Tables) -> int:
    """Two operations at once on a machine, over its hours; returns the moved one."""
    first, second = ScheduledOperation.objects.filter(work_unit=plant.units[0]).order_by(
        "starts_at"
    )[:2]
    start = first.starts_at.replace(hour=8, minute=0)
    for row in (first, second):
        row.starts_at, row.ends_at = start, start + 9 * HOUR
        row.save()
    return second.operation_id


def test_an_overload_is_told_in_words_and_shows_its_jobs(page_for: PageFor, plant: Tables) -> None:
    moved = overload(plant)
    page = opened(page_for("planner"), BOARD + "&load=u:LATHE-1")
    words = page.locator("[data-overloads]")
    expect(words).to_contain_text("Overloaded periods in view: 1")
    words.get_by_role("button").click()
    table = page.locator("[data-table]")
    expect(table.get_by_role("heading")).to_contain_text("LATHE-1")
    expect(table.get_by_role("heading")).to_contain_text("planned")
    assert table.locator("tbody tr").count() >= 2
    expect(table.locator(f"tr[data-row='{moved}']")).to_be_visible()
    # Walking through them keeps the list.
    table.locator(f"tr[data-row='{moved}'] button").click()
    assert state(page)["operation"] == moved
    expect(table.get_by_role("heading")).to_contain_text("planned")
    assert_accessible(page)
    wear(page, "dark")
    opened(page, BOARD + "&load=u:LATHE-1&colour=family")
    assert_accessible(page)
    page.get_by_label("Load of").select_option("u:LATHE-2")
    expect(words).to_contain_text("Nothing in view is overloaded")
    page.wait_for_url("**load=u%3ALATHE-2*")
    page.get_by_label("Load of").select_option("-")
    expect(page.locator("[data-load]")).to_be_hidden()


def test_a_period_of_the_chart_leads_to_its_jobs_by_mouse(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("sales"), BOARD + "&load=c:LATHE")
    chart = page.locator("[data-load]")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    now = state(page)
    monday = MONDAY.timestamp() / 60 + 2 * 60
    share = (monday - now["start"]) / (now["end"] - now["start"])
    page.mouse.click(box["x"] + 176 + share * (box["width"] - 176), box["y"] + 100)
    heading = page.locator("[data-table]").get_by_role("heading")
    expect(heading).to_contain_text("LATHE, Mon, 23 Nov 2026")
    page.get_by_role("button", name="Back to the operations in view").click()
    expect(heading).to_have_text("Operations in view")
    # In one colour, then order by order.
    plain = page.evaluate("() => document.querySelector('[data-load]').toDataURL()")
    page.get_by_label("Stack by order").check()
    page.wait_for_function(
        "plain => document.querySelector('[data-load]').toDataURL() !== plain", arg=plain
    )


# ---- 10,000 bars


PAN = """async ([frames]) => {
  const canvas = document.querySelector('.plan-canvas');
  const board = () => document.querySelector('[data-board]').planBoard();
  const gaps = [];
  const drawn = [];
  const frame = () => new Promise(requestAnimationFrame);
  let last = await frame();
  for (let n = 0; n < frames; n++) {
    const deltaY = n % 60 < 30 ? 25 : -25;
    canvas.dispatchEvent(new WheelEvent('wheel', {deltaY, shiftKey: true, cancelable: true}));
    const at = await frame();
    gaps.push(at - last);
    last = at;
    drawn.push(board().drawn);
  }
  return {gaps, drawn};
}"""


def panned(page: Page) -> dict[str, list[float]]:
    """The first of three runs that is smooth, else the last: the machine has other work too."""
    for _ in range(3):
        run: dict[str, list[float]] = page.evaluate(PAN, [120])
        if statistics.median(run["gaps"]) <= FRAME_MS:
            break
    return run


DRAW = """() => {
  const board = document.querySelector('[data-board]').planBoard();
  const start = performance.now();
  for (let n = 0; n < 20; n++) board.draw();
  return (performance.now() - start) / 20;
}"""

GAPS = """() => {
  window.gaps = [];
  let last = performance.now();
  const next = (at) => { window.gaps.push(at - last); last = at; requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""


def dragged(page: Page) -> float:
    """The median frame while a bar is carried over the machines of a week."""
    page.locator("[data-days='7']").click()
    page.wait_for_load_state("networkidle")
    x, y = place_of(page, state(page)["lit"][8])
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(GAPS)
    for step in range(60):
        page.mouse.move(x + 3 * step, y + 2 * (step % 20))
    median = float(statistics.median(page.evaluate("window.gaps")))
    page.keyboard.press("Escape")
    page.mouse.up()
    assert median <= FRAME_MS
    return median


def test_ten_thousand_bars_pan_without_stutter(page_for: PageFor) -> None:
    crowd(rows=200, bars=BARS)
    page = page_for("planner", viewport={"width": 1280, "height": 900})
    answers: list[int] = []
    page.on("response", lambda r: answers.append(len(r.body())) if "/plan/data/" in r.url else None)
    opened(page, "/plan/?view=board")
    assert state(page)["bars"] == BARS
    for days in (1, 7, 31, 92):
        page.locator(f"[data-days='{days}']").click()
        found = panned(page)
        median = statistics.median(found["gaps"])
        worst = sorted(found["gaps"])[int(len(found["gaps"]) * 0.95)]
        drawing = page.evaluate(DRAW)
        print(
            f"\n{days:2} days: frame median {median:.1f} ms, 95 % {worst:.1f} ms,"
            f" {max(found['drawn'])} bars drawn in {drawing:.1f} ms"
        )
        assert median <= FRAME_MS
    print(f"dragging a bar: frame median {dragged(page):.1f} ms")
    seconds = page.evaluate(
        "() => performance.getEntriesByType('resource')"
        ".find(entry => entry.name.includes('/plan/data/')).duration"
    )
    print(f"window of {BARS:,} bars: {answers[0]:,} bytes of JSON in {seconds:.0f} ms")
