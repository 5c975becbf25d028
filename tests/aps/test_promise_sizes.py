"""Promise checks of hostile size: answered at once, in a sentence, and never better than true."""

from datetime import timedelta
from decimal import Decimal

import pytest

from aps.services import promise_split, promises
from aps.services.promises import ReasonKind
from masterdata.enums import LotPolicy, RunBasis
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.masterdata.factories import WorkUnitFactory

pytestmark = pytest.mark.django_db

SOON = (MONDAY + 4 * DAY).date()


@pytest.fixture
def looked(monkeypatch):
    """How many quantities were tried on the machines."""
    tried = []
    real = promise_split.explode

    def counted(**kwargs):
        tried.append(kwargs["quantity"])
        return real(**kwargs)

    monkeypatch.setattr(promise_split, "explode", counted)
    return tried


def test_what_all_hours_of_the_machines_cannot_hold_is_told_without_a_try(looked):
    plant = Factory()
    part = plant.part(minutes=10)
    answers = plant.check(*[(part, 9_999_999, SOON)] * 20)
    assert looked == []
    assert {answer.refusal for answer in answers} == {
        "9,999,999 of PART take at least 1,666,667 hours at work center LATHE, which has "
        "14,148 hours in the next 6 years; ask for less at once."
    }


def test_what_lies_in_stock_and_what_takes_the_same_for_any_quantity_is_not_too_much(looked):
    plant = Factory()
    part = plant.part(minutes=10)
    plant.stock("PART", 9_999_999)
    oven = plant.part("OVEN", minutes=60)
    oven.routings.get().operations.update(run_basis=RunBasis.PER_ORDER)
    answers = plant.check((part, 9_999_999, SOON), (oven, 9_999_999, SOON))
    assert [answer.feasible for answer in answers] == [True, True]
    assert len(looked) == 2


def test_two_machines_have_twice_the_hours():
    plant = Factory()
    part = plant.part(minutes=1)
    quantity = 15_000 * 60
    (alone,) = plant.check((part, quantity, SOON))
    assert "take at least 15,000 hours" in alone.refusal
    WorkUnitFactory(work_center=plant.center, code="LATHE-2")
    promises.live.forget()
    (both,) = plant.check((part, quantity, SOON))
    # The arithmetic lets it pass; one work order on one machine still does not end in time.
    assert both.refusal == "The work for this line does not end within 6 years."


class TestManyLines:
    def plant(self):
        plant = Factory(units=2)
        fixed = {"lot_policy": LotPolicy.FIXED, "lot_size": Decimal(10)}
        plant.steps(plant.make("CHILD", steps=0), 3, setup=30)
        return plant, plant.steps(plant.make("PART", {"CHILD": 1}, steps=0, **fixed), 6, setup=15)

    def test_are_checked_in_single_lots_from_some_size_on_and_say_so(self, monkeypatch):
        plant, part = self.plant()
        lines = [(part, 40, SOON)] * 3
        fine = plant.check(*lines)
        assert not [r for answer in fine for r in answer.reasons if r.kind == ReasonKind.COARSE]
        # The first line alone is looked at lot by lot.
        monkeypatch.setattr(promises, "MOST_BY_LOT", 1)
        coarse = plant.check(*lines)
        assert coarse[0] == fine[0]
        for answer, exact in zip(coarse[1:], fine[1:], strict=True):
            assert answer.ready_at >= exact.ready_at
            [told] = [r for r in answer.reasons if r.kind == ReasonKind.COARSE]
            assert "it may be sooner" in told.text

    def test_a_single_lot_has_all_setups_of_the_orders_that_it_stands_for(self, monkeypatch):
        plant, part = self.plant()
        monkeypatch.setattr(promises, "MOST_BY_LOT", 0)
        (answer,) = plant.check((part, 40, SOON))
        # Four children of 30 + 30 minutes, then four lots of 15 + 60, with a night between.
        assert answer.ready_at == MONDAY + 4 * HOUR + 5 * HOUR
        (exact,) = plant.check((part, 10, SOON))
        assert exact.ready_at == MONDAY + HOUR + timedelta(minutes=75)


def test_lines_of_one_check_compete_over_a_longer_horizon_too():
    """The second line does not fit beside the first within the first horizon."""
    plant = Factory()
    part = plant.part(minutes=60)
    # 400 days have some 285 working days of nine hours.
    lines = [(part, 285 * 9 - 20, SOON), (part, 100, SOON)]
    first, second = plant.check(*lines)
    assert first.ready_at < second.ready_at
    assert second.ready_at - first.ready_at >= timedelta(hours=100)
