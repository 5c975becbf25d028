"""Netting over levels against a calculator that counts piece by piece, and laws of any plan."""

import dataclasses
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from erp import mrp

TODAY = date(2026, 11, 23)
MADE, BOUGHT = 4, 2
D = Decimal


def day(number):
    return TODAY + timedelta(days=number)


def situation(items, boms=None, *, stock=None, demands=(), receipts=(), tolerance=0):
    boms = boms or {}
    return mrp.Situation(
        today=TODAY,
        items={item.id: item for item in items},
        levels=mrp.low_level_codes(
            {item.id: [c for c, _n in boms.get(item.id, [])] for item in items}
        ),
        components=lambda pk, _day: [mrp.Component(c, D(n)) for c, n in boms.get(pk, [])],
        stock={pk: D(quantity) for pk, quantity in (stock or {}).items()},
        demands=[mrp.Demand(n, i, D(q), day(d)) for n, (i, q, d) in enumerate(demands)],
        receipts=[mrp.Receipt(n, i, D(q), day(d)) for n, (i, q, d) in enumerate(receipts)],
        tolerance_days=tolerance,
    )


def shown(orders):
    return [(o.item_id, o.quantity, (o.due - TODAY).days, (o.release - TODAY).days) for o in orders]


@st.composite
def cases(draw, lots=False):
    items, boms = [], {}
    for number in range(MADE + BOUGHT):
        made = number < MADE
        kind = draw(st.sampled_from(["none", "fixed", "period"])) if lots else "none"
        items.append(
            mrp.Item(
                number,
                made,
                lead_time_days=draw(st.integers(0, 4)),
                scrap_rate=D(draw(st.sampled_from([0, 0, 5, 20]))) / 100 if lots and made else D(0),
                lot_size=D(draw(st.sampled_from([5, 12]))) if kind == "fixed" else None,
                period_days=7 if kind == "period" else None,
                safety_stock=D(draw(st.sampled_from([0, 0, 3]))),
                offers=tuple(draw(offers())) if lots and not made else (),
            )
        )
        if made:
            below = range(number + 1, MADE + BOUGHT)
            chosen = draw(st.lists(st.sampled_from(below), max_size=3, unique=True))
            boms[number] = [(c, draw(st.integers(1, 3))) for c in chosen]
    places = st.tuples(st.integers(0, MADE + BOUGHT - 1), st.integers(1, 20), st.integers(-3, 40))
    return situation(
        items,
        boms,
        stock={n: draw(st.integers(0, 15)) for n in range(MADE + BOUGHT)},
        demands=draw(st.lists(places, max_size=5)),
        receipts=draw(st.lists(places, max_size=4)),
    )


@st.composite
def offers(draw):
    found = []
    for number in range(draw(st.integers(0, 2))):
        least = draw(st.integers(0, 8))
        found.append(
            mrp.Offer(
                number,
                D(draw(st.integers(1, 9))),
                draw(st.integers(0, 9)),
                D(least),
                draw(st.sampled_from([None, D(least + 10)])),
            )
        )
    return found


def count_by_piece(case):
    """Orders {(item, due): pieces} lot for lot, found one piece at a time."""
    made = defaultdict(int)
    wanted = defaultdict(list)
    for demand in case.demands:
        wanted[demand.item_id] += [max(demand.day, TODAY)] * int(demand.quantity)
    for item in sorted(case.items.values(), key=lambda i: i.id):  # parents have lower numbers here
        pieces = int(case.stock[item.id]) + int(
            sum(r.quantity for r in case.receipts if r.item_id == item.id)
        )
        safety = [None] * int(item.safety_stock)
        queue = [*safety, *sorted(wanted[item.id])] if safety else sorted(wanted[item.id])
        for moment in queue[pieces:]:
            due = moment or TODAY + timedelta(days=item.lead_time_days)
            made[item.id, due, moment is None] += 1
            start = max(due - timedelta(days=item.lead_time_days), TODAY)
            for component in case.components(item.id, start) if item.is_made else ():
                wanted[component.item_id] += [start] * int(component.quantity_per)
    return made


@settings(max_examples=150, deadline=None)
@given(case=cases())
def test_lot_for_lot_orders_are_what_counting_piece_by_piece_gives(case):
    made = count_by_piece(case)
    expected = defaultdict(D)
    for (item_id, due, is_safety), pieces in made.items():
        # Safety stock and a need of today are one lot, due when the need is.
        together = is_safety and (item_id, TODAY, False) in made
        expected[item_id, TODAY if together else due] += pieces
    found = defaultdict(D)
    for order in mrp.run(case).orders:
        found[order.item_id, order.due] += order.quantity
    # Where the lead time moved a safety lot the components' day moves with it: compare totals.
    assert {k: sum(v for (i, _d), v in found.items() if i == k) for k, _d in found} == {
        k: sum(v for (i, _d), v in expected.items() if i == k) for k, _d in expected
    }
    if not any(item.safety_stock for item in case.items.values()):
        assert found == expected


@settings(max_examples=150, deadline=None)
@given(case=cases(lots=True))
def test_any_plan_covers_every_need_once_in_lots_that_the_rules_allow(case):
    plan = mrp.run(case)
    given_to = defaultdict(D)
    taken = defaultdict(D)
    for need, receipt, quantity in plan.covered:
        given_to[need] += quantity
        taken[need.item_id, receipt] += quantity
    for order in plan.orders:
        assert order.free >= 0
        for need, quantity in order.pegs:
            assert need.item_id == order.item_id
            assert order.due <= need.day or need.is_safety
            given_to[need] += quantity
    for need, quantity in given_to.items():
        assert quantity == need.quantity
    demanded = {need.demand for need in given_to if need.demand is not None}
    assert demanded == {demand.key for demand in case.demands}
    for pk, stock in case.stock.items():
        assert taken[pk, None] <= stock
    for receipt in case.receipts:
        assert taken[receipt.item_id, receipt.key] <= receipt.quantity
    for order in plan.orders:
        check_size(case.items[order.item_id], order)
    check_components(case, plan)


