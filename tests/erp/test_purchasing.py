"""When bought material comes, where it falls short, and purchase orders."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp.enums import PurchaseOrderState
from erp.selectors import MaterialKind, material_dates, shortages
from erp.services import purchasing, reservations
from masterdata.enums import Supply
from tests.erp.factories import PurchaseOrderLineFactory, RequirementFactory, put_on_stock
from tests.masterdata.factories import ItemFactory, SiteFactory, SupplierFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def site():
    return SiteFactory()


@pytest.fixture
def item():
    return ItemFactory(code="TUBE", supply=Supply.BUY, lead_time_days=20)


def need(item, site, now, *, days, quantity=10):
    due_at = now + timedelta(days=days)
    return RequirementFactory(item=item, site=site, quantity=quantity, due_at=due_at)


def on_order(item, site, now, *, days, quantity=10):
    due = (now + timedelta(days=days)).date()
    return PurchaseOrderLineFactory(order__site=site, item=item, quantity=quantity, due_date=due)


def test_material_dates_give_orders_to_the_first_due_first(item, site, now):
    second, first = need(item, site, now, days=8), need(item, site, now, days=5)
    third = need(item, site, now, days=9)
    early = on_order(item, site, now, days=3, quantity=12)
    late = on_order(item, site, now, days=6, quantity=10)
    dates = material_dates(site_id=site.pk, now=now)
    assert dates[first.pk].at == datetime(2026, 11, 27, tzinfo=UTC)  # the end of the due day
    assert dates[first.pk].reference == early.order.number
    assert (dates[second.pk].kind, dates[second.pk].reference) == (
        MaterialKind.ON_ORDER,
        late.order.number,
    )
    assert dates[third.pk].kind == MaterialKind.LEAD_TIME
    assert dates[third.pk].at == now + timedelta(days=20)


def test_material_dates_count_an_overdue_order_on_tomorrow(item, site, now):
    requirement = need(item, site, now, days=5)
    on_order(item, site, now, days=-3)
    at = material_dates(site_id=site.pk, now=now)[requirement.pk].at
    assert at == now + timedelta(days=1)


def test_material_dates_say_on_stock_where_all_is_reserved(item, site, now):
    requirement = need(item, site, now, days=5)
    put_on_stock(item, site, 10)
    reservations.reserve({requirement.pk: Decimal(10)})
    found = material_dates(site_id=site.pk, now=now)[requirement.pk]
    assert (found.at, found.kind) == (None, MaterialKind.ON_STOCK)


def test_material_dates_leave_out_what_is_made_or_of_another_site(item, site, now):
    need(ItemFactory(), site, now, days=5)
    need(item, SiteFactory(), now, days=5)
    assert material_dates(site_id=site.pk, now=now) == {}


def test_material_dates_ask_the_same_for_few_and_for_many(item, site, now):
    def count():
        with CaptureQueriesContext(connection) as captured:
            material_dates(site_id=site.pk, now=now)
        return len(captured)

    need(item, site, now, days=5)
    on_order(item, site, now, days=3)
    few = count()
    for days in range(30):
        need(ItemFactory(supply=Supply.BUY), site, now, days=days)
        on_order(item, site, now, days=days)
    assert count() == few == 3


def test_shortages_come_by_the_date_that_they_hurt(item, site, now):
    late = need(item, site, now, days=30)
    soon = need(item, site, now, days=5)
    on_order(item, site, now, days=6)
    found = shortages(site_id=site.pk, now=now)
    assert [row.requirement_id for row in found] == [soon.pk, late.pk]
    assert [row.is_late for row in found] == [True, False]
    assert (found[0].item_code, found[0].reference) == ("TUBE", soon.reference)


def test_receive_line_serves_who_waits_and_closes_the_order(item, site, now):
    requirement = need(item, site, now, days=5)
    supplier = SupplierFactory()
    placed = purchasing.order(
        supplier_code=supplier.code,
        site_id=site.pk,
        lines=[purchasing.NewLine("TUBE", Decimal(8), now.date())],
        by=None,
        now=now,
    )
    line = placed.lines.get()
    purchasing.receive_line(line=line, quantity=Decimal(3), by=None, now=now)
    placed.refresh_from_db()
    assert placed.state == PurchaseOrderState.PARTLY_RECEIVED
    with pytest.raises(purchasing.CannotReceive, match="5 is open, not 6"):
        purchasing.receive_line(line=line, quantity=Decimal(6), by=None, now=now)
    purchasing.receive_line(line=line, quantity=Decimal(5), by=None, now=now)
    placed.refresh_from_db()
    assert placed.state == PurchaseOrderState.RECEIVED
    assert requirement.reservations.get().quantity == 8


def test_order_refuses_what_does_not_exist(item, site, now):
    order = {"site_id": site.pk, "by": None, "now": now}
    line = purchasing.NewLine("TUBE", Decimal(8), now.date())
    with pytest.raises(purchasing.CannotOrder, match="no supplier NOBODY"):
        purchasing.order(supplier_code="NOBODY", lines=[line], **order)
    known = SupplierFactory().code
    with pytest.raises(purchasing.CannotOrder, match="at least one"):
        purchasing.order(supplier_code=known, lines=[], **order)
    unknown = purchasing.NewLine("NOTHING", Decimal(8), now.date())
    with pytest.raises(purchasing.CannotOrder, match="no item NOTHING"):
        purchasing.order(supplier_code=known, lines=[unknown], **order)
