"""What arrives while others plan goes to who counted on it; and to others without the guard."""

import pytest

from erp.models import Reservation
from mes import selectors
from mes.models import WorkOrderPeg
from mes.services import covering
from tests.mes import invariants
from tests.mes.test_supply_concurrency import in_parallel
from tests.mes.test_transit import Two

pytestmark = pytest.mark.django_db(transaction=True)
OTHERS = 5


@pytest.fixture
def arrived(now):
    """Ten tables have arrived for the first need; the job that shares them out has not run yet."""
    two = Two(now)
    transfer = two.sent("TABLE", 10)
    two.first = two.plant.need("TABLE", 10)
    two.plant.plan(two.first)
    two.arrive(transfer, 10)
    # Due before the first one, and in need of the same tables.
    two.others = [two.plant.need("TABLE", 4, days=-5) for _ in range(OTHERS)]
    return two


def kept(need):
    return sum(int(row.quantity) for row in Reservation.objects.filter(requirement=need))


def made_for(need):
    return sum(int(peg.quantity) for peg in WorkOrderPeg.objects.filter(requirement=need))


def planners(two):
    return [lambda need=need: two.plant.plan(need) for need in two.others]


def cover(two):
    covering.cover_again(site_id=two.pk, by=None, now=two.now)


def test_who_counted_on_a_consignment_gets_it_whoever_plans_meanwhile(arrived):
    assert in_parallel(lambda: cover(arrived), *planners(arrived)) == []
    assert (kept(arrived.first), made_for(arrived.first)) == (10, 0)
    assert [made_for(need) for need in arrived.others] == [4] * OTHERS
    invariants.check()


def test_an_arrival_in_the_midst_of_planning_is_made_for_nobody_twice(now):
    two = Two(now)
    transfer = two.sent("TABLE", 10)
    two.first = two.plant.need("TABLE", 10)
    two.plant.plan(two.first)
    two.others = [two.plant.need("TABLE", 4, days=-5) for _ in range(OTHERS)]
    acts = [lambda: two.arrive(transfer, 10), *planners(two), lambda: cover(two)]
    assert in_parallel(*acts) == []
    cover(two)
    assert (kept(two.first), made_for(two.first)) == (10, 0)
    assert sum(two.made("TABLE")) == 4 * OTHERS
    invariants.check()


def test_without_the_look_at_who_waited_others_take_it(arrived, monkeypatch):
    """The control: the guard taken away, what arrived is gone and the first need is made anew."""
    monkeypatch.setattr(selectors, "owed", lambda **facts: [])
    assert in_parallel(*planners(arrived)) == []
    cover(arrived)
    assert kept(arrived.first) < 10
    assert made_for(arrived.first) > 0
