"""Many orders approved with one click, worked off by jobs, watched on one page."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from aps.models import ScheduleRun
from common.models import Job
from crm import selectors
from crm.enums import OrderState
from crm.models import BulkApproval
from crm.services import bulk
from masterdata.models import Customer, WorkUnit
from tests.crm.factories import Shop
from tests.factories import UserFactory


def shop_page(shop: Shop) -> Client:
    client = Client()
    manager = UserFactory(username="mia", roles=["manager"])
    client.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    return client


def ask(shop: Shop, count: int) -> tuple[list, BulkApproval]:
    found = [shop.submitted(("PART", 1)) for _ in range(count)]
    asked = bulk.request(order_ids=[o.pk for o in found], by=shop.sales, now=shop.now)
    return found, asked


def test_all_are_approved_in_chunks_by_the_one_who_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 2)
    found, asked = ask(shop, 5)
    assert {shop.fresh(o).state for o in found} == {OrderState.SUBMITTED}, "it returns at once"
    shop.run_jobs()
    assert {shop.fresh(o).state for o in found} == {OrderState.APPROVED}
    assert {shop.fresh(o).approved_by for o in found} == {shop.sales}
    assert Job.objects.filter(name="crm.approve_next").count() == 3
    asked.refresh_from_db()
    assert (asked.handled, asked.refused) == (5, {})


def test_progress_counts_what_is_done_and_ends(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 2)
    _found, asked = ask(shop, 4)
    before = selectors.bulk_progress(asked)
    assert (before.orders, before.handled, before.percent, before.is_finished) == (4, 0, 0, False)
    bulk.approve_next(bulk_id=asked.pk, by=None, now=shop.now)
    asked.refresh_from_db()
    half = selectors.bulk_progress(asked)
    assert (half.handled, half.lines, half.converted, half.is_finished) == (2, 2, 0, False)
    shop.run_jobs()
    asked.refresh_from_db()
    after = selectors.bulk_progress(asked)
    assert (after.converted, after.dated, after.failed) == (4, 4, 0)
    assert (after.percent, after.is_finished) == (100, True)


def test_a_refused_order_keeps_its_reason_and_the_others_go_on(shop: Shop) -> None:
    found, asked = ask(shop, 3)
    other = Customer.objects.create(code="GONE", name="Gone", is_active=False)
    type(found[1]).objects.filter(pk=found[1].pk).update(customer=other)
    shop.run_jobs()
    asked.refresh_from_db()
    assert asked.refused == {
        found[1].number: "Customer Gone is not active; activate the customer first."
    }
    assert [shop.fresh(o).state for o in found] == ["approved", "submitted", "approved"]
    progress = selectors.bulk_progress(asked)
    assert (progress.handled, progress.refused, progress.is_finished) == (3, 1, True)


def test_the_same_click_twice_approves_once(shop: Shop) -> None:
    found, first = ask(shop, 2)
    second = bulk.request(order_ids=first.order_ids, by=shop.sales, now=shop.now)
    shop.run_jobs()
    second.refresh_from_db()
    assert set(second.refused) == {o.number for o in found}
    assert all(shop.line(o).conversions.count() == 1 for o in found)


def test_the_failed_line_of_a_bulk_ends_its_wait(shop: Shop) -> None:
    shop.items["RAW"] = shop.make("RAW", steps=0)
    order = shop.submitted(("RAW", 1))
    asked = bulk.request(order_ids=[order.pk], by=shop.sales, now=shop.now)
    shop.run_jobs()
    asked.refresh_from_db()
    progress = selectors.bulk_progress(asked)
    assert (progress.failed, progress.is_finished, progress.percent) == (1, True, 100)


def test_a_line_that_gets_no_date_does_not_keep_the_progress_waiting(shop: Shop) -> None:
    shop.buy("BOUGHT")
    # PART is left out of the plan, and its order has no date.
    WorkUnit.objects.update(is_active=False)
    bought, made = shop.submitted(("BOUGHT", 5)), shop.submitted()
    asked = bulk.request(order_ids=[bought.pk, made.pk], by=shop.sales, now=shop.now)
    shop.run_jobs()
    asked.refresh_from_db()
    after = selectors.bulk_progress(asked)
    assert (after.converted, after.dated, after.undated) == (2, 1, 1)
    assert (after.percent, after.is_finished) == (100, True)
    page = shop_page(shop).get(f"/orders/bulk/{asked.pk}/").content.decode()
    assert "Lines without a date" in page
    assert "hx-trigger" not in page.partition('id="progress"')[2].partition(">")[0]
    # The control: converted and not planned since is no answer.
    ScheduleRun.objects.update(requested_at=timezone.now() - timedelta(days=1))
    under_way = selectors.bulk_progress(asked)
    assert (under_way.converted, under_way.undated, under_way.is_finished) == (2, 0, False)
