"""At the machine: the whole path, and each refusal with nothing changed."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from common.models import Event
from erp.enums import MoveKind
from erp.models import StockBalance, StockMove
from erp.services import stock
from masterdata.enums import LotPolicy
from mes import selectors
from mes.enums import OperationState, WorkOrderState
from mes.models import OperationReport, WorkOrder, WorkOrderOperation
from mes.services import execution, readiness, work_orders
from tests.masterdata.factories import SupplierFactory, WorkUnitFactory
from tests.mes import invariants
from tests.mes.factories import NOW, Plant, WorkOrderOperationFactory

pytestmark = pytest.mark.django_db


def bikes(*, steps=2, quantity=5, tubes=15, wheels=10):
    plant = Plant()
    plant.make("FRAME", {"TUBE": 3})
    plant.make("BIKE", {"FRAME": 1, "WHEEL": 2}, steps=steps)
    for code, number in (("TUBE", tubes), ("WHEEL", wheels)):
        if number:
            receive(plant, code, number)
    plant.bikes = plant.need("BIKE", quantity)
    plant.plan(plant.bikes)
    return plant


def receive(plant, code, quantity):
    stock.receive(
        item_id=plant.items[code].pk,
        site_id=plant.site.pk,
        quantity=Decimal(quantity),
        kind=MoveKind.RECEIPT,
        reference="PO-1",
        by=None,
        now=NOW,
    )


def step(plant, code, sequence=10):
    order = plant.orders(code)[0]
    return order.operations.get(sequence=sequence)


def start(plant, code, sequence=10, unit=0):
    return execution.start(
        operation=step(plant, code, sequence),
        work_unit_id=plant.units[unit].pk,
        by=None,
        now=NOW,
    )


def report(operation, good, scrap=0, **kwargs):
    return execution.report(
        operation=operation, good=Decimal(good), scrap=Decimal(scrap), by=None, now=NOW, **kwargs
    )


def finish(operation, **kwargs):
    return execution.finish(operation=operation, by=None, now=NOW, **kwargs)


def make(plant, code, quantity, sequence=10):
    operation = start(plant, code, sequence)
    report(operation, quantity)
    return finish(operation)


def test_the_whole_path_ends_with_reserved_stock_for_the_order_line():
    plant = bikes()
    make(plant, "FRAME", 5)
    assert step(plant, "BIKE").state == OperationState.READY
    make(plant, "BIKE", 5)
    assert step(plant, "BIKE", 20).state == OperationState.READY
    make(plant, "BIKE", 5, sequence=20)
    (order,) = plant.orders("BIKE")
    assert (order.state, order.good, order.completed_at) == (WorkOrderState.COMPLETED, 5, NOW)
    assert plant.bikes.reservations.get().quantity == 5
    assert StockBalance.objects.get(item=plant.items["WHEEL"]).on_hand == 0
    assert Event.objects.filter(topic="mes.work_order.completed").count() == 2
    invariants.check(moves=True)


def test_start_issues_the_components():
    plant = bikes()
    start(plant, "FRAME")
    move = StockMove.objects.get(kind=MoveKind.ISSUE)
    assert (move.item, move.quantity) == (plant.items["TUBE"], -15)
    (frame,) = plant.orders("FRAME")
    assert (frame.state, frame.started_at) == (WorkOrderState.IN_PROGRESS, NOW)
    requirement = frame.materials.get().requirement
    assert (requirement.issued, requirement.state) == (15, "fulfilled")
    invariants.check(moves=True)


def test_start_releases_a_work_order_that_still_gathered():
    plant = Plant()
    plant.make("WHEEL", lot_policy=LotPolicy.PERIOD, lot_period_days=7)
    plant.plan(plant.need("WHEEL", 5))
    start(plant, "WHEEL")
    assert plant.orders()[0].state == WorkOrderState.IN_PROGRESS


def test_start_refuses_missing_material_and_says_how_much():
    plant = bikes(tubes=13)
    with pytest.raises(execution.CannotStart, match="TUBE: 2 EA short"):
        start(plant, "FRAME")
    assert step(plant, "FRAME").state == OperationState.WAITING
    assert not StockMove.objects.filter(kind=MoveKind.ISSUE).exists()


def test_start_refuses_out_of_sequence_and_says_how_far_the_one_before_is():
    plant = bikes()
    make(plant, "FRAME", 5)
    report(start(plant, "BIKE"), 3)
    with pytest.raises(execution.CannotStart, match="10 is at 3 of 5"):
        start(plant, "BIKE", 20, unit=1)
    assert step(plant, "BIKE", 20).state == OperationState.WAITING


def test_start_refuses_a_busy_work_unit():
    plant = bikes()
    plant.make("OTHER")
    plant.plan(plant.need("OTHER", 1))
    start(plant, "OTHER")
    with pytest.raises(execution.CannotStart, match="is busy with operation 10 of WO-"):
        start(plant, "FRAME")
    assert start(plant, "FRAME", unit=1).state == OperationState.RUNNING


def test_start_turns_the_refusal_of_the_database_into_the_same_sentence(monkeypatch):
    plant = bikes()
    plant.make("OTHER")
    plant.plan(plant.need("OTHER", 1))
    start(plant, "OTHER")
    monkeypatch.setattr("mes.policies.check_unit", lambda *args, **kwargs: None)
    with pytest.raises(execution.CannotStart, match="is busy with operation 10 of WO-"):
        start(plant, "FRAME")


def test_start_refuses_a_work_unit_that_cannot_do_it():
    plant = bikes()
    stranger = WorkUnitFactory()
    with pytest.raises(execution.CannotStart, match=f"{stranger.code} cannot do operation 10"):
        execution.start(operation=step(plant, "FRAME"), work_unit_id=stranger.pk, by=None, now=NOW)


def test_start_refuses_a_work_order_on_hold():
    plant = bikes()
    (frame,) = plant.orders("FRAME")
    work_orders.hold(order=frame, reason="drawing is wrong", by=None, now=NOW)
    with pytest.raises(execution.CannotStart, match="is on hold"):
        start(plant, "FRAME")
    work_orders.resume(order=frame, by=None, now=NOW)
    assert start(plant, "FRAME").state == OperationState.RUNNING


def test_what_runs_when_its_work_order_is_held_may_be_reported_and_finished():
    plant = bikes()
    operation = start(plant, "FRAME")
    (frame,) = plant.orders("FRAME")
    work_orders.hold(order=frame, reason="drawing is wrong", by=None, now=NOW)
    report(operation, 4, 1)
    finish(operation)
    frame.refresh_from_db()
    assert (frame.state, frame.held_from, frame.good) == (
        WorkOrderState.COMPLETED,
        "in_progress",
        4,
    )
    invariants.check()


def test_nothing_new_starts_in_a_held_work_order():
    plant = bikes(steps=2)
    make(plant, "FRAME", 5)
    operation = start(plant, "BIKE")
    (bike,) = plant.orders("BIKE")
    work_orders.hold(order=bike, reason="credit", by=None, now=NOW)
    report(operation, 5)
    finish(operation)
    assert step(plant, "BIKE", 20).state == OperationState.WAITING
    with pytest.raises(execution.CannotStart, match="is on hold"):
        start(plant, "BIKE", 20)
    work_orders.resume(order=bike, by=None, now=NOW)
    assert start(plant, "BIKE", 20).state == OperationState.RUNNING


def test_what_was_interrupted_does_not_go_on_in_a_held_work_order():
    plant = bikes()
    operation = start(plant, "FRAME")
    execution.interrupt(operation=operation, by=None, now=NOW)
    (frame,) = plant.orders("FRAME")
    work_orders.hold(order=frame, reason="credit", by=None, now=NOW)
    with pytest.raises(execution.CannotResume, match="is on hold"):
        execution.resume(operation=operation, by=None, now=NOW)


def test_start_refuses_a_second_time():
    plant = bikes()
    start(plant, "FRAME")
    with pytest.raises(execution.CannotStart, match="already"):
        start(plant, "FRAME")
    assert StockMove.objects.filter(kind=MoveKind.ISSUE).count() == 1


@pytest.mark.parametrize(
    ("good", "scrap", "sentence"),
    [
        (0, 0, "at least one"),
        (-1, 0, "below zero"),
        (1, -1, "below zero"),
        ("0.5", 0, "whole pieces"),
        (6, 0, "got 5 and has reported 0; 6 more are too many"),
        (4, 2, "too many"),
    ],
)
def test_report_refuses_what_cannot_be(good, scrap, sentence):
    plant = bikes()
    operation = start(plant, "FRAME")
    with pytest.raises(execution.CannotReport, match=sentence):
        report(operation, good, scrap)
    assert not OperationReport.objects.exists()
    invariants.check()


def test_report_refuses_more_than_came_out_of_the_operation_before():
    plant = bikes()
    make(plant, "FRAME", 5)
    operation = start(plant, "BIKE")
    report(operation, 4, 1)
    finish(operation)
    operation = start(plant, "BIKE", 20)
    with pytest.raises(execution.CannotReport, match="got 4"):
        report(operation, 5)


def test_report_refuses_before_the_start():
    plant = bikes()
    with pytest.raises(execution.CannotReport, match="not running"):
        report(step(plant, "FRAME"), 1)


def test_report_hands_out_piece_by_piece():
    plant = bikes()
    operation = start(plant, "FRAME")
    report(operation, 2)
    requirement = plant.orders("BIKE")[0].materials.get(item__code="FRAME").requirement
    assert requirement.reservations.get().quantity == 2
    report(operation, 3)
    assert requirement.reservations.get().quantity == 5
    invariants.check(moves=True)


def test_scrap_beyond_the_allowance_is_planned_anew():
    plant = bikes(tubes=30)
    operation = start(plant, "FRAME")
    report(operation, 3, 2, reason="crack")
    frames = plant.orders("FRAME")
    assert [(o.quantity, o.output) for o in frames] == [(5, 3), (2, 2)]
    assert frames[1].pegs.get().quantity == 2
    invariants.check(moves=True)


def test_scrap_within_the_allowance_takes_nothing_from_anybody():
    plant = Plant()
    plant.make("GEAR", scrap_rate=Decimal("0.1"))
    need = plant.need("GEAR", 100)
    plant.plan(need)
    operation = start(plant, "GEAR")
    report(operation, 101, 11)
    finish(operation)
    (order,) = plant.orders()
    assert need.reservations.get().quantity == 100
    assert StockBalance.objects.get().on_hand == 101
    assert order.state == WorkOrderState.COMPLETED
    invariants.check()


def test_scrap_takes_from_the_latest_due():
    plant = Plant()
    plant.make("WHEEL", lot_policy=LotPolicy.PERIOD, lot_period_days=60)
    late, soon = plant.need("WHEEL", 5, days=1), plant.need("WHEEL", 5)
    plant.plan(late, soon)
    report(start(plant, "WHEEL"), 6, 4)
    first, second = plant.orders("WHEEL")
    assert soon.reservations.get().quantity == 5
    assert late.reservations.get().quantity == 1
    assert (second.pegs.get().requirement, second.quantity) == (late, 4)
    assert first.pegs.get(requirement=late).quantity == 1
    invariants.check()


def test_everything_scrapped_completes_the_work_order_and_cancels_the_rest():
    plant = bikes()
    make(plant, "FRAME", 5)
    operation = start(plant, "BIKE")
    report(operation, 0, 5)
    finish(operation)
    order = WorkOrder.objects.get(pk=operation.work_order_id)
    assert (order.state, order.good, order.scrapped) == (WorkOrderState.COMPLETED, 0, 5)
    assert order.operations.get(sequence=20).state == OperationState.CANCELLED
    invariants.check()


def test_finish_refuses_pieces_that_nobody_accounted_for():
    plant = bikes()
    operation = start(plant, "FRAME")
    report(operation, 1)
    with pytest.raises(execution.CannotFinish, match="4 of 5 are not accounted for"):
        finish(operation)
    with pytest.raises(execution.CannotFinish, match="Say why"):
        finish(operation, short_close=True)
    assert step(plant, "FRAME").state == OperationState.RUNNING


def test_finish_closes_short_with_a_reason_and_plans_the_missing_anew():
    plant = bikes()
    operation = start(plant, "FRAME")
    report(operation, 1)
    finish(operation, short_close=True, reason="tool broke")
    first, second = plant.orders("FRAME")
    assert (first.good, first.scrapped, first.state) == (1, 4, WorkOrderState.COMPLETED)
    assert second.quantity == 4
    assert OperationReport.objects.get(reason="tool broke").scrap == 4
    invariants.check()


def test_finish_refuses_a_second_time():
    plant = bikes()
    operation = make(plant, "FRAME", 5)
    with pytest.raises(execution.CannotFinish):
        finish(operation)


def test_interrupt_frees_the_work_unit_and_resume_takes_another():
    plant = bikes()
    plant.make("OTHER")
    plant.plan(plant.need("OTHER", 1))
    operation = start(plant, "FRAME")
    execution.interrupt(operation=operation, reason="night", by=None, now=NOW)
    start(plant, "OTHER")
    with pytest.raises(execution.CannotResume, match="busy"):
        execution.resume(operation=operation, by=None, now=NOW)
    resumed = execution.resume(
        operation=operation, work_unit_id=plant.units[1].pk, by=None, now=NOW
    )
    assert (resumed.state, resumed.work_unit_id) == (OperationState.RUNNING, plant.units[1].pk)
    with pytest.raises(execution.CannotResume, match="not interrupted"):
        execution.resume(operation=operation, by=None, now=NOW)


def test_interrupt_refuses_what_does_not_run():
    plant = bikes()
    with pytest.raises(execution.CannotInterrupt):
        execution.interrupt(operation=step(plant, "FRAME"), by=None, now=NOW)


def test_a_subcontracted_operation_needs_no_work_unit():
    plant = bikes()
    plain = step(plant, "FRAME")
    with pytest.raises(execution.CannotStart, match="Choose the work unit"):
        execution.start(operation=plain, work_unit_id=None, by=None, now=NOW)

    WorkOrderOperation.objects.filter(pk=plain.pk).update(subcontractor=SupplierFactory())
    plain.refresh_from_db()
    started = execution.start(operation=plain, work_unit_id=None, by=None, now=NOW)
    assert started.state == OperationState.RUNNING


def test_one_operation_runs_on_a_work_unit_in_the_database():
    plant = bikes()
    running = {"state": OperationState.RUNNING, "work_unit": plant.units[0]}
    WorkOrderOperationFactory(**running)
    with (
        pytest.raises(IntegrityError, match="one_running_per_unit"),
        transaction.atomic(),
    ):
        WorkOrderOperationFactory(**running)


def test_readiness_falls_back_when_material_goes_elsewhere():
    plant = bikes()
    assert step(plant, "FRAME").state == OperationState.READY
    held = plant.orders("FRAME")[0].materials.get().requirement.reservations.get()
    StockBalance.objects.filter(pk=held.balance_id).update(reserved=0)
    held.delete()
    assert readiness.refresh(site_id=plant.site.pk, now=NOW) == 1
    assert step(plant, "FRAME").state == OperationState.WAITING
    assert readiness.refresh(site_id=plant.site.pk, now=NOW + timedelta(hours=1)) == 0


def test_what_may_be_taken_below_zero_is_waited_for_by_nobody():
    plant = Plant()
    plant.buy("SCREW", may_be_negative=True)
    plant.make("BOX", {"SCREW": 4})
    plant.plan(plant.need("BOX", 5))
    operation = plant.orders("BOX")[0].operations.get()
    readiness.refresh(site_id=plant.site.pk, now=NOW)
    operation.refresh_from_db()
    assert operation.state == OperationState.READY
    (row,) = selectors.open_operations(site_id=plant.site.pk)
    assert row.material_requirement_ids == ()
    execution.start(operation=operation, work_unit_id=plant.units[0].pk, by=None, now=NOW)
    assert StockBalance.objects.get(item=plant.items["SCREW"]).on_hand == -20


def test_readiness_follows_a_receipt():
    plant = bikes(tubes=0)
    assert step(plant, "FRAME").state == OperationState.WAITING
    receive(plant, "TUBE", 15)
    readiness.refresh(site_id=plant.site.pk, now=NOW)
    assert step(plant, "FRAME").state == OperationState.READY
