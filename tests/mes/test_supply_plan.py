"""Planning supply: netting, lots, pegs, frozen structures, failures."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from common.models import AuditEntry, Event
from masterdata.enums import LotPolicy
from mes.enums import OperationState, WorkOrderState
from mes.models import OperationUnit, WorkOrder, WorkOrderMaterial
from tests.erp.factories import DUE, RequirementFactory
from tests.masterdata.factories import (
    BomFactory,
    OperationAlternativeFactory,
    RoutingFactory,
)
from tests.mes import invariants
from tests.mes.factories import Plant

pytestmark = pytest.mark.django_db


def test_plan_makes_work_orders_over_all_levels():
    plant = Plant()
    plant.make("FRAME", {"TUBE": 3}, lead_time_days=2)
    plant.make("BIKE", {"FRAME": 1, "WHEEL": 2}, lead_time_days=1, steps=2)
    need = plant.need("BIKE", 5)
    plan = plant.plan(need)
    (bike,) = plant.orders("BIKE")
    (frame,) = plant.orders("FRAME")
    assert set(plan.work_order_ids) == {bike.pk, frame.pk}
    assert (bike.quantity, frame.quantity) == (5, 5)
    assert bike.due_at == need.due_at
    assert bike.due_at - frame.due_at == timedelta(days=1)
    assert [o.sequence for o in bike.operations.order_by("sequence")] == [10, 20]
    assert frame.pegs.get().requirement == bike.materials.get(item__code="FRAME").requirement
    tubes = frame.materials.get().requirement
    assert (tubes.quantity, tubes.due_at) == (15, frame.due_at - timedelta(days=2))
    assert tubes.reference == frame.number
    invariants.check()


def test_plan_uses_free_stock_first_for_whom_it_is_due_first():
    plant = Plant()
    plant.make("BIKE", {"WHEEL": 2})
    plant.stock("BIKE", 6)
    late, soon = plant.need("BIKE", 5, days=3), plant.need("BIKE", 5)
    plant.plan(late, soon)
    (order,) = plant.orders("BIKE")
    assert order.pegs.get().requirement == late
    assert order.quantity == 4
    invariants.check()


def test_plan_gathers_the_demand_of_a_component_over_all_levels_before_it_makes_lots():
    plant = Plant()
    plant.make("BOLT", {"STEEL": 1}, lot_policy=LotPolicy.PERIOD, lot_period_days=30)
    plant.make("HUB", {"BOLT": 4})
    plant.make("WHEEL", {"HUB": 1, "BOLT": 2})
    plant.plan(plant.need("WHEEL", 3), plant.need("BOLT", 1))
    (bolts,) = plant.orders("BOLT")
    assert bolts.quantity == 3 * (4 + 2) + 1
    assert bolts.pegs.count() == 3
    invariants.check()


def test_plan_for_lot_for_lot_makes_one_work_order_per_demand():
    plant = Plant()
    plant.make("BIKE", {"WHEEL": 2})
    plant.plan(plant.need("BIKE", 5), plant.need("BIKE", 7))
    assert sorted(order.quantity for order in plant.orders("BIKE")) == [5, 7]


def test_plan_for_fixed_lots_leaves_surplus_that_later_demand_takes():
    plant = Plant()
    plant.make("BOLT", {"STEEL": 1}, lot_policy=LotPolicy.FIXED, lot_size=50)
    plant.plan(plant.need("BOLT", 60))
    _whole, order = plant.orders("BOLT")
    assert [o.quantity for o in plant.orders("BOLT")] == [50, 50]
    first, second = plant.need("BOLT", 30), plant.need("BOLT", 20)
    assert plant.plan(first, second).work_order_ids[-1] == order.pk
    assert [o.quantity for o in plant.orders("BOLT")] == [50, 50, 50]
    invariants.check()


def test_plan_for_fixed_lots_shares_a_lot_among_demands_of_one_run():
    plant = Plant()
    plant.make("BOLT", {"STEEL": 1}, lot_policy=LotPolicy.FIXED, lot_size=50)
    plant.plan(*[plant.need("BOLT", 20) for _ in range(5)])
    assert [o.quantity for o in plant.orders("BOLT")] == [50, 50]
    invariants.check()


def test_plan_lets_a_planned_work_order_of_the_period_grow():
    plant = Plant()
    plant.make("RIM", {"ALU": 2})
    plant.make("WHEEL", {"RIM": 1}, lot_policy=LotPolicy.PERIOD, lot_period_days=7)
    plant.plan(plant.need("WHEEL", 5))
    plant.plan(plant.need("WHEEL", 3), plant.need("WHEEL", 9, days=30))
    first, later = plant.orders("WHEEL")
    assert (first.quantity, later.quantity) == (8, 9)
    assert first.state == WorkOrderState.PLANNED
    assert first.materials.get().requirement.quantity == 8
    assert [o.quantity for o in plant.orders("RIM")] == [5, 3, 9]
    invariants.check()


def test_plan_makes_a_new_work_order_of_the_period_once_the_first_is_released():
    plant = Plant()
    plant.make("WHEEL", {"RIM": 1}, lot_policy=LotPolicy.PERIOD, lot_period_days=7)
    plant.plan(plant.need("WHEEL", 5))
    WorkOrder.objects.update(state=WorkOrderState.RELEASED)
    plant.plan(plant.need("WHEEL", 3))
    assert [o.quantity for o in plant.orders("WHEEL")] == [5, 3]


def test_plan_pulls_a_grown_work_order_to_the_earlier_date():
    plant = Plant()
    plant.make("WHEEL", {"RIM": 1}, lot_policy=LotPolicy.PERIOD, lot_period_days=30)
    plant.plan(plant.need("WHEEL", 5, days=5))
    need = plant.need("WHEEL", 3)
    plant.plan(need)
    (order,) = plant.orders("WHEEL")
    assert order.due_at == need.due_at
    assert order.materials.get().requirement.due_at == need.due_at


def test_plan_starts_more_than_needed_where_scrap_is_expected():
    plant = Plant()
    plant.make(
        "GEAR", {"BLANK": 2}, scrap_rate=Decimal("0.1"), scrap_rates={"BLANK": Decimal("0.05")}
    )
    plant.plan(plant.need("GEAR", 100))
    (order,) = plant.orders("GEAR")
    assert (order.quantity, order.output) == (112, 100)
    assert order.materials.get().requirement.quantity == 236  # 112 × 2 ÷ 0.95, whole pieces
    invariants.check()


def test_plan_rounds_what_is_measured_to_four_places():
    plant = Plant()
    plant.buy("PAINT", uom="KG")
    plant.make("FRAME", {"PAINT": "0.333333"})
    plant.plan(plant.need("FRAME", 7))
    assert WorkOrderMaterial.objects.get().requirement.quantity == Decimal("2.3334")


def test_plan_freezes_the_structure_of_the_day_on_which_the_work_starts():
    plant = Plant()
    old, new = plant.buy("OLD"), plant.buy("NEW")
    item = plant.make("BIKE", steps=1, lead_time_days=4)
    change = date(2026, 12, 10)
    BomFactory(item=item, revision="A", valid_to=change, components=[(old, 1)])
    BomFactory(item=item, revision="B", valid_from=change, components=[(new, 1)])
    before = plant.need("BIKE", 1, due_at=DUE.replace(day=13))
    after = plant.need("BIKE", 1, due_at=DUE.replace(day=14))
    plant.plan(before, after)
    first, second = sorted(plant.orders("BIKE"), key=lambda order: order.due_at)
    assert (first.bom_revision, first.materials.get().item) == ("A", old)
    assert (second.bom_revision, second.materials.get().item) == ("B", new)


def test_plan_keeps_its_copy_when_the_routing_changes_afterwards():
    plant = Plant()
    item = plant.make("BIKE", steps=0)
    routing = RoutingFactory(item=item, steps=[(plant.center, Decimal(2))])
    step = routing.operations.get()
    OperationAlternativeFactory(operation=step, work_unit=plant.units[0], run_minutes=Decimal(3))
    plant.plan(plant.need("BIKE", 1))
    step.delete()
    operation = plant.orders("BIKE")[0].operations.get()
    assert operation.run_minutes == 2
    assert OperationUnit.objects.get(operation=operation).run_minutes == 3


def test_plan_makes_an_item_without_bom_from_nothing():
    plant = Plant()
    plant.make("SERVICE", steps=1)
    assert plant.plan(plant.need("SERVICE", 1)).failures == {}
    assert plant.orders("SERVICE")[0].operations.get().state == OperationState.READY


def test_plan_leaves_nothing_of_a_demand_that_cannot_be_made_and_makes_the_others():
    plant = Plant()
    plant.make("GHOST", steps=0)
    plant.make("SEAT", {"FOAM": 1})
    plant.make("BAD", {"SEAT": 1, "GHOST": 1})
    plant.make("GOOD", {"SEAT": 1})
    plant.stock("SEAT", 3)
    bad, good = plant.need("BAD", 3), plant.need("GOOD", 3, days=5)
    plan = plant.plan(bad, good)
    assert plan.failures == {bad.pk: "GHOST has neither a bill of material nor a routing."}
    assert {order.item.code for order in plant.orders()} == {"GOOD"}
    assert not bad.reservations.exists()
    invariants.check(all_covered=False)


def test_plan_does_not_fail_where_stock_covers_what_cannot_be_made():
    plant = Plant()
    plant.make("GHOST", steps=0)
    plant.make("BIKE", {"GHOST": 1})
    plant.stock("GHOST", 3)
    assert plant.plan(plant.need("BIKE", 3)).failures == {}
    (order,) = plant.orders()
    assert order.operations.get().state == OperationState.READY


def test_plan_repeated_changes_nothing():
    plant = Plant()
    plant.make("BIKE", {"WHEEL": 2})
    need = plant.need("BIKE", 5)
    plant.plan(need)
    events = Event.objects.count()
    assert plant.plan(need).work_order_ids == ()
    assert len(plant.orders()) == 1
    assert Event.objects.count() == events


def test_plan_leaves_a_bought_item_to_purchasing():
    plant = Plant()
    plant.buy("WHEEL")
    plant.stock("WHEEL", 2)
    need = plant.need("WHEEL", 5)
    plan = plant.plan(need)
    assert plan.failures == {}
    assert plant.orders() == []
    assert need.reservations.get().quantity == 2


def test_plan_leaves_an_audit_row_per_work_order_and_one_fact():
    plant = Plant()
    plant.make("FRAME", {"TUBE": 3})
    plant.make("BIKE", {"FRAME": 1})
    plant.plan(plant.need("BIKE", 5))
    assert AuditEntry.objects.filter(action="mes.work_order.plan").count() == 2
    assert Event.objects.filter(topic="mes.work_orders.changed").count() == 1


def test_plan_does_not_count_on_the_surplus_of_work_on_hold():
    plant = Plant()
    plant.make("BOLT", {"STEEL": 1}, lot_policy=LotPolicy.FIXED, lot_size=50)
    plant.plan(plant.need("BOLT", 10))
    WorkOrder.objects.update(state=WorkOrderState.ON_HOLD)
    plant.plan(plant.need("BOLT", 10))
    assert len(plant.orders("BOLT")) == 2


def test_plan_ignores_a_requirement_that_is_closed():
    plant = Plant()
    plant.make("BIKE", {"WHEEL": 2})
    need = RequirementFactory(item=plant.items["BIKE"], site=plant.site, state="cancelled")
    assert plant.plan(need).work_order_ids == ()


def test_plan_for_fixed_lots_does_not_multiply_the_lots_from_level_to_level():
    plant = Plant()
    plant.make("NUT", {"STEEL": 1}, lot_policy=LotPolicy.FIXED, lot_size=10)
    plant.make("BOLT", {"NUT": 1}, lot_policy=LotPolicy.FIXED, lot_size=10)
    plant.make("FRAME", {"BOLT": 1}, lot_policy=LotPolicy.FIXED, lot_size=10)
    made = plant.plan(plant.need("FRAME", 1_000_000))
    assert made.failures == {}
    assert len(made.work_order_ids) <= 200 + 400 + 600
