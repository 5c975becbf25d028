"""How suppliers are judged: in the money of the site, at the rate of the day goods came."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from erp import selectors
from erp.enums import PurchaseReceiptKind
from erp.models import PurchaseReceipt
from masterdata.models import ExchangeRate
from tests.erp.factories import PurchaseOrderFactory, PurchaseOrderLineFactory
from tests.masterdata.factories import ItemFactory, SiteFactory, SupplierFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 23)


@pytest.fixture
def supplier():
    return SupplierFactory(code="ABROAD")


def came(supplier, site, *, currency, price, day):
    """Ten pieces of an item that should cost 10 a piece."""
    item = ItemFactory(standard_cost=Decimal(10))
    order = PurchaseOrderFactory(supplier=supplier, site=site, currency=currency)
    line = PurchaseOrderLineFactory(order=order, item=item, unit_price=Decimal(price))
    PurchaseReceipt.objects.create(
        line=line,
        kind=PurchaseReceiptKind.ACCEPTED,
        quantity=10,
        at=datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
        day=day,
        promised_date=day,
    )


def judged(supplier):
    return selectors.supplier_performance(
        supplier_id=supplier.pk, since=date(2026, 1, 1), today=TODAY
    )


def rate(value, begins):
    ExchangeRate.objects.create(
        source="EUR", target="USD", rate=Decimal(value), valid_from=date(2026, begins, 1)
    )


def test_foreign_prices_are_compared_at_the_rate_of_the_day_they_came(
    supplier, django_assert_num_queries
):
    site = SiteFactory(currency="USD")
    rate("1.00", 1)
    rate("2.00", 6)
    came(supplier, site, currency="USD", price=10, day=date(2026, 2, 1))
    came(supplier, site, currency="EUR", price=10, day=date(2026, 3, 1))
    came(supplier, site, currency="EUR", price=10, day=date(2026, 7, 1))
    # 100 + 100 + 200 dollars were paid for what should cost 300.
    with django_assert_num_queries(5):
        found = judged(supplier)
    assert found.against_standard == Decimal(100) / 300
    assert found.missing_rates == ()


def test_prices_that_nobody_can_convert_are_left_out_and_said(supplier, client_for):
    site = SiteFactory(currency="USD")
    came(supplier, site, currency="USD", price=12, day=date(2026, 2, 1))
    came(supplier, site, currency="CHF", price=90, day=date(2026, 2, 1))
    found = judged(supplier)
    assert found.against_standard == Decimal("0.2")
    assert found.missing_rates == ("CHF",)
    panel = "/stock/suppliers/ABROAD/performance/"
    shown = client_for("purchasing").get(panel).content.decode()
    assert "Prices in CHF are not compared with the standard" in shown
    assert "CHF" not in client_for("warehouse").get(panel).content.decode()


def test_each_site_is_judged_by_itself_and_all_together(supplier, client_for):
    here, there = SiteFactory(code="HERE", currency="USD"), SiteFactory(code="THERE")
    came(supplier, here, currency="USD", price=12, day=date(2026, 2, 1))
    for day in (2, 3):
        came(supplier, there, currency="USD", price=10, day=date(2026, 2, day))
    client, panel = client_for("purchasing"), "/stock/suppliers/ABROAD/performance/"

    def receipts(at=""):
        context = client.get(panel + at).context
        return context["performance"].receipts, len(context["prices"].points)

    assert [receipts(at) for at in ("", "?site=HERE", "?site=THERE")] == [(3, 3), (1, 1), (2, 2)]
    # A list shows one site: only its figure leads there.
    assert "/stock/purchases/?" not in client.get(panel).content.decode()
    one = client.get(panel + "?site=HERE").content.decode()
    assert "/stock/purchases/?show=on_order&amp;site=HERE&amp;q=ABROAD" in one
    assert client.get(panel + "?site=NOWHERE").status_code == 404
