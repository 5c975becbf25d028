"""A second site with machines, an order that waits for approval: they fit and are accessible."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from erp.enums import PurchaseOrderState
from erp.models import SupplyRule
from tests.aps.factories import Factory
from tests.browser.checks import check_page
from tests.browser.conftest import PageFor
from tests.erp.factories import PurchaseOrderFactory, PurchaseOrderLineFactory
from tests.masterdata.factories import SiteFactory, WorkCenterFactory, WorkUnitFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_choice_of_a_site_and_why_an_order_waits(
    on_sunday: None, page_for: PageFor, live_server: Any, settings: Any
) -> None:
    settings.SOLVE_SECONDS = 0.03
    plant = Factory()
    plant.order(plant.part("PART", minutes=30), 2)
    plant.replan()
    calendar = plant.site.calendar
    west = SiteFactory(code="WEST", name="West plant", calendar=calendar)
    WorkUnitFactory(work_center=WorkCenterFactory(site=west, code="MILL"))
    SupplyRule.objects.create(site=west, approval_limit=Decimal(100))
    order = PurchaseOrderFactory(site=west, state=PurchaseOrderState.TO_APPROVE)
    PurchaseOrderLineFactory(order=order, position=10, quantity=500, unit_price=0)
    planner, manager = page_for("planner"), page_for("manager")
    check_page(planner, f"{live_server.url}/plan/", most_bytes=430_000)
    # It speaks Chinese by now.
    planner.get_by_role("link", name="West plant").click()
    planner.get_by_text("尚无排程").wait_for()
    check_page(manager, f"{live_server.url}/stock/purchases/{order.number}/")
