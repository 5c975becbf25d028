"""Editing the plan on the board: by mouse, by keyboard, undone, refused and published."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from aps.enums import RunKind, RunState
from aps.models import OperationLock, ScheduledOperation, ScheduleRun
from aps.services import edits
from common.models import User
from tests.aps.factories import DAY, HOUR, MONDAY
from tests.browser.boards import BOARD, Tables, opened, place_of, state, tables, tree_of
from tests.browser.checks import assert_accessible, check_page, watched, wear
from tests.browser.conftest import PageFor
from tests.factories import UserFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("on_sunday"),
]

INSPECT = "() => document.querySelector('[data-board]').planBoard()"


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.SOLVE_SECONDS = 0.03


@pytest.fixture
def plant() -> Tables:
    return tables()


def bar(page: Page, operation: int) -> dict[str, Any]:
    found = page.evaluate(
        "id => document.querySelector('[data-board]').planBoard().bar(id)", operation
    )
    return dict(found)


def wait_for_draft(page: Page, is_open: bool = True) -> None:
    page.wait_for_function(
        "open => document.querySelector('[data-board]').planBoard().draft === open", arg=is_open
    )
    page.wait_for_function("() => !document.querySelector('[data-board]').ariaBusy")


def drag(page: Page, operation: int, *, unit: str, hours: float, drop: bool = True) -> None:
    """Take the bar and carry it so many hours on, to the row of the unit."""
    x, y = place_of(page, operation)
    now = state(page)
    box = page.locator(".plan-canvas").bounding_box()
    assert box
    per_hour = (box["width"] - 176) / (now["end"] - now["start"]) * 60
    row = page.evaluate(
        "code => document.querySelector('[data-board]').planBoard().rowY(code)", unit
    )
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=3)
    page.mouse.move(x + hours * per_hour, box["y"] + row, steps=5)
    if drop:
        page.mouse.up()


def last_bar(page: Page, plant: Tables) -> int:
    """The table of the order that is due last: nothing waits for it."""
    return tree_of(plant, 2)[-1]


def test_a_drag_moves_in_time_and_to_another_machine(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    wait_for_draft(page, is_open=False)
    operation = last_bar(page, plant)
    before = bar(page, operation)
    target = "LATHE-2" if before["unit"] == "LATHE-1" else "LATHE-1"
    with watched(page) as faults:
        drag(page, operation, unit=target, hours=48)
        wait_for_draft(page)
    assert not faults
    after = bar(page, operation)
    assert after["unit"] == target
    assert after["start"] == pytest.approx(before["start"] + 48 * 60, abs=60)
    assert after["locked"]
    assert operation in state(page)["ghosts"]
    box = page.locator("[data-draft]")
    expect(box).to_contain_text("1 change · ")
    assert_accessible(page)
    # The live plan is as it was.
    live = ScheduledOperation.objects.get(run__state=RunState.PUBLISHED, operation=operation)
    assert live.starts_at.timestamp() / 60 == before["start"]
    wear(page, "dark")
    opened(page)
    wait_for_draft(page)
    assert bar(page, operation) == after
    assert_accessible(page)


def test_a_drag_that_is_given_up_moves_nothing(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    page.locator(".plan-canvas").focus()
    drag(page, last_bar(page, plant), unit="LATHE-2", hours=30, drop=False)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert not ScheduleRun.objects.filter(kind=RunKind.EDIT).exists()
    assert not state(page)["draft"]


def test_over_the_name_of_a_work_center_a_bar_keeps_its_row(
    page_for: PageFor, plant: Tables
) -> None:
    page = opened(page_for("planner"))
    wait_for_draft(page, is_open=False)
    operation = last_bar(page, plant)
    before = bar(page, operation)
    box = page.locator(".plan-canvas").bounding_box()
    assert box
    drag(page, operation, unit=before["unit"], hours=48, drop=False)
    at = place_of(page, operation)[0] + 160
    page.mouse.move(at, box["y"] + 48 + 8)  # The first line below the axis is a center's name.
    page.mouse.up()
    wait_for_draft(page)
    expect(page.locator("[data-problem]")).to_be_hidden()
    assert bar(page, operation)["unit"] == before["unit"]


def test_lock_undo_redo_and_take_off_by_key(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    wait_for_draft(page, is_open=False)
    operation = last_bar(page, plant)
    page.mouse.click(*place_of(page, operation))
    page.locator(".plan-canvas").focus()
    page.keyboard.press("l")
    wait_for_draft(page)
    assert bar(page, operation)["locked"]
    page.keyboard.press("Control+z")
    expect(page.locator("[data-step=redo]")).to_be_enabled()
    assert not bar(page, operation)["locked"]
    page.keyboard.press("Control+Shift+Z")
    expect(page.locator("[data-step=redo]")).to_be_disabled()
    assert bar(page, operation)["locked"]
    page.keyboard.press("Delete")
    expect(page.locator("[data-changes] li")).to_have_count(2)
    assert operation not in state(page)["lit"]
    assert operation in state(page)["ghosts"]
    page.keyboard.press("Control+z")
    expect(page.locator("[data-step=redo]")).to_be_enabled()
    assert operation in state(page)["lit"]
    page.get_by_role("button", name="Discard").click()
    wait_for_draft(page, is_open=False)
    expect(page.locator("[data-draft]")).to_be_hidden()
    assert not OperationLock.objects.exists()


def test_move_to_is_the_twin_of_the_drag(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    wait_for_draft(page, is_open=False)
    operation = last_bar(page, plant)
    page.mouse.click(*place_of(page, operation))
    page.locator("[data-panel]").get_by_role("button", name="Move to…").click()
    dialog = page.get_by_role("dialog", name="Move to…")
    expect(dialog).to_be_visible()
    assert_accessible(page)
    assert dialog.get_by_label("Work unit").locator("option").all_inner_texts() == [
        "LATHE-1 · LATHE-1",
        "LATHE-2 · LATHE-2",
    ]
    dialog.get_by_label("Work unit").select_option("LATHE-2")
    # At night: it goes to the morning, and the draft says so.
    dialog.get_by_label("Start").fill("2026-11-25T22:00")
    dialog.get_by_role("button", name="Move", exact=True).click()
    wait_for_draft(page)
    moved = bar(page, operation)
    assert moved["unit"] == "LATHE-2"
    assert moved["start"] * 60 == (MONDAY + 3 * DAY).timestamp()
    expect(page.locator("[data-violations] li")).not_to_have_count(0)
    # The panel, open all the while, tells the draft's place and the plan's.
    panel = page.locator("[data-panel]")
    expect(panel).to_contain_text("in the plan in force: 23 Nov 2026")
    assert_accessible(page)
    panel.get_by_role("button", name="Take off the plan").click()
    expect(panel.get_by_role("button", name="Plan it again")).to_be_focused()
    panel.get_by_role("button", name="Plan it again").click()
    expect(panel.get_by_role("button", name="Take off the plan")).to_be_visible()
    expect(panel).not_to_contain_text("in the plan in force")


def test_an_order_is_planned_as_late_as_its_date_allows(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    wait_for_draft(page, is_open=False)
    operation = last_bar(page, plant)
    before = bar(page, operation)
    page.mouse.click(*place_of(page, operation))
    page.get_by_role("button", name="As late as its date allows").click()
    wait_for_draft(page)
    expect(page.locator("[data-changes] li")).to_have_count(1)
    rows = ScheduleRun.objects.get(kind=RunKind.EDIT).operations.get(operation=operation)
    assert rows.starts_at.timestamp() / 60 > before["start"] + 24 * 60


def test_publishing_makes_a_new_version(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    wait_for_draft(page, is_open=False)
    operation = last_bar(page, plant)
    drag(page, operation, unit="LATHE-2", hours=48)
    wait_for_draft(page)
    wished = bar(page, operation)
    # The figures do not wait until they ask by themselves, which would hide the fault below.
    page.evaluate("document.getElementById('progress').remove()")
    page.get_by_role("button", name="Publish").click()
    page.wait_for_selector("[data-board][data-version='2']")
    expect(page.locator("#overview .kpi-value").last).to_have_text("2")
    wait_for_draft(page, is_open=False)
    assert bar(page, operation) == wished
    assert state(page)["ghosts"] == []
    live = ScheduledOperation.objects.get(run__state=RunState.PUBLISHED, operation=operation)
    assert live.starts_at.timestamp() / 60 == wished["start"]


def test_a_draft_holds_everywhere(page_for: PageFor, live_server: Any, plant: Tables) -> None:
    page = page_for("planner")
    planner = User.objects.get(username="planner")
    late, out = tree_of(plant, 2)[-1], tree_of(plant, 1)[-1]
    for change in (
        {
            "kind": "move",
            "operation": late,
            "work_unit": "LATHE-2",
            "starts_at": (MONDAY + 14 * DAY).isoformat(),
        },
        {"kind": "unplan", "operation": out},
    ):
        edits.apply(site_id=plant.site.pk, change=change, by=planner, now=MONDAY)
    check_page(page, f"{live_server.url}{BOARD}&operation={late}")
    expect(page.locator("[data-dates] li")).not_to_have_count(0)


def test_a_stale_draft_is_refused_with_what_changed(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("planner"))
    wait_for_draft(page, is_open=False)
    drag(page, last_bar(page, plant), unit="LATHE-2", hours=48)
    wait_for_draft(page)
    other: User = UserFactory(username="rival", roles=["planner"])
    wish = {
        "kind": "move",
        "operation": tree_of(plant, 1)[-1],
        "work_unit": "LATHE-1",
        "starts_at": (MONDAY + 4 * DAY + HOUR).isoformat(),
    }
    edits.apply(site_id=plant.site.pk, change=wish, by=other, now=MONDAY)
    edits.publish(site_id=plant.site.pk, by=other, now=MONDAY)
    page.get_by_role("button", name="Publish").click()
    problem = page.locator("[data-draft] [role=alert]")
    # The board also finds out by itself, when it hears of the new version.
    expect(problem).to_contain_text("The plan has changed since: version 2 by")
    assert_accessible(page)
    page.get_by_role("button", name="Bring up to date").click()
    expect(problem).to_be_hidden()
    page.get_by_role("button", name="Publish").click()
    page.wait_for_selector("[data-board][data-version='3']")


def test_a_machine_that_cannot_do_it_takes_nothing(page_for: PageFor, plant: Tables) -> None:
    plant.steps(plant.make("CAP", None, steps=0), 30)
    page = opened(page_for("planner"))
    wait_for_draft(page, is_open=False)
    operation = last_bar(page, plant)
    plant.operations().filter(pk=operation).update(state="running", started_at=MONDAY - DAY)
    drag(page, operation, unit="LATHE-2", hours=48)
    expect(page.locator("[data-problem]")).to_contain_text("what runs stays there")
    assert not state(page)["draft"]


def test_who_is_no_planner_pans_by_dragging_a_bar(page_for: PageFor, plant: Tables) -> None:
    page = opened(page_for("sales"))
    before = state(page)["start"]
    drag(page, last_bar(page, plant), unit="LATHE-1", hours=-10)
    assert state(page)["start"] > before
    assert page.locator("[data-draft]").count() == 0
    assert BOARD in page.url or "view=board" in page.url
