"""Each named constraint of the database, violated once."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from masterdata.enums import LotPolicy, Tracking
from masterdata.models import (
    CalendarException,
    ImportUpload,
    OperationCheck,
    Shift,
    UnitException,
)
from tests.factories import UserFactory
from tests.masterdata import factories as f

pytestmark = pytest.mark.django_db
DAY = date(2026, 1, 1)
NOW = datetime(2026, 6, 8, 8, tzinfo=UTC)


def _second_shift():
    calendar = f.CalendarFactory(shifts=[(0, time(8), time(16))])
    Shift.objects.create(calendar=calendar, weekday=0, starts_at=time(8), ends_at=time(9))


def _late_weekday():
    calendar = f.CalendarFactory(shifts=[])
    Shift.objects.create(calendar=calendar, weekday=7, starts_at=time(8), ends_at=time(9))


def _backward_exception():
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    CalendarException.objects.create(calendar=f.CalendarFactory(), starts_at=moment, ends_at=moment)


def _backward_unit_exception():
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    UnitException.objects.create(work_unit=f.WorkUnitFactory(), starts_at=moment, ends_at=moment)


def _twice(factory, **same):
    factory(**same)
    factory(**same)


def _same_line():
    _twice(f.BomLineFactory, bom=f.BomFactory(), position=10)


def _same_operation():
    _twice(f.RoutingOperationFactory, routing=f.RoutingFactory(), sequence=10)


def _same_alternative():
    operation = f.RoutingOperationFactory()
    unit = f.WorkUnitFactory(work_center=operation.work_center)
    _twice(f.OperationAlternativeFactory, operation=operation, work_unit=unit)


def _same_price():
    _twice(f.SupplierPriceFactory, supplier=f.SupplierFactory(), item=f.ItemFactory())


def _upload(**kwargs):
    return ImportUpload.objects.create(
        resource="items", file_name="i.csv", content=b"x", uploaded_at=NOW, **kwargs
    )


def _check(**kwargs):
    operation = kwargs.pop("operation", None) or f.RoutingOperationFactory()
    return OperationCheck.objects.create(operation=operation, position=10, name="Bore", **kwargs)


def _same_upload():
    _twice(_upload, digest="same", uploaded_by=UserFactory())


VIOLATIONS = {
    "masterdata_shift_weekday_exists": _late_weekday,
    "masterdata_shift_once_per_start": _second_shift,
    "masterdata_calendarexception_ends_after_start": _backward_exception,
    "masterdata_unitexception_ends_after_start": _backward_unit_exception,
    "masterdata_site_energy_price_not_negative": lambda: f.SiteFactory(energy_price=-1),
    "masterdata_workunit_energy_not_negative": lambda: f.WorkUnitFactory(energy_kw=-1),
    "masterdata_changeover_once_per_pair": lambda: _twice(
        f.ChangeoverFactory, work_center=f.WorkCenterFactory(), from_family="RED"
    ),
    "masterdata_changeover_minutes_not_negative": lambda: f.ChangeoverFactory(minutes=-1),
    "masterdata_crew_once": lambda: _twice(
        f.CrewFactory, skill=f.SkillFactory(), site=f.SiteFactory()
    ),
    "masterdata_crew_has_people": lambda: f.CrewFactory(people=0),
    "masterdata_tool_is_there": lambda: f.ToolFactory(quantity=0),
    "masterdata_routingoperation_needs_somebody": lambda: f.RoutingOperationFactory(people=0),
    "masterdata_routingoperation_waits_in_order": lambda: f.RoutingOperationFactory(
        wait_minutes=9, max_wait_minutes=8
    ),
    "masterdata_routingoperation_transfers_something": lambda: f.RoutingOperationFactory(
        transfer_quantity=5, max_wait_minutes=8
    ),
    "masterdata_costrate_once_per_day": lambda: _twice(
        f.CostRateFactory, work_center=f.WorkCenterFactory()
    ),
    "masterdata_costrate_amount_not_negative": lambda: f.CostRateFactory(amount_per_hour=-1),
    "masterdata_item_scrap_is_a_share": lambda: f.ItemFactory(scrap_rate=1),
    "masterdata_item_fixed_lot_has_size": lambda: f.ItemFactory(
        lot_policy=LotPolicy.FIXED, lot_size=0
    ),
    "masterdata_item_period_lot_has_days": lambda: f.ItemFactory(
        lot_policy=LotPolicy.PERIOD, lot_period_days=0
    ),
    "masterdata_item_negative_only_untracked": lambda: f.ItemFactory(
        may_be_negative=True, tracking=Tracking.LOT
    ),
    "masterdata_item_policy_needs_tracking": lambda: f.ItemFactory(shelf_life_days=30),
    "masterdata_bom_once_per_revision": lambda: _twice(f.BomFactory, item=f.ItemFactory()),
    "masterdata_bom_ends_after_start": lambda: f.BomFactory(valid_from=DAY, valid_to=DAY),
    "masterdata_bomline_once_per_position": _same_line,
    "masterdata_bomline_quantity_positive": lambda: f.BomLineFactory(quantity_per=0),
    "masterdata_bomline_scrap_is_a_share": lambda: f.BomLineFactory(scrap_rate=Decimal(1)),
    "masterdata_customer_weight_positive": lambda: f.CustomerFactory(weight=0),
    "masterdata_exchangerate_once_per_day": lambda: _twice(f.ExchangeRateFactory),
    "masterdata_exchangerate_rate_positive": lambda: f.ExchangeRateFactory(rate=0),
    "masterdata_exchangerate_two_currencies": lambda: f.ExchangeRateFactory(source="USD"),
    "masterdata_supplierprice_once_per_day": _same_price,
    "masterdata_supplierprice_price_not_negative": lambda: f.SupplierPriceFactory(price=-1),
    "masterdata_routing_once_per_revision": lambda: _twice(f.RoutingFactory, item=f.ItemFactory()),
    "masterdata_routing_ends_after_start": lambda: f.RoutingFactory(valid_from=DAY, valid_to=DAY),
    "masterdata_routingoperation_once_per_sequence": _same_operation,
    "masterdata_routingoperation_minutes_not_negative": lambda: f.RoutingOperationFactory(
        run_minutes=-1
    ),
    "masterdata_operationalternative_once_per_unit": _same_alternative,
    "masterdata_operationcheck_limits_fit_the_kind": lambda: _check(kind="pass", upper=1),
    "masterdata_operationcheck_limits_in_order": lambda: _check(kind="measure", lower=2, upper=1),
    "masterdata_operationcheck_every_fits_the_frequency": lambda: _check(frequency="every_n"),
    "masterdata_operationcheck_once_per_position": lambda: _twice(
        _check, operation=f.RoutingOperationFactory()
    ),
    "masterdata_importupload_once_while_open": _same_upload,
    "masterdata_importupload_file_goes_when_done": lambda: _upload(imported_at=NOW),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_the_database_refuses_what_violates(name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        VIOLATIONS[name]()


@pytest.mark.parametrize("policy", [LotPolicy.FIXED, LotPolicy.PERIOD])
def test_a_lot_policy_with_neither_size_nor_days_is_refused(policy):
    with pytest.raises(IntegrityError, match="lot_has_"), transaction.atomic():
        f.ItemFactory(lot_policy=policy)


def test_every_constraint_of_this_room_is_in_the_table():
    named = {
        constraint.name
        for model in apps.get_app_config("masterdata").get_models()
        for constraint in model._meta.constraints
    }
    assert named == set(VIOLATIONS)
