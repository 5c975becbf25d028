"""Each named constraint of the shop floor is violated once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from mes.enums import OperationState
from mes.models import CostStandard
from tests.masterdata.factories import WorkUnitFactory
from tests.mes import factories
from tests.mes.factories import NOW

pytestmark = pytest.mark.django_db


def refused(name, act):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        act()


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("mes_workorder_quantities_well_formed", {"quantity": 10, "output": 5, "good": -1}),
        ("mes_workorder_quantities_conserved", {"quantity": 10, "good": 8, "scrapped": 3}),
        ("mes_workorder_output_within_quantity", {"quantity": 10, "output": 11}),
    ],
)
def test_a_work_order_conserves_its_quantities(name, figures):
    refused(name, lambda: factories.WorkOrderFactory(**figures))


@pytest.mark.parametrize(
    ("name", "factory", "again", "bad"),
    [
        ("mes_workordermaterial_once_per_position", "WorkOrderMaterialFactory", True, {}),
        (
            "mes_workordermaterial_quantity_positive",
            "WorkOrderMaterialFactory",
            False,
            {"quantity_per": 0},
        ),
        ("mes_workorderoperation_once_per_sequence", "WorkOrderOperationFactory", True, {}),
        (
            "mes_workorderoperation_needs_somebody",
            "WorkOrderOperationFactory",
            False,
            {"people": 0},
        ),
        (
            "mes_workorderoperation_waits_in_order",
            "WorkOrderOperationFactory",
            False,
            {"wait_minutes": 9, "max_wait_minutes": 8},
        ),
        (
            "mes_workorderoperation_transfers_something",
            "WorkOrderOperationFactory",
            False,
            {"transfer_quantity": 0},
        ),
        (
            "mes_workorderoperation_numbers_not_negative",
            "WorkOrderOperationFactory",
            False,
            {"good": -1},
        ),
        (
            "mes_workorderoperation_plan_well_formed",
            "WorkOrderOperationFactory",
            False,
            {"planned_starts_at": NOW, "planned_ends_at": NOW - timedelta(minutes=1)},
        ),
        ("mes_operationunit_once_per_unit", "OperationUnitFactory", True, {}),
        (
            "mes_operationreport_reports_something",
            "OperationReportFactory",
            False,
            {"good": 0, "scrap": 0},
        ),
        (
            "mes_operationreport_reports_something",
            "OperationReportFactory",
            False,
            {"good": 2, "scrap": 0, "rework": -3},
        ),
        (
            "mes_workorderoperation_rework_not_negative",
            "WorkOrderOperationFactory",
            False,
            {"rework": -1},
        ),
        ("mes_workorderpeg_once_per_requirement", "WorkOrderPegFactory", True, {}),
        (
            "mes_workorderpeg_quantities_well_formed",
            "WorkOrderPegFactory",
            False,
            {"quantity": 5, "delivered": 6},
        ),
    ],
)
def test_rows_below_a_work_order_are_sound(name, factory, again, bad):
    make = getattr(factories, factory)
    if not again:
        refused(name, lambda: make(**bad))
        return
    row = make()
    keys = {
        "WorkOrderMaterialFactory": ("work_order", "position"),
        "WorkOrderOperationFactory": ("work_order", "sequence"),
        "OperationUnitFactory": ("operation", "work_unit"),
        "WorkOrderPegFactory": ("work_order", "requirement"),
    }[factory]
    refused(name, lambda: make(**{key: getattr(row, key) for key in keys}))


def test_a_work_unit_runs_one_operation_at_a_time():
    unit = WorkUnitFactory()
    factories.WorkOrderOperationFactory(work_unit=unit, state=OperationState.SETUP)
    factories.WorkOrderOperationFactory(work_unit=unit, state=OperationState.INTERRUPTED)
    refused(
        "mes_workorderoperation_one_running_per_unit",
        lambda: factories.WorkOrderOperationFactory(work_unit=unit, state=OperationState.RUNNING),
    )


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("mes_timebooking_ends_after_start", {"ends_at": NOW - timedelta(minutes=1)}),
        ("mes_timebooking_person_or_work_unit", {"person": None}),
        ("mes_timebooking_pause_is_of_a_unit", {"kind": "pause"}),
    ],
)
def test_a_booking_is_of_somebody_for_some_time(name, bad):
    refused(name, lambda: factories.TimeBookingFactory(**bad))


def test_only_a_pause_has_a_reason():
    reason = factories.FloorReasonFactory()
    refused(
        "mes_timebooking_reason_is_of_a_pause",
        lambda: factories.TimeBookingFactory(reason=reason),
    )
    refused(
        "mes_floorreason_once_per_code",
        lambda: factories.FloorReasonFactory(kind=reason.kind, code=reason.code),
    )


def test_nobody_is_booked_twice_at_once_on_an_operation():
    row = factories.TimeBookingFactory()
    again = {"operation": row.operation, "person": row.person}
    refused(
        "mes_timebooking_one_open_per_person",
        lambda: factories.TimeBookingFactory(**again, kind="setup"),
    )
    factories.TimeBookingFactory(operation=row.operation)
    factories.TimeBookingFactory(person=row.person)
    factories.TimeBookingFactory(**again, ends_at=NOW)


def test_a_work_unit_works_on_one_operation_and_may_be_paused_at_several():
    unit = WorkUnitFactory()
    row = factories.TimeBookingFactory(person=None, work_unit=unit)
    of_unit = {"person": None, "work_unit": unit}
    refused(
        "mes_timebooking_one_open_per_unit",
        lambda: factories.TimeBookingFactory(**of_unit, operation=row.operation, kind="pause"),
    )
    refused(
        "mes_timebooking_unit_works_once",
        lambda: factories.TimeBookingFactory(**of_unit, kind="setup"),
    )
    factories.TimeBookingFactory(**of_unit, kind="pause")
    factories.TimeBookingFactory(**of_unit, kind="pause")


@pytest.mark.parametrize("field", ["price", "per_order", "per_piece"])
def test_a_cost_standard_is_not_negative(field):
    order = factories.WorkOrderFactory()
    refused(
        "mes_coststandard_not_negative",
        lambda: CostStandard.objects.create(
            work_order=order, kind="labour", **{"price": 1, field: -1}
        ),
    )


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("mes_workordercheck_limits_fit_the_kind", {"kind": "pass", "upper": 1}),
        ("mes_workordercheck_limits_in_order", {"kind": "measure", "lower": 2, "upper": 1}),
        ("mes_workordercheck_every_fits_the_frequency", {"frequency": "every_n"}),
        ("mes_workordercheck_once_per_position", {"position": 20}),
    ],
)
def test_a_frozen_check_can_be_answered(name, bad):
    row = factories.WorkOrderCheckFactory(position=20)
    refused(
        name,
        lambda: factories.WorkOrderCheckFactory(**({"operation": row.operation} | bad)),
    )


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        (
            "mes_checkresult_only_faults_are_decided",
            {"is_good": True, "decision": "accept", "decided_at": NOW},
        ),
        ("mes_checkresult_decided_at_some_time", {"is_good": False, "decision": "accept"}),
    ],
)
def test_only_a_fault_is_decided_and_at_some_time(name, bad):
    check = factories.WorkOrderCheckFactory()
    refused(
        name,
        lambda: check.results.create(at=NOW, **bad),
    )


@pytest.mark.parametrize(
    ("name", "bad"),
    [("mes_badge_number_is_digits", {"number": "A1"}), ("mes_badge_opens_something", {"pin": ""})],
)
def test_a_badge_opens_something_by_a_number(name, bad):
    refused(name, lambda: factories.BadgeFactory(**bad))
