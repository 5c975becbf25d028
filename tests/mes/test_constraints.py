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


@pytest.mark.parametrize("field", ["price", "per_order", "per_piece"])
def test_a_cost_standard_is_not_negative(field):
    order = factories.WorkOrderFactory()
    refused(
        "mes_coststandard_not_negative",
        lambda: CostStandard.objects.create(
            work_order=order, kind="labour", **{"price": 1, field: -1}
        ),
    )
