"""Work orders as a whole: release, hold, resume, cancel, and the plan written down."""

from datetime import timedelta

import pytest

from masterdata.enums import LotPolicy
from mes.enums import OperationState, WorkOrderState
from mes.services import plans, work_orders
from mes.services.plans import PlannedOperation
from tests.mes import invariants
from tests.mes.factories import NOW, Plant
from tests.shared import shared

pytestmark = pytest.mark.django_db


@shared()
def plant():
    plant = Plant()
    plant.make("FRAME", {"TUBE": 3})
    plant.make("BIKE", {"FRAME": 1})
    return plant


def test_release_closes_a_gathering_work_order(plant):
    plant.make("WHEEL", lot_policy=LotPolicy.PERIOD, lot_period_days=7)
    plant.plan(plant.need("WHEEL", 1))
    (order,) = plant.orders()
    assert work_orders.release(order=order, by=None, now=NOW).state == WorkOrderState.RELEASED
    with pytest.raises(work_orders.CannotRelease):
        work_orders.release(order=order, by=None, now=NOW)


def test_hold_needs_a_reason_and_resume_goes_back(plant):
    plant.plan(plant.need("BIKE", 1))
    order = plant.orders("BIKE")[0]
    with pytest.raises(work_orders.CannotHold, match="Say why"):
        work_orders.hold(order=order, reason=" ", by=None, now=NOW)
    held = work_orders.hold(order=order, reason="no drawing", by=None, now=NOW)
    assert held.state == WorkOrderState.ON_HOLD
    assert work_orders.resume(order=order, by=None, now=NOW).state == WorkOrderState.RELEASED
    with pytest.raises(work_orders.CannotResume):
        work_orders.resume(order=order, by=None, now=NOW)


def test_hold_for_holds_the_tree_and_leaves_what_others_need(plant):
    plant.make("BOLT", {"STEEL": 1}, lot_policy=LotPolicy.FIXED, lot_size=100)
    plant.make("RACK", {"BOLT": 4, "FRAME": 1})
    mine, other = plant.need("RACK", 2), plant.need("RACK", 3)
    plant.plan(mine, other)
    held = work_orders.hold_for(requirement_ids=[mine.pk], reason="credit", by=None, now=NOW)
    assert len(held) == 2  # its rack and its frame, not the bolts of both
    assert plant.orders("BOLT")[0].state == WorkOrderState.RELEASED
    assert sorted(work_orders.resume_for(requirement_ids=[mine.pk], by=None, now=NOW)) == sorted(
        held
    )
    assert {order.state for order in plant.orders()} == {WorkOrderState.RELEASED}


def test_cancel_refuses_what_somebody_counts_on(plant):
    need = plant.need("BIKE", 1)
    plant.plan(need)
    with pytest.raises(work_orders.CannotCancel, match=need.reference):
        work_orders.cancel(order=plant.orders("BIKE")[0], reason="x", by=None, now=NOW)


def test_cancel_takes_back_what_was_made_for_it(plant):
    plant.plan(plant.need("BIKE", 1))
    order = plant.orders("BIKE")[0]
    order.pegs.all().delete()
    work_orders.cancel(order=order, reason="mistake", by=None, now=NOW)
    assert plant.orders() == []


def test_write_plans_only_what_has_not_started(plant):
    plant.plan(plant.need("BIKE", 1))
    frame, bike = (plant.orders(code)[0].operations.get() for code in ("FRAME", "BIKE"))
    bike.state = OperationState.DONE
    bike.save()
    ends_at = NOW + timedelta(hours=2)
    rows = [PlannedOperation(o.pk, plant.units[0].pk, NOW, ends_at) for o in (bike, frame)]
    assert plans.write(rows) == 1
    frame.refresh_from_db()
    bike.refresh_from_db()
    assert (frame.planned_work_unit, frame.planned_starts_at) == (plant.units[0], NOW)
    assert bike.planned_starts_at is None


def test_write_takes_operations_without_a_work_unit(plant):
    plant.plan(plant.need("BIKE", 1))
    operation = plant.orders("FRAME")[0].operations.get()
    assert plans.write([PlannedOperation(operation.pk, None, NOW, NOW)]) == 1
    assert plans.write([]) == 0
    invariants.check()
