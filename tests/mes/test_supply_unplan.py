"""Taking supply back: what has not started shrinks on all levels, what has is listed."""

from decimal import Decimal

import pytest

from erp.enums import RequirementState
from erp.services.requirements import CannotChange
from masterdata.enums import LotPolicy
from mes.enums import OperationState, WorkOrderState
from mes.models import WorkOrder, WorkOrderOperation
from mes.services import execution, supply
from tests.mes import invariants
from tests.mes.factories import NOW, Plant

pytestmark = pytest.mark.django_db


def bikes():
    plant = Plant()
    plant.make("FRAME", {"TUBE": 3})
    plant.make("BIKE", {"FRAME": 1, "WHEEL": 2})
    return plant


def test_unplan_to_nothing_cancels_over_all_levels():
    plant = bikes()
    plant.stock("TUBE", 100)
    need = plant.need("BIKE", 5)
    plant.plan(need)
    undone = plant.unplan({need: 0})
    assert len(undone.undone) == 2
    assert undone.remaining == ()
    assert plant.orders() == []
    need.refresh_from_db()
    assert need.state == RequirementState.CANCELLED
    assert set(WorkOrderOperation.objects.values_list("state", flat=True)) == {
        OperationState.CANCELLED
    }
    invariants.check()


def test_unplan_to_less_shrinks_over_all_levels():
    plant = bikes()
    need = plant.need("BIKE", 5)
    plant.plan(need)
    undone = plant.unplan({need: 2})
    assert len(undone.undone) == 2
    assert [o.quantity for o in plant.orders()] == [2, 2]
    need.refresh_from_db()
    assert need.quantity == 2
    invariants.check()


def test_unplan_keeps_stock_before_work():
    plant = bikes()
    plant.stock("BIKE", 2)
    need = plant.need("BIKE", 5)
    plant.plan(need)
    plant.unplan({need: 2})
    assert plant.orders() == []
    assert need.reservations.get().quantity == 2
    invariants.check()


def test_unplan_gives_freed_material_to_the_next_who_waits():
    plant = bikes()
    plant.stock("TUBE", 15)
    first, second = plant.need("BIKE", 5), plant.need("BIKE", 5, days=2)
    plant.plan(first, second)
    plant.unplan({first: 0})
    (frame,) = plant.orders("FRAME")
    assert frame.materials.get().requirement.reservations.get().quantity == 15
    invariants.check()


def test_unplan_lists_what_has_started_and_frees_its_output():
    plant = bikes()
    plant.stock("TUBE", 15)
    need = plant.need("BIKE", 5)
    plant.plan(need)
    (frame,) = plant.orders("FRAME")
    execution.start(
        operation=frame.operations.get(), work_unit_id=plant.units[0].pk, by=None, now=NOW
    )
    undone = plant.unplan({need: 2})
    assert [(w.number, w.item_code, w.quantity) for w in undone.started] == [
        (frame.number, "FRAME", Decimal(3))
    ]
    assert undone.undone == (plant.orders("BIKE")[0].number,)
    frame.refresh_from_db()
    assert (frame.quantity, frame.state) == (5, WorkOrderState.IN_PROGRESS)
    invariants.check()
    later = plant.need("FRAME", 3)
    plant.plan(later)
    assert len(plant.orders("FRAME")) == 1
    invariants.check()


def test_unplan_of_one_of_two_demands_shrinks_the_lot_of_their_period():
    plant = Plant()
    plant.make("WHEEL", {"RIM": 1}, lot_policy=LotPolicy.PERIOD, lot_period_days=30)
    first, second = plant.need("WHEEL", 5), plant.need("WHEEL", 3)
    plant.plan(first, second)
    plant.unplan({first: 0})
    (order,) = plant.orders()
    assert order.quantity == 3
    assert order.pegs.get().requirement == second
    invariants.check()


def test_unplan_shrinks_fixed_lots_by_whole_lots():
    plant = Plant()
    plant.make("BOLT", {"STEEL": 1}, lot_policy=LotPolicy.FIXED, lot_size=50)
    need = plant.need("BOLT", 120)
    plant.plan(need)
    plant.unplan({need: 60})
    assert [order.quantity for order in plant.orders()] == [50, 50]
    invariants.check()


def test_unplan_refuses_less_than_was_shipped_and_changes_nothing():
    plant = bikes()
    need = plant.need("BIKE", 5)
    need.issued = 3
    need.save()
    plant.plan(need)
    with pytest.raises(CannotChange, match="already left the stock"):
        plant.unplan({need: 2})
    assert [o.quantity for o in plant.orders("BIKE")] == [2]


def test_unplan_refuses_more_than_before():
    plant = bikes()
    need = plant.need("BIKE", 5)
    with pytest.raises(supply.CannotUnplan, match="more than"):
        plant.unplan({need: 6})


def test_unplan_leaves_other_demands_alone():
    plant = bikes()
    first, second = plant.need("BIKE", 5), plant.need("BIKE", 7)
    plant.plan(first, second)
    before = list(WorkOrder.objects.filter(pegs__requirement=second).values())
    plant.unplan({first: 0})
    assert list(WorkOrder.objects.filter(pegs__requirement=second).values()) == before
    assert sum(o.quantity for o in plant.orders("FRAME")) == 7
    invariants.check()