def check_size(item, order):
    lead = order.offer.lead_time_days if order.offer else item.lead_time_days
    assert order.due - order.release == timedelta(days=lead)
    if item.lot_size:
        assert order.quantity % item.lot_size == 0
    if order.offer and order.offer.minimum:
        assert order.quantity >= order.offer.minimum
    if order.offer and order.offer.maximum and not item.lot_size:
        assert order.quantity <= order.offer.maximum
    assert order.output <= order.quantity


def check_components(case, plan):
    """The components of an order are asked for once, on the day of its release."""
    asked = defaultdict(D)
    covered = [need for need, _receipt, _quantity in plan.covered]
    pegged = [need for order in plan.orders for need, _quantity in order.pegs]
    for need in {id(n): n for n in [*covered, *pegged]}.values():
        if need.parent is not None:
            asked[id(need.parent), need.item_id, need.day] += need.quantity
    expected = defaultdict(D)
    for order in plan.orders:
        if case.items[order.item_id].is_made:
            start = max(order.release, TODAY)
            for component in case.components(order.item_id, start):
                expected[id(order), component.item_id, start] += (
                    order.quantity * component.quantity_per
                )
    assert asked == expected


TABLE, LEG = mrp.Item(1, True, lead_time_days=2), mrp.Item(2, False, lead_time_days=10)


def test_a_table_needs_its_legs_when_its_work_starts():
    plan = mrp.run(situation([TABLE, LEG], {1: [(2, 4)]}, stock={2: 3}, demands=[(1, 5, 20)]))
    assert shown(plan.orders) == [(1, 5, 20, 18), (2, 17, 18, 8)]
    assert plan.orders[1].origin.demand == 0


def test_safety_stock_is_filled_up_and_replaced_when_a_need_takes_it():
    leg = mrp.Item(2, False, lead_time_days=10, safety_stock=D(6))
    assert shown(mrp.run(situation([leg], stock={2: 4})).orders) == [(2, 2, 10, 0)]
    plan = mrp.run(situation([leg], stock={2: 8}, demands=[(2, 5, 30)]))
    assert shown(plan.orders) == [(2, 3, 30, 20)]


def test_what_expires_before_the_need_is_not_counted_on():
    paint = mrp.Item(0, is_made=False, safety_stock=D(1))
    # Of ten in stock four keep to day 3 and three to day 8: used up in this order, while they last.
    for demands, ordered in (
        ([(0, 9, 3)], []),
        ([(0, 9, 4)], [(0, D(3), 4, 4)]),
        ([(0, 3, 2), (0, 6, 8)], []),
        ([(0, 3, 2), (0, 6, 9)], [(0, D(3), 9, 9)]),
    ):
        case = dataclasses.replace(
            situation([paint], stock={0: 10}, demands=demands),
            expiring={0: [(day(8), D(3)), (day(3), D(4))]},
        )
        assert shown(mrp.run(case).orders) == ordered


def test_the_cheapest_offer_in_time_wins_and_where_none_is_in_time_the_fastest():
    cheap, fast = mrp.Offer(1, D(2), 30), mrp.Offer(2, D(3), 10)
    leg = mrp.Item(2, False, offers=(cheap, fast))
    chosen = [
        mrp.run(situation([leg], demands=[(2, 5, days)])).orders[0].offer for days in (40, 20, 5)
    ]
    assert chosen == [cheap, fast, fast]
    # A minimum far above the need costs more than the dearer piece.
    bulk = mrp.Offer(3, D(1), 5, minimum=D(100))
    leg = mrp.Item(2, False, offers=(bulk, fast))
    assert mrp.run(situation([leg], demands=[(2, 5, 40)])).orders[0].offer == fast
    assert mrp.run(situation([leg], demands=[(2, 90, 40)])).orders[0].offer == bulk


def test_a_need_above_the_maximum_is_split_and_below_the_minimum_filled_up():
    leg = mrp.Item(2, False, offers=(mrp.Offer(1, D(1), 0, D(10), D(40)),))
    plan = mrp.run(situation([leg], demands=[(2, 85, 9), (2, 4, 12)]))
    assert shown(plan.orders) == [(2, 40, 9, 9), (2, 40, 9, 9), (2, 10, 9, 9)]
    assert [quantity for _need, quantity in plan.orders[2].pegs] == [5, 4]


def test_messages_say_earlier_later_less_and_none():
    def said(receipts, demands, tolerance=0):
        plan = mrp.run(situation([LEG], demands=demands, receipts=receipts, tolerance=tolerance))
        assert not plan.orders
        return [(m.action, m.quantity, (m.day - TODAY).days) for m in plan.messages]

    assert said([(2, 10, 20)], [(2, 10, 12)]) == [("expedite", 10, 12)]
    assert said([(2, 10, 12)], [(2, 10, 20)]) == [("defer", 10, 20)]
    assert said([(2, 10, 12)], [(2, 10, 13)], tolerance=1) == []
    assert said([(2, 10, 12)], [(2, 7, 12)]) == [("reduce", 7, 12)]
    assert said([(2, 10, 12), (2, 5, 14)], [(2, 10, 12)]) == [("cancel", 0, 14)]


def test_what_the_smallest_order_leaves_over_is_no_reason_to_reduce():
    leg = mrp.Item(2, False, offers=(mrp.Offer(1, D(1), 0, minimum=D(10)),))
    assert not mrp.run(situation([leg], demands=[(2, 7, 12)], receipts=[(2, 10, 12)])).messages
