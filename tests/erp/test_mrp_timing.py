"""Requirements are planned by themselves: once changes have gone quiet, once a night, no storms."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.test import override_settings

from common import events
from common.enums import JobState
from common.jobs import dispatcher, runner
from common.models import Event, Job
from config.subscriptions import LIVE, SUBSCRIPTIONS
from erp import selectors
from erp.enums import MoveKind, MrpCause, MrpRunState
from erp.events import PurchaseOrdersChanged, StockReceived
from erp.models import MrpRun, Proposal, SupplyRule
from erp.selectors.planning_news import FACTS
from erp.services import mrp_runs, mrp_timing, stock
from masterdata.models import Bom
from masterdata.services import boms, imports, records
from mes.events import WorkOrdersChanged
from tests.masterdata.factories import SupplierFactory, SupplierPriceFactory
from tests.mes.factories import Plant

pytestmark = pytest.mark.django_db
LOOK, RUN = "erp.plan_after_changes", "erp.run_mrp"


@pytest.fixture
def plant():
    made = Plant()
    made.make("TABLE", {"LEG": 4})
    return made


def seconds(now, number):
    return now + timedelta(seconds=number)


def happens(plant, now, event=WorkOrdersChanged):
    with transaction.atomic():
        events.publish(event(site_id=plant.site.pk), by=None, now=now)


def waiting(name):
    return Job.objects.filter(name=name, state=JobState.QUEUED)


def work(name, now):
    """Run the waiting job of this name that is due; whether there was one."""
    job = waiting(name).filter(run_at__lte=now).first()
    return job is not None and bool(runner.run_one(job.pk, now=now))


def causes():
    return list(MrpRun.objects.order_by("pk").values_list("cause", "state"))


def test_every_fact_that_asks_for_planning_has_words_and_tells_the_page():
    asking = {topic for topic, rows in SUBSCRIPTIONS.items() if any(r.job == LOOK for r in rows)}
    assert asking == set(FACTS)
    assert all("supply:{site_id}" in LIVE[topic] for topic in asking)


@override_settings(MRP_QUIET_SECONDS=30, MRP_LONGEST_WAIT_SECONDS=300, MRP_PAUSE_SECONDS=120)
def test_many_changes_are_one_run_when_they_have_gone_quiet(plant, now):
    for number in range(1, 60):
        happens(plant, seconds(now, number))
        work(LOOK, seconds(now, number))
        assert waiting(LOOK).count() <= 1
        assert not work(RUN, seconds(now, number))
    assert work(LOOK, seconds(now, 60))
    assert causes() == [(MrpCause.CHANGES, MrpRunState.QUEUED)]
    # Half a minute after the last of them, and not before.
    assert waiting(RUN).get().run_at == seconds(now, 59 + 30)
    status = selectors.planning_status(site_id=plant.site.pk, now=seconds(now, 70))
    assert (status.active, status.next_at, status.changes) == (None, seconds(now, 89), 59)
    assert work(RUN, seconds(now, 90))
    assert causes() == [(MrpCause.CHANGES, MrpRunState.DONE)]
    assert not waiting(LOOK).exists()
    assert not waiting(RUN).exists()


@override_settings(MRP_QUIET_SECONDS=30, MRP_LONGEST_WAIT_SECONDS=300, MRP_PAUSE_SECONDS=120)
def test_changes_that_never_stop_are_planned_all_the_same_and_not_all_day(plant, now):
    """A busy hour, a change every ten seconds: all are planned, in a dozen runs and not in 360."""
    at = now
    for _step in range(360):
        at = seconds(at, 10)
        happens(plant, at)
        work(LOOK, seconds(at, 5))
        work(RUN, seconds(at, 5))
    runs = MrpRun.objects.filter(state=MrpRunState.DONE)
    assert 10 <= runs.count() <= 13
    began = list(runs.order_by("pk").values_list("started_at", flat=True))
    assert all(
        timedelta(seconds=120) <= two - one <= timedelta(seconds=320)
        for one, two in zip(began, began[1:], strict=False)
    )
    # The last ones too, when the floor goes home.
    assert work(RUN, seconds(at, 300))
    status = selectors.planning_status(site_id=plant.site.pk, now=seconds(at, 302))
    assert (status.changes, status.active, status.next_at) == (0, None, None)


def test_who_asks_does_not_wait_for_changes_to_go_quiet(plant, now):
    happens(plant, now)
    assert work(LOOK, seconds(now, 5))
    assert not work(RUN, seconds(now, 6))
    asked = mrp_runs.request(site_id=plant.site.pk, by=None, now=seconds(now, 6))
    assert asked.cause == MrpCause.PERSON
    # A later change does not make it wait again.
    happens(plant, seconds(now, 7))
    assert work(LOOK, seconds(now, 12))
    assert work(RUN, seconds(now, 12))
    assert causes() == [(MrpCause.PERSON, MrpRunState.DONE)]


def test_running_ahead_of_the_time_ends(plant, now):
    """Debounced jobs are run at once by the demo and by benchmarks."""
    happens(plant, now)
    runner.run_due(now=now, include_waiting=True, limit=50)
    assert causes() == [(MrpCause.CHANGES, MrpRunState.DONE)]
    assert not Job.objects.filter(state=JobState.QUEUED).exists()


def test_a_change_while_a_run_computes_is_planned_after_it_one_at_a_time(plant, now, monkeypatch):
    first = mrp_runs.request(site_id=plant.site.pk, by=None, now=now)
    real = mrp_runs.mrp.run

    def meanwhile(situation, **kwargs):
        happens(plant, seconds(now, 1))
        assert work(LOOK, seconds(now, 200))
        second = waiting(RUN).get()
        assert second.pk != first.pk
        assert not runner.run_one(second.pk, now=seconds(now, 200))  # not beside the first
        return real(situation, **kwargs)

    monkeypatch.setattr(mrp_runs.mrp, "run", meanwhile)
    assert work(RUN, now)
    monkeypatch.undo()
    assert work(RUN, seconds(now, 201))
    assert causes() == [
        (MrpCause.PERSON, MrpRunState.DONE),
        (MrpCause.CHANGES, MrpRunState.DONE),
    ]


def test_the_page_knows_what_changed_since_the_last_run(plant, now):
    mrp_runs.request(site_id=plant.site.pk, by=None, now=now)
    work(RUN, now)
    leg = plant.items["LEG"]
    with transaction.atomic():
        events.publish(
            StockReceived(item_id=leg.pk, site_id=plant.site.pk), by=None, now=seconds(now, 5)
        )
    happens(plant, seconds(now, 6), PurchaseOrdersChanged)
    happens(plant, seconds(now, 7), PurchaseOrdersChanged)
    other = Event.objects.first()
    Event.objects.create(topic=other.topic, payload={"site_id": 0}, at=seconds(now, 8))
    status = selectors.planning_status(site_id=plant.site.pk, now=seconds(now, 9))
    assert [(one.topic, one.count) for one in status.news] == [
        ("erp.purchase_orders.changed", 2),
        ("erp.stock.received", 1),
    ]
    assert status.next_at is None  # nobody has looked yet
    assert work(LOOK, seconds(now, 10))
    status = selectors.planning_status(site_id=plant.site.pk, now=seconds(now, 10))
    assert status.next_at == seconds(now, 120)  # the pause after the last run
    assert (status.last.state, status.active) == (MrpRunState.DONE, None)


def test_a_receipt_leads_to_proposals_without_anybody_asking(plant, now):
    plant.need("LEG", 10, due_at=now + timedelta(days=20))
    stock.receive(
        item_id=plant.items["LEG"].pk,
        site_id=plant.site.pk,
        quantity=Decimal(4),
        kind=MoveKind.RECEIPT,
        reference="D-1",
        by=None,
        now=now,
    )
    assert work(LOOK, seconds(now, 5))
    assert not work(RUN, seconds(now, 29))
    assert work(RUN, seconds(now, 30))
    assert Proposal.objects.get(action="buy").system_quantity == 6


def test_another_bill_or_price_is_planned_without_waiting_for_the_night(plant, now):
    table, leg = plant.items["TABLE"], plant.items["LEG"]
    asked = []

    def planned(act):
        Job.objects.all().delete()
        with transaction.atomic():
            act()
        asked.append(waiting(LOOK).exists())

    bill = Bom.objects.get(item=table)
    planned(
        lambda: boms.save(
            item=table,
            revision=bill.revision,
            valid_from=bill.valid_from,
            valid_to=None,
            lines=[boms.Line(position=10, component="LEG", quantity_per=Decimal(3))],
            by=None,
            now=now,
        )
    )
    price = SupplierPriceFactory.build(
        supplier=SupplierFactory(), item=leg, valid_from=now.date(), currency=plant.site.currency
    )
    planned(lambda: records.create(price, by=None, now=now))
    planned(lambda: records.edit(price, values={"price": 9}, version=1, by=None, now=now))
    planned(lambda: records.edit(leg, values={"safety_stock": 5}, version=1, by=None, now=now))
    price.refresh_from_db()
    planned(lambda: records.remove_price(price, version=price.version, by=None, now=now))
    assert asked == [True] * 5
    leg.refresh_from_db()
    words = {"name": "Bein", "list_price": 7}
    planned(lambda: records.edit(leg, values=words, version=leg.version, by=None, now=now))
    assert asked[-1] is False


def test_an_import_of_prices_is_one_change_and_one_of_the_same_is_none(plant, now):
    SupplierFactory(code="ANY")
    sheet = (
        "supplier,item,price,currency,valid_from\n"
        f"ANY,LEG,3,{plant.site.currency},2026-01-01\n"
        f"ANY,TABLE,30,{plant.site.currency},2026-01-01\n"
    )

    def told():
        Event.objects.filter(topic="masterdata.planning.changed").delete()
        table = imports.read("prices.csv", sheet.encode())
        prices = imports.RESOURCES["supplier_prices"]
        imports.run(prices, table, take_good=False, by=None, now=now)
        return Event.objects.filter(topic="masterdata.planning.changed").count()

    assert [told(), told()] == [1, 0]


def test_a_site_may_plan_only_when_asked(plant, now):
    SupplyRule.objects.create(site=plant.site, plans_itself=False)
    happens(plant, now)
    assert work(LOOK, seconds(now, 30))
    assert mrp_timing.by_night(now=now + timedelta(hours=12)) == 0
    assert not MrpRun.objects.exists()


def test_a_night_is_planned_once_at_each_sites_own_hour(plant):
    plant.site.time_zone = "Asia/Shanghai"
    plant.site.save()
    before = datetime(2026, 11, 23, 17, 59, tzinfo=UTC)  # 01:59 in Shanghai
    assert mrp_timing.by_night(now=before) == 0
    assert mrp_timing.by_night(now=before + timedelta(minutes=1)) == 1
    assert mrp_timing.by_night(now=before + timedelta(hours=1)) == 0
    assert work(RUN, before + timedelta(hours=1))
    assert mrp_timing.by_night(now=before + timedelta(hours=20)) == 0
    assert mrp_timing.by_night(now=before + timedelta(hours=24, minutes=1)) == 1
    assert [cause for cause, _state in causes()] == [MrpCause.NIGHT, MrpCause.NIGHT]


def test_the_dispatcher_asks_for_it_each_hour_once(now):
    assert dispatcher.ask_for_hourly(now=now) >= 1
    assert dispatcher.ask_for_hourly(now=now + timedelta(minutes=20)) == 0
    assert waiting("erp.plan_by_night").count() == 1
    assert dispatcher.ask_for_hourly(now=now + timedelta(hours=1)) >= 1
