"""The editors in a browser: they fit, they are accessible, rows can be added."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from common.enums import Role
from masterdata.enums import Supply
from masterdata.models import Bom, Calendar, Changeover
from tests.browser.checks import SETTLING_TRIES, check_page
from tests.browser.conftest import PageFor
from tests.masterdata import factories as f

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ORDINARY = 120_000
# Where nothing of a table may hide beyond its edge.
SIZES = (1280, 1110, 820, 600, 360)


def _assembly() -> Any:
    item = f.ItemFactory(code="ASSEMBLY")
    parts = [f.ItemFactory(code=f"COMPONENT-{n}-LONG-CODE", supply=Supply.BUY) for n in range(3)]
    bom = f.BomFactory(item=item, components=[(part, 2) for part in parts])
    bom.lines.update(valid_from=date(2026, 1, 1), valid_to=date(2027, 1, 1))
    center = f.WorkCenterFactory(code="TURN-AND-MILL")
    routing = f.RoutingFactory(item=item, steps=[(center, 12.5), (center, 3)])
    unit = f.WorkUnitFactory(code="TURN-01", work_center=center)
    f.OperationAlternativeFactory(operation=routing.operations.first(), work_unit=unit)
    f.CostRateFactory(work_center=center)
    for family in ("RED", "BLUE", "GREY", "CLEAR", "BLACK"):
        f.ChangeoverFactory(work_center=center, to_family=family)
    return item


def _place(name: str) -> str:
    item = _assembly()
    calendar = f.two_shifts(code="DOUBLE")
    f.CrewFactory(skill=f.SkillFactory(code="WELDER"))
    price = f.SupplierPriceFactory(supplier=f.SupplierFactory(code="STEEL"))
    named = {
        "bom-edit": [item.code],
        "routing-edit": [item.code],
        "calendar-edit": [calendar.code],
        "work-center-edit": ["TURN-AND-MILL"],
        "work-center-rates": ["TURN-AND-MILL"],
        "work-center-changeovers": ["TURN-AND-MILL"],
        "skill-edit": ["WELDER"],
        "skill-crews": ["WELDER"],
        "tool-create": [],
        "supplier-edit": ["STEEL"],
        "price-edit": [price.pk],
    }
    place = reverse(f"masterdata:{name}", args=named.get(name, []))
    return place + ("?revision=A" if place.endswith(("/bom/", "/routing/")) else "")


EDITORS = (
    "bom-edit",
    "routing-edit",
    "calendar-edit",
    "work-center-edit",
    "work-center-rates",
    "supplier-edit",
    "price-edit",
    "site-create",
    "import-start",
)


def _hidden(page: Page) -> list[str]:
    """What is wider than its box, once the page is laid out."""
    hidden: list[str] = []
    for _try in range(SETTLING_TRIES):
        hidden = page.evaluate(
            "() => [...document.querySelectorAll('.edit-rows, .week, .card')]"
            ".filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className)"
        )
        if not hidden:
            break
        page.wait_for_timeout(100)
    return hidden


@pytest.mark.parametrize("editor", EDITORS)
def test_an_editor_holds_in_both_themes_languages_and_widths(
    page_for: PageFor, live_server: Any, editor: str
) -> None:
    page = page_for(Role.ADMINISTRATOR)
    place = _place(editor)
    check_page(page, live_server.url + place, most_bytes=ORDINARY)
    for width in SIZES:
        page.set_viewport_size({"width": width, "height": 800})
        assert _hidden(page) == [], f"{place} at {width}"
        for row in page.locator(".edit-table tbody tr").all():
            assert row.bounding_box()["height"] > 30, f"{place} at {width}"


def test_a_component_is_added_and_found_while_typing(
    page_for: PageFor,
    live_server: Any,
) -> None:
    _assembly()
    page = page_for(Role.PLANNER)
    page.goto(reverse("masterdata:bom-edit", args=["ASSEMBLY"]) + "?revision=A")
    rows = page.locator(".edit-table tbody tr")
    before = rows.count()
    page.get_by_role("button", name="Add a component").click()
    assert rows.count() == before + 1
    added = rows.last
    assert added.locator("[name$=position]").input_value() == "40"
    f.ItemFactory(code="SCREW-M8", supply=Supply.BUY)
    added.locator("[name$=component]").press_sequentially("screw")
    page.wait_for_function("() => document.querySelector('option[value=SCREW-M8]')")
    added.locator("[name$=component]").fill("SCREW-M8")
    added.locator("[name$=quantity_per]").fill("12")
    rows.first.locator(".edit-bin").click()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/ASSEMBLY/")
    lines = Bom.objects.get().lines.order_by("position")
    assert [line.component.code for line in lines][-1] == "SCREW-M8"
    assert lines.count() == 3


def test_the_week_is_drawn_while_typing(
    page_for: PageFor,
    live_server: Any,
) -> None:
    f.CalendarFactory(code="DAY", shifts=[(0, time(6), time(14))])
    page = page_for(Role.PLANNER)
    page.goto(reverse("masterdata:calendar-edit", args=["DAY"]))
    assert page.locator("#week-day-0").inner_text().split() == ["8", "h"]
    page.get_by_label("Tuesday").fill("06:00-14:00, 14:00-22:00")
    page.wait_for_function("() => document.querySelector('#week-day-1').textContent.includes('16')")
    assert page.locator(".week-total").inner_text().split() == ["24", "h"]
    assert page.get_by_label("Tuesday").input_value() == "06:00-14:00, 14:00-22:00"
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("DAY is saved.")).to_be_visible()
    assert Calendar.objects.get().shifts.count() == 3


def test_the_arrow_keys_go_through_the_changeover_times(
    page_for: PageFor,
    live_server: Any,
) -> None:
    center = f.WorkCenterFactory(code="PAINT")
    for family in ("BLUE", "RED"):
        f.ChangeoverFactory(work_center=center, to_family=family, minutes=10)
    page = page_for(Role.PLANNER)
    page.goto(live_server.url + reverse("masterdata:work-center-changeovers", args=["PAINT"]))
    page.get_by_label("From any other to BLUE, minutes").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("45")
    # The number is typed, not counted up and down.
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("From BLUE to RED, minutes")).to_have_value("45")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The changeover times of PAINT are saved.")).to_be_visible()
    pair = Changeover.objects.get(from_family="BLUE", to_family="RED")
    assert pair.minutes == 45
