"""Orders and tickets of a company with several sites: none is taken in silence."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.models import SalesOrder, Ticket
from tests.crm.factories import Shop
from tests.masterdata.factories import (
    ItemFactory,
    RoutingFactory,
    SiteFactory,
    WorkCenterFactory,
    WorkUnitFactory,
)

pytestmark = pytest.mark.django_db
DAY = timezone.localdate() + timedelta(days=60)
ORDERS, CHECK, TICKETS = "/api/v1/sales-orders/", "/orders/check/", "/api/v1/tickets/"


@pytest.fixture
def shop(settings: Any) -> Shop:
    """PART is made at the first site; GEAR at NORTH, CASE at both, and SCREW is bought."""
    settings.SOLVE_SECONDS = 0.03
    made = Shop(now=timezone.now())
    north = WorkUnitFactory(work_center__site=SiteFactory(code="NORTH", name="North"))
    here = WorkCenterFactory(site=made.site)
    for code, centers in (("GEAR", [north.work_center]), ("CASE", [here, north.work_center])):
        for number, center in enumerate(centers):
            item = ItemFactory(code=code) if number == 0 else made.items[code]
            made.items[code] = item
            RoutingFactory(item=item, revision=f"R{number}", steps=[(center, 1)])
    ItemFactory(code="SCREW", supply="buy")
    return made


def body(item: str, **more: Any) -> dict[str, Any]:
    line = {"item": item, "quantity": "1", "requested_date": f"{DAY}"}
    return {"customer": "ACME", "lines": [line], **more}


def entry(item: str, **more: str) -> dict[str, str]:
    return {
        "customer": "ACME",
        "idempotency_key": "key-1",
        "action": "draft",
        "line-TOTAL_FORMS": "1",
        "line-INITIAL_FORMS": "0",
        "line-0-item": item,
        "line-0-quantity": "1",
        "line-0-requested_date": f"{DAY}",
        **more,
    }


@pytest.mark.parametrize(
    ("item", "site", "goes_to"),
    [
        ("GEAR", "", "NORTH"),
        ("PART", "NORTH", "NORTH"),
        ("CASE", "NORTH", "NORTH"),
        ("CASE", "", None),
        ("SCREW", "", None),
        ("PART", "NOWHERE", None),
    ],
)
def test_an_order_goes_where_it_is_named_or_made(
    shop, api_client_for, client_for, item, site, goes_to
):
    api, page = api_client_for("sales"), client_for("sales")
    asked = api.post(ORDERS, body(item, site=site), format="json")
    sent = page.post("/orders/new/", entry(item, at_site=site))
    if goes_to is None:
        assert (asked.status_code, list(asked.json())) == (400, ["site"])
        assert (sent.status_code, "at_site" in sent.context["form"].errors) == (422, True)
        assert not SalesOrder.objects.exists()
    else:
        assert (asked.status_code, sent.status_code) == (201, 302)
        assert set(SalesOrder.objects.values_list("site__code", flat=True)) == {goes_to}


def test_what_is_made_here_stays_here_and_one_site_is_never_asked_for(shop, api_client_for):
    api = api_client_for("sales")
    made = api.post(ORDERS, body("PART"), format="json").json()
    assert SalesOrder.objects.get(number=made["number"]).site == shop.site
    check = api.post("/api/v1/promise-checks/", body("CASE"), format="json")
    assert (check.status_code, list(check.json())) == (400, ["site"])


def test_the_entry_form_offers_the_sites_and_starts_with_ones_own(shop, client_for):
    page = client_for("sales")
    assert page.get("/orders/new/").context["form"]["at_site"].value() == ""
    page.get("/stock/?site=NORTH")
    session = page.session
    session["store_site"] = "NORTH"
    session.save()
    form = page.get("/orders/new/").context["form"]
    assert form["at_site"].value() == "NORTH"
    # While typing the same site is asked, and one that cannot be told is said.
    said = page.post(CHECK, entry("CASE")).json()["rows"]["0"]
    assert "Name the site" in said["html"]
    assert (
        "Name the site"
        not in page.post(CHECK, entry("CASE", at_site="NORTH")).json()["rows"]["0"]["html"]
    )


def test_an_order_that_is_edited_is_checked_at_its_own_site(shop, client_for):
    page = client_for("sales")
    page.post("/orders/new/", entry("CASE", at_site="NORTH"))
    order = SalesOrder.objects.get()
    text = page.get(f"/orders/{order.number}/edit/").content.decode()
    assert '<input type="hidden" name="at_site" value="NORTH">' in text


def test_with_one_site_there_is_nothing_to_choose(client_for, settings):
    settings.SOLVE_SECONDS = 0.03
    Shop(now=timezone.now())
    assert b"at_site" not in client_for("sales").get("/orders/new/").content
    assert b"at_site" not in client_for("after-sales").get("/tickets/new/").content


@pytest.mark.parametrize(("item", "goes_to"), [("GEAR", "NORTH"), ("SCREW", None)])
def test_a_ticket_is_kept_where_the_product_is_made(
    shop, api_client_for, client_for, item, goes_to
):
    api, page = api_client_for("after-sales"), client_for("after-sales")
    said = {"title": "Broken", "text": "It is broken", "item": item}
    form = {"title": "Broken", "body": "Broken", "item": item, "priority": "normal"}
    asked = api.post(TICKETS, said, format="json")
    sent = page.post("/tickets/new/", {**form, "idempotency_key": "key-1"})
    if goes_to is None:
        assert (asked.status_code, list(asked.json())) == (400, ["site"])
        assert (sent.status_code, "at_site" in sent.context["form"].errors) == (422, True)
        assert api.post(TICKETS, {**said, "site": "NORTH"}, format="json").status_code == 201
        page.post("/tickets/new/", {**form, "idempotency_key": "key-2", "at_site": "NORTH"})
    assert list(Ticket.objects.values_list("site__code", flat=True)) == ["NORTH", "NORTH"]
