"""A work order's costs: the frozen standard, what is booked, and variances to the cent."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest

from common.enums import Role
from common.jobs import run_due
from erp import selectors as erp
from erp.enums import CostKind, MoveKind
from erp.models import CostEntry
from erp.services import costing, returns, stock
from erp.services import costs as ledger
from masterdata.enums import RateKind
from masterdata.models import CostRate
from masterdata.selectors import NoExchangeRate
from mes.enums import WorkOrderState
from mes.models import CostStandard, OperationReport, WorkOrder
from mes.services import costs, execution, people, undoing, work_orders
from mes.services import labour as shared_again
from mes.services.work_orders import CannotClose
from tests.factories import UserFactory
from tests.masterdata.factories import ExchangeRateFactory, SupplierPriceFactory
from tests.mes.factories import NOW, Plant
from tests.shared import shared

pytestmark = pytest.mark.django_db
D = Decimal


def chairs():
    """Chairs of 4 legs at 2.50, a minute each on a center of 60 + 30 + 12 an hour; 40 legs."""
    plant = Plant()
    plant.site.energy_price = D("0.2")
    plant.site.save()
    for kind, amount in ((RateKind.MACHINE, 60), (RateKind.LABOUR, 30), (RateKind.OVERHEAD, 12)):
        CostRate.objects.create(
            work_center=plant.center,
            kind=kind,
            amount_per_hour=amount,
            currency=plant.site.currency,
            valid_from=date(2020, 1, 1),
        )
    for unit in plant.units:
        unit.energy_kw = 6
        unit.save()
    plant.buy("LEG", standard_cost=D("2.5"))
    plant.make("CHAIR", {"LEG": 4})
    plant.stock("LEG", 40)
    return plant


@shared()
def chair():
    """A work order of ten chairs whose standard is frozen."""
    plant = chairs()
    plant.plan(plant.need("CHAIR", 10))
    order = WorkOrder.objects.select_related("item").get()
    order.operation = order.operations.get()
    costs.freeze(order, now=NOW)
    return order


def legs(order, quantity, price, source="move:1"):
    """So many legs went into the order, as ``erp.services.valuing`` writes it."""
    quantity, price = D(quantity), D(price)
    entry = ledger.NewEntry(
        kind=CostKind.MATERIAL,
        amount=quantity * price,
        item_id=order.materials.get().item_id,
        work_order=order.number,
        source=source,
        quantity=quantity,
        price=price,
    )
    ledger.record([entry], site_id=order.site_id, by=None, now=NOW)


def output(order, good):
    price = costs.unit_cost(order)
    costs.book_output(order, D(good), price=price, source="move:2", by=None, now=NOW)


def hours(order, minutes, *, is_labour, source):
    spent = costs.Spent(
        order.operation,
        D(minutes),
        source,
        is_labour=is_labour,
        work_unit_id=None if is_labour else order.operation.planned_work_unit_id,
    )
    costs.book_time(order, [spent], by=None, now=NOW)


def done(order, good, scrap=0):
    order.good = good
    order.scrapped = scrap
    order.state = WorkOrderState.COMPLETED
    order.completed_at = NOW
    order.save()
    order.operations.update(good=good, scrap=scrap)


def total(order, *kinds):
    rows = CostEntry.objects.filter(work_order=order.number)
    if kinds:
        rows = rows.filter(kind__in=kinds)
    return sum(rows.values_list("amount", flat=True), D(0))


def test_the_standard_is_frozen_at_the_prices_of_the_day(chair):
    # Legs 10.00, a minute of machine 1.00, labour 0.50 and overhead 0.20, 0.1 kWh at 0.20.
    assert costing.cents(costs.unit_cost(chair)) == D("11.72")
    CostRate.objects.update(amount_per_hour=1000)
    assert costing.cents(costs.unit_cost(chair)) == D("11.72")
    assert CostStandard.objects.filter(work_order=chair).count() == 5


def test_rates_of_another_currency_are_converted_and_never_left_out(chair):
    CostStandard.objects.all().delete()
    CostRate.objects.filter(kind=RateKind.MACHINE).update(currency="XTS")
    with pytest.raises(NoExchangeRate, match="from XTS to"):
        costs.freeze(chair, now=NOW)
    ExchangeRateFactory(source="XTS", target=chair.site.currency, rate="1.5")
    costs.freeze(chair, now=NOW)
    # A minute of the machine is 1.50 instead of 1.00.
    assert costing.cents(costs.unit_cost(chair)) == D("12.22")


def test_as_planned_nothing_is_left_and_nothing_varies(chair):
    legs(chair, 40, "2.5")
    hours(chair, 10, is_labour=False, source="time:1")
    hours(chair, 10, is_labour=True, source="time:2")
    assert total(chair) == D("117.20")
    output(chair, 10)
    assert total(chair) == 0
    done(chair, 10)
    work_orders.close(order=chair, by=None, now=NOW)
    assert not CostEntry.objects.filter(kind=CostKind.VARIANCE).exists()


def test_closing_explains_the_rest_to_the_cent(chair):
    # Four legs too many, and dearer; a quarter hour instead of ten minutes; a chair scrapped.
    legs(chair, 44, "2.61")
    hours(chair, "15.5", is_labour=False, source="time:1")
    hours(chair, "14.25", is_labour=True, source="time:2")
    output(chair, 9)
    done(chair, 9, scrap=1)
    actual = total(chair, *CostKind.inputs())
    sheet = costs.sheet(chair)
    assert sheet.in_progress == actual - D("105.48")
    work_orders.close(order=chair, by=None, now=NOW)
    assert total(chair) == 0
    found = dict(erp.variances_of(chair.number))
    assert sum(found.values()) == D("105.48") - actual
    assert found["price"] == D(44) * (D("2.5") - D("2.61"))
    assert found["usage"] == (40 - 44) * D("2.5")
    # 5.50 of the machine and 2.125 of labour: the half cent goes where the sum wants it.
    assert found["efficiency"] in (D("-7.62"), D("-7.63"))
    # A chair's legs, and a minute of machine and labour.
    assert found["yield"] == D("-11.50")
    chair.refresh_from_db()
    assert (chair.state, chair.closed_at) == (WorkOrderState.CLOSED, NOW)


def test_time_that_nobody_planned_is_a_variance_of_its_own(chair):
    spent = costs.Spent(chair.operation, D(30), "time:9", is_setup=True)
    costs.book_time(chair, [spent], by=None, now=NOW)
    done(chair, 0)
    work_orders.close(order=chair, by=None, now=NOW)
    found = dict(erp.variances_of(chair.number))
    assert found["setup"] == D("-30.00")
    assert total(chair) == 0


def test_the_energy_of_a_piece_replaces_that_of_the_machine(chair):
    chair.item.energy_kwh_per_unit = D(3)
    chair.item.save()
    CostStandard.objects.all().delete()
    costs.freeze(chair, now=NOW)
    hours(chair, 60, is_labour=False, source="time:1")
    assert total(chair, CostKind.ENERGY) == 0
    costs.book_energy(chair, chair.operation, D(10), source="report:1", by=None, now=NOW)
    assert total(chair, CostKind.ENERGY) == D("6.00")
    assert costing.cents(costs.unit_cost(chair)) == D("10") + D("1.7") + D("0.6")


def test_what_a_subcontractor_made_costs_the_price_of_the_day_and_comes_off_again(chair):
    price = SupplierPriceFactory(item=chair.item, price=D("7"), currency=chair.site.currency)
    chair.operations.update(subcontractor=price.supplier)
    act = {"by": UserFactory(), "now": NOW}
    execution.start(operation=chair.operation, work_unit_id=None, **act)
    execution.report(operation=chair.operations.get(), good=D(4), scrap=D(1), **act)
    report = OperationReport.objects.get()
    (entry,) = CostEntry.objects.filter(kind=CostKind.SUBCONTRACT)
    # Scrapped pieces are paid for as well.
    assert (entry.amount, entry.quantity, entry.price) == (D("35.00"), D(5), D(7))
    assert (entry.work_order, entry.operation_sequence) == (chair.number, 10)
    assert entry.source == f"report:{report.pk}"
    undoing.undo(report=report, **act)
    assert total(chair, CostKind.SUBCONTRACT) == 0


def test_a_work_order_that_is_not_completed_is_not_closed(chair):
    with pytest.raises(CannotClose, match="Released|released"):
        work_orders.close(order=chair, by=None, now=NOW)
    assert not CostEntry.objects.exists()


def test_the_job_closes_what_is_completed_and_leaves_the_rest(chair):
    work_orders.close_if_completed(work_order_id=chair.pk, by=None, now=NOW)
    chair.refresh_from_db()
    assert chair.state == WorkOrderState.RELEASED
    done(chair, 10)
    later = NOW + timedelta(hours=9)
    for _ in range(2):
        work_orders.close_if_completed(work_order_id=chair.pk, by=None, now=later)
    chair.refresh_from_db()
    assert (chair.state, chair.closed_at) == (WorkOrderState.CLOSED, later)


def with_dearer_legs(plant):
    """Forty legs came in at 3.50, and ten chairs are wanted."""
    leg = plant.items["LEG"]
    stock.receive(
        item_id=leg.pk,
        site_id=plant.site.pk,
        quantity=D(40),
        kind=MoveKind.RECEIPT,
        reference="PO-1",
        price=D("3.5"),
        by=None,
        now=NOW,
    )
    plant.plan(plant.need("CHAIR", 10))
    return plant


@pytest.fixture
def bench():
    """The same chair on the shelf of a real day: nothing begun, dearer legs came in."""
    return with_dearer_legs(chairs())


def act(order, verb, minute, by, **fields):
    operation = order.operations.select_related("work_order__item").get()
    fields = {"operation": operation, "by": by, "now": NOW + timedelta(minutes=minute), **fields}
    getattr(execution, verb)(**fields)


def test_what_is_taken_back_after_the_completion_comes_off_the_ledger(bench):
    order = WorkOrder.objects.select_related("item").get()
    anna = UserFactory(roles=["supervisor"])
    act(order, "start", 0, anna, work_unit_id=bench.units[0].pk)
    act(order, "report", 12, anna, good=D(9), scrap=D(1), reason="split")
    act(order, "finish", 12, anna)
    spent = total(order) - total(order, CostKind.OUTPUT)
    report = OperationReport.objects.get()
    undoing.undo(report=report, by=anna, now=NOW + timedelta(hours=1), reason="miscounted")
    assert total(order, CostKind.OUTPUT) == 0
    assert total(order) == spent


def test_what_happens_on_the_floor_is_on_the_ledger_at_once(bench):
    order = WorkOrder.objects.select_related("item").get()
    anna, ben = UserFactory(), UserFactory()
    act(order, "start", 0, anna, work_unit_id=bench.units[0].pk)
    # 40 legs at 2.50 and 40 at 3.50 lay there: 3.00 on average.
    assert total(order, CostKind.MATERIAL) == D("120.00")
    entry = CostEntry.objects.get(work_order=order.number)
    assert entry.order_line == order.pegs.get().requirement.reference
    people.join(operation=order.operations.get(), by=ben, now=NOW + timedelta(minutes=6))
    act(order, "report", 12, anna, good=D(9), scrap=D(1), reason="split")
    act(order, "finish", 12, anna)
    # Anna 12 minutes and Ben 6 at 30 an hour; the machine 12 at 60, 12 of overhead, 6 kW at 0.20.
    assert total(order, CostKind.LABOUR) == D("9.00")
    assert total(order, CostKind.MACHINE) == D("12.00")
    assert total(order, CostKind.OVERHEAD) == D("2.40")
    assert total(order, CostKind.ENERGY) == D("0.24")
    assert total(order, CostKind.OUTPUT) == D(-9) * D("11.72")
    assert erp.average_costs([order.item_id], site_id=bench.site.pk) == {order.item_id: D("11.72")}
    later = NOW + timedelta(hours=9)
    work_orders.close_if_completed(work_order_id=order.pk, by=None, now=later)
    assert total(order) == 0
    found = dict(erp.variances_of(order.number))
    assert found["price"] == D("-20.00")
    assert sum(found.values()) == 9 * D("11.72") - D("143.64")


def test_what_comes_back_from_a_closed_order_is_less_use_and_leaves_nothing_on_it(bench):
    order = WorkOrder.objects.select_related("item").get()
    anna = UserFactory()
    act(order, "start", 0, anna, work_unit_id=bench.units[0].pk)
    act(order, "report", 12, anna, good=D(10))
    act(order, "finish", 12, anna)
    later = NOW + timedelta(hours=9)
    work_orders.close_if_completed(work_order_id=order.pk, by=None, now=later)
    before = dict(erp.variances_of(order.number))
    back = {
        "requirement_id": order.materials.get().requirement_id,
        "quantity": D(3),
        "reference": order.number,
        "by": anna,
        "now": later,
    }
    with pytest.raises(returns.CannotReturn, match="closed and needs nothing any more"):
        returns.from_work_order(**back, still_needed=True)
    assert dict(erp.variances_of(order.number)) == before
    returns.from_work_order(**back)
    # Three legs at 3.00, beside what the order closed with: one usage, not two.
    assert total(order) == 0
    after = erp.variances_of(order.number)
    assert len(after) == len(dict(after))
    assert dict(after)["usage"] - before.get("usage", 0) == 9
    less_used = CostEntry.objects.filter(work_order=order.number, cause="usage").latest("pk")
    assert less_used.item == order.item
    assert less_used.order_line == order.pegs.get().requirement.reference


def test_a_person_at_two_orders_is_paid_once(bench):
    bench.stock("LEG", 40)
    bench.plan(bench.need("CHAIR", 10, days=3))
    first, second = WorkOrder.objects.order_by("pk").select_related("item")
    anna = UserFactory()
    act(first, "start", 0, anna, work_unit_id=bench.units[0].pk)
    act(second, "start", 30, anna, work_unit_id=bench.units[1].pk)
    act(first, "interrupt", 60, anna)
    act(second, "interrupt", 90, anna)
    # 30 minutes alone and 30 shared at each: 45 of her hour and a half.
    assert total(first, CostKind.LABOUR) == total(second, CostKind.LABOUR) == D("22.50")


def test_a_report_taken_back_takes_its_costs_back(bench):
    order = WorkOrder.objects.select_related("item").get()
    order.item.energy_kwh_per_unit = D(3)
    order.item.save()
    anna = UserFactory()
    act(order, "start", 0, anna, work_unit_id=bench.units[0].pk)
    act(order, "report", 5, anna, good=D(4))
    assert total(order, CostKind.ENERGY) == D("2.40")
    assert total(order, CostKind.OUTPUT) < 0
    report = OperationReport.objects.get()
    undoing.undo(report=report, by=anna, now=NOW + timedelta(minutes=5, seconds=4))
    assert total(order, CostKind.ENERGY) == total(order, CostKind.OUTPUT) == 0


def test_the_pages_show_sheet_ledger_and_work_in_progress(
    bench, client, django_assert_max_num_queries
):
    order = WorkOrder.objects.select_related("item").get()
    act(order, "start", 0, UserFactory(), work_unit_id=bench.units[0].pk)
    client.force_login(UserFactory(roles=[Role.MANAGER]))
    with django_assert_max_num_queries(12):
        page = client.get("/floor/work-orders/costs/").content.decode()
    assert order.number in page
    assert "120.00" in page
    for show, tab in (("", "In progress"), ("?show=closed", "Closed")):
        page = client.get(f"/floor/work-orders/costs/{show}").content.decode()
        assert re.findall(r'aria-current="page" >([^<]+)</a>', page) == [tab]
    page = client.get(f"/floor/work-orders/{order.number}/costs/").content.decode()
    assert "Stock move " in page
    assert client.get("/floor/work-orders/WO-0/costs/").status_code == 404
    client.force_login(UserFactory(roles=[Role.OPERATOR]))
    assert client.get(f"/floor/work-orders/{order.number}/costs/").status_code == 403
    assert "120.00" not in client.get(f"/floor/work-orders/{order.number}/").content.decode()


def two_orders(bench):
    bench.stock("LEG", 40)
    bench.plan(bench.need("CHAIR", 10, days=3))
    return WorkOrder.objects.order_by("pk").select_related("item")


def labour(order):
    return total(order, CostKind.LABOUR)


def test_work_that_a_device_tells_late_shares_the_hours_that_were_booked_before(bench):
    first, second = two_orders(bench)
    anna = UserFactory()
    act(first, "start", 0, anna, work_unit_id=bench.units[0].pk)
    act(first, "interrupt", 60, anna)
    assert labour(first) == D("30.00")
    # The tablet at the other machine was without network for all of it.
    act(second, "start", 30, anna, work_unit_id=bench.units[1].pk)
    act(second, "interrupt", 90, anna)
    assert (labour(first), labour(second)) == (D("30.00"), D("22.50"))
    run_due(now=NOW + timedelta(minutes=90))
    assert (labour(first), labour(second)) == (D("22.50"), D("22.50"))
    (correction,) = CostEntry.objects.filter(source__contains="#")
    assert (correction.amount, correction.quantity) == (D("-7.50"), D("-0.25"))
    # Asked once more it changes nothing.
    assert shared_again.share_again(person_id=anna.pk, by=None, now=NOW) == 0


def test_work_that_had_ended_earlier_gives_its_share_back(bench):
    first, second = two_orders(bench)
    anna = UserFactory()
    act(first, "start", 0, anna, work_unit_id=bench.units[0].pk)
    act(second, "start", 30, anna, work_unit_id=bench.units[1].pk)
    act(second, "interrupt", 90, anna)
    assert labour(second) == D("15.00")
    # She had left the first one at half past; its tablet says so only now.
    act(first, "interrupt", 30, anna)
    run_due(now=NOW + timedelta(minutes=95))
    assert (labour(first), labour(second)) == (D("15.00"), D("30.00"))


def test_the_hours_of_a_closed_order_stay(bench):
    first, second = two_orders(bench)
    anna = UserFactory()
    act(first, "start", 0, anna, work_unit_id=bench.units[0].pk)
    act(first, "interrupt", 60, anna)
    WorkOrder.objects.filter(pk=first.pk).update(state=WorkOrderState.CLOSED)
    act(second, "start", 30, anna, work_unit_id=bench.units[1].pk)
    act(second, "interrupt", 90, anna)
    run_due(now=NOW + timedelta(minutes=90))
    assert (labour(first), labour(second)) == (D("30.00"), D("22.50"))
