"""Figures before and after a fix promise nothing that small numbers do not hold."""

from math import comb

import pytest

from mes import effect_figures
from mes.enums import Effect


@pytest.mark.parametrize(
    ("before_bad", "before", "after_bad", "after"),
    [(2, 60, 0, 40), (5, 100, 0, 100), (20, 400, 3, 300), (1, 1, 0, 1), (3, 3, 0, 0)],
)
def test_chance_is_fishers_exact_test(before_bad, before, after_bad, after):
    """By counting: of all ways in which the faults may fall, those with so few after."""
    bad = before_bad + after_bad
    ways = sum(comb(before, bad - n) * comb(after, n) for n in range(after_bad + 1))
    expected = ways / comb(before + after, bad)
    found = effect_figures.chance(before_bad, before, after_bad, after)
    assert found == pytest.approx(expected, rel=1e-9)


def test_no_fault_of_few_may_still_be_many():
    assert effect_figures.most(0, 40) == pytest.approx(1 - 0.05 ** (1 / 40))
    assert effect_figures.most(0, 3) > 0.6
    assert effect_figures.most(0, 3000) < 0.001
    assert effect_figures.most(2, 60) == pytest.approx(0.10123589, abs=1e-6)
    assert (effect_figures.most(0, 0), effect_figures.most(3, 3)) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("counts", "effect"),
    [
        ((20, 400, 0, 100), Effect.SHOWN),
        ((20, 400, 0, 30), Effect.TOO_FEW),
        ((2, 60, 0, 40), Effect.TOO_FEW),
        ((2, 60, 3, 40), Effect.NONE),
        ((0, 400, 0, 4000), Effect.TOO_FEW),
        ((20, 400, 0, 0), Effect.TOO_FEW),
        ((300, 50_000, 30, 50_000), Effect.SHOWN),
    ],
)
def test_an_effect_is_shown_by_enough_and_no_sooner(counts, effect):
    assert effect_figures.judge(*counts) == effect


def test_how_many_without_a_fault_it_takes():
    least = effect_figures.needed(20, 400)
    assert least is not None
    assert effect_figures.judge(20, 400, 0, least) == Effect.SHOWN
    assert effect_figures.judge(20, 400, 0, least - 1) == Effect.TOO_FEW
    assert effect_figures.needed(0, 400) is None


def test_an_occurrence_is_rated_by_what_may_be_behind_the_counts():
    assert effect_figures.occurrence(150, 1000) == 10
    assert effect_figures.occurrence(3, 1200) == 6
    # Nothing of ten says little, nothing of ten million a lot.
    assert effect_figures.occurrence(0, 10) == 10
    assert effect_figures.occurrence(0, 10_000_000) == 2


def test_detection_follows_the_share_that_escapes():
    assert effect_figures.detection(4, 0) is None
    assert [effect_figures.detection(out, 8 - out) for out in (0, 1, 4, 7, 8)] == [2, 3, 6, 9, 10]
    assert effect_figures.detection(1, 9_999) == 3
