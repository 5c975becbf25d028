"""What the live schedule says of order lines, machines and the board."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aps import selectors
from aps.selectors import ReadyCause
from erp.services import reservations
from mes.enums import OperationState, WorkOrderState
from mes.models import WorkOrder, WorkOrderPeg
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.masterdata.factories import SupplierFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(settings):
    settings.SOLVE_SECONDS = 0.03


def ready(*needs, now=MONDAY):
    found = selectors.ready_dates(requirement_ids=[need.pk for need in needs], now=now)
    return [found[need.pk] for need in needs]


def test_a_line_is_ready_when_the_last_of_its_work_ends():
    plant = Factory()
    part = plant.part(minutes=60)
    need = plant.order(part, 2)
    (before,) = ready(need)
    assert before.at is None
    assert before.cause == ReadyCause.UNPLANNED
    plant.replan()
    (after,) = ready(need)
    assert after.at == MONDAY + 2 * HOUR
    assert after.cause == ReadyCause.SCHEDULE
    assert after.detail == plant.orders("PART")[0].number
    # The plan is overdue: not before now.
    (late,) = ready(need, now=MONDAY + 5 * HOUR)
    assert late.at == MONDAY + 5 * HOUR


def test_two_work_orders_make_a_line_ready_when_both_are():
    plant = Factory()
    part = plant.part(minutes=60)
    need = plant.order(part, 2)
    other = plant.order(part, 3, due_at=MONDAY + 10 * DAY)
    WorkOrderPeg.objects.filter(requirement=other).update(requirement=need)
    need.quantity = Decimal(5)
    need.save()
    plant.replan()
    assert ready(need)[0].at == MONDAY + 5 * HOUR


def test_what_is_reserved_is_ready_now():
    plant = Factory()
    part = plant.part()
    plant.stock("PART", 5)
    need = plant.order(part, 5)
    assert ready(need) == [selectors.Ready(MONDAY, ReadyCause.STOCK)]


def test_what_has_left_is_done():
    plant = Factory()
    part = plant.part()
    need = plant.need("PART", 5)
    need.state, need.issued = "fulfilled", need.quantity
    need.save()
    assert part
    assert ready(need)[0].cause == ReadyCause.DONE


def test_a_bought_line_is_ready_with_its_material():
    plant = Factory()
    plant.buy("SCREW", lead_time_days=4)
    need = plant.need("SCREW", 5)
    (found,) = ready(need)
    assert (found.at, found.cause) == (MONDAY + 4 * DAY, ReadyCause.PURCHASE)


def test_a_line_that_nobody_makes_has_no_date():
    plant = Factory()
    plant.part()
    need = plant.need("PART", 5)
    assert ready(need) == [selectors.Ready(None, ReadyCause.UNCOVERED)]


def test_work_on_hold_has_no_date_nor_what_waits_for_it():
    plant = Factory()
    plant.steps(plant.make("CHILD", steps=0), 1)
    need = plant.order(plant.part("PARENT", components={"CHILD": 1}), 5)
    plant.replan()
    assert ready(need)[0].at is not None
    WorkOrder.objects.filter(item__code="CHILD").update(state=WorkOrderState.ON_HOLD)
    run = plant.replan()
    assert run.figures["left_out"] == 2
    assert run.figures["left_out_causes"] == [["on_hold", plant.orders("CHILD")[0].number]]
    assert ready(need)[0].cause == ReadyCause.UNPLANNED
    WorkOrder.objects.update(state=WorkOrderState.ON_HOLD)
    assert ready(need)[0].cause == ReadyCause.ON_HOLD


def test_unknown_ids_are_left_out():
    assert selectors.ready_dates(requirement_ids=[0], now=MONDAY) == {}


def test_ready_dates_take_the_same_queries_for_any_number():
    plant = Factory()
    part = plant.part(minutes=1)
    needs = [plant.order(part, n) for n in range(1, 12)]
    plant.buy("SCREW", lead_time_days=4)
    needs.append(plant.need("SCREW", 5))
    plant.replan()
    with CaptureQueriesContext(connection) as one:
        ready(needs[0])
    with CaptureQueriesContext(connection) as all_of_them:
        ready(*needs)
    assert len(all_of_them) == len(one) <= 10


def test_late_lines_come_worst_first():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.order(part, 2, due_at=MONDAY + 30 * DAY)
    late = plant.order(part, 9, due_at=MONDAY + HOUR, weight=9)
    later = plant.order(part, 9, due_at=MONDAY + HOUR, weight=1)
    plant.replan()
    unplanned = plant.order(part, 1)
    found = selectors.late_orders(site_id=plant.site.pk, now=MONDAY)
    assert found[0].requirement_id == unplanned.pk
    assert found[0].late_minutes is None
    assert {line.requirement_id for line in found[1:]} == {late.pk, later.pk}
    first = next(line for line in found if line.requirement_id == late.pk)
    assert first.late_minutes == 8 * 60
    assert first.reference == late.reference


def late_bars(plant):
    board = selectors.board(site_id=plant.site.pk, starts_at=MONDAY, ends_at=MONDAY + 9 * DAY)
    return {ref for row in board.rows for bar in row.bars if bar.is_late for ref in bar.references}


def test_the_bars_of_the_board_and_the_list_of_late_orders_agree():
    plant = Factory()
    part = plant.part(minutes=60)
    exact = plant.order(part, 2, due_at=MONDAY + 2 * HOUR, weight=9)
    plant.order(part, 2, due_at=MONDAY + 3 * HOUR)
    plant.order(part, 1, due_at=MONDAY + 5 * HOUR)
    plant.replan()
    late = selectors.late_orders(site_id=plant.site.pk, now=MONDAY)
    told = {line.reference for line in late}
    assert told
    assert exact.reference not in told, "what ends at its due moment is in time"
    assert late_bars(plant) == told


def test_a_bar_is_not_late_for_an_order_that_is_covered_otherwise():
    plant = Factory()
    need = plant.order(plant.part(minutes=60), 2, due_at=MONDAY + HOUR)
    WorkOrder.objects.update(due_at=MONDAY + 9 * DAY)
    plant.replan()
    assert late_bars(plant) == {need.reference}
    plant.stock("PART", 2)
    reservations.reserve({need.pk: Decimal(2)})
    assert selectors.late_orders(site_id=plant.site.pk, now=MONDAY) == []
    assert late_bars(plant) == set()


def test_finished_work_is_not_late():
    plant = Factory()
    part = plant.part(minutes=60)
    plant.order(part, 9, due_at=MONDAY + HOUR)
    plant.replan()
    plant.operations().update(state=OperationState.DONE)
    assert selectors.late_orders(site_id=plant.site.pk, now=MONDAY) == []


def test_the_current_schedule_lists_operations_by_start():
    plant = Factory()
    part = plant.part(minutes=60)
    assert selectors.current_schedule(plant.site.pk) is None
    plant.order(part, 2)
    plant.order(part, 3)
    run = plant.replan()
    schedule = selectors.current_schedule(plant.site.pk)
    assert schedule.version == 1
    assert [row.work_unit_code for row in schedule.operations] == ["LATHE-1", "LATHE-1"]
    assert schedule.operations[0].starts_at == MONDAY
    assert selectors.kpis(run)["operations"] == 2
    assert list(selectors.runs(plant.site.pk)) == [run]
    assert selectors.plan_state(plant.site.pk).last_version == 1


def test_the_board_has_a_row_per_unit_and_shows_when_nobody_works():
    plant = Factory(units=2)
    part = plant.part(minutes=60)
    need = plant.order(part, 2, due_at=MONDAY + HOUR)
    plant.steps(plant.make("OUT", steps=0), 0, subcontractor=SupplierFactory(), subcontract_days=1)
    plant.order(plant.items["OUT"], 1)
    plant.replan()
    board = selectors.board(site_id=plant.site.pk, starts_at=MONDAY, ends_at=MONDAY + DAY)
    assert [row.unit.code if row.unit else None for row in board.rows] == [
        "LATHE-1",
        "LATHE-2",
        None,
    ]
    assert board.rows[0].closed == ((MONDAY + 9 * HOUR, MONDAY + DAY),)
    (bar,) = [bar for row in board.rows[:2] for bar in row.bars]
    assert bar.references == (need.reference,)
    assert bar.is_late
    assert len(board.rows[2].bars) == 1
    empty = selectors.board(
        site_id=plant.site.pk, starts_at=MONDAY + 7 * DAY, ends_at=MONDAY + 8 * DAY
    )
    assert not [bar for row in empty.rows for bar in row.bars]


def test_the_board_takes_the_same_queries_for_any_number_of_bars():
    plant = Factory()
    part = plant.part(minutes=60)
    window = {"site_id": plant.site.pk, "starts_at": MONDAY, "ends_at": MONDAY + 9 * DAY}
    plant.order(part, 1)
    plant.replan()
    with CaptureQueriesContext(connection) as one:
        selectors.board(**window)
    for _ in range(5):
        plant.order(part, 1)
    plant.replan()
    with CaptureQueriesContext(connection) as six:
        selectors.board(**window)
    assert len(six) == len(one)


def test_utilisation_counts_working_time_only():
    plant = Factory(units=2)
    plant.order(plant.part(minutes=60), 12)
    plant.replan()
    loads = selectors.utilisation(site_id=plant.site.pk, starts_at=MONDAY, ends_at=MONDAY + 2 * DAY)
    assert sorted((load.working_minutes, load.planned_minutes) for load in loads) == [
        (1080, 0),
        (1080, 720),
    ]
    assert max(load.percent for load in loads) == pytest.approx(100 * 720 / 1080)
    sunday = MONDAY - timedelta(days=1)
    idle = selectors.utilisation(site_id=plant.site.pk, starts_at=sunday, ends_at=sunday + HOUR)
    assert {load.percent for load in idle} == {0.0}


def test_material_that_came_moves_the_date():
    plant = Factory()
    part = plant.part(minutes=60, components={"RAW": 1})
    plant.items["RAW"].lead_time_days = 3
    plant.items["RAW"].save()
    need = plant.order(part, 2)
    plant.replan()
    assert ready(need)[0].at == MONDAY + 3 * DAY + 2 * HOUR
    plant.stock("RAW", 2)
    reservations.give_free(site_id=plant.site.pk, item_ids=[plant.items["RAW"].pk])
    plant.replan()
    assert ready(need)[0].at == MONDAY + 2 * HOUR
