"""The planner's story: work is moved, locked, undone and published; a rush is weighed and applied.

Clicked in English and in Chinese against a real server, worker and dispatcher. With
``WRITE_PICTURES=1`` the English run writes the README's pictures of planning.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from aps import selectors
from aps.enums import RunKind, RunState
from aps.models import OperationLock, ScheduledOperation, ScheduleRun
from crm.enums import PromiseCause, RushState
from crm.models import PromiseRevision, RushRequest, SalesOrderLine
from crm.services.rush_assessing import promised_day
from mes.enums import OperationState
from tests.browser.boards import opened, state
from tests.browser.checks import assert_accessible, watched
from tests.browser.people import PATIENCE, People
from tests.browser.test_board_edits import bar, drag, wait_for_draft
from tests.flows.chain import settle

pytestmark = [
    pytest.mark.browser,
    pytest.mark.worker,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]

WIDE: ViewportSize = {"width": 1280, "height": 860}
LOW: ViewportSize = {"width": 1280, "height": 700}
# Assembly: several benches, each of which can do the work of the others; nothing waits for it.
CENTER = "ASM"
# The customer's number of an order with time left and much work on shared machines, and a day so
# early that others have to make room whatever plan was found.
RUSHED = "YV-552"
SOON = timedelta(days=8)


class Moving(NamedTuple):
    """An operation to be moved, another one to be locked, and where the first goes."""

    moved: int
    locked: int
    unit: str


def test_a_plan_is_edited_and_a_rush_takes_its_place(people: People) -> None:
    planner = people.enter("planner", viewport=WIDE)
    _the_plan_is_edited(people, planner)
    line = SalesOrderLine.objects.get(order__customer_reference=RUSHED)
    rush = _sales_asks_for_a_rush(people, line)
    _the_planner_approves_what_it_means(people, planner, rush)
    _everybody_knows_the_new_date(people, planner, line, rush)
    if people.writes_pictures:
        _pictures(people, planner)


# -- the draft ----------------------------------------------------------------------------------


def _the_plan_is_edited(people: People, page: Page) -> None:
    """Dragged by mouse, locked, undone and redone by key, published."""
    before = ScheduleRun.objects.get(state=RunState.PUBLISHED)
    chosen = _moving(before)
    _board(page, before, chosen)
    wait_for_draft(page, is_open=False)
    was = bar(page, chosen.moved)
    with watched(page) as faults:
        drag(page, chosen.moved, unit=chosen.unit, hours=3)
        wait_for_draft(page)
        # What the server answered: there, or at the first moment from there on, and fixed.
        now = bar(page, chosen.moved)
        assert now["unit"] == chosen.unit != was["unit"]
        assert now["start"] > was["start"]
        assert now["locked"]
        expect(page.locator("[data-summary]")).not_to_be_empty()
        assert chosen.moved in state(page)["ghosts"]

        page.evaluate("document.querySelector('.plan-canvas').focus()")
        _select(page, chosen.locked)
        page.keyboard.press("l")
        _steps(page, 2)
        assert bar(page, chosen.locked)["locked"]
        page.keyboard.press("Control+z")
        _steps(page, 1)
        assert not bar(page, chosen.locked)["locked"]
        page.keyboard.press("Control+Shift+Z")
        _steps(page, 2)
        assert bar(page, chosen.locked)["locked"]
        assert_accessible(page)
        if people.writes_pictures:
            _picture_of_the_draft(people, page)
    assert not faults, faults
    wished = bar(page, chosen.moved)
    people.button(page, "Publish").click()
    page.wait_for_selector(f"[data-board]:not([data-version='{before.version}'])")
    wait_for_draft(page, is_open=False)
    live = ScheduledOperation.objects.get(
        run__kind=RunKind.EDIT, run__version=(before.version or 0) + 1, operation=chosen.moved
    )
    assert live.starts_at.timestamp() / 60 == wished["start"]
    locks = OperationLock.objects.values_list("operation_id", flat=True)
    assert set(locks) == {chosen.moved, chosen.locked}
    settle()


def _moving(run: ScheduleRun) -> Moving:
    """The latest work of the center, which has room behind it, and another bench for it."""
    rows = list(
        run.operations.filter(
            operation__state__in=[OperationState.WAITING, OperationState.READY],
            operation__work_center__code=CENTER,
            starts_at__gt=timezone.now() + timedelta(days=1),
        )
        .select_related("work_unit")
        .order_by("starts_at")
    )
    first = rows[-1]
    assert first.work_unit
    ends: dict[str, datetime] = {}
    for row in rows:
        if row.work_unit and row.work_unit != first.work_unit:
            ends[row.work_unit.code] = max(row.ends_at, ends.get(row.work_unit.code, row.ends_at))
    # Onto the bench that is free the longest; the one to be locked is on another, so it stays.
    unit = min(ends, key=lambda code: ends[code])
    other = next(r for r in rows[-2::-1] if r.work_unit and r.work_unit.code != unit)
    return Moving(first.operation_id, other.operation_id, unit)


def _board(page: Page, run: ScheduleRun, chosen: Moving) -> None:
    """The benches, in the days around the work."""
    rows = run.operations.filter(operation__in=[chosen.moved, chosen.locked])
    moments = [
        timezone.localtime(moment) for row in rows for moment in (row.starts_at, row.ends_at)
    ]
    begin, end = min(moments) - timedelta(days=1), max(moments) + timedelta(days=4)
    span = f"from={begin:%Y-%m-%dT%H:%M}&to={end:%Y-%m-%dT%H:%M}"
    opened(page, f"/plan/?view=board&center={CENTER}&{span}")


def _select(page: Page, operation: int) -> None:
    """Click it until it is chosen: the plan may be drawn anew between question and click."""
    for _attempt in range(5):
        x, y = page.evaluate(
            "id => document.querySelector('[data-board]').planBoard().place(id)", operation
        )
        page.locator(".plan-canvas").click(position={"x": x, "y": y})
        try:
            page.wait_for_function(
                "id => new URLSearchParams(location.search).get('operation') === `${id}`",
                arg=operation,
                timeout=5000,
            )
        except PlaywrightTimeout:
            continue
        break
    expect(page.locator("[data-panel]")).to_be_visible()
    page.locator(".plan-canvas").focus()


def _steps(page: Page, count: int) -> None:
    """Wait until the draft has so many steps that count."""
    expect(page.locator("[data-changes] li")).to_have_count(count)
    page.wait_for_function("() => !document.querySelector('[data-board]').ariaBusy")


# -- the rush -----------------------------------------------------------------------------------


def _sales_asks_for_a_rush(people: People, line: SalesOrderLine) -> RushRequest:
    """On the order's page; the simulation is followed until it answers."""
    page = people.enter("sales", viewport=WIDE)
    page.goto(f"/orders/{line.order.number}/")
    page.locator(f"a[href='/orders/{line.order.number}/lines/{line.position}/rush/']").click()
    wanted = timezone.localdate() + SOON
    page.locator("[name=wanted_date]").fill(wanted.isoformat())
    page.locator("[name=reason]").fill("The line stands still")
    people.button(page, "Ask for a rush").click()
    page.wait_for_url("**/orders/rush/RR-*/")
    expect(page.locator(".headline-main")).to_be_visible(timeout=PATIENCE)
    assert_accessible(page)
    # Sales does not decide.
    expect(people.button(page, "Approve")).to_have_count(0)
    return RushRequest.objects.get(line=line)


