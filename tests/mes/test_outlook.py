"""What work orders cost at completion, kind by kind: booked, and still to come by the plan."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.enums import Role
from erp.enums import CostKind
from erp.models import CostEntry
from masterdata.enums import RateKind
from masterdata.models import CostRate, Item, WorkUnit
from mes import selectors
from mes.models import WorkOrder
from mes.services import execution, plans, work_orders
from mes.services.plans import PlannedOperation
from tests.factories import UserFactory
from tests.masterdata.factories import (
    SupplierPriceFactory,
    WorkCenterFactory,
    WorkUnitFactory,
)
from tests.mes.factories import NOW, OperationUnitFactory, Plant
from tests.shared import shared

pytestmark = pytest.mark.django_db
D = Decimal
HOUR = timedelta(hours=1)


def rates(center, machine, labour, overhead):
    for kind, amount in (
        (RateKind.MACHINE, machine),
        (RateKind.LABOUR, labour),
        (RateKind.OVERHEAD, overhead),
    ):
        CostRate.objects.create(
            work_center=center,
            kind=kind,
            amount_per_hour=amount,
            currency=center.site.currency,
            valid_from=date(2020, 1, 1),
        )


@shared()
def plant():
    """Ten chairs of 4 legs at 2.50, a minute each at 60 + 30 + 12 an hour and 6 kW at 0.20; and a
    five-axis machine in a center of its own: two minutes a piece, 30 of setup, 150 + 40 + 20."""
    made = Plant()
    made.site.energy_price = D("0.2")
    made.site.save()
    rates(made.center, 60, 30, 12)
    made.dear = WorkUnitFactory(work_center=WorkCenterFactory(site=made.site))
    rates(made.dear.work_center, 150, 40, 20)
    WorkUnit.objects.update(energy_kw=6)
    WorkUnit.objects.filter(pk=made.dear.pk).update(energy_kw=30)
    made.buy("LEG", standard_cost=D("2.5"))
    made.make("CHAIR", {"LEG": 4})
    made.stock("LEG", 40)
    made.plan(made.need("CHAIR", 10))
    made.order = WorkOrder.objects.select_related("item", "site").get()
    made.operation = made.order.operations.get()
    OperationUnitFactory(operation=made.operation, work_unit=made.units[0])
    OperationUnitFactory(
        operation=made.operation,
        work_unit=made.dear,
        setup_minutes=D(30),
        run_minutes=D(2),
    )
    return made


def move(plant, unit):
    rows = [PlannedOperation(plant.operation.pk, unit.pk, NOW + HOUR, NOW + 3 * HOUR)]
    assert plans.write(rows) == 1


def act(plant, verb, minute, by=None, **fields):
    operation = plant.order.operations.select_related("work_order__item").get()
    getattr(execution, verb)(
        operation=operation, by=by, now=NOW + timedelta(minutes=minute), **fields
    )


def cost(plant, minute=0):
    order = WorkOrder.objects.select_related("item", "site").get(pk=plant.order.pk)
    return selectors.work_order_cost(order, at=NOW + timedelta(minutes=minute))


def kinds(found, figure="expected"):
    return {row.kind: getattr(row.money, figure) for row in found.kinds}


def test_before_the_work_begins_the_expectation_is_the_standard_of_the_day(plant):
    found = cost(plant)
    assert kinds(found) == kinds(found, "planned")
    assert kinds(found) == {
        "material": D("100.00"),
        "labour": D("5.00"),
        "machine": D("10.00"),
        "energy": D("0.20"),
        "overhead": D("2.00"),
    }
    assert (found.money.spent, found.money.difference) == (0, 0)


def test_the_plan_moves_an_operation_to_a_dearer_machine_and_the_expectation_follows(plant):
    move(plant, plant.dear)
    found = cost(plant)
    # 50 minutes there in place of 10: 50/60 of 150, 40 and 20, and of 30 kW at 0.20.
    assert kinds(found) == {
        "material": D("100.00"),
        "labour": D("33.33"),
        "machine": D("125.00"),
        "energy": D("5.00"),
        "overhead": D("16.67"),
    }
    # The standard stays that of the routing; its power is that of the planned machine.
    assert kinds(found, "planned")["machine"] == D("10.00")
    assert {row.kind: row.money.difference for row in found.kinds}["machine"] == D("-115.00")
    move(plant, plant.units[0])
    assert kinds(cost(plant))["machine"] == D("10.00")


def test_what_is_booked_at_the_dearer_machine_is_what_was_expected_of_it(plant):
    move(plant, plant.dear)
    expected = kinds(cost(plant))
    anna = UserFactory()
    act(plant, "start", 0, anna, work_unit_id=plant.dear.pk, in_setup=True)
    act(plant, "run", 30, anna)
    act(plant, "report", 50, anna, good=D(10))
    act(plant, "finish", 50, anna)
    booked = dict.fromkeys(expected, D(0))
    for kind, amount in CostEntry.objects.values_list("kind", "amount"):
        if kind in booked:
            booked[kind] += amount
    # To the cent that each booking is rounded to.
    assert all(abs(booked[kind] - expected[kind]) <= D("0.01") for kind in expected), booked
    assert cost(plant, 60).money.to_come == 0
    work_orders.close_if_completed(work_order_id=plant.order.pk, by=None, now=NOW + 9 * HOUR)
    variances = dict(
        CostEntry.objects.filter(kind=CostKind.VARIANCE).values_list("cause", "amount")
    )
    assert variances["rate"] < 0


def test_time_that_goes_on_counts_before_it_is_booked(plant):
    anna = UserFactory()
    act(plant, "start", 0, anna, work_unit_id=plant.units[0].pk)
    # What has passed is of the ten pieces, until it is more than they should take.
    assert kinds(cost(plant, 5))["machine"] == D("10.00")
    assert kinds(cost(plant, 14))["machine"] == D("14.00")
    assert (cost(plant, 5).overrun, cost(plant, 14).overrun) == ([], [10])
    # Four pieces took eight minutes: six more at a minute each.
    act(plant, "report", 8, anna, good=D(4))
    assert kinds(cost(plant, 8))["machine"] == kinds(cost(plant, 13))["machine"] == D("14.00")
    assert kinds(cost(plant, 8))["labour"] == D("7.00")
    assert kinds(cost(plant, 8), "spent")["machine"] == 0
    act(plant, "interrupt", 8, anna)
    found = cost(plant, 30)
    assert (kinds(found, "spent")["machine"], kinds(found)["machine"]) == (D("8.00"), D("14.00"))


def test_components_come_at_what_they_cost_on_stock_until_they_are_issued(plant):
    Item.objects.filter(code="LEG").update(standard_cost=D("3"))
    found = cost(plant)
    # Nothing was ever received at a price: the standard cost stands for the average.
    assert kinds(found)["material"] == D("120.00")
    act(plant, "start", 0, work_unit_id=plant.units[0].pk)
    Item.objects.filter(code="LEG").update(standard_cost=D("9"))
    found = cost(plant)
    row = next(row.money for row in found.kinds if row.kind == CostKind.MATERIAL)
    assert (row.spent, row.to_come, row.planned) == (D("120.00"), 0, D("120.00"))


def test_what_a_component_still_costs_comes_once(plant):
    Item.objects.filter(code="CHAIR").update(standard_cost=D("11.72"))
    plant.make("SET", {"CHAIR": 2}, standard_cost=D(500))
    plant.stock("LEG", 80)
    plant.plan(plant.need("SET", 10))
    order = WorkOrder.objects.get(item__code="SET")
    needs = [order.pegs.get().requirement_id]
    (found,) = selectors.made_costs(needs, at=NOW).values()
    # Twenty chairs, and ten minutes of 1.72; what the card of the set says is not asked.
    assert found.money.planned == found.money.expected == 20 * D("11.72") + 10 * D("1.72")
    # The chairs will take two minutes each: so they come in as material, and nowhere else.
    chairs = WorkOrder.objects.get(pegs__requirement=order.materials.get().requirement_id)
    chairs.operations.update(run_minutes=2)
    (found,) = selectors.made_costs(needs, at=NOW).values()
    assert found.money.expected == 20 * D("13.44") + 10 * D("1.72")
    assert found.kinds[CostKind.MATERIAL].expected == 20 * D("13.44")
    assert found.kinds[CostKind.MACHINE].expected == D("10.00")


def test_subcontracted_pieces_come_at_the_price_of_the_day(plant):
    price = SupplierPriceFactory(item=plant.order.item, price=D("7"), currency=plant.site.currency)
    plant.order.operations.update(subcontractor=price.supplier)
    assert kinds(cost(plant)) == {"material": D("100.00"), "subcontract": D("70.00")}


def test_a_missing_exchange_rate_is_said_and_the_card_of_the_item_serves(plant):
    Item.objects.filter(code="CHAIR").update(standard_cost=D("12"))
    CostRate.objects.filter(kind=RateKind.MACHINE).update(currency="XTS")
    found = cost(plant)
    assert "There is no exchange rate from XTS" in found.missing
    assert kinds(found) == {"": D("120.00")}


def test_the_page_of_a_work_order_shows_it_to_who_may_see_costs(plant, client_for):
    move(plant, plant.dear)
    url = f"/floor/work-orders/{plant.order.number}/costs/"
    manager = client_for(Role.MANAGER)
    text = manager.get(url).content.decode()
    assert "Expected at completion" in text
    assert "125.00" in text
    assert client_for(Role.OPERATOR).get(url).status_code == 403


def test_more_components_and_operations_are_not_more_queries(plant):
    counted = []
    for code, parts in (("ONE", 1), ("MANY", 6)):
        components = {}
        for number in range(parts):
            plant.make(f"{code}-{number}", {"LEG": 1})
            components[f"{code}-{number}"] = 1
        plant.make(code, components, steps=parts)
        plant.plan(plant.need(code, 2))
        order = WorkOrder.objects.select_related("item", "site").get(item__code=code)
        with CaptureQueriesContext(connection) as caught:
            selectors.work_order_cost(order, at=NOW)
        counted.append(len(caught))
    assert counted[0] == counted[1]
    assert counted[0] <= 20
