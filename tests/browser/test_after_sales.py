"""Tickets and nonconformances in the browser: what an agent and a quality engineer click."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm.models import TicketMacro
from tests.browser.checks import check_page, watched
from tests.browser.conftest import PageFor
from tests.crm.complaints import AfterSales
from tests.mes.quality import Quality

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def primary(page: Page) -> list[str]:
    """The primary buttons that a reader sees outside of dialogs: at most one."""
    seen = page.locator("main .btn-primary:visible")
    return [text.strip() for text in seen.all_inner_texts()]


def test_an_agent_opens_a_ticket_by_its_number_and_answers_with_a_text(
    page_for: PageFor, live_server: Any
) -> None:
    house = AfterSales()
    house.now = timezone.now() - timedelta(minutes=3)
    said = "Thank you, we look into it."
    TicketMacro.objects.create(code="THANKS", name="Thanks", text=said, text_zh="谢谢")
    page = page_for(user=house.agent)
    page.goto("/tickets/")
    with watched(page) as faults:
        page.get_by_role("link", name="New ticket").click()
        # A number that nothing has is answered with one that is written almost so.
        page.get_by_label("Serial number").fill("p-10")
        page.locator("#product [data-serial='P-100']").click()
        product = page.locator("#product")
        expect(product).to_contain_text("Acme Corp")
        expect(product).to_contain_text("Warranty until")
        page.get_by_label("Subject").fill("Joint came loose")
        page.get_by_label("What the customer says").fill("It came loose.")
        assert primary(page) == ["Open the ticket"]
        page.get_by_role("button", name="Open the ticket").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("AS-")
        assert primary(page) == ["Send the report"]
        page.get_by_label("Insert a text").select_option(label="Thanks")
        expect(page.get_by_label("Your text")).to_have_value(said)
        page.get_by_label("This answers the complaint").check()
        page.get_by_role("button", name="Send to the customer").click()
        expect(page.locator(".talk-out")).to_contain_text(said)
        # Answered: what is left is to write.
        assert primary(page) == ["Send to the customer"]
    assert not faults, faults
    check_page(page, page.url)
    check_page(page, live_server.url + "/tickets/", axe=False)


def test_a_quality_engineer_opens_a_step_and_works_in_its_dialog(
    page_for: PageFor, live_server: Any
) -> None:
    quality = Quality()
    found = quality.report()
    quality.contain(found)
    quality.analysed(found)
    quality.plan(found)
    page = page_for(user=quality.anna)
    page.goto("/quality/nonconformances/")
    with watched(page) as faults:
        page.get_by_role("link", name=found.number).first.click()
        step = page.locator("#d4")
        body = step.locator(".quality-step-body")
        expect(body).to_be_hidden()
        step.locator("summary").click()
        expect(body).to_be_visible()
        # However many steps are open, one is next.
        page.locator("#d8 summary").click()
        expect(page.locator("#d8 .quality-step-body")).to_be_visible()
        expect(page.locator("#d8").get_by_role("button", name="Close the 8D")).to_be_visible()
        assert primary(page) == ["This step is done"]
        page.locator("#d5").get_by_role("button", name="New action").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        # What is contained leads to its history.
        expect(page.get_by_role("link", name="HEAT-7").first).to_have_attribute(
            "href", f"/trace/{quality.lot.pk}/"
        )
    assert not faults, faults
    check_page(page, page.url)
