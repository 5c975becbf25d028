"""Planning supply: netting, lots, pegs, frozen structures, failures."""

from decimal import Decimal

import pytest

from tests.mes.factories import Plant

pytestmark = pytest.mark.django_db


def test_plan_makes_work_orders_over_all_levels():
    plant = Plant()
    plant.make("FRAME", {"TUBE": 3}, lead_time_days=2)
    plant.make("BIKE", {"FRAME": 1, "WHEEL": 2}, lead_time_days=1, steps=2)
    plan = plant.plan(plant.need("BIKE", 5))
    (bike,) = plant.orders("BIKE")
    (frame,) = plant.orders("FRAME")
    assert set(plan.work_order_ids) == {bike.pk, frame.pk}
    assert (bike.quantity, frame.quantity) == (5, 5)
    assert (bike.due_at - frame.due_at).days == 1
    assert [o.sequence for o in bike.operations.order_by("sequence")] == [10, 20]
    assert frame.pegs.get().requirement == bike.materials.get(item__code="FRAME").requirement
    assert frame.materials.get().requirement.quantity == Decimal(15)
