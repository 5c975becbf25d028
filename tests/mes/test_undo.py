"""Rework and taking reports back: pieces, stock and pegs are conserved."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from erp.models import StockBalance
from erp.services import stock
from mes.enums import OperationState, WorkOrderState
from mes.models import FloorReason, OperationReport
from mes.services import execution, undoing
from tests.factories import UserFactory
from tests.mes import invariants
from tests.mes.factories import NOW, Plant

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(seconds=4)
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def ada(db):
    return UserFactory(username="ada", roles=["operator"])


@pytest.fixture
def chief(db):
    return UserFactory(username="chief", roles=["supervisor"])


@pytest.fixture
def plant(db):
    plant = Plant()
    plant.make("GEAR", steps=2)
    plant.needed = plant.need("GEAR", 10)
    plant.plan(plant.needed)
    return plant


def step(plant, sequence=10, order=0):
    return plant.orders("GEAR")[order].operations.get(sequence=sequence)


def start(plant, by, sequence=10, unit=0):
    return execution.start(
        operation=step(plant, sequence), work_unit_id=plant.units[unit].pk, by=by, now=NOW
    )


def report(operation, good=0, scrap=0, by=None, **kwargs):
    return execution.report(
        operation=operation, good=Decimal(good), scrap=Decimal(scrap), by=by, now=NOW, **kwargs
    )


def last(operation):
    rows = OperationReport.objects.filter(operation=operation, reverses=None, reversed_by=None)
    return rows.latest("pk")


def undo(operation, by, now=SOON, **kwargs):
    return undoing.undo(report=last(operation), by=by, now=now, **kwargs)


def figures(operation):
    operation.refresh_from_db()
    return operation.good, operation.scrap, operation.rework


def test_pieces_set_aside_are_accounted_for_before_the_operation_is_done(plant, ada):
    burr = FloorReason.objects.create(kind="rework", code="edge", name="Burr")
    operation = start(plant, ada)
    report(operation, 6, 1, by=ada, rework=Decimal(3), reason_code=burr)
    aside = last(operation)
    assert aside.reason_code == burr
    assert figures(operation) == (6, 1, 3)
    with pytest.raises(execution.CannotReport, match="has reported 10; 1 more are too many"):
        report(operation, 1, by=ada)
    with pytest.raises(execution.CannotFinish, match="3 wait for rework"):
        execution.finish(operation=operation, by=ada, now=NOW)
    with pytest.raises(execution.CannotReport, match="4 cannot come back: 3 are set aside"):
        report(operation, 4, by=ada, from_rework=True)
    with pytest.raises(execution.CannotReport, match="are good or scrap"):
        report(operation, 1, by=ada, from_rework=True, rework=Decimal(1))
    report(operation, 2, by=ada, from_rework=True)
    assert last(operation).reworks == aside
    assert figures(operation) == (8, 1, 1)
    execution.finish(operation=operation, by=ada, now=NOW, short_close=True, reason="lost")
    assert figures(operation) == (8, 2, 0)
    invariants.check()


def test_an_operator_takes_the_own_last_report_back_within_seconds(plant, ada, chief):
    operation = start(plant, ada)
    report(operation, 4, by=ada)
    report(operation, 2, 1, by=ada)
    lost = last(operation)
    row = undo(operation, ada)
    assert (row.reverses, row.good, row.scrap) == (lost, -2, -1)
    assert figures(operation) == (4, 0, 0)
    order = plant.orders("GEAR")[0]
    assert (order.scrapped, order.output) == (0, 10)
    with pytest.raises(undoing.CannotUndo, match="Only the last report"):
        undoing.undo(report=lost, by=ada, now=SOON)
    first = OperationReport.objects.filter(operation=operation).earliest("pk")
    with pytest.raises(undoing.CannotUndo, match="Only a supervisor"):
        undoing.undo(report=first, by=ada, now=LATER)
    with pytest.raises(undoing.CannotUndo, match="Only a supervisor"):
        undoing.undo(report=first, by=UserFactory(roles=["operator"]), now=SOON)
    undoing.undo(report=first, by=chief, now=LATER, reason="wrong order")
    assert figures(operation) == (0, 0, 0)
    invariants.check()


def test_scrap_taken_back_cancels_what_was_planned_anew(plant, ada):
    operation = start(plant, ada)
    report(operation, 5, 3, by=ada)
    assert [(o.quantity, o.output) for o in plant.orders("GEAR")] == [(10, 7), (3, 3)]
    undo(operation, ada)
    (order,) = plant.orders("GEAR")
    assert (order.output, order.pegs.get().quantity) == (10, 10)
    plant.needed.refresh_from_db()
    assert plant.needed.quantity == 10
    invariants.check()


def test_scrap_taken_back_frees_what_was_begun_meanwhile(plant, ada):
    operation = start(plant, ada)
    report(operation, 5, 3, by=ada)
    second = plant.orders("GEAR")[1].operations.get(sequence=10)
    execution.start(operation=second, work_unit_id=plant.units[1].pk, by=ada, now=NOW)
    undo(operation, ada)
    assert sum(peg.quantity for o in plant.orders("GEAR") for peg in o.pegs.all()) == 10
    invariants.check()


def make_first(plant, by):
    operation = start(plant, by)
    report(operation, 10, by=by)
    return execution.finish(operation=operation, by=by, now=NOW)


def test_a_finished_operation_opens_again_unless_the_next_has_begun(plant, ada, chief):
    operation = make_first(plant, ada)
    assert step(plant, 20).state == OperationState.READY
    undo(operation, chief)
    operation.refresh_from_db()
    assert (operation.state, operation.finished_at) == (OperationState.INTERRUPTED, None)
    assert step(plant, 20).state == OperationState.WAITING
    execution.resume(operation=operation, by=ada, now=NOW)
    report(operation, 10, by=ada)
    execution.finish(operation=operation, by=ada, now=NOW)
    start(plant, ada, 20)
    with pytest.raises(undoing.CannotUndo, match="Operation 20 of WO-.* has begun"):
        undo(operation, chief)


def test_pieces_in_stock_are_taken_back_from_whom_they_were_kept_for(plant, ada, chief):
    make_first(plant, ada)
    operation = start(plant, ada, 20)
    report(operation, 3, by=ada)
    report(operation, 4, by=ada)
    assert plant.needed.reservations.get().quantity == 7
    undo(operation, ada)
    order = plant.orders("GEAR")[0]
    assert (order.good, order.pegs.get().delivered) == (3, 3)
    assert plant.needed.reservations.get().quantity == 3
    assert StockBalance.objects.get(item=plant.items["GEAR"]).on_hand == 3
    invariants.check(moves=True)
    stock.issue(
        requirement_id=plant.needed.pk, quantity=Decimal(2), reference="SH-1", by=None, now=NOW
    )
    with pytest.raises(undoing.CannotUndo, match="2 pieces of WO-.* are already used or shipped"):
        undo(operation, chief)
    assert figures(operation) == (3, 0, 0)
    invariants.check(moves=True)


def test_surplus_in_stock_is_taken_first_and_refused_where_others_have_it(plant, ada):
    make_first(plant, ada)
    plant.unplan({plant.needed: 6})
    operation = start(plant, ada, 20)
    report(operation, 10, by=ada)
    assert plant.needed.reservations.get().quantity == 6
    plant.plan(plant.need("GEAR", 1))
    with pytest.raises(undoing.CannotUndo, match="kept for others already"):
        undo(operation, ada)
    invariants.check(moves=True)


def test_what_completed_its_work_order_stays(plant, ada, chief):
    make_first(plant, ada)
    operation = start(plant, ada, 20)
    report(operation, 10, by=ada)
    execution.finish(operation=operation, by=ada, now=NOW)
    assert plant.orders("GEAR")[0].state == WorkOrderState.COMPLETED
    with pytest.raises(undoing.CannotUndo, match="is Completed"):
        undo(operation, chief)


@pytest.mark.parametrize("change", ["update", "delete"])
def test_the_database_refuses_to_alter_a_report(plant, ada, change):
    operation = start(plant, ada)
    report(operation, 4, by=ada)
    rows = OperationReport.objects.filter(operation=operation)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        rows.update(good=5) if change == "update" else rows._raw_delete("default")
