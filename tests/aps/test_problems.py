"""The open operations of a site as the solver sees them: one test per rule."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aps.services import problems
from aps.services.plant import SUBCONTRACT
from aps.services.problems import BlockKind
from aps.solver import Mode
from mes.enums import OperationState, WorkOrderState
from mes.models import OperationUnit, WorkOrder
from tests.aps.factories import DAY, HOUR, MONDAY, Factory, minute
from tests.masterdata.factories import SupplierFactory, WorkUnitFactory
from tests.mes.factories import WorkOrderFactory, WorkOrderOperationFactory, WorkOrderPegFactory

pytestmark = pytest.mark.django_db

NOW = minute(MONDAY)


def build(plant, now=MONDAY, days=120):
    return problems.build(site_id=plant.site.pk, now=now, days=days)


def only(plant, **kwargs):
    (operation,) = build(plant, **kwargs).problem.operations
    return operation


def test_minutes_are_rounded_up_to_whole_ones():
    plant = Factory()
    part = plant.steps(plant.make("PART", steps=0), Decimal("0.3"), setup=Decimal("2.5"))
    plant.order(part, 7)
    # 2.5 + 7 × 0.3 = 4.6
    assert only(plant).modes == (Mode(plant.units[0].pk, 5),)


def test_every_active_unit_of_the_center_is_a_mode():
    plant = Factory(units=3)
    plant.units[2].is_active = False
    plant.units[2].save()
    plant.order(plant.part(), 5)
    assert {mode.resource for mode in only(plant).modes} == {unit.pk for unit in plant.units[:2]}


def test_named_units_have_their_own_minutes():
    plant = Factory(units=2)
    plant.order(plant.part(minutes=1), 10)
    operation = plant.operations().get()
    OperationUnit.objects.create(
        operation=operation, work_unit=plant.units[1], setup_minutes=3, run_minutes=2
    )
    assert only(plant).modes == (Mode(plant.units[1].pk, 23),)


def test_operations_follow_each_other_and_parents_their_children():
    plant = Factory()
    plant.steps(plant.make("CHILD", steps=0), 1, 1)
    parent = plant.steps(plant.make("PARENT", {"CHILD": 1}, steps=0), 1, 1)
    plant.order(parent, 5)
    built = build(plant)
    by_order = {}
    for row in plant.operations().order_by("work_order", "sequence"):
        by_order.setdefault(row.work_order.item.code, []).append(row.pk)
    before = {operation.id: operation.predecessors for operation in built.problem.operations}
    one, two = by_order["PARENT"]
    three, four = by_order["CHILD"]
    assert before == {three: (), four: (three,), one: (four,), two: (one,)}


def test_material_dates_are_releases_and_say_what_they_wait_for():
    plant = Factory()
    part = plant.part(components={"RAW": 1})
    plant.items["RAW"].lead_time_days = 5
    plant.items["RAW"].save()
    plant.order(part, 5)
    built = build(plant)
    (operation,) = built.problem.operations
    assert operation.release == minute(MONDAY + 5 * DAY)
    assert built.waits[operation.id].at == MONDAY + 5 * DAY
    plant.stock("RAW", 5)
    from erp.services import reservations

    reservations.give_free(site_id=plant.site.pk, item_ids=[plant.items["RAW"].pk])
    assert only(plant).release == NOW


def test_due_and_weight_are_those_of_the_order_lines_at_first_hand():
    plant = Factory()
    plant.steps(plant.make("CHILD", steps=0), 1)
    parent = plant.part("PARENT", components={"CHILD": 1})
    need = plant.order(parent, 5, due_at=MONDAY + 2 * DAY, weight=3)
    later = plant.need("PARENT", 1, due_at=MONDAY + 3 * DAY, weight=4)
    order = plant.orders("PARENT")[0]
    WorkOrderPegFactory(work_order=order, requirement=later, quantity=1)
    jobs = {job.name: job for job in build(plant).problem.jobs}
    job = jobs[order.number]
    assert (job.due, job.weight) == (minute(need.due_at), 7)
    child = jobs[plant.orders("CHILD")[0].number]
    assert child.weight == 0


def test_work_for_nobody_weighs_nothing():
    plant = Factory()
    order = WorkOrderFactory(site=plant.site, due_at=MONDAY + DAY)
    WorkOrderOperationFactory(work_order=order, work_center=plant.center)
    (job,) = build(plant).problem.jobs
    assert (job.due, job.weight) == (minute(MONDAY + DAY), 0)


def test_outside_work_takes_calendar_days_on_no_machine():
    plant = Factory()
    part = plant.steps(
        plant.make("PART", steps=0), 0, subcontractor=SupplierFactory(), subcontract_days=3
    )
    plant.order(part, 5)
    assert only(plant).modes == (Mode(SUBCONTRACT, 3 * 24 * 60),)


def start(plant, operation, *, ago, state=OperationState.RUNNING, unit=0, **fields):
    plant.operations().filter(pk=operation.pk).update(
        state=state, work_unit=plant.units[unit], started_at=MONDAY - ago, **fields
    )


def test_what_runs_stays_where_it_is_for_what_is_left_of_its_time():
    plant = Factory(units=2)
    plant.order(plant.part(minutes=60), 5)
    start(plant, plant.operations().get(), ago=timedelta(0), unit=1)
    fixed = only(plant, now=MONDAY + 2 * HOUR).fixed
    assert fixed.resource == plant.units[1].pk
    assert fixed.start == NOW
    assert fixed.end == minute(MONDAY + 5 * HOUR)


def test_what_runs_over_its_time_ends_in_a_minute():
    plant = Factory()
    plant.order(plant.part(minutes=1), 5)
    start(plant, plant.operations().get(), ago=timedelta(0))
    now = MONDAY + 2 * HOUR
    assert only(plant, now=now).fixed.end == minute(now) + 1


def test_reported_pieces_decide_what_is_left():
    plant = Factory()
    plant.order(plant.part(minutes=60), 5)
    plant.replan()
    start(plant, plant.operations().get(), ago=timedelta(0), good=4)
    now = MONDAY + HOUR
    assert only(plant, now=now).fixed.end == minute(now + HOUR)


def test_what_was_interrupted_goes_on_on_its_machine_without_another_setup():
    plant = Factory(units=2)
    part = plant.steps(plant.make("PART", steps=0), 10, setup=30)
    plant.order(part, 6)
    start(
        plant,
        plant.operations().get(),
        ago=HOUR,
        unit=1,
        state=OperationState.INTERRUPTED,
        good=2,
    )
    operation = only(plant)
    assert operation.fixed is None
    assert operation.modes == (Mode(plant.units[1].pk, 40),)


def test_finished_operations_are_gone():
    plant = Factory()
    plant.order(plant.steps(plant.make("PART", steps=0), 1, 1), 5)
    first, second = plant.operations()
    plant.operations().filter(pk=first.pk).update(state=OperationState.DONE, good=5)
    operation = only(plant)
    assert operation.id == second.pk
    assert operation.predecessors == ()


def test_work_on_hold_is_left_out_with_all_that_waits_for_it():
    plant = Factory()
    plant.steps(plant.make("CHILD", steps=0), 1)
    parent = plant.part("PARENT", components={"CHILD": 1})
    plant.order(parent, 5)
    plant.order(plant.part("OTHER"), 5)
    (child,) = plant.orders("CHILD")
    WorkOrder.objects.filter(pk=child.pk).update(state=WorkOrderState.ON_HOLD)
    built = build(plant)
    (operation,) = built.problem.operations
    assert operation.job == plant.orders("OTHER")[0].pk
    assert {(block.kind, block.reference) for block in built.left_out.values()} == {
        (BlockKind.ON_HOLD, child.number)
    }
    assert len(built.left_out) == 2


def test_what_runs_on_a_held_work_order_still_takes_its_machine():
    plant = Factory()
    plant.order(plant.steps(plant.make("PART", steps=0), 1, 1), 5)
    first, second = plant.operations()
    start(plant, first, ago=HOUR)
    plant.operations().first()
    WorkOrder.objects.update(state=WorkOrderState.ON_HOLD)
    built = build(plant)
    assert [operation.id for operation in built.problem.operations] == [first.pk]
    assert set(built.left_out) == {second.pk}


def test_an_operation_without_an_active_unit_is_left_out_and_said_so():
    plant = Factory()
    plant.order(plant.part(), 5)
    plant.units[0].is_active = False
    plant.units[0].save()
    built = build(plant)
    assert built.problem.operations == ()
    (block,) = built.left_out.values()
    assert block.kind == BlockKind.NO_WORK_UNIT
    assert block.reference.endswith("/10")


def test_a_running_operation_on_a_retired_machine_takes_nothing():
    plant = Factory()
    plant.order(plant.part(), 5)
    start(plant, plant.operations().get(), ago=HOUR)
    plant.units[0].is_active = False
    plant.units[0].save()
    assert only(plant).fixed.resource == SUBCONTRACT


def test_work_longer_than_any_shift_pauses_even_if_it_should_not():
    plant = Factory()
    part = plant.steps(plant.make("PART", steps=0), 60, is_interruptible=False)
    plant.order(part, 9)
    assert not only(plant).interruptible
    plant.order(part, 10)
    long = max(build(plant).problem.operations, key=lambda o: o.modes[0].minutes)
    assert long.interruptible


def test_nothing_to_run_is_an_operation_of_no_minutes():
    plant = Factory()
    plant.order(plant.part(), 5)
    plant.operations().update(good=5)
    assert only(plant).modes == (Mode(plant.units[0].pk, 0),)


def test_the_number_of_queries_does_not_depend_on_the_work():
    plant = Factory()
    items = [plant.part(f"PART-{n}", components={f"RAW-{n}": 1}) for n in range(5)]
    plant.order(items[0], 5)
    with CaptureQueriesContext(connection) as one:
        build(plant)
    for item in items:
        plant.order(item, 5)
        plant.order(item, 7)
    WorkUnitFactory(work_center=plant.center)
    with CaptureQueriesContext(connection) as many:
        build(plant)
    assert len(many) == len(one), [query["sql"] for query in many]


def test_a_made_component_that_nobody_covers_is_no_date_for_its_parent():
    plant = Factory()
    plant.part("CHILD")
    plant.part("PARENT", components={"CHILD": 1})
    plant.part("TOP", components={"PARENT": 1})
    plant.order(plant.items["TOP"], 5)
    (child,), (parent,) = plant.orders("CHILD"), plant.orders("PARENT")
    child.pegs.update(quantity=3)
    built = build(plant)
    (kept,) = built.problem.operations
    assert kept.job == child.pk
    assert {(block.kind, block.reference) for block in built.left_out.values()} == {
        (BlockKind.UNCOVERED, f"{parent.number} (CHILD)")
    }
    assert len(built.left_out) == 2
    child.pegs.update(quantity=5)
    assert not build(plant).left_out


def test_work_for_centuries_is_left_out_and_the_others_are_planned():
    plant = Factory()
    part = plant.part(minutes=1)
    plant.order(part, 5)
    plant.order(part, 900_000_000)
    built = problems.build(site_id=plant.site.pk, now=MONDAY, days=2200, is_last=True)
    assert len(built.problem.operations) == 1
    assert {block.kind for block in built.left_out.values()} == {BlockKind.NO_ROOM}
    # A longer horizon may still hold it: then nothing is left out yet.
    assert not build(plant).left_out
