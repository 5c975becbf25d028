"""Many demands at once: the number of queries depends on the levels, not on the demands."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from masterdata.enums import LotPolicy
from mes import selectors
from mes.models import WorkOrder
from tests.mes import invariants
from tests.mes.factories import Plant

pytestmark = pytest.mark.django_db


def bicycles():
    plant = Plant()
    plant.make("TUBE", {"STEEL": 2}, lot_policy=LotPolicy.PERIOD, lot_period_days=7)
    plant.make("FRAME", {"TUBE": 3, "PAINT": 1})
    plant.make("WHEEL", {"RIM": 1, "SPOKE": 32}, lot_policy=LotPolicy.FIXED, lot_size=500)
    plant.make("BIKE", {"FRAME": 1, "WHEEL": 2, "SADDLE": 1})
    plant.stock("SPOKE", 100_000)
    return plant


def queries_of(act):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        act()
    # Batches of bulk writes grow slowly with the rows; reads do not grow at all.
    reads = [q["sql"] for q in captured if q["sql"].startswith("SELECT")]
    return len(reads), len(captured)


def test_plan_of_2000_demands_asks_as_little_as_that_of_400():
    plant, counts = bicycles(), []

    def plan(number):
        needs = [plant.need("BIKE", 1 + n % 3, days=n % 5) for n in range(number)]
        counts.append(queries_of(lambda: plant.plan(*needs)))

    for number in (10, 400, 2000):  # the first finds no lots that grow
        plan(number)
    _first, (few_reads, few), (many_reads, many) = counts
    assert few_reads == many_reads
    assert many <= few + 30
    assert few < 120
    assert WorkOrder.objects.count() > 4000
    invariants.check()


def test_open_operations_and_progress_ask_the_same_for_few_and_for_many():
    plant = bicycles()
    first = [plant.need("BIKE", 1) for _ in range(5)]
    plant.plan(*first)
    ids = [need.pk for need in first]
    few = queries_of(lambda: selectors.open_operations(site_id=plant.site.pk))
    few_progress = queries_of(lambda: selectors.progress(ids))
    more = [plant.need("BIKE", 1) for _ in range(50)]
    plant.plan(*more)
    assert queries_of(lambda: selectors.open_operations(site_id=plant.site.pk)) == few
    ids += [need.pk for need in more]
    assert queries_of(lambda: selectors.progress(ids)) == few_progress


def test_unplan_of_100_demands_asks_as_little_as_that_of_5():
    plant = bicycles()
    needs = [plant.need("BIKE", 2) for _ in range(105)]
    plant.plan(*needs)
    few = queries_of(lambda: plant.unplan(dict.fromkeys(needs[:5], 1)))
    many = queries_of(lambda: plant.unplan(dict.fromkeys(needs[5:], 1)))
    assert many[0] == few[0]
    invariants.check()
