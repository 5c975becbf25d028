"""Purchasing and planning over the API."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from common.enums import JobState
from common.jobs import runner
from common.models import Job
from erp.models import Proposal, PurchaseOrder
from masterdata.enums import Supply
from masterdata.models import SupplierPrice
from tests.erp.factories import (
    PurchaseOrderFactory,
    PurchaseOrderLineFactory,
    RequirementFactory,
)
from tests.masterdata.factories import ItemFactory, SiteFactory, SupplierFactory

pytestmark = pytest.mark.django_db


def test_a_buyer_reads_confirms_and_the_warehouse_receives(api_client_for):
    order = PurchaseOrderFactory(number="PO-A1")
    PurchaseOrderLineFactory(order=order, position=10, unit_price=Decimal(3), quantity=10)
    buyer, warehouse = api_client_for("purchasing"), api_client_for("warehouse")
    (listed,) = buyer.get("/api/v1/purchase-orders/?q=PO-A1").json()["results"]
    assert (listed["number"], listed["state"]) == ("PO-A1", "sent")
    shown = buyer.get("/api/v1/purchase-orders/PO-A1/").json()
    assert shown["lines"][0]["unit_price"] == "3.0000"
    hidden = warehouse.get("/api/v1/purchase-orders/PO-A1/").json()
    assert hidden["lines"][0]["unit_price"] is None
    body = {
        "version": shown["version"],
        "lines": [{"position": 10, "quantity": "9", "due_date": "2026-12-24"}],
    }
    url = "/api/v1/purchase-orders/PO-A1/"
    confirmed = buyer.post(url + "confirm/", body, format="json")
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "confirmed")
    assert buyer.post(url + "confirm/", body, format="json").status_code == 409
    body["lines"][0]["position"] = 20
    assert buyer.post(url + "confirm/", body, format="json").status_code == 400
    came = warehouse.post(url + "lines/10/receive/", {"quantity": "4"}, format="json")
    assert came.json()["lines"][0]["received"] == "4.0000"
    more = warehouse.post(url + "lines/10/receive/", {"quantity": "6"}, format="json")
    assert more.status_code == 409
    assert "5 is open, not 6" in more.json()["detail"]
    nowhere = warehouse.post(url + "lines/20/receive/", {"quantity": "1"}, format="json")
    assert nowhere.status_code == 404


def test_a_planner_plans_and_accepts_once(api_client_for):
    site, now = SiteFactory(), timezone.now()
    item = ItemFactory(code="BOLT", supply=Supply.BUY)
    SupplierPrice.objects.create(
        supplier=SupplierFactory(code="NEAR"), item=item, price=2, valid_from=date(2020, 1, 1)
    )
    RequirementFactory(item=item, site=site, due_at=now + timedelta(days=9), reference="SO-1/10")
    planner = api_client_for("planner")
    asked = planner.post("/api/v1/mrp-runs/")
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    job = Job.objects.get(name="erp.run_mrp", state=JobState.QUEUED)
    assert runner.run_one(job.pk, now=timezone.now())
    (row,) = planner.get("/api/v1/proposals/?show=buy").json()["results"]
    assert (row["item"], row["quantity"], row["supplier"]) == ("BOLT", "10.0000", "NEAR")
    assert row["needed_for"] == "SO-1/10"
    body = {"proposals": [row["id"]]}
    first = planner.post("/api/v1/proposals/accept/", body, format="json").json()
    assert first["purchase_orders"] == [PurchaseOrder.objects.get().number]
    again = planner.post("/api/v1/proposals/accept/", body, format="json").json()
    assert (again["purchase_orders"], again["already"]) == ([], 1)
    assert Proposal.objects.get().state == "done"
    assert api_client_for("sales").get("/api/v1/proposals/").status_code == 403


def test_each_site_is_planned_bought_for_and_received_at(api_client_for):
    SiteFactory()
    depot, now = SiteFactory(code="DEPOT"), timezone.now()
    item = ItemFactory(code="BOLT", supply=Supply.BUY)
    SupplierPrice.objects.create(
        supplier=SupplierFactory(code="NEAR"), item=item, price=2, valid_from=date(2020, 1, 1)
    )
    RequirementFactory(item=item, site=depot, quantity=10, due_at=now + timedelta(days=9))
    buyer, store = api_client_for("purchasing"), api_client_for("warehouse")
    run = buyer.post("/api/v1/mrp-runs/", {"site": "DEPOT"}, format="json")
    assert (run.status_code, run.json()["site"]) == (202, "DEPOT")
    job = Job.objects.get(name="erp.run_mrp", state=JobState.QUEUED)
    assert runner.run_one(job.pk, now=timezone.now())
    assert buyer.get("/api/v1/proposals/").json()["results"] == []
    (proposal,) = buyer.get("/api/v1/proposals/?site=DEPOT").json()["results"]
    asked = {"proposals": [proposal["id"]]}
    # It is another site's: nothing of this one is accepted.
    elsewhere = buyer.post("/api/v1/proposals/accept/", asked, format="json").json()
    assert elsewhere["purchase_orders"] == []
    answer = buyer.post("/api/v1/proposals/accept/", asked | {"site": "DEPOT"}, format="json")
    (number,) = answer.json()["purchase_orders"]
    assert buyer.get("/api/v1/purchase-orders/").json()["results"] == []
    (listed,) = buyer.get("/api/v1/purchase-orders/?site=DEPOT").json()["results"]
    assert (listed["number"], listed["site"]) == (number, "DEPOT")
    receipt = {"item": "BOLT", "quantity": "4", "reference": "DN-1", "site": "DEPOT"}
    came = store.post("/api/v1/stock/receipts/", receipt, format="json")
    assert (came.status_code, came.json()["on_hand"]) == (201, "4.0000")
    assert store.get("/api/v1/stock/items/BOLT/?site=DEPOT").json()["reserved"] == "4.0000"
    assert store.get("/api/v1/stock/items/BOLT/").json()["on_hand"] == "0.0000"
    nowhere = [
        buyer.get("/api/v1/proposals/?site=X"),
        buyer.get("/api/v1/purchase-orders/?site=X"),
        buyer.post("/api/v1/mrp-runs/", {"site": "X"}, format="json"),
        buyer.post("/api/v1/proposals/accept/", asked | {"site": "X"}, format="json"),
        store.get("/api/v1/stock/items/BOLT/?site=X"),
        store.post("/api/v1/stock/receipts/", receipt | {"site": "X"}, format="json"),
    ]
    for refused in nowhere:
        assert (refused.status_code, refused.json()["site"]) == (
            400,
            ["There is no “X”."],
        )
