"""What neither a slip of the finger nor ill will gets past: in the store and in purchasing."""

from datetime import date
from decimal import Decimal

import pytest

from erp.enums import BinKind
from erp.models import MrpRun, Proposal, SupplyRule
from erp.services import moving, proposals, purchasing, stock
from masterdata.enums import Supply, Tracking
from tests.erp.factories import (
    DUE,
    PurchaseOrderFactory,
    PurchaseOrderLineFactory,
    put_on_stock,
)
from tests.erp.test_lots import lying, place, receive
from tests.masterdata.factories import ItemFactory, SiteFactory
from traceability.models import SerialUnit

pytestmark = pytest.mark.django_db


@pytest.fixture
def site():
    return SiteFactory()


@pytest.fixture
def motor(db):
    return ItemFactory(code="MOTOR", supply=Supply.BUY, tracking=Tracking.SERIAL)


def test_a_slip_of_the_finger_gives_no_million_serial_numbers(site, motor, now):
    with pytest.raises(stock.CannotReceive, match="at most 20000 pieces at once"):
        receive(motor, site, 9_999_999_999, now)
    assert not SerialUnit.objects.exists()


def test_which_of_several_pieces_is_moved_has_to_be_said(site, motor, now):
    receive(motor, site, 3, now, serials=["M-1", "M-2", "M-3"])
    source, target = moving.Where(place(site).pk, motor.pk), place(site, BinKind.PRODUCTION).pk
    act = {"source": source, "to_bin_id": target, "by": None, "now": now}
    with pytest.raises(moving.CannotMove, match="say which ones"):
        moving.move(**act, quantity=Decimal(2))
    moving.move(**act, quantity=Decimal(3))
    assert lying(bin=target) == [("production", "", 1)] * 3


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_that_no_plan_can_reckon_with_is_refused(api_client_for, client_for, day):
    order = PurchaseOrderFactory(number="PO-A1")
    line = PurchaseOrderLineFactory(order=order, position=10)
    body = {"version": 1, "lines": [{"position": 10, "quantity": "9", "due_date": day}]}
    buyer = api_client_for("purchasing")
    refused = buyer.post("/api/v1/purchase-orders/PO-A1/confirm/", body, format="json")
    assert refused.status_code == 409
    assert "between 1900 and 2999" in refused.json()["detail"]
    body = {"quantity": "1", "expires_on": day}
    url = "/api/v1/purchase-orders/PO-A1/lines/10/receive/"
    assert api_client_for("warehouse").post(url, body, format="json").status_code == 409
    # The page looks at whom the day hurts before it is sent.
    asked = {f"quantity_{line.pk}": "9", f"due_{line.pk}": day, "version": "1"}
    page = client_for("purchasing")
    assert page.get("/stock/purchases/PO-A1/confirm/", asked).status_code == 200
    assert page.post("/stock/purchases/PO-A1/confirm/", asked).status_code == 422
    line.refresh_from_db()
    assert (line.due_date, line.received) == (DUE.date(), 0)


def test_a_proposal_is_overridden_by_days_that_there_are(site, motor, now):
    proposal = Proposal.objects.create(
        run=MrpRun.objects.create(site=site, requested_at=now),
        site=site,
        item=motor,
        action="buy",
        system_quantity=5,
        system_due_date=now.date(),
        system_release_date=now.date(),
    )
    given = {"quantity": None, "supplier_id": None, "reason": "", "version": 1}
    with pytest.raises(proposals.CannotDecide, match="between 1900 and 2999"):
        proposals.override(
            proposal=proposal, due_date=date(9999, 12, 31), **given, by=None, now=now
        )


def test_who_ordered_does_not_note_a_promise_beyond_the_limit(api_client_for, user_for):
    order = PurchaseOrderFactory(number="PO-A1", ordered_by=user_for("purchasing"))
    PurchaseOrderLineFactory(order=order, position=10, quantity=10, unit_price=Decimal(3))
    SupplyRule.objects.create(site=order.site, approval_limit=Decimal(100))
    url = "/api/v1/purchase-orders/PO-A1/confirm/"

    def confirm(role, quantity, version):
        lines = [{"position": 10, "quantity": quantity, "due_date": "2026-12-24"}]
        body = {"version": version, "lines": lines}
        return api_client_for(role).post(url, body, format="json")

    refused = confirm("purchasing", "40", 1)
    assert refused.status_code == 409
    assert "another person" in refused.json()["detail"]
    assert order.lines.get().quantity == 10
    assert confirm("purchasing", "30", 1).status_code == 200
    assert confirm("administrator", "40", 2).status_code == 200
    # What is above the limit already may be confirmed as it stands, and cheaper.
    assert confirm("purchasing", "39", 3).status_code == 200


def test_no_more_goes_back_than_came_replaced_or_not(site, now):
    item = ItemFactory(code="TUBE", supply=Supply.BUY)
    put_on_stock(item, site, 50)
    line = PurchaseOrderLineFactory(order__site=site, item=item, quantity=10)
    act = {"by": None, "now": now}
    line = purchasing.receive_line(line=line, quantity=Decimal(10), **act)

    def back(quantity, *, replace):
        row = purchasing.return_line(
            line=line, quantity=Decimal(quantity), reason="rust", replace=replace, **act
        )
        return row.received, row.returned

    assert back(4, replace=False) == (10, 4)
    with pytest.raises(purchasing.CannotReturn, match="6 was received, so 7 cannot go back"):
        back(7, replace=False)
    assert back(2, replace=True) == (8, 6)
    with pytest.raises(purchasing.CannotReturn, match="4 was received"):
        back(5, replace=True)
    purchasing.receive_line(line=line, quantity=Decimal(2), **act)
    assert back(6, replace=False) == (10, 12)
    with pytest.raises(purchasing.CannotReturn, match="0 was received"):
        back(1, replace=False)