def _the_planner_approves_what_it_means(people: People, page: Page, rush: RushRequest) -> None:
    """From the queue; who moves and which promises break stands there before the button."""
    page.goto("/orders/rush/")
    page.locator(f"a[href='/orders/rush/{rush.number}/']").first.click()
    expect(page.locator(".headline-main")).to_be_visible(timeout=PATIENCE)
    rush.refresh_from_db()
    assert rush.state == RushState.PENDING
    moved = rush.assessment["orders"]
    assert moved, "nobody moves for the rush"
    expect(page.locator("#facts tbody tr").first).to_be_visible()
    shown = page.locator("#facts table").first
    for row in moved:
        expect(shown).to_contain_text(row["line"])
    broken = page.locator(".kpi", has_text=people.say("Broken promises"))
    expect(broken).to_contain_text(str(len(rush.assessment["promise_breaks"])))
    expect(page.locator(".plan-result")).to_be_visible()
    assert_accessible(page)
    people.picture(page, "rush")
    people.button(page, "Approve").click()
    expect(page.locator("h1")).to_contain_text(people.say("Applied"))
    settle()


def _everybody_knows_the_new_date(
    people: People, page: Page, line: SalesOrderLine, rush: RushRequest
) -> None:
    """The very plan is in force, and the promise says why it moved."""
    rush.refresh_from_db()
    line.refresh_from_db()
    assert rush.run is not None
    assert rush.run.version
    assert line.promised_date == promised_day(rush)
    last = PromiseRevision.objects.filter(line=line).latest("pk")
    assert (last.cause, last.new_date) == (PromiseCause.RUSH, line.promised_date)
    page.goto(f"/orders/{line.order.number}/")
    expect(page.locator("main")).to_contain_text(people.say("Rush order"))
    page.goto("/plan/?view=board")
    page.wait_for_selector("[data-board][data-version]")
    assert state(page)["version"] >= rush.run.version


