"""The store gives a part of a lot a number of its own and puts lots together, by clicking."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from erp.models import StockQuant
from tests.browser.checks import check_page, watched
from tests.browser.conftest import PageFor
from tests.mes.quality import Quality
from traceability.models import Lot

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_lot_is_split_and_what_was_split_off_is_put_together_again(
    page_for: PageFor, live_server: Any
) -> None:
    old = Quality().lot
    assert old is not None
    page = page_for("warehouse")
    page.goto(f"/stock/lots/{old.pk}/")
    with watched(page) as faults:
        page.get_by_role("link", name="Split").click()
        page.get_by_label("Quantity that is split off").fill("4")
        page.get_by_label("Number of the new lot").fill("HEAT-7-A")
        page.get_by_label("Reason").fill("half a bundle")
        page.get_by_role("button", name="Split").click()
        _is_new(page, "HEAT-7-A")
        page.get_by_role("link", name="Put together").click()
        page.get_by_label("HEAT-7:").check()
        page.get_by_label("Number of the new lot").fill("HEAT-8")
        page.get_by_role("button", name="Put together").click()
        _is_new(page, "HEAT-8")
    assert not faults, faults
    new = Lot.objects.get(number="HEAT-8")
    [lies] = StockQuant.objects.filter(item=old.item, quantity__gt=0)
    assert (lies.lot, lies.quantity) == (new, Decimal(10))
    for name in ("split", "merge"):
        check_page(page, f"{live_server.url}/stock/lots/{new.pk}/{name}/")


def _is_new(page: Page, number: str) -> None:
    """The new lot's page, which says what is to be done now."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(number)
    expect(page.get_by_text("put its label on the goods")).to_be_visible()
