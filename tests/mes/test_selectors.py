"""What the rooms above read."""

from datetime import timedelta
from decimal import Decimal

import pytest

from masterdata.enums import LotPolicy
from mes import selectors
from mes.enums import OperationState
from mes.models import WorkOrderOperation, WorkOrderPeg
from mes.services import execution
from tests.mes.factories import NOW, Plant
from tests.shared import shared

pytestmark = pytest.mark.django_db


@shared()
def plant():
    plant = Plant()
    plant.make("FRAME", {"TUBE": 3})
    plant.make("BIKE", {"FRAME": 1, "WHEEL": 2}, steps=2)
    plant.stock("TUBE", 1000)
    return plant


def run(plant, operation, good, *, finish=True):
    acts = {"by": None, "now": NOW}
    started = execution.start(operation=operation, work_unit_id=plant.units[0].pk, **acts)
    if good:
        execution.report(operation=started, good=Decimal(good), **acts)
    if finish:
        execution.finish(operation=started, **acts)
    return started


def test_open_operations_link_work_orders_materials_and_order_lines(plant):
    need = plant.need("BIKE", 5, weight=3)
    plant.plan(need)
    frame, bike, last = (
        next(o for o in selectors.open_operations(site_id=plant.site.pk) if o.id == pk)
        for pk in (
            plant.orders("FRAME")[0].operations.get().pk,
            *plant.orders("BIKE")[0].operations.order_by("sequence").values_list("pk", flat=True),
        )
    )
    assert bike.predecessor_work_order_ids == (frame.work_order_id,)
    assert frame.predecessor_work_order_ids == ()
    assert len(bike.material_requirement_ids) == 2
    for operation in (frame, bike, last):
        assert operation.sales_requirement_ids == (need.pk,)
        assert (operation.sales_due_at, operation.sales_weight) == (need.due_at, 3)
        assert operation.remaining == 5
    assert bike.run_total(bike.run_minutes) == 5


def test_open_operations_count_what_remains_only(plant):
    plant.plan(plant.need("FRAME", 5))
    run(plant, plant.orders("FRAME")[0].operations.get(), 2, finish=False)
    (operation,) = selectors.open_operations(site_id=plant.site.pk)
    assert (operation.remaining, operation.state) == (3, OperationState.RUNNING)
    assert operation.work_unit_id == plant.units[0].pk
    assert operation.material_requirement_ids == ()


def test_requirements_served_go_up_all_levels_through_shared_lots(plant):
    plant.make("BOLT", {"STEEL": 1}, lot_policy=LotPolicy.FIXED, lot_size=500)
    plant.make("RACK", {"BOLT": 4, "FRAME": 1})
    needs = [plant.need("RACK", 2), plant.need("RACK", 3)]
    plant.plan(*needs)
    (bolts,) = plant.orders("BOLT")
    assert selectors.requirements_served(bolts.pk) == sorted(need.pk for need in needs)
    first = selectors.work_orders_serving([needs[0].pk])
    assert {order.item.code for order in first} == {"RACK", "BOLT", "FRAME"}
    assert len(first) == 3


def test_requirements_started_tell_which_demand_has_begun(plant):
    begun, waiting = plant.need("BIKE", 1), plant.need("BIKE", 1)
    plant.plan(begun)
    plant.plan(waiting)
    ids = [begun.pk, waiting.pk]
    assert selectors.requirements_started(ids) == frozenset()
    run(plant, plant.orders("FRAME")[0].operations.get(), 0, finish=False)
    assert selectors.requirements_started(ids) == {begun.pk}
    assert selectors.requirements_started([]) == frozenset()


def test_progress_counts_operations_over_all_levels(plant):
    need, other = plant.need("BIKE", 4), plant.need("BIKE", 4)
    plant.plan(need)
    run(plant, plant.orders("FRAME")[0].operations.get(), 2, finish=False)
    found = selectors.progress([need.pk, other.pk])
    assert found[need.pk].percent == 16  # half of one of three operations
    assert found[need.pk].operation_name == "Step 10"
    assert found[need.pk].item_code == "FRAME"
    assert found[other.pk].percent == 0


