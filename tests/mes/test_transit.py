"""Made goods on their way from another site are counted on, and what does not come is made."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from aps.selectors import late_orders, readiness
from aps.services import inputs, supplies
from aps.views import words
from common.enums import JobState
from common.jobs import runner
from common.models import Event, Job
from erp import mrp
from erp import selectors as erp
from erp.enums import MoveKind
from erp.models import Reservation
from erp.services import stock, transfers
from erp.services.moving import Where
from mes import selectors
from mes.models import WorkOrderPeg
from mes.services import covering
from tests.erp.test_lots import place
from tests.masterdata.factories import SiteFactory
from tests.mes.factories import Plant

pytestmark = pytest.mark.django_db
FRIDAY = date(2026, 11, 27)


class Two:
    """A plant that makes TABLE of one FRAME, made too; the depot sends either."""

    def __init__(self, now):
        self.now, self.plant = now, Plant(SiteFactory(code="PLANT", time_zone="UTC"))
        self.plant.make("FRAME", {"BAR": 2})
        self.plant.make("TABLE", {"FRAME": 1})
        self.depot = SiteFactory(code="DEPOT", time_zone="UTC")

    @property
    def pk(self):
        return self.plant.site.pk

    def sent(self, code, quantity):
        item, quantity = self.plant.items[code], Decimal(quantity)
        why = {"kind": MoveKind.RECEIPT, "reference": "DN-1", "by": None, "now": self.now}
        stock.receive(item_id=item.pk, site_id=self.depot.pk, quantity=quantity, **why)
        act = {"by": None, "now": self.now}
        transfer = transfers.draft(
            from_site_id=self.depot.pk, to_site_id=self.pk, arrives_on=FRIDAY, **act
        )
        source = Where(place(self.depot).pk, item.pk, None, [])
        transfers.pack(transfer=transfer, source=source, quantity=quantity, **act)
        return transfers.dispatch(transfer=transfer, **act)

    def arrive(self, transfer, quantity):
        line = transfer.lines.get()
        arrivals = {line.pk: Decimal(quantity)}
        return transfers.receive(transfer=transfer, arrivals=arrivals, by=None, now=self.now)

    def work(self):
        """Run the job that the transfer's fact asked for."""
        job = Job.objects.filter(name="mes.cover_again", state=JobState.QUEUED).latest("pk")
        assert runner.run_one(job.pk, now=self.now)

    def made(self, code):
        return [int(order.quantity) for order in self.plant.orders(code)]

    def pegged(self, need):
        return sum(int(peg.quantity) for peg in WorkOrderPeg.objects.filter(requirement=need))


@pytest.fixture
def two(now):
    return Two(now)


def test_what_is_on_its_way_is_not_made_again(two):
    transfer = two.sent("TABLE", 6)
    first, arrival = two.plant.need("TABLE", 10), erp.made_in_transit(site_id=two.pk, now=two.now)
    assert not two.plant.plan(first).failures
    assert (two.made("TABLE"), two.pegged(first)) == ([4], 4)
    # Asked again, and for somebody who comes later with an earlier day.
    two.plant.plan(first)
    second = two.plant.need("TABLE", 3, days=-10)
    two.plant.plan(second)
    assert (two.made("TABLE"), two.pegged(first), two.pegged(second)) == ([4, 3], 4, 3)
    found = selectors.transit(site_id=two.pk, now=two.now)
    assert [(s.quantity, s.reference) for s in found.shares[first.pk]] == [(6, transfer.number)]
    assert not found.free
    dates = selectors.material_dates(site_id=two.pk, now=two.now)
    assert (dates[first.pk].at, dates[first.pk].reference) == (arrival[0].at, transfer.number)
    reading = erp.read_situation(site_id=two.pk, today=two.now.date(), zone=two.now.tzinfo)
    ordered = {order.item_id for order in mrp.run(reading.situation).orders}
    assert two.plant.items["TABLE"].pk not in ordered


def test_stock_goes_first_and_a_transfer_of_bought_goods_is_none_of_it(two):
    two.plant.stock("TABLE", 8)
    two.sent("TABLE", 6)
    two.sent("BAR", 5)
    need = two.plant.need("TABLE", 10)
    two.plant.plan(need)
    assert two.made("TABLE") == []
    assert Reservation.objects.get(requirement=need).quantity == 8
    (left,) = selectors.transit(site_id=two.pk, now=two.now).free
    assert left.quantity == 4
    # A promise may count on what nobody waits for, and on no more.
    items = [item.pk for item in two.plant.items.values()]
    read = supplies.read(site_id=two.pk, made=items, bought=[], now=two.now)
    (lot,) = read.lots[two.plant.items["TABLE"].pk]
    assert lot.quantity == 4


def test_components_that_come_are_waited_for_in_the_schedule(two):
    transfer = two.sent("FRAME", 10)
    need = two.plant.need("TABLE", 10)
    two.plant.plan(need)
    assert (two.made("TABLE"), two.made("FRAME")) == ([10], [])
    (material,) = two.plant.orders("TABLE")[0].materials.all()
    read = inputs.read(site_id=two.pk, now=two.now, days=30)
    assert read.uncovered == {}
    assert read.materials[material.requirement_id].reference == transfer.number
    # Called back: nobody makes the frames any more, until they are planned for.
    transfers.cancel(transfer=transfer, reason="wrong lorry", by=None, now=two.now)
    assert list(inputs.read(site_id=two.pk, now=two.now, days=30).uncovered)
    two.work()
    assert two.made("FRAME") == [10]
    assert inputs.read(site_id=two.pk, now=two.now, days=30).uncovered == {}


