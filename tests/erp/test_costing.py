"""The cost arithmetic: known answers, and what must hold for any numbers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.enums import CostKind, VarianceCause
from erp.services import costing

D = Decimal


def measured(kind, price, *, per_order=0, per_piece=0, processed, good, actual, paid):
    standard = costing.Standard(kind, D(price), D(per_order), D(per_piece))
    return standard.measured(
        quantity=D(100),
        output=D(100),
        processed=D(processed),
        good=D(good),
        actual_quantity=D(actual),
        actual_amount=D(paid),
    )


def test_a_work_order_of_a_hundred_is_explained():
    """100 started, 95 good: 2 kg a piece at 3, half an hour at 40, an hour of setup at 40."""
    elements = [
        # 210 kg were used, and bought at 3.10.
        measured("material", 3, per_piece=2, processed=100, good=95, actual=210, paid=651),
        # 52 hours at 41 instead of 50 at 40.
        measured("labour", 40, per_piece=D("0.5"), processed=100, good=95, actual=52, paid=2132),
        # An hour and a half of setup.
        measured(
            "labour_setup", 40, per_order=1, processed=100, good=95, actual=D("1.5"), paid=D("61.5")
        ),
    ]
    found = costing.variances(elements)
    assert found == {
        "price": D(210 * 3) - D(651),
        "usage": D(200 - 210) * 3,
        # 2.5 of scrap's hours and 10 kg of material.
        "yield": D(190 - 200) * 3 + (D("47.5") - D(50)) * 40,
        "rate": D(52 * 40) - D(2132) + D("1.5") * 40 - D("61.5"),
        "efficiency": D(50 - 52) * 40,
        # Half an hour too long, and 95 good pieces carry 95 % of the hour.
        "setup": (D(1) - D("1.5")) * 40 + (D("0.95") - 1) * 40,
    }
    standard = sum(element.standard for element in elements)
    assert sum(found.values()) == standard - D(651) - D(2132) - D("61.5")


def test_an_order_as_planned_has_no_variance():
    element = measured(
        "machine", 60, per_piece=D("0.1"), processed=100, good=100, actual=10, paid=600
    )
    assert costing.variances([element]) == {}


def test_what_a_good_piece_should_cost_carries_setup_and_allowed_scrap():
    standards = [
        costing.Standard("material", D(3), per_piece=D(2)),
        costing.Standard("machine_setup", D(60), per_order=D(1)),
    ]
    # 110 started for 100 good ones.
    assert costing.unit_cost(standards, quantity=D(110), output=D(100)) == D("7.2")


def test_an_order_of_nothing_good_has_no_unit_cost():
    assert (
        costing.unit_cost(
            [costing.Standard("material", D(3), per_piece=D(2))], quantity=D(10), output=D(0)
        )
        == 0
    )


@pytest.mark.parametrize(
    ("on_hand", "average", "received", "price", "expected"),
    [
        (0, 0, 10, 5, 5),
        (10, 5, 10, 7, 6),
        # What was booked below zero came in at the new price.
        (-4, 5, 10, 7, 7),
        (0, 5, 0, 7, 7),
    ],
)
def test_the_moving_average(on_hand, average, received, price, expected):
    assert costing.moving_average(
        on_hand=D(on_hand), average=D(average), received=D(received), price=D(price)
    ) == D(expected)


def test_an_hour_is_sixty_minutes_rounded_once():
    assert costing.hourly(D(1), D(40)) == D("0.67")
    assert costing.hourly(D(90), D(40)) == D("60.00")


money = st.decimals(min_value=0, max_value=10_000, places=4)
quantity = st.decimals(min_value=0, max_value=100_000, places=4)
kinds = st.sampled_from(
    [
        "material",
        "labour",
        "labour_setup",
        "machine",
        "machine_setup",
        "energy",
        "subcontract",
        "overhead",
    ]
)
elements = st.lists(
    st.builds(
        costing.Element,
        kind=kinds,
        price=money,
        actual_quantity=quantity,
        actual_amount=st.decimals(min_value=0, max_value=10_000_000, places=2),
        allowed_processed=quantity,
        allowed_output=quantity,
    ),
    max_size=12,
)


@given(elements)
def test_variances_sum_to_standard_less_actual(found):
    total = sum((e.standard - e.actual_amount for e in found), D(0))
    assert sum(costing.variances(found).values(), D(0)) == total


@given(elements, st.integers(min_value=-20, max_value=20))
def test_in_cents_they_sum_to_the_ledger(found, rounding):
    """The ledger rounds each entry: its total is some cents beside the exact one."""
    exact = costing.variances(found)
    total = costing.cents(sum(exact.values(), D(0))) + rounding * costing.CENT
    whole = costing.to_the_cent(exact, total)
    assert sum(whole.values(), D(0)) == total
    for cause, amount in whole.items():
        assert amount == costing.cents(amount)
        assert abs(amount - exact.get(cause, 0)) <= D("0.01") * (2 + abs(rounding))


def test_the_ledger_knows_every_word_of_the_arithmetic():
    causes = {cause for words in costing._CAUSES.values() for cause in words}
    assert causes == set(VarianceCause.values)
    assert set(costing.KINDS) == {str(kind) for kind in CostKind.inputs()}
