"""Exchange rates: that of the day, either way round, and a sentence where one is missing."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from common.enums import Role
from masterdata import selectors
from masterdata.models import CostRate, ExchangeRate, SupplierPrice
from masterdata.policies import CannotPayIn
from masterdata.services import imports, rates
from tests.masterdata import factories as f

pytestmark = pytest.mark.django_db
DAY = date(2026, 6, 8)


def test_the_newest_rate_of_the_day_counts_whichever_way_round():
    f.ExchangeRateFactory(rate="1.10", valid_from=date(2026, 1, 1))
    f.ExchangeRateFactory(source="USD", target="EUR", rate="0.8", valid_from=date(2026, 5, 1))
    f.ExchangeRateFactory(rate="9", valid_from=date(2026, 6, 9))
    into = selectors.exchange(into="USD", on=DAY)
    assert into.convert(Decimal(8), "EUR") == 10
    assert into.convert(Decimal(8), "USD") == 8
    assert selectors.exchange(into="EUR", on=DAY).convert(Decimal(10), "USD") == 8
    assert selectors.exchange(into="USD", on=date(2026, 4, 30)).rate("EUR") == Decimal("1.1")


def test_our_own_currency_asks_nothing(django_assert_num_queries):
    money = selectors.exchange(into="USD", on=DAY)
    with django_assert_num_queries(0):
        assert money.convert(Decimal(5), "USD") == 5
    with django_assert_num_queries(1):
        assert not money.knows("EUR")
        assert not money.knows("CHF")


def test_a_missing_rate_is_a_sentence_that_says_what_to_enter():
    f.ExchangeRateFactory(valid_from=date(2026, 6, 9))
    with pytest.raises(selectors.NoExchangeRate, match="from EUR to USD for 06/08/2026"):
        selectors.exchange(into="USD", on=DAY).rate("EUR")


def test_foreign_hourly_rates_and_prices_are_converted_never_left_out():
    center = f.CostRateFactory(currency="EUR", amount_per_hour=50).work_center
    price = f.SupplierPriceFactory(currency="EUR", price=20)
    asked = (price.item_id, price.supplier_id)
    with pytest.raises(selectors.NoExchangeRate):
        selectors.hourly_rates([center.pk], on=DAY, currency="USD")
    with pytest.raises(selectors.NoExchangeRate):
        selectors.supplier_prices([asked], on=DAY, currency="USD")
    f.ExchangeRateFactory(rate="1.10")
    assert selectors.hourly_rates([center.pk], on=DAY, currency="USD") == {
        (center.pk, "machine"): Decimal(55)
    }
    assert selectors.supplier_prices([asked, (0, 0)], on=DAY, currency="USD") == {asked: 22}


def test_what_could_not_be_reckoned_with_is_refused_where_it_is_entered(now):
    center = f.WorkCenterFactory()
    rate = rates.Rate("machine", Decimal(50), "EUR", DAY)
    given = {"center": center, "rates": [rate], "version": center.version, "by": None, "now": now}
    with pytest.raises(CannotPayIn, match="from EUR to USD: enter it first"):
        rates.save(**given)
    f.ExchangeRateFactory()
    rates.save(**given)
    assert CostRate.objects.get().currency == "EUR"


def test_the_import_takes_prices_whose_currency_has_a_rate_and_names_the_others():
    f.SiteFactory()
    f.ItemFactory(code="BOLT")
    f.SupplierFactory(code="NEAR")
    head = "supplier,item,price,currency,valid_from\n"
    text = head + "NEAR,BOLT,1,EUR,2026-01-01\nNEAR,BOLT,1,USD,2026-02-01\n"

    def check():
        kind = imports.RESOURCES["supplier_prices"]
        return imports.check(kind, imports.read("prices.csv", text.encode()))

    assert [(bad.line, bad.column) for bad in check().bad] == [(2, "currency")]
    assert "exchange rate" in check().bad[0].reason
    f.ExchangeRateFactory()
    assert check().bad == []


def test_the_import_of_rates_refuses_nonsense():
    text = (
        "source,target,rate,valid_from\nEUR,USD,1.1,2026-01-01\neur,USD,1,2026-01-01\n"
        "USD,USD,1,2026-01-01\nCHF,USD,0,2026-01-01\n"
    )
    kind = imports.RESOURCES["exchange_rates"]
    plan = imports.check(kind, imports.read("rates.csv", text.encode()))
    assert [(bad.line, bad.column) for bad in plan.bad] == [
        (3, "source"),
        (4, "target"),
        (5, "rate"),
    ]


def test_a_rate_is_entered_changed_and_removed_on_its_pages(client_for):
    client = client_for(Role.ADMINISTRATOR)
    new = reverse("masterdata:exchange-rate-create")
    given = {"source": "eur", "target": "USD", "rate": "1.0834", "valid_from": "2026-01-01"}
    assert client.post(new, given).status_code == 302
    rate = ExchangeRate.objects.get()
    assert (rate.source, rate.rate) == ("EUR", Decimal("1.0834"))
    again = client.post(new, given)
    assert again.status_code == 422
    assert "There is a rate from this day on already." in again.content.decode()
    for name, value in (("rate", "0"), ("target", "EUR")):
        assert client.post(new, {**given, name: value}).status_code == 422
    edit = reverse("masterdata:exchange-rate-edit", args=[rate.pk])
    assert client.post(edit, {**given, "rate": "1.2", "version": 1}).status_code == 302
    listed = client.get(reverse("masterdata:exchange-rate-list"))
    assert "1.2" in listed.content.decode()
    assert client.post(edit, {"act": "remove", "version": 1}, follow=True).status_code == 200
    assert ExchangeRate.objects.exists()  # somebody changed it meanwhile
    assert client.post(edit, {"act": "remove", "version": 2}).status_code == 302
    assert not ExchangeRate.objects.exists()


def test_a_price_of_an_unknown_currency_is_refused_on_the_form(client_for):
    f.SiteFactory()
    supplier, item = f.SupplierFactory(), f.ItemFactory()
    client = client_for(Role.ADMINISTRATOR)
    given = {"item": item.code, "price": "2", "currency": "EUR", "valid_from": "2026-01-01"}
    given |= {"lead_time_days": "1", "min_order_quantity": "0"}
    page = client.post(reverse("masterdata:price-create", args=[supplier.code]), given)
    assert page.status_code == 422
    assert "There is no exchange rate from EUR to USD" in page.content.decode()
    f.ExchangeRateFactory()
    page = client.post(reverse("masterdata:price-create", args=[supplier.code]), given)
    assert page.status_code == 302
    assert SupplierPrice.objects.get().currency == "EUR"
