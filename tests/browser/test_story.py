"""The main story clicked, in English and in Chinese, against a real server, worker and dispatcher.

Every part acts as a person does: by the login page's tiles, the keyboard and what the page shows.
With ``WRITE_PICTURES=1`` the English run writes the README's pictures to ``docs/images``.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from django.utils.translation import override
from playwright.sync_api import Locator, Page, expect

from common.templatetags.ui_format import day, days_phrase
from crm.models import SalesOrder
from mes.enums import OperationState
from mes.models import WorkOrderOperation
from tests.browser.checks import assert_accessible, check_width, watched
from tests.browser.people import PATIENCE, People
from tests.mes.factories import WorkOrderCheckFactory

pytestmark = [
    pytest.mark.browser,
    pytest.mark.worker,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]

READY_TO_SHIP = "JN-0451"
CUSTOMER_A = {"en": "Customer A", "zh-hans": "客户 A"}
STEPS_OF_A_CUSTOMER = 7


def test_an_order_is_typed_promised_made_shipped_and_followed(people: People) -> None:
    sales = people.enter("sales")
    number = _an_order_that_can_be_kept(people, sales)
    _one_that_cannot_is_interrupted(people, sales)
    _lines_are_pasted(people, sales)
    ready = _approved_and_dated(people, number)
    _the_planner_sees_it(people, number)
    _the_customer_follows_it(people, number, ready)
    _nobody_else_does(people, number)
    _an_operation_is_made(people)
    _what_is_ready_is_shipped(people)


# -- sales -----------------------------------------------------------------------------------


def _an_order_that_can_be_kept(people: People, page: Page) -> str:
    """By keyboard alone, from the list of orders to the answer."""
    keyboard = page.keyboard
    page.goto("/orders/")
    keyboard.press("n")
    page.wait_for_url("**/orders/new/")
    with watched(page) as faults:
        _head_typed(people, page)
        stops = []
        for _stop in ("reference", "note", "lines", "item"):
            keyboard.press("Tab")
            stops.append(page.evaluate("document.activeElement.id"))
        assert stops[-1] == "id_line-0-item", stops
        _line_typed(page, timezone.localdate() + timedelta(days=30))
        row = page.locator("#rows [data-row]").first
        # Feasible, or with little slack: the plan made within a second is not always the same.
        kept = row.locator(".answer-feasible, .answer-at_risk")
        words = [people.say("Feasible"), people.say("At risk")]
        expect(kept.locator(".status")).to_have_text(re.compile("|".join(words)))
        expect(row.locator("[data-name]")).not_to_be_empty()
        row.locator("summary").click()
        expect(row.locator(".why p").first).to_be_visible()
        assert_accessible(page)
    assert not faults, faults
    # Leaving a field asks again; the picture is of the answer.
    expect(page.locator(".is-checking")).to_have_count(0)
    expect(kept.locator(".status")).to_have_text(re.compile("|".join(words)))
    row.locator("summary").click()
    people.picture(page, "order-entry")
    people.button(page, "Submit").click()
    page.wait_for_url("**/orders/SO-*/")
    return page.url.rstrip("/").rsplit("/", 1)[-1]


def _head_typed(people: People, page: Page) -> None:
    """Type-ahead: the customer is found by name, and taken with Enter."""
    customer = page.locator("#id_customer")
    expect(customer).to_be_focused()
    page.keyboard.type(CUSTOMER_A[people.language])
    expect(page.locator(".lookup-list [aria-selected=true]")).to_contain_text("CUST-A")
    page.keyboard.press("Enter")
    expect(customer).to_have_value("CUST-A")


def _line_typed(page: Page, wanted: date) -> None:
    page.keyboard.type("product-x")
    expect(page.locator(".lookup-list [aria-selected=true]")).to_contain_text("PRODUCT-X")
    page.keyboard.press("Enter")
    expect(page.locator("#id_line-0-quantity")).to_be_focused()
    page.keyboard.type("5000")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    requested = page.locator("#id_line-0-requested_date")
    expect(requested).to_be_focused()
    page.keyboard.type(f"{wanted:%m%d%Y}", delay=30)
    if requested.input_value() != wanted.isoformat():
        requested.fill(wanted.isoformat())  # A browser that writes the day first.


def _one_that_cannot_is_interrupted(people: People, page: Page) -> None:
    """The dialog says why and offers ways out; Enter takes the earliest date."""
    page.goto("/orders/new/")
    _head_typed(people, page)
    page.locator("#id_line-0-item").focus()
    wanted = timezone.localdate() + timedelta(days=8)
    _line_typed(page, wanted)
    dialog = page.locator("#ways-out")
    expect(dialog).to_be_visible()
    expect(dialog.locator("#ways-body > p").first).not_to_be_empty()
    expect(dialog.locator("[data-way=rush]")).to_be_visible()
    take = dialog.locator("[data-way=date]")
    expect(take).to_be_focused()
    earliest = take.get_attribute("data-date") or ""
    assert date.fromisoformat(earliest) > wanted
    assert_accessible(page)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("#id_line-0-requested_date")).to_have_value(earliest)
    row = page.locator("#rows [data-row]").first
    expect(row.locator(".answer-feasible, .answer-at_risk")).to_be_visible()
    people.button(page, "Submit").click()
    page.wait_for_url("**/orders/SO-*/")
    expect(page.locator("h1")).to_contain_text(people.say("Submitted"))


def _lines_are_pasted(people: People, page: Page) -> None:
    """Four lines of a spreadsheet into an order with three rows, saved as a draft."""
    page.goto("/orders/new/")
    _head_typed(people, page)
    wanted = timezone.localdate() + timedelta(days=90)
    text = f"FLANGE-DN50\t1,200\t{wanted}\nBRACKET-B1\t30\t4.50\r\nVALVE-DN50\t10\nHUB-C1\t5\n"
    page.locator("#id_line-0-item").evaluate(
        "(node, text) => { const data = new DataTransfer(); data.setData('text/plain', text);"
        " node.focus(); node.dispatchEvent(new ClipboardEvent('paste',"
        " {clipboardData: data, bubbles: true, cancelable: true})); }",
        text,
    )
    expect(page.locator(".answer")).to_have_count(4)
    expect(page.locator("#id_line-0-quantity")).to_have_value("1200")
    expect(page.locator("#id_line-1-unit_price")).to_have_value("4.50")
    expect(page.locator("#id_line-3-requested_date")).to_have_value(wanted.isoformat())
    people.button(page, "Save as draft").click()
    page.wait_for_url("**/orders/SO-*/")
    number = page.url.rstrip("/").rsplit("/", 1)[-1]
    lines = SalesOrder.objects.get(number=number).lines.order_by("position")
    assert [line.quantity for line in lines] == [1200, 30, 10, 5]
    assert lines[1].unit_price == Decimal("4.5")


def _approved_and_dated(people: People, number: str) -> date:
    """Approving is one click; the page follows by itself to the date."""
    page = people.enter("manager")
    page.goto(f"/orders/{number}/")
    people.button(page, "Approve").click()
    expect(page.locator("h1")).to_contain_text(people.say("Approved"))
    page.evaluate("window.isSamePage = true")
    expect(page.locator(".headline-main")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("window.isSamePage"), "the page was loaded anew"
    [line] = SalesOrder.objects.get(number=number).lines.all()
    assert line.projected_date
    days = (line.projected_date - timezone.localdate()).days
    assert 0 < days <= 30
    with override(people.language):
        when = days_phrase(days)
    told = people.say("Estimated deliverable %(when)s", when=when)
    expect(page.locator(".headline-main")).to_have_text(told)
    expect(page.locator("table a[href*='/work-orders/']").first).to_be_visible()
    assert_accessible(page)
    return line.projected_date


# -- planning, the customer -------------------------------------------------------------------


def _the_planner_sees_it(people: People, number: str) -> None:
    page = people.enter("planner", viewport={"width": 1280, "height": 860})
    page.goto(f"/plan/?view=list&q={number}")
    rows = page.locator("#rows tbody tr")
    expect(rows.first).to_contain_text(number)
    assert rows.count() >= 2


def _the_customer_follows_it(people: People, number: str, ready: date) -> None:
    """On a phone, without scripts."""
    page = people.enter(
        "customer", viewport={"width": 360, "height": 760}, java_script_enabled=False
    )
    page.goto("/portal/")
    page.locator(f"a[href$='/portal/orders/{number}/']").click()
    with override(people.language):
        told = day(ready)
    expect(page.locator(".portal-hero-line")).to_contain_text(told)
    steps = page.locator(".timeline-large .timeline-item")
    expect(steps).to_have_count(STEPS_OF_A_CUSTOMER)
    expect(page.locator(".timeline-large [aria-current=step]")).to_have_count(1)
    expect(steps.first).to_contain_text(people.say("Submitted"))
    check_width(page, page.url)
    people.picture(page, "portal")


def _nobody_else_does(people: People, number: str) -> None:
    page = people.enter("customer-b")
    for other in (number, "SO-999999"):  # Another's order is no different from one that is not.
        answer = page.goto(f"/portal/orders/{other}/")
        assert answer is not None
        assert answer.status == 404
    page.goto("/portal/")
    expect(page.locator(".portal-row").first).to_be_visible()
    expect(page.locator("main")).not_to_contain_text(number)


# -- the floor, the warehouse -----------------------------------------------------------------


UNITS = [f"{center}-{n:02}" for center in ("SAW", "TURN", "MILL") for n in (1, 2)]


def _has_work(page: Page, unit: str) -> bool:
    """Whether the dispatch list of the unit offers a start."""
    page.goto(f"/floor/?unit={unit}")
    return page.locator(".job:has(form[action$='/start/'])").count() > 0


def _an_operation_is_made(people: People) -> None:
    """Started, reported in two parts, finished, on the tile of a saw."""
    page = people.enter("operator")
    page.goto("/floor/")
    if page.locator(".unit-tile").count():
        page.locator(".unit-tile:has(strong:text-is('SAW-01'))").click()
    # What may start where depends on the plan: the first unit with something ready.
    unit = next(code for code in UNITS if _has_work(page, code))
    job = page.locator(".job:has(form[action$='/start/'])").first
    pk = int((job.locator("h2").get_attribute("id") or "").removeprefix("job-"))
    card = page.locator(f".job:has(#job-{pk})")
    job.locator("form[action$='/start/'] button").click()
    expect(card.locator("[name=good]")).to_be_visible()
    # While it runs, the next says why it cannot start.
    expect(page.locator(".job-why").first).to_contain_text(unit)
    card.locator("[name=good]").fill("1")
    people.button(card, "Report").click()
    expect(card.locator(".job-facts")).to_contain_text(people.say("good"))
    _its_checks_are_answered(people, page, card, pk)
    assert_accessible(page)
    people.button(card, "Report and finish").click()
    expect(card).to_have_count(0)
    operation = WorkOrderOperation.objects.get(pk=pk)
    assert operation.state == OperationState.DONE
    assert operation.good > 1
    assert operation.scrap == 0


def _its_checks_are_answered(people: People, page: Page, card: Locator, pk: int) -> None:
    """Nothing is finished before: out of limits, measured again, and a look."""
    limits = {"lower": Decimal("9.9"), "upper": Decimal("10.1"), "unit": "mm"}
    WorkOrderCheckFactory(operation_id=pk, position=10, name="L1", kind="measure", **limits)
    WorkOrderCheckFactory(operation_id=pk, position=20, name="L2")
    people.button(card, "Report and finish").click()
    expect(page.locator(".toast-note").first).to_contain_text("L1")
    length, look = card.locator(".job-check").nth(0), card.locator(".job-check").nth(1)
    length.locator("[name=value]").fill("9,5")
    length.locator("button").click()
    expect(length.locator(".job-check-fault")).to_contain_text("9.5")
    assert_accessible(page)
    length.locator("[name=value]").fill("10.02")
    length.locator("button").click()
    expect(length.locator(".job-check-fault")).to_have_count(0)
    look.locator("[name=passed][value='1']").click()
    expect(card.locator(".job-check.is-open")).to_have_count(0)


def _what_is_ready_is_shipped(people: People) -> None:
    order = SalesOrder.objects.get(customer_reference=READY_TO_SHIP)
    page = people.enter("warehouse")
    page.goto(f"/orders/{order.number}/")
    form = page.locator("form[action$='/ship/']")
    form.locator("[name=carrier]").fill("DHL")
    people.button(form, "Ship").click()
    expect(page.locator("h1")).to_contain_text(people.say("Shipped"))
    expect(page.locator("#facts")).to_contain_text("DHL")
    assert_accessible(page)