def test_an_order_line_that_only_waits_for_a_consignment_is_ready_when_it_comes(two):
    transfer = two.sent("TABLE", 10)
    need = two.plant.need("TABLE", 10)
    two.plant.plan(need)
    ready = readiness.ready_dates(requirement_ids=[need.pk], now=two.now)[need.pk]
    assert (ready.cause, ready.detail) == ("transfer", transfer.number)
    assert ready.at == erp.made_in_transit(site_id=two.pk, now=two.now)[0].at
    two.arrive(transfer, 10)
    two.work()
    assert Reservation.objects.get(requirement=need).quantity == 10
    assert two.plant.orders() == []
    # Whoever looks after orders that only wait for stock is told.
    assert Event.objects.filter(topic="mes.needs.covered", payload__site_id=two.pk).exists()


def test_a_line_that_only_waits_for_a_consignment_is_late_until_it_comes(two):
    transfer = two.sent("TABLE", 12)
    alone = two.plant.need("TABLE", 10, due_at=two.now)
    shared = two.plant.need("TABLE", 3, due_at=two.now)
    in_time = two.plant.need("FRAME", 1, days=300)
    two.sent("FRAME", 2)
    two.plant.plan(alone, shared, in_time)
    assert (two.made("TABLE"), two.pegged(alone), two.pegged(shared)) == ([1], 0, 1)
    found = {row.requirement_id: row for row in late_orders(site_id=two.pk, now=two.now)}
    assert set(found) == {alone.pk, shared.pk}
    ready = found[alone.pk].ready
    assert (ready.cause, ready.detail, ready.origin) == ("transfer", transfer.number, "DEPOT")
    sentence = words.why(found[alone.pk])
    assert sentence == f"On its way from DEPOT, expected Fri 27 Nov 2026 ({transfer.number})."
    # The other one waits for its work order, which has no time.
    assert found[shared.pk].ready.cause == "unplanned"
    two.arrive(transfer, 12)
    two.work()
    assert alone.pk not in {row.requirement_id for row in late_orders(site_id=two.pk, now=two.now)}


def test_what_arrives_short_is_made(two):
    transfer = two.sent("TABLE", 10)
    need = two.plant.need("TABLE", 10)
    two.plant.plan(need)
    two.arrive(transfer, 7)
    two.work()
    # Three are still under way.
    assert (Reservation.objects.get(requirement=need).quantity, two.plant.orders()) == (7, [])
    transfers.close(transfer=transfer, reason="fell off", by=None, now=two.now)
    two.work()
    assert (two.made("TABLE"), two.pegged(need)) == ([3], 3)


def test_what_arrived_is_kept_for_who_counted_on_it(two, django_assert_num_queries):
    transfer = two.sent("TABLE", 10)
    first = two.plant.need("TABLE", 8)
    two.plant.plan(first)
    two.arrive(transfer, 10)
    table = two.plant.items["TABLE"].pk
    # The job that shares it out has not run: a promise counts on what nobody waits for.
    read = supplies.read(site_id=two.pk, made=[table], bought=[], now=two.now)
    assert read.stock[table] == 2
    second = two.plant.need("TABLE", 5, days=-10)
    two.plant.plan(second)
    reserved = dict(Reservation.objects.values_list("requirement", "quantity"))
    assert reserved == {first.pk: 8, second.pk: 2}
    assert (two.pegged(first), two.pegged(second)) == (0, 3)
    assert Event.objects.filter(topic="mes.needs.covered").count() == 1
    two.work()
    assert (two.made("TABLE"), two.pegged(first)) == ([3], 0)
    nothing = {table: Decimal(0)}
    with django_assert_num_queries(0):
        assert selectors.owed(site_id=two.pk, now=two.now, free=nothing) == []


def test_what_should_have_come_is_made_once(two):
    two.sent("TABLE", 10)
    need = two.plant.need("TABLE", 10)
    two.plant.plan(need)
    covering.cover_late(by=None, now=two.now)
    assert two.plant.orders() == []
    late = two.now + timedelta(days=30)
    for _hour in range(2):
        covering.cover_late(by=None, now=late)
    assert (two.made("TABLE"), two.pegged(need)) == ([10], 10)


def test_scrap_is_not_replaced_by_what_is_counted_on_already(two):
    two.sent("TABLE", 6)
    need = two.plant.need("TABLE", 10)
    two.plant.plan(need)
    (order,) = two.plant.orders("TABLE")
    WorkOrderPeg.objects.filter(work_order=order).update(quantity=3)
    order.output = order.quantity = 3
    order.save()
    need.quantity = 1
    # One of the four was lost; the six on their way are counted on for the rest.
    two.plant.plan(need)
    assert two.made("TABLE") == [3, 1]


def test_nothing_under_way_costs_one_query(two, django_assert_num_queries):
    two.plant.need("TABLE", 1)
    with django_assert_num_queries(1):
        selectors.transit(site_id=two.pk, now=two.now)
    two.sent("TABLE", 6)
    two.sent("FRAME", 6)
    for _needed in range(3):
        two.plant.need("TABLE", 1)
    # Without a work order there are no operations to count.
    with django_assert_num_queries(3):
        selectors.transit(site_id=two.pk, now=two.now)
