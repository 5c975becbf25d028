"""Random BOMs, lots, stock and demand against a brute-force calculator, and laws of planning."""

from collections import defaultdict
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.models import Requirement, Reservation, StockBalance
from masterdata.enums import LotPolicy
from mes.enums import WorkOrderState
from mes.models import WorkOrder, WorkOrderMaterial, WorkOrderPeg
from mes.services import execution
from tests.mes import invariants
from tests.mes.factories import NOW, Plant

pytestmark = pytest.mark.django_db
SLOW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
MADE, BOUGHT = 4, 2


@contextmanager
def undone():
    """The example leaves nothing behind."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@st.composite
def plants(draw, policies=tuple(LotPolicy), scrap=True):
    """Made items M0…M3, each of later ones and of bought B0, B1; stock; the demand."""
    items = []
    for number in range(MADE):
        below = [f"M{n}" for n in range(number + 1, MADE)] + [f"B{n}" for n in range(BOUGHT)]
        chosen = draw(st.lists(st.sampled_from(below), max_size=3, unique=True))
        items.append(
            {
                "components": {code: draw(st.integers(1, 3)) for code in chosen},
                "policy": draw(st.sampled_from(policies)),
                "lot_size": draw(st.sampled_from([5, 12])),
                "days": draw(st.sampled_from([7, 30])),
                "scrap": Decimal(draw(st.sampled_from([0, 0, 5, 20] if scrap else [0]))) / 100,
                "lead": draw(st.integers(0, 3)),
            }
        )
    codes = [f"M{n}" for n in range(MADE)] + [f"B{n}" for n in range(BOUGHT)]
    stock = {code: draw(st.integers(0, 15)) for code in codes}
    demands = draw(
        st.lists(
            st.tuples(st.sampled_from(codes[:MADE]), st.integers(1, 20), st.integers(0, 40)),
            min_size=1,
            max_size=4,
        )
    )
    return items, stock, demands


def build(items, stock):
    plant = Plant()
    for number in range(BOUGHT):
        plant.buy(f"B{number}")
    for number in reversed(range(MADE)):
        spec = items[number]
        policy = spec["policy"]
        plant.make(
            f"M{number}",
            spec["components"],
            lot_policy=policy,
            lot_size=spec["lot_size"] if policy == LotPolicy.FIXED else None,
            lot_period_days=spec["days"] if policy == LotPolicy.PERIOD else None,
            scrap_rate=spec["scrap"],
            lead_time_days=spec["lead"],
        )
    for code, quantity in stock.items():
        plant.stock(code, quantity)
    return plant


def net_by_recursion(items, stock, demands):
    """What has to be made of each item: gross need less stock, parents before components."""
    gross, free = defaultdict(int), dict(stock)
    net = {}
    for code, quantity, _days in demands:
        gross[code] += quantity
    for number in range(MADE):
        code = f"M{number}"
        net[code] = max(0, gross[code] - free[code])
        for component, per in items[number]["components"].items():
            gross[component] += net[code] * per
    return net, gross


@SLOW
@given(case=plants(policies=(LotPolicy.LOT_FOR_LOT,), scrap=False))
def test_plan_makes_what_recursion_says(case):
    items, stock, demands = case
    with undone():
        plant = build(items, stock)
        plant.plan(*[plant.need(code, q, days=days) for code, q, days in demands])
        net, gross = net_by_recursion(items, stock, demands)
        made = {code: sum(order.quantity for order in plant.orders(code)) for code in net}
        assert made == net
        for code in ("B0", "B1"):
            needed = sum(row.quantity for row in Requirement.objects.filter(item=plant.items[code]))
            reserved = StockBalance.objects.get(item=plant.items[code]).reserved
            assert needed == gross[code]
            assert reserved == min(gross[code], stock[code])
        invariants.check()


@SLOW
@given(case=plants(), split=st.integers(0, 4))
def test_plan_covers_every_need_for_any_policy_in_one_run_or_several(case, split):
    items, stock, demands = case
    with undone():
        plant = build(items, stock)
        needs = [plant.need(code, q, days=days) for code, q, days in demands]
        for part in (needs[:split], needs[split:], needs):
            plant.plan(*part)
            invariants.check(all_covered=part is needs)


@SLOW
@given(case=plants(policies=(LotPolicy.LOT_FOR_LOT,)), share=st.integers(0, 20))
def test_unplan_leaves_what_planning_less_would_have_made(case, share):
    items, stock, demands = case
    code, quantity, days = demands[0]
    smaller = min(share, quantity)
    states = []
    for first in (quantity, smaller):
        with undone():
            plant = build(items, stock)
            if first:
                need = plant.need(code, first, days=days)
                plant.plan(need)
                if first != smaller:
                    plant.unplan({need: smaller})
                    invariants.check()
            states.append(picture(plant))
    assert states[0] == states[1]


@SLOW
@given(case=plants(), shares=st.lists(st.integers(0, 20), min_size=4, max_size=4))
def test_unplan_keeps_the_invariants_for_any_policy_and_leaves_nothing_at_the_end(case, shares):
    items, stock, demands = case
    with undone():
        plant = build(items, stock)
        needs = [plant.need(code, q, days=days) for code, q, days in demands]
        plant.plan(*needs)
        for need, share in zip(needs, shares, strict=False):
            plant.unplan({need: min(need.quantity, share)})
            invariants.check()
        for need in needs:
            plant.unplan({need: 0})
            invariants.check()
        assert plant.orders() == []
        assert not Reservation.objects.exists()
        assert not WorkOrderPeg.objects.exists()


@SLOW
@given(
    case=plants(),
    scraps=st.lists(st.integers(0, 3), min_size=6, max_size=6),
    then=st.integers(0, 20),
)
def test_working_scrapping_and_reducing_keep_the_invariants(case, scraps, then):
    items, stock, demands = case
    with undone():
        plant = build(items, {code: 60 if code[0] == "B" else q for code, q in stock.items()})
        needs = [plant.need(code, q, days=days) for code, q, days in demands]
        plant.plan(*needs)
        for scrap in scraps:
            work_once(plant, Decimal(scrap))
            invariants.check()
        need = needs[0]
        plant.unplan({need: min(need.quantity, then)})
        invariants.check()


def work_once(plant, scrap):
    """Make the first work order that can be started, with so much scrap."""
    for order in plant.orders():
        if order.state not in (WorkOrderState.PLANNED, WorkOrderState.RELEASED):
            continue
        operation = order.operations.get()
        try:
            with transaction.atomic():
                operation = execution.start(
                    operation=operation, work_unit_id=plant.units[0].pk, by=None, now=NOW
                )
        except execution.CannotStart:
            continue
        scrap = min(scrap, order.quantity)
        execution.report(
            operation=operation, good=order.quantity - scrap, scrap=scrap, by=None, now=NOW
        )
        execution.finish(operation=operation, by=None, now=NOW)
        return


def picture(plant):
    """All that is alive, without numbers and ids."""
    orders = sorted((o.item.code, o.quantity, o.output, o.state) for o in plant.orders())
    alive = [o.pk for o in plant.orders()]
    materials = sorted(
        (m.work_order.item.code, m.item.code, m.requirement.quantity)
        for m in WorkOrderMaterial.objects.filter(work_order__in=alive)
    )
    held = defaultdict(Decimal)
    for r in Reservation.objects.select_related("requirement__item"):
        held[r.requirement.item.code] += r.quantity
    pegs = sorted((p.work_order.item.code, p.quantity) for p in WorkOrderPeg.objects.all())
    assert WorkOrder.objects.filter(site=plant.site).count() >= len(alive)
    return orders, materials, dict(held), pegs
