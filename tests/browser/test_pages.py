"""Every main page over the demo factory: both themes, both languages, two widths, and its bytes.

One test per part of the house, so that several processes share them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from common.models import User
from crm.models import BulkApproval, SalesOrder
from erp import selectors as erp
from erp.models import Proposal, PurchaseOrder
from erp.services import counts
from masterdata.selectors import default_site
from mes.models import WorkOrder
from tests.browser.checks import (
    LOOKS,
    WIDTHS,
    assert_accessible,
    check_width,
    other_width,
    resize,
    speak,
    watched,
    wear,
    weighed,
)
from tests.browser.conftest import PageFor
from tests.demo import DemoFactory
from traceability.models import Lot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]

ORDINARY = 120_000
PORTAL = 150_000
CHART = 430_000


@dataclass(frozen=True)
class Place:
    """A page as somebody opens it, and how many bytes it may take."""

    user: str
    path: str
    budget: int = ORDINARY
    # Seen in the last look alone: Chinese and dark, both widths.
    once: bool = False


PLACES = {
    "orders": [
        Place("sales", "/orders/"),
        Place("sales", "/orders/?q=nothing-is-called-so"),
        Place("sales", "/orders/new/"),
        Place("sales", "/orders/{late}/"),  # late
        Place("manager", "/orders/{running}/"),  # in production
        Place("warehouse", "/orders/{ready}/"),  # ready to ship
        Place("manager", "/orders/bulk/{bulk}/"),
        Place("planner", "/orders/rush/"),
    ],
    "plan": [
        Place("operator", "/floor/?unit=TURN-02"),
        Place("planner", "/floor/work-orders/"),
        Place("planner", "/floor/work-orders/{work_order}/"),
        Place("planner", "/plan/?view=list", CHART),
        Place("planner", "/plan/?view=late", CHART),
        Place("planner", "/plan/capacity/"),
        Place("planner", "/plan/runs/"),
        Place("planner", "/plan/scenarios/"),
        Place("planner", "/plan/scenarios/new/"),
    ],
    "andon": [
        Place("supervisor", "/andon/"),
        Place("operator", "/incidents/"),
        Place("manager", "/machines/?day=2020-01-06"),
        Place("sales", "/orders/delays/"),
    ],
    "material": [
        Place("planner", "/stock/"),
        Place("planner", "/floor/shortages/"),
        Place("planner", "/stock/items/MOTOR-075/"),
        Place("purchasing", "/stock/planning/"),
        Place("purchasing", "/stock/planning/proposals/{proposal}/"),
        Place("purchasing", "/stock/planning/runs/"),
        Place("purchasing", "/stock/planning/rules/"),
        Place("purchasing", "/stock/purchases/"),
        Place("purchasing", "/stock/purchases/new/?supplier=STEEL"),
        Place("purchasing", "/stock/purchases/{purchase}/"),
        Place("purchasing", "/stock/purchases/{purchase}/confirm/"),
        Place("warehouse", "/stock/receive/"),
        Place("warehouse", "/stock/move/"),
        Place("warehouse", "/stock/picking/"),
        Place("warehouse", "/stock/picking/{pick}/"),
        Place("warehouse", "/stock/bins/"),
        Place("warehouse", "/stock/lots/{lot}/"),
        Place("warehouse", "/stock/counts/{count}/"),
        Place("planner", "/master/"),
        Place("planner", "/master/items/"),
        Place("planner", "/master/items/PRODUCT-X/"),
        Place("planner", "/master/work-units/"),
        Place("planner", "/master/customers/"),
    ],
    "settings": [
        Place("supervisor", "/floor/terminals/", once=True),
        Place("supervisor", "/floor/badges/", once=True),
        Place("supervisor", "/floor/badges/{operator}/", once=True),
        Place("supervisor", "/floor/reasons/", once=True),
        Place("supervisor", "/floor/reasons/downtime/", once=True),
        Place("administrator", "/andon/rules/", once=True),
        Place("administrator", "/andon/rules/machine_down/", once=True),
        Place("planner", "/plan/hours/", once=True),
        Place("manager", "/master/exchange-rates/", once=True),
        Place("manager", "/master/exchange-rates/new/", once=True),
    ],
    "deliveries": [
        Place("warehouse", "/stock/purchases/{purchase}/lines/10/receive/", once=True),
        Place("warehouse", "/stock/purchases/{purchase}/lines/10/return/", once=True),
        Place("warehouse", "/stock/returns/", once=True),
        Place("warehouse", "/stock/transfers/", once=True),
        Place("warehouse", "/stock/transfers/new/", once=True),
        Place("warehouse", "/stock/counts/", once=True),
        Place("manager", "/orders/{late}/costs/", once=True),
        Place("customer-b", "/portal/", PORTAL, once=True),
        Place("customer-b", "/portal/notices/", PORTAL, once=True),
    ],
    "doors": [
        Place("administrator", "/"),
        Place("administrator", "/jobs/"),
        Place("administrator", "/audit/"),
        Place("administrator", "/notifications/"),
        Place("customer", "/portal/", PORTAL),
        Place("customer", "/portal/orders/{running}/", PORTAL),
        Place("customer-b", "/portal/orders/{late}/", PORTAL),  # late
        Place("", "/accounts/login/"),
    ],
}


@pytest.fixture
def factory(transactional_db: None, demo_factory: DemoFactory, settings: Any) -> dict[str, Any]:
    """The demo factory, and what the paths name."""
    settings.DEMO_MODE = True
    settings.SOLVE_SECONDS = 1
    demo_factory.load()
    bulk = BulkApproval.objects.create(
        at=timezone.now(), by=User.objects.get(username="manager"), order_ids=[]
    )
    return {
        "bulk": bulk.pk,
        "work_order": WorkOrder.objects.latest("pk").number,
        "purchase": PurchaseOrder.objects.latest("pk").number,
        "proposal": Proposal.objects.filter(action="buy").latest("pk").pk,
        "pick": erp.pick_orders(site_id=default_site().pk)[0]["reference"],
        "lot": Lot.objects.latest("pk").pk,
        "operator": User.objects.get(username="operator").pk,
        "count": counts.start(
            site_id=default_site().pk, title="Rack A", by=None, now=timezone.now()
        ).number,
        # Numbers go on from test to test; the customers' references do not.
        **{
            name: SalesOrder.objects.get(customer_reference=reference).number
            for name, reference in (
                ("late", "B-3310"),
                ("running", "PO-7833"),
                ("ready", "JN-0451"),
            )
        },
    }


@pytest.mark.parametrize("part", PLACES)
def test_every_page_holds_everywhere_within_its_bytes(
    page_for: PageFor, live_server: Any, factory: dict[str, Any], part: str
) -> None:
    pages: dict[str, Page] = {}
    for place in PLACES[part]:
        if place.user not in pages:
            user = User.objects.get(username=place.user) if place.user else None
            pages[place.user] = page_for(user=user)
    wrong, sizes = walk(PLACES[part], pages, live_server.url, factory)
    print("\n".join(["bytes as brotli sends them:", *sizes]))
    assert not wrong, "\n".join(wrong)


def walk(
    places: list[Place], pages: dict[str, Page], base: str, names: dict[str, Any]
) -> tuple[list[str], list[str]]:
    """What is wrong with the places, and what each weighs."""
    wrong: list[str] = []
    sizes: list[str] = []
    urls = [(place, base + place.path.format(**names)) for place in places]
    for (language, theme), width in zip(LOOKS, WIDTHS, strict=True):
        for user, page in pages.items():
            page.bring_to_front()  # A page behind another is drawn once a second.
            is_last = (language, theme) == LOOKS[-1]
            mine = [
                (place, url)
                for place, url in urls
                if place.user == user and (is_last or not place.once)
            ]
            if not mine:
                continue
            wear(page, theme, base)
            speak(page, mine[0][1], language)
            # Each visit ends at the other width: the next look comes to it from there.
            resize(page, width)
            for place, url in mine:
                with weighed(page) as weight:
                    found = _faults(page, url)
                    if is_last:
                        page.wait_for_load_state("networkidle")
                        size = weight()
                        sizes.append(f"{size:>8,}  {url.removeprefix(base)} ({language})")
                        if size > place.budget:
                            found.append(f"{size:,} bytes of {place.budget:,}")
                wrong += [f"{url} ({language}, {theme}): {fault}" for fault in found]
    return wrong, sizes


def _faults(page: Page, url: str) -> list[str]:
    """Console, policy and requests; sideways scroll at both widths; axe at the second of them."""
    with watched(page) as found:
        page.goto(url)
        page.wait_for_function("() => !document.querySelector('.htmx-request')")
    faults = list(found)
    for width in (None, other_width(page)):
        if width:
            resize(page, width)
        # Measured once the size is laid out and drawn.
        page.evaluate("() => new Promise(r => requestAnimationFrame(() => setTimeout(r, 50)))")
        try:
            check_width(page, "sideways")
        except AssertionError as error:
            faults.append(str(error))
    try:
        assert_accessible(page)
    except AssertionError as error:
        faults.append(str(error))
    return faults
