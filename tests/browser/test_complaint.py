"""A serial number on a complaint, as people see it: after-sales, quality, who looks again.

The browser twin of ``tests/flows/test_complaint.py``: nothing that one page knows is typed into
another one.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from common.models import User
from crm.models import Ticket, TicketSymptom
from masterdata.models import RoutingOperation
from mes.models import Nonconformance, QualityAction, WorkOrder
from tests.browser.checks import assert_accessible, check_width, watched
from tests.browser.people import People
from tests.flows.chain import Chain, settle
from tests.flows.test_complaint import (
    BAD_LOT,
    DRIVE,
    NEW_CHECK,
    SERIAL,
    STOPPABLE,
    next_work_order,
)
from traceability.models import Lot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.worker,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]

REASON = "Joints come loose"
LANGUAGE = "en" if os.environ.get("WRITE_PICTURES") == "1" else "zh-hans"


@pytest.mark.parametrize("people", [LANGUAGE], indirect=True)
def test_a_complaint_is_answered_and_its_cause_changes_the_next_work_order(
    people: People, factory: Chain
) -> None:
    agent = people.enter("after-sales")
    with watched(agent) as faults:
        number = _a_ticket_is_typed(people, agent)
        lot = _its_history_leads_to_the_steel(people, agent)
        _all_that_can_be_stopped_is_held(people, agent)
        _the_report_is_sent(people, agent, number)
        found = _a_nonconformance_is_opened(people, agent, number)
        _the_held_goods_go_into_it(people, agent, found, lot)
    assert not faults, faults
    settle()
    quality, other = people.enter("quality"), people.enter("supervisor")
    with watched(quality) as faults, watched(other) as more:
        _the_goods_are_counted(people, quality, found)
        _d6_waits_for_the_count(people, quality, other, found)
        known = list(WorkOrder.objects.values_list("pk", flat=True))
        _an_action_changes_the_routing(people, quality, other, found)
        order = next_work_order(factory, known)
        other.goto(f"/floor/work-orders/{order.number}/")
        expect(other.locator(".row-note").filter(has_text=NEW_CHECK)).to_contain_text(
            f"{found.number}: {found.problem}"
        )
        check_width(other, other.url)
        assert_accessible(other)
    assert not [*faults, *more]


# -- after-sales ------------------------------------------------------------------------------


def _dialog(page: Page) -> Locator:
    found = page.locator("dialog[open]")
    expect(found).to_have_count(1)
    return found


def _a_ticket_is_typed(people: People, page: Page) -> str:
    """The product shows as soon as its number is typed."""
    page.goto("/tickets/new/")
    expect(page.locator("#id_serial")).to_be_focused()
    page.keyboard.type(SERIAL)
    expect(page.locator("#product .product-name")).to_contain_text(DRIVE)
    page.locator("#id_title").fill(REASON)
    page.locator("#id_body").fill("The joint came loose this morning.")
    symptom = TicketSymptom.objects.get(code="LOOSE")
    page.locator("#id_symptom").select_option(str(symptom.pk))
    page.locator("#id_customer-ts-control").press_sequentially("cust-a")
    page.locator(".ts-dropdown .option[data-value=CUST-A]").click()
    page.locator("#id_contact_email").fill("buyer@a.example")
    people.button(page, "Open the ticket").click()
    page.wait_for_url("**/tickets/AS-*/")
    customer = Ticket.objects.latest("pk").customer
    assert customer is not None
    assert customer.code == "CUST-A"
    return page.url.rstrip("/").rsplit("/", 1)[-1]


def _its_history_leads_to_the_steel(people: People, page: Page) -> Lot:
    """From the ticket to the product, its steel, and whom that reached."""
    ticket, lot = Ticket.objects.latest("pk"), Lot.objects.get(number=BAD_LOT)
    page.locator(f"main a[href='/trace/{ticket.thing}/']").click()
    page.wait_for_url(f"**/trace/{ticket.thing}/")
    people.picture(page, "trace")
    for fact in ("ASM-01", "2.4", ticket.number):
        expect(page.locator("main")).to_contain_text(fact)
    page.locator(f".chain a[href='/trace/{lot.pk}/']").first.click()
    page.wait_for_url(f"**/trace/{lot.pk}/")
    page.get_by_role("link", name=people.say("Impact"), exact=True).first.click()
    page.wait_for_url(f"**/trace/{lot.pk}/impact/")
    people.picture(page, "impact")
    expect(page.locator("main")).to_contain_text("2,420")
    return lot


def _all_that_can_be_stopped_is_held(people: People, page: Page) -> None:
    people.button(page, "Hold all stoppable").click()
    dialog = _dialog(page)
    dialog.locator("textarea[name=reason]").fill(REASON)
    people.button(dialog, "Hold all stoppable").click()
    expect(page.locator(".note-title").filter(has_text=REASON)).to_be_visible()


def _the_report_is_sent(people: People, page: Page, number: str) -> None:
    page.goto(f"/tickets/{number}/")
    people.button(page, "Send the report").click()
    people.button(_dialog(page), "Send").click()
    expect(page.locator(".talk a[href$='.pdf']")).to_be_visible()


def _a_nonconformance_is_opened(people: People, page: Page, number: str) -> Nonconformance:
    """All of its fields are filled in: one click."""
    page.get_by_role("link", name=people.say("Open a nonconformance"), exact=True).click()
    expect(page.locator("[name=reference]")).to_have_value(number)
    for name, value in (("item", DRIVE), ("things", SERIAL), ("source", "ticket")):
        expect(page.locator(f"[name={name}]")).to_have_value(value)
    page.locator("main form button.btn-primary").click()
    page.wait_for_url("**/quality/nonconformances/NC-*/")
    found = Nonconformance.objects.latest("pk")
    assert found.references == [number]
    page.goto(f"/tickets/{number}/")
    expect(page.get_by_role("link", name=found.number)).to_be_visible()
    return found


def _the_held_goods_go_into_it(people: People, page: Page, found: Nonconformance, lot: Lot) -> None:
    page.goto(f"/trace/{lot.pk}/impact/")
    people.button(page, "Open a nonconformance").click()
    dialog = _dialog(page)
    dialog.locator("[name=known_as]").select_option(found.number)
    expect(dialog.locator("[name=problem]")).to_have_value(REASON)
    assert_accessible(page)
    dialog.locator("button[type=submit]").click()
    page.wait_for_url(f"**/quality/nonconformances/{found.number}/")
    found.refresh_from_db()
    assert found.quantity == STOPPABLE


# -- quality ----------------------------------------------------------------------------------


def _go(page: Page, found: Nonconformance) -> None:
    page.goto(f"/quality/nonconformances/{found.number}/")


def _leader() -> str:
    return str(User.objects.get(username="quality").pk)


def _save(page: Page) -> None:
    """Send the dialog that is open; the page is loaded anew."""
    dialog = _dialog(page)
    with page.expect_navigation():
        dialog.locator(".dialog-foot button[type=submit]").click()


def _the_goods_are_counted(people: People, page: Page, found: Nonconformance) -> None:
    _go(page, found)
    people.button(page, "Another place").click()
    page.locator("dialog[open] [name=place]").fill("仓库")
    page.locator("dialog[open] [name=quantity]").fill(str(STOPPABLE))
    _save(page)
    people.button(page, "Count").click()
    page.locator("dialog[open] [name=found]").fill(str(STOPPABLE))
    _save(page)


def _d6_waits_for_the_count(people: People, page: Page, other: Page, found: Nonconformance) -> None:
    people.button(page, "Begin an 8D").click()
    page.locator("dialog[open] [name=leader]").select_option(_leader())
    _save(page)
    said = people.say("The containment count is open: %(places)s.", places="仓库")
    d6 = page.locator("#d6")
    d6.locator("summary").click()
    expect(d6.locator(".quality-missing")).to_contain_text(said)
    done = d6.get_by_role("button", name=people.say("This step is done"), exact=True)
    expect(done).to_have_count(0)
    # Another person than who counted.
    _go(other, found)
    with other.expect_navigation():
        people.button(other, "Verify").click()
    _go(page, found)
    d6.locator("summary").click()
    expect(d6.locator(".quality-missing")).not_to_contain_text(said)
    expect(done).to_have_count(0)


def _an_action_changes_the_routing(
    people: People, page: Page, other: Page, found: Nonconformance
) -> None:
    d5 = page.locator("#d5")
    d5.locator("summary").click()
    people.button(d5, "New action").click()
    dialog = page.locator("dialog[open]")
    dialog.locator("[name=title]").fill("Ask for thread locker")
    dialog.locator("[name=owner]").select_option(_leader())
    dialog.locator("[name=due_on]").fill(f"{timezone.localdate() + timedelta(days=5)}")
    dialog.locator("[name=change]").select_option("check")
    _save(page)
    if d5.get_attribute("open") is None:
        d5.locator("summary").click()
    people.button(d5, "Change it").click()
    step = RoutingOperation.objects.get(routing__item__code=DRIVE, sequence=10)
    dialog.locator("[name=operation]").select_option(str(step.pk))
    dialog.locator("[name=name]").fill(NEW_CHECK)
    dialog.locator("[name=kind]").select_option("pass")
    assert_accessible(page)
    _save(page)
    action = QualityAction.objects.get(nonconformance=found)
    assert action.changed == f"{DRIVE} A / 10: {NEW_CHECK}"