# -- pictures -----------------------------------------------------------------------------------


def _picture_of_the_draft(people: People, page: Page) -> None:
    """All machines, and what the draft does, without what stands above the board."""
    shown = state(page)
    local = [
        timezone.localtime(datetime.fromtimestamp(60 * shown[edge], UTC))
        for edge in ("start", "end")
    ]
    begin, end = local[0] - timedelta(days=7), local[1]
    opened(page, f"/plan/?view=board&from={begin:%Y-%m-%dT%H:%M}&to={end:%Y-%m-%dT%H:%M}")
    wait_for_draft(page)
    page.keyboard.press("Escape")
    _to_the_top(page, ".plan-bar")
    people.picture(page, "schedule")


def _to_the_top(page: Page, selector: str) -> None:
    page.locator(selector).first.evaluate(
        "node => scrollTo(0, node.getBoundingClientRect().top + scrollY - 72)"
    )


def _pictures(people: People, page: Page) -> None:
    """A scenario beside the plan in force, and why an order is late."""
    page.goto("/plan/scenarios/new/")
    page.fill("[name=name]", "Sixty more gearboxes")
    page.select_option("#id_kind", "demand")
    page.locator("[name=quantity]").fill("60")
    page.locator("[name=requested_date]").fill(str(timezone.localdate() + timedelta(days=40)))
    page.locator(".ts-control input").click()
    page.keyboard.type("GEARBOX")
    page.locator(".ts-dropdown [data-selectable]").first.click()
    people.button(page, "Add this change").click()
    expect(page.locator(".change-list li")).to_have_count(1)
    people.button(page, "Solve").click()
    expect(page.locator(".plan-summary")).to_be_visible(timeout=PATIENCE)
    _to_the_top(page, "#facts")
    people.picture(page, "scenario")

    run = ScheduleRun.objects.get(state=RunState.PUBLISHED)
    late = selectors.late_orders(site_id=run.site_id, now=timezone.now())
    number = next(row.reference for row in late if row.ready.at).partition("/")[0]
    page.set_viewport_size(LOW)
    page.goto(f"/plan/?view=board&order={number}")
    page.wait_for_selector("[data-board][data-version]")
    expect(page.locator(".why-binding").first).to_be_visible()
    _to_the_top(page, ".plan-bar")
    people.picture(page, "why-late")
