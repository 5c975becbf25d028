"""Forms of sites, work centers, work units, rates, suppliers and prices."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.enums import Role
from common.models import AuditEntry
from masterdata.models import CostRate, Site, Supplier, SupplierPrice, WorkCenter, WorkUnit
from tests.masterdata import factories as f

pytestmark = pytest.mark.django_db


def _url(name, *args):
    return reverse(f"masterdata:{name}", args=args)


def _site(calendar, **changes):
    return {
        "code": "PLANT",
        "name": "Plant",
        "time_zone": "Europe/Berlin",
        "calendar": calendar.pk,
        "shipping_calendar": calendar.pk,
        "currency": "eur",
        **changes,
    }


LISTS = {
    "site-list": f.SiteFactory,
    "calendar-list": f.CalendarFactory,
    "work-center-list": f.WorkCenterFactory,
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_the_same_queries_for_many_rows(client_for, name):
    client, make = client_for(Role.PLANNER), LISTS[name]
    make()
    client.get(_url(name))
    counts = []
    for _round in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(_url(name)).status_code == 200
        counts.append(len(queries))
        for _row in range(10):
            make()
    assert counts[0] == counts[1]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_filters_by_code_and_by_chinese_name(client_for, name):
    wanted = LISTS[name](code="NORTH", name_zh="北方")
    LISTS[name](code="OTHER")
    for text in ("north", "北方"):
        page = client_for(Role.PLANNER).get(_url(name), {"q": text})
        assert [row.record for row in page.context["table"].rows] == [wanted]


def test_a_planner_makes_and_changes_a_site(client_for):
    client, calendar = client_for(Role.PLANNER), f.CalendarFactory()
    assert client.post(_url("site-create"), _site(calendar)).status_code == 302
    site = Site.objects.get()
    assert (site.currency, site.time_zone, site.version) == ("EUR", "Europe/Berlin", 1)
    changed = _site(calendar, name="Works", version=1)
    assert client.post(_url("site-edit", "PLANT"), changed).status_code == 302
    assert AuditEntry.objects.get(action="masterdata.site.edit").changes == {
        "name": ["Plant", "Works"]
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [("time_zone", "Middle/Earth"), ("currency", "EURO"), ("currency", "E1"), ("code", "")],
)
def test_what_is_wrong_with_a_site_is_said_at_its_field(client_for, field, value):
    data = _site(f.CalendarFactory(), **{field: value})
    answer = client_for(Role.PLANNER).post(_url("site-create"), data)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Site.objects.exists()


def test_a_site_that_went_stale_is_not_written_and_says_who(client_for):
    client, calendar = client_for(Role.PLANNER), f.CalendarFactory()
    client.post(_url("site-create"), _site(calendar))
    client.post(_url("site-edit", "PLANT"), _site(calendar, name="First", version=1))
    answer = client.post(_url("site-edit", "PLANT"), _site(calendar, name="Second", version=1))
    assert answer.status_code == 422
    assert "planner" in answer.content.decode()
    assert Site.objects.get().name == "First"


def test_a_code_that_somebody_took_while_it_was_checked_is_refused_on_the_page(
    client_for, monkeypatch
):
    client, calendar = client_for(Role.PLANNER), f.CalendarFactory(code="PLANT")
    f.SiteFactory(code="PLANT", calendar=calendar)
    # As if the other one had not been there yet when the form looked.
    monkeypatch.setattr("django.forms.models.BaseModelForm.validate_unique", lambda form: None)
    typed = {"code": "PLANT", "name": "C", "time_zone": "UTC"}
    typed |= {"ex-TOTAL_FORMS": 0, "ex-INITIAL_FORMS": 0}
    for name, data in (("site-create", _site(calendar)), ("calendar-create", typed)):
        answer = client.post(_url(name), data)
        assert answer.status_code == 422
        assert "a moment ago" in answer.content.decode()
    assert Site.objects.count() == 1


@pytest.mark.parametrize(
    "name", ["site-create", "calendar-create", "work-center-create", "work-unit-create"]
)
def test_who_may_not_edit_looks_and_is_offered_nothing_to_save(client_for, name):
    client = client_for(Role.OPERATOR)
    page = client.get(_url(name))
    assert page.status_code == 200
    assert not page.context["can_save"]
    assert client.post(_url(name), {}).status_code == 403


class TestWorkCenter:
    def test_a_center_is_made_with_its_units(self, client_for):
        client, site = client_for(Role.PLANNER), f.SiteFactory()
        data = {"code": "MILL", "name": "Milling", "site": site.pk, "calendar": site.calendar.pk}
        assert client.post(_url("work-center-create"), data).status_code == 302
        center = WorkCenter.objects.get()
        page = client.get(_url("work-unit-create"), {"work_center": "MILL"})
        assert page.context["form"]["work_center"].value() == center.pk
        unit = {"code": "M-1", "name": "Mill 1", "work_center": center.pk, "energy_kw": "7"}
        assert client.post(_url("work-unit-create"), unit | {"is_active": "on"}).status_code == 302
        page = client.get(_url("work-center-edit", "MILL"))
        assert [row.code for row in page.context["units"]] == ["M-1"]

    def test_a_unit_is_switched_off_and_on(self, client_for):
        client, unit = client_for(Role.PLANNER), f.WorkUnitFactory(code="M-1")
        data = {"code": "M-1", "name": "M", "work_center": unit.work_center.pk, "energy_kw": "0"}
        url = _url("work-unit-edit", "M-1")
        assert client.post(url, data | {"version": 1}).status_code == 302
        assert not WorkUnit.objects.get().is_active
        assert client.post(url, data | {"version": 2, "is_active": "on"}).status_code == 302
        assert WorkUnit.objects.get().is_active

    def test_a_center_with_units_stays_at_its_site_and_says_why(self, client_for):
        unit, other = f.WorkUnitFactory(), f.SiteFactory()
        center, client = unit.work_center, client_for(Role.PLANNER)
        page = client.get(_url("work-center-edit", center.code))
        field = page.context["form"].fields["site"]
        assert field.disabled
        assert "1 work units" in field.help_text
        data = {"code": center.code, "name": "N", "site": other.pk, "version": 1}
        client.post(_url("work-center-edit", center.code), data | {"calendar": center.calendar.pk})
        center.refresh_from_db()
        assert (center.name, center.site) == ("N", center.site)
        assert center.site != other

    def test_a_center_without_units_moves(self, client_for):
        center, other = f.WorkCenterFactory(), f.SiteFactory()
        data = {"code": center.code, "name": "N", "site": other.pk, "version": 1}
        answer = client_for(Role.PLANNER).post(
            _url("work-center-edit", center.code), data | {"calendar": center.calendar.pk}
        )
        assert answer.status_code == 302
        assert WorkCenter.objects.get().site == other

    def test_its_page_takes_the_same_queries_for_many_units(self, client_for):
        client, center = client_for(Role.PLANNER), f.WorkCenterFactory()
        url = _url("work-center-edit", center.code)
        f.WorkUnitFactory(work_center=center, calendar=f.CalendarFactory())
        client.get(url)
        with CaptureQueriesContext(connection) as one:
            client.get(url)
        for _unit in range(5):
            f.WorkUnitFactory(work_center=center, calendar=center.calendar)
        with CaptureQueriesContext(connection) as many:
            client.get(url)
        assert len(one) == len(many)


def _rows(*rows, version=1):
    data = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": 0, "version": version}
    for number, row in enumerate(rows):
        names = ("kind", "amount_per_hour", "currency", "valid_from")
        data |= {f"form-{number}-{n}": v for n, v in zip(names, row, strict=False)}
        if len(row) > len(names):
            data[f"form-{number}-DELETE"] = "on"
    return data


class TestRates:
    def _post(self, client, center, *rows, version=1):
        return client.post(_url("work-center-rates", center.code), _rows(*rows, version=version))

    def test_rates_are_written_as_typed_with_audit(self, client_for):
        client, center = client_for(Role.PLANNER), f.WorkCenterFactory()
        old = ("machine", "60", "USD", "2026-01-01")
        assert self._post(client, center, old).status_code == 302
        new = ("machine", "66", "USD", "2026-07-01")
        assert self._post(client, center, old, new, version=2).status_code == 302
        assert CostRate.objects.count() == 2
        assert self._post(client, center, (*old, "gone"), new, version=3).status_code == 302
        rate = CostRate.objects.get()
        assert (rate.amount_per_hour, rate.valid_from) == (Decimal(66), date(2026, 7, 1))
        assert AuditEntry.objects.filter(action="masterdata.cost_rates.save").count() == 3

    @pytest.mark.parametrize(
        "rows",
        [
            [("machine", "-1", "USD", "2026-01-01")],
            [("machine", "1", "US", "2026-01-01")],
            [("machine", "1", "USD", "0001-01-01")],
            [("machine", "1", "USD", "9999-12-31")],
            [("slave", "1", "USD", "2026-01-01")],
            [("machine", "1", "USD", "2026-01-01"), ("machine", "2", "USD", "2026-01-01")],
        ],
    )
    def test_a_wrong_rate_is_refused_with_a_sentence(self, client_for, rows):
        answer = self._post(client_for(Role.PLANNER), f.WorkCenterFactory(), *rows)
        assert answer.status_code == 422
        assert b"field-error" in answer.content or b'role="alert"' in answer.content
        assert not CostRate.objects.exists()

    def test_rates_that_went_stale_are_not_written(self, client_for):
        client, center = client_for(Role.PLANNER), f.WorkCenterFactory()
        row = ("machine", "60", "USD", "2026-01-01")
        self._post(client, center, row)
        assert self._post(client, center, version=1).status_code == 422
        assert CostRate.objects.exists()

    def test_rates_are_for_those_who_may_see_costs(self, client_for):
        rate = f.CostRateFactory(amount_per_hour=Decimal("987.65"))
        center = _url("work-center-edit", rate.work_center.code)
        rates = _url("work-center-rates", rate.work_center.code)
        assert client_for(Role.OPERATOR).get(rates).status_code == 403
        assert "987.65" not in client_for(Role.OPERATOR).get(center).content.decode()
        assert "987.65" in client_for(Role.PURCHASING).get(center).content.decode()
        assert client_for(Role.PURCHASING).get(rates).status_code == 200
        assert client_for(Role.PURCHASING).post(rates, {}).status_code == 403


def _price(item, **changes):
    return {
        "item": item.code,
        "price": "12.5",
        "currency": "USD",
        "valid_from": "2026-01-01",
        "lead_time_days": "7",
        "min_order_quantity": "0",
        "max_order_quantity": "",
        **changes,
    }


class TestSuppliers:
    def test_purchasing_makes_a_supplier_and_gives_it_a_price(self, client_for):
        client, item = client_for(Role.PURCHASING), f.ItemFactory(code="BAR")
        data = {"code": "STEEL", "name": "Steel", "is_active": "on"}
        assert client.post(_url("supplier-create"), data).status_code == 302
        answer = client.post(_url("price-create", "STEEL"), _price(item))
        assert answer.status_code == 302
        price = SupplierPrice.objects.get()
        assert (price.supplier.code, price.item, price.price) == ("STEEL", item, Decimal("12.5"))
        edited = _price(item, price="13", version=1)
        assert client.post(_url("price-edit", price.pk), edited).status_code == 302
        page = client.get(_url("supplier-edit", "STEEL"))
        assert [row.price for row in page.context["prices"]] == [Decimal(13)]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("item", "NOBODY"),
            ("price", "-1"),
            ("min_order_quantity", "-1"),
            ("max_order_quantity", "-5"),
            ("valid_from", "0001-01-01"),
            ("valid_from", "9999-12-31"),
            ("lead_time_days", "99999999"),
            ("currency", "dollar"),
        ],
    )
    def test_what_is_wrong_with_a_price_is_said_at_its_field(self, client_for, field, value):
        supplier, item = f.SupplierFactory(), f.ItemFactory()
        answer = client_for(Role.PURCHASING).post(
            _url("price-create", supplier.code), _price(item) | {field: value}
        )
        assert answer.status_code == 422
        assert field in answer.context["form"].errors
        assert not SupplierPrice.objects.exists()

    def test_a_second_price_of_the_day_is_refused_at_the_day(self, client_for):
        price = f.SupplierPriceFactory(valid_from=date(2026, 1, 1))
        answer = client_for(Role.PURCHASING).post(
            _url("price-create", price.supplier.code), _price(price.item)
        )
        assert answer.status_code == 422
        assert "valid_from" in answer.context["form"].errors

    def test_a_price_is_removed_once_and_only_as_it_was_opened(self, client_for):
        client, price = client_for(Role.PURCHASING), f.SupplierPriceFactory()
        url = _url("price-edit", price.pk)
        client.post(url, {"act": "remove", "version": 7})
        assert SupplierPrice.objects.exists()
        client.post(url, {"act": "remove", "version": 1})
        assert not SupplierPrice.objects.exists()
        assert AuditEntry.objects.filter(action="masterdata.supplierprice.delete").count() == 1
        assert client.post(url, {"act": "remove", "version": 1}).status_code == 404

    def test_a_supplier_that_routings_send_work_to_stays_active_and_says_why(self, client_for):
        supplier = f.SupplierFactory()
        step = f.RoutingOperationFactory(subcontractor=supplier, subcontract_days=3)
        client = client_for(Role.PURCHASING)
        page = client.get(_url("supplier-edit", supplier.code))
        field = page.context["form"].fields["is_active"]
        assert field.disabled
        assert step.routing.item.code in field.help_text

    def test_a_supplier_of_past_routings_is_deactivated(self, client_for):
        supplier = f.SupplierFactory()
        f.RoutingOperationFactory(
            subcontractor=supplier, routing=f.RoutingFactory(valid_to=date(2021, 1, 1))
        )
        data = {"code": supplier.code, "name": "S", "version": 1}
        client_for(Role.PURCHASING).post(_url("supplier-edit", supplier.code), data)
        assert not Supplier.objects.get().is_active

    def test_prices_are_for_those_who_may_see_costs(self, client_for):
        price = f.SupplierPriceFactory(price=Decimal("876.54"))
        url = _url("supplier-edit", price.supplier.code)
        assert "876.54" not in client_for(Role.SALES).get(url).content.decode()
        assert "876.54" in client_for(Role.MANAGER).get(url).content.decode()
        assert client_for(Role.SALES).get(_url("price-edit", price.pk)).status_code == 403
        assert client_for(Role.MANAGER).post(_url("price-edit", price.pk)).status_code == 403

    def test_its_page_takes_the_same_queries_for_many_prices(self, client_for):
        client, supplier = client_for(Role.PURCHASING), f.SupplierFactory()
        url = _url("supplier-edit", supplier.code)
        f.SupplierPriceFactory(supplier=supplier)
        client.get(url)
        with CaptureQueriesContext(connection) as one:
            client.get(url)
        for _row in range(5):
            f.SupplierPriceFactory(supplier=supplier)
        with CaptureQueriesContext(connection) as many:
            client.get(url)
        assert len(one) == len(many)
