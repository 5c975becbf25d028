"""Rework and taking reports back: pieces, stock and pegs are conserved."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from common.models import AuditEntry, Event
from erp.models import StockBalance, Supply
from erp.services import stock
from mes.enums import OperationState, WorkOrderState
from mes.models import FloorReason, OperationReport
from mes.services import execution, undoing, work_orders
from tests.factories import UserFactory
from tests.mes import invariants
from tests.mes.factories import NOW, Plant
from tests.shared import shared

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(seconds=4)
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def ada(db):
    return UserFactory(username="ada", roles=["operator"])


@pytest.fixture
def chief(db):
    return UserFactory(username="chief", roles=["supervisor"])


@shared()
def plant():
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


def complete(plant, by):
    make_first(plant, by)
    operation = start(plant, by, 20)
    report(operation, 4, by=by)
    report(operation, 5, 1, by=by)
    return execution.finish(operation=operation, by=by, now=SOON)


def test_the_report_that_completed_the_work_order_is_taken_back_within_seconds(plant, ada):
    operation = complete(plant, ada)
    order = plant.orders("GEAR")[0]
    assert (order.state, order.good, order.output) == (WorkOrderState.COMPLETED, 9, 9)
    row = Supply.objects.filter(reference=order.number)
    assert not row.exists()
    # Six seconds after the end, ten after the report.
    undo(operation, ada, now=SOON + timedelta(seconds=6))
    order.refresh_from_db()
    operation.refresh_from_db()
    assert (order.state, order.completed_at) == (WorkOrderState.IN_PROGRESS, None)
    assert (order.good, order.scrapped, order.output) == (4, 0, 10)
    assert (operation.state, operation.finished_at) == (OperationState.INTERRUPTED, None)
    assert row.get().quantity == 6
    assert plant.needed.reservations.get().quantity == 4
    invariants.check(moves=True)
    topics = Event.objects.filter(topic="mes.report.taken_back").values_list("payload", flat=True)
    assert [payload["work_order_id"] for payload in topics] == [order.pk]
    # Made again, it is completed again.
    execution.resume(operation=operation, by=ada, now=LATER)
    report(operation, 6, by=ada)
    execution.finish(operation=operation, by=ada, now=LATER)
    order.refresh_from_db()
    assert (order.state, order.good) == (WorkOrderState.COMPLETED, 10)
    invariants.check(moves=True)


def test_later_a_supervisor_opens_it_again_until_its_costs_are_closed(plant, ada, chief):
    operation = complete(plant, ada)
    order = plant.orders("GEAR")[0]
    with pytest.raises(undoing.CannotUndo, match="Only a supervisor"):
        undo(operation, ada, now=LATER)
    undo(operation, chief, now=LATER, reason="miscounted")
    assert AuditEntry.objects.filter(action="mes.work_order.reopen").get().reason == "miscounted"
    execution.resume(operation=operation, by=ada, now=LATER)
    report(operation, 6, by=ada)
    again = LATER + timedelta(hours=7)
    execution.finish(operation=operation, by=ada, now=again)
    # The job of the first completion comes too early for the second.
    first = SOON + timedelta(hours=8, seconds=1)
    work_orders.close_if_completed(work_order_id=order.pk, by=None, now=first)
    order.refresh_from_db()
    assert order.state == WorkOrderState.COMPLETED
    work_orders.close_if_completed(
        work_order_id=order.pk, by=None, now=again + timedelta(hours=8, seconds=1)
    )
    order.refresh_from_db()
    assert order.state == WorkOrderState.CLOSED
    with pytest.raises(undoing.CannotUndo, match="costs of WO-.* are closed; correct its stock"):
        undo(operation, chief, now=LATER)


def test_what_was_shipped_keeps_its_work_order_completed(plant, ada, chief):
    operation = complete(plant, ada)
    stock.issue(
        requirement_id=plant.needed.pk, quantity=Decimal(6), reference="SH-1", by=None, now=NOW
    )
    with pytest.raises(undoing.CannotUndo, match="2 pieces of WO-.* are already used or shipped"):
        undo(operation, chief, now=LATER)
    assert plant.orders("GEAR")[0].state == WorkOrderState.COMPLETED
    invariants.check(moves=True)


def test_all_scrap_taken_back_brings_the_operations_after_it_back(ada, chief):
    plant = Plant()
    plant.buy("BAR", issue_method="scan")
    plant.make("GEAR", {"BAR": 1}, steps=2)
    plant.stock("BAR", 30)
    plant.plan(plant.need("GEAR", 10))
    operation = start(plant, ada)
    report(operation, 0, 10, by=ada)
    execution.finish(operation=operation, by=ada, now=NOW)
    order = plant.orders("GEAR")[0]
    need = order.materials.get().requirement
    assert (order.state, step(plant, 20).state) == ("completed", OperationState.CANCELLED)
    assert (need.quantity, need.state) == (0, "cancelled")
    undo(operation, chief, now=LATER)
    order.refresh_from_db()
    need.refresh_from_db()
    assert (order.state, order.output, step(plant, 20).state) == ("in_progress", 10, "waiting")
    assert (need.quantity, need.state) == (10, "open")
    assert need.reservations.get().quantity == 10
    # Its scrap had been planned anew: that is gone.
    assert len(plant.orders("GEAR")) == 1
    invariants.check()


def test_a_supervisor_takes_back_on_the_page_of_the_work_order(plant, ada, client_for):
    operation = complete(plant, ada)
    order = plant.orders("GEAR")[0]
    path = f"/floor/work-orders/{order.number}/"
    client = client_for("supervisor")
    url = f"/floor/reports/{last(operation).pk}/undo/"
    page = client.get(path).content.decode()
    # The last one of each operation.
    assert page.count("/undo/") == 2
    assert url in page
    assert "/undo/" not in client_for("planner").get(path).content.decode()
    assert client_for("planner").post(url).status_code == 403
    assert client.post(url, {"reason": "miscounted"})["Location"] == path
    order.refresh_from_db()
    assert order.state == WorkOrderState.IN_PROGRESS
    assert "Only the last report" in client.post(url, follow=True).content.decode()
    assert client.post("/floor/reports/999999/undo/").status_code == 404


@pytest.mark.parametrize("change", ["update", "delete"])
def test_the_database_refuses_to_alter_a_report(plant, ada, change):
    operation = start(plant, ada)
    report(operation, 4, by=ada)
    rows = OperationReport.objects.filter(operation=operation)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        rows.update(good=5) if change == "update" else rows._raw_delete("default")


def complete_on_hold(plant, by):
    """One operation of ten, held while it ran, reported and finished all the same."""
    plant.make("PIN")
    plant.plan(plant.need("PIN", 10))
    (order,) = plant.orders("PIN")
    operation = order.operations.get()
    execution.start(operation=operation, work_unit_id=plant.units[0].pk, by=by, now=NOW)
    work_orders.hold(order=order, reason="drawing is wrong", by=by, now=NOW)
    report(operation, 10, by=by)
    execution.finish(operation=operation, by=by, now=NOW)
    order.refresh_from_db()
    assert order.state == WorkOrderState.COMPLETED
    return operation, order


def test_an_order_that_was_on_hold_when_completed_is_on_hold_again(plant, ada, chief):
    operation, order = complete_on_hold(plant, ada)
    undo(operation, chief)
    order.refresh_from_db()
    assert (order.state, order.held_from) == (WorkOrderState.ON_HOLD, WorkOrderState.IN_PROGRESS)
    with pytest.raises(execution.CannotResume, match="is on hold"):
        execution.resume(operation=operation, by=ada, now=LATER)
    work_orders.resume(order=order, by=chief, now=LATER)
    assert execution.resume(operation=operation, by=ada, now=LATER).state == OperationState.RUNNING
    invariants.check()


def test_a_hold_that_was_lifted_meanwhile_does_not_come_back(plant, ada, chief):
    operation, order = complete_on_hold(plant, ada)
    served = list(order.pegs.values_list("requirement_id", flat=True))
    assert work_orders.resume_for(requirement_ids=served, by=chief, now=NOW) == []
    undo(operation, chief)
    order.refresh_from_db()
    assert (order.state, order.held_from) == (WorkOrderState.IN_PROGRESS, "")
