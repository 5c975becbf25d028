"""Order lines become work orders: each once, and one that cannot does not stop the others."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, OperationalError, transaction

from common.models import Event, Job
from crm import policies
from crm.enums import ConversionState, OrderState
from crm.models import Conversion
from crm.services import conversion, orders
from erp.models import Requirement
from mes.models import WorkOrder
from mes.services import supply
from tests.crm.factories import Shop, counts
from tests.masterdata.factories import RoutingFactory
from tests.mes import invariants

D = Decimal


def test_a_line_becomes_a_requirement_and_work_orders_over_all_levels(shop: Shop) -> None:
    shop.assembly("TOP", {"PART": 2})
    order = shop.converted(("TOP", 10))
    line = shop.line(order)
    assert line.conversion_state == ConversionState.CONVERTED
    assert line.requirement.reference == f"{order.number}/10"
    assert line.requirement.quantity == 10
    assert line.requirement.customer == order.customer
    # Due when it must leave to be at the customer's door on the requested day.
    assert line.requirement.due_at.date() <= line.requested_date
    assert {(wo.item.code, wo.quantity) for wo in shop.work(order)} == {("TOP", 10), ("PART", 20)}
    assert "work_orders_created" in order.milestones.values_list("kind", flat=True)
    assert Conversion.objects.get().line == line
    invariants.check()


def test_the_same_run_repeated_changes_nothing(shop: Shop) -> None:
    shop.converted()
    before = counts()
    done = shop.convert()
    assert (done.orders, done.lines, done.failed, done.more_waiting) == (0, 0, 0, False)
    assert counts() == before


def test_the_same_job_repeated_changes_nothing(shop: Shop) -> None:
    order = shop.approved()
    shop.run_jobs()
    work, lines = WorkOrder.objects.count(), Conversion.objects.count()
    job = Job.objects.filter(name="crm.convert_waiting").latest("pk")
    Job.objects.filter(pk=job.pk).update(state="queued", done_at=None)
    shop.run_jobs()
    job.refresh_from_db()
    assert job.state == "done"
    assert (WorkOrder.objects.count(), Conversion.objects.count()) == (work, lines)
    assert shop.fresh(order).state == OrderState.APPROVED


def test_a_line_of_stock_needs_no_work_order_and_is_ready_at_once(shop: Shop) -> None:
    shop.stock("PART", 10)
    order = shop.converted()
    assert order.state == OrderState.READY_TO_SHIP
    assert not WorkOrder.objects.exists()
    assert "finished" in order.milestones.values_list("kind", flat=True)


def test_an_order_served_from_stock_gets_its_date_as_well(shop: Shop) -> None:
    shop.stock("PART", 10)
    order = shop.approved()
    shop.run_jobs()
    assert shop.fresh(order).state == OrderState.READY_TO_SHIP
    assert shop.line(order).projected_date is not None


def test_a_line_that_cannot_be_made_says_why_and_the_others_go_on(shop: Shop) -> None:
    shop.items["RAW"] = shop.make("RAW", steps=0)
    order = shop.approved(("PART", 10), ("RAW", 5))
    other = shop.approved()
    done = shop.convert()
    assert (done.orders, done.lines, done.failed) == (2, 3, 1)
    failed = shop.line(order, 20)
    assert failed.conversion_state == ConversionState.FAILED
    assert "RAW" in failed.conversion_error
    assert shop.fresh(order).state == OrderState.APPROVED
    assert shop.line(order).conversion_state == ConversionState.CONVERTED
    assert shop.line(other).conversion_state == ConversionState.CONVERTED
    assert set(WorkOrder.objects.values_list("item__code", flat=True)) == {"PART"}


def test_a_failed_line_is_converted_after_the_cause_was_mended(shop: Shop) -> None:
    item = shop.items["RAW"] = shop.make("RAW", steps=0)
    order = shop.converted(("PART", 10), ("RAW", 5))
    RoutingFactory(item=item, steps=[(shop.center, D(1))])
    orders.retry_conversion(order=order, by=shop.sales, now=shop.now)
    assert shop.line(order, 20).conversion_state == ConversionState.WAITING
    assert shop.line(order, 20).conversion_error == ""
    shop.run_jobs()
    line = shop.line(order, 20)
    assert line.conversion_state == ConversionState.CONVERTED
    assert Requirement.objects.filter(kind="sales").count() == 2
    assert sorted(wo.item.code for wo in shop.work(order)) == ["PART", "RAW"]
    invariants.check()


def test_a_retry_without_a_failed_line_is_refused(shop: Shop) -> None:
    order = shop.converted()
    before = counts()
    with pytest.raises(policies.CannotChange, match="no line to convert again"):
        orders.retry_conversion(order=order, by=shop.sales, now=shop.now)
    assert counts() == before


def broken_for(monkeypatch: pytest.MonkeyPatch, shop: Shop, code: str, error: Exception) -> None:
    """Let planning raise as soon as a demand for the item is among the others."""
    real = supply.plan

    def plan(*, demands, **kwargs):
        ids = [demand.requirement_id for demand in demands]
        if Requirement.objects.filter(pk__in=ids, item__code=code).exists():
            raise error
        return real(demands=demands, **kwargs)

    monkeypatch.setattr(supply, "plan", plan)


def test_an_unforeseen_error_stops_its_own_order_only(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.items["BAD"] = shop.part("BAD")
    good, bad, last = shop.approved(), shop.approved(("BAD", 5)), shop.approved(("PART", 7))
    with monkeypatch.context() as patched:
        broken_for(patched, shop, "BAD", RuntimeError("no idea"))
        done = shop.convert()
    assert (done.orders, done.failed) == (3, 1)
    assert shop.line(bad).conversion_state == ConversionState.FAILED
    assert shop.line(bad).conversion_error == "This line could not be converted: no idea"
    assert shop.line(bad).requirement is None
    for order, quantity in ((good, 10), (last, 7)):
        line = shop.line(order)
        assert line.conversion_state == ConversionState.CONVERTED
        assert line.requirement.quantity == quantity
        assert sum(wo.quantity for wo in shop.work(order)) == quantity
    invariants.check()
    orders.retry_conversion(order=bad, by=shop.sales, now=shop.now)
    shop.convert()
    assert sum(wo.quantity for wo in shop.work(bad)) == 5
    invariants.check()


def test_a_line_the_database_refuses_stops_its_own_order_only(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.items["BAD"] = shop.part("BAD")
    good, bad = shop.approved(), shop.approved(("BAD", 5))
    broken_for(monkeypatch, shop, "BAD", IntegrityError("mes_workorder_quantity_positive"))
    shop.convert()
    assert shop.line(good).conversion_state == ConversionState.CONVERTED
    assert shop.line(bad).conversion_state == ConversionState.FAILED


def test_a_quantity_beyond_what_can_be_stored_stops_its_own_order_only(shop: Shop) -> None:
    shop.assembly("TOP", {"PART": 5000})
    good, bad = shop.approved(), shop.enter(("TOP", "9999999999"))
    type(bad).objects.filter(pk=bad.pk).update(state=OrderState.APPROVED, approved_at=shop.now)
    bad.lines.update(conversion_state=ConversionState.WAITING)
    shop.convert()
    assert shop.line(good).conversion_state == ConversionState.CONVERTED
    assert shop.line(bad).conversion_state == ConversionState.FAILED
    assert shop.line(bad).conversion_error


def test_a_database_that_is_away_is_no_orders_fault(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.approved()
    broken_for(monkeypatch, shop, "PART", OperationalError("gone"))
    with pytest.raises(OperationalError), transaction.atomic():
        shop.convert()
    line = shop.line(order)
    assert (line.conversion_state, line.conversion_error) == (ConversionState.WAITING, "")


def test_more_orders_than_a_chunk_are_converted_by_several_jobs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "CHUNK", 2)
    found = [shop.approved() for _ in range(5)]
    shop.run_jobs()
    assert {shop.line(order).conversion_state for order in found} == {ConversionState.CONVERTED}
    assert Conversion.objects.count() == 5
    assert Event.objects.filter(topic="crm.order.converted").count() == 5
    # One after the approvals, coalesced, and one for each chunk that was left.
    jobs = Job.objects.filter(name="crm.convert_waiting", merged_into=None)
    assert jobs.count() == 3


def test_an_order_of_another_site_waits_for_its_own_job(shop: Shop) -> None:
    order = shop.approved()
    with transaction.atomic():
        done = conversion.convert_waiting(site_id=shop.site.pk + 1, by=None, now=shop.now)
    assert done.orders == 0
    assert shop.line(order).conversion_state == ConversionState.WAITING


def test_a_cancelled_order_is_not_converted(shop: Shop) -> None:
    order = shop.approved()
    orders.cancel(order=order, reason="No", by=shop.sales, now=shop.now)
    assert shop.convert().orders == 0
    assert not WorkOrder.objects.exists()