def test_progress_is_whole_where_stock_covers(plant):
    plant.stock("BIKE", 4)
    need = plant.need("BIKE", 4)
    plant.plan(need)
    assert selectors.progress([need.pk])[need.pk].percent == 100


def test_free_output_leaves_out_what_is_pegged(plant):
    item = plant.make("BOLT", {"STEEL": 1}, lot_policy=LotPolicy.FIXED, lot_size=50)
    plant.plan(plant.need("BOLT", 20))
    (output,) = selectors.free_output(site_id=plant.site.pk, item_ids=[item.pk])
    assert (output.quantity, output.number) == (30, plant.orders("BOLT")[0].number)
    assert output.planned_ends_at is None
    WorkOrderPeg.objects.all().delete()
    assert selectors.free_output(site_id=plant.site.pk, item_ids=[item.pk])[0].quantity == 50


def test_dispatch_list_shows_what_runs_then_what_is_planned_on_the_unit(plant):
    plant.plan(*[plant.need("FRAME", number) for number in (1, 2, 3)])
    first, second, third = WorkOrderOperation.objects.order_by("pk")
    for operation, hours, unit in ((second, 2, 0), (first, 5, 0), (third, 1, 1)):
        operation.planned_work_unit = plant.units[unit]
        operation.planned_starts_at = NOW + timedelta(hours=hours)
        operation.planned_ends_at = NOW + timedelta(hours=hours + 1)
        operation.save()
    run(plant, first, 0, finish=False)
    rows = selectors.dispatch_list(work_unit_id=plant.units[0].pk)
    assert [row.operation for row in rows] == [first, second]
    assert [row.is_startable for row in rows] == [False, True]
    assert rows[1].open_quantity == 2
    assert len(selectors.dispatch_list(work_center_id=plant.center.pk)) == 3


def test_dispatch_list_shows_each_unplanned_operation_once(plant):
    plant.plan(plant.need("FRAME", 1))
    for unit in plant.units:
        assert len(selectors.dispatch_list(work_unit_id=unit.pk)) == 1


def test_uncovered_requirements_show_a_need_that_nobody_makes(plant):
    plant.plan(plant.need("BIKE", 5))
    assert not selectors.uncovered_requirements(site_id=plant.site.pk).exists()
    WorkOrderPeg.objects.filter(work_order__item__code="FRAME").update(quantity=2)
    (line,) = selectors.uncovered_requirements(site_id=plant.site.pk)
    assert (line.item.code, line.missing) == ("FRAME", 3)


def test_operations_to_make_bring_components_first(plant):
    need = plant.need("BIKE", 5)
    plant.plan(need)
    found = [
        (operation.work_order.item.code, operation.sequence)
        for operation in selectors.operations_to_make([need.pk])
    ]
    assert found == [("FRAME", 10), ("BIKE", 10), ("BIKE", 20)]


def test_free_unit_prefers_the_planned_and_leaves_out_the_busy(plant):
    plant.plan(plant.need("FRAME", 1), plant.need("FRAME", 2))
    first, second = WorkOrderOperation.objects.order_by("pk")
    second.planned_work_unit = plant.units[1]
    assert selectors.free_unit(second) == plant.units[1].pk
    execution.start(operation=first, work_unit_id=plant.units[1].pk, by=None, now=NOW)
    assert selectors.free_unit(second) == plant.units[0].pk


def test_work_order_detail_reads_all_that_hangs_on_it(plant, django_assert_max_num_queries):
    plant.plan(plant.need("BIKE", 5))
    with django_assert_max_num_queries(8):
        order = selectors.work_order_detail(plant.orders("BIKE")[0].number)
        assert [m.requirement.quantity for m in order.materials.all()] == [5, 10]
        assert [o.sequence for o in order.operations.all()] == [10, 20]
        assert order.pegs.all()[0].requirement.reference
