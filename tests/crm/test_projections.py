"""The projected date: from the live schedule, with history; promised the first time only."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from aps import selectors as aps
from aps.selectors import Ready, ReadyCause
from crm.enums import ProjectionCause
from crm.models import PromiseRevision
from crm.selectors import late_lines
from crm.services import orders, projections
from masterdata.services import shipping
from tests.crm.factories import FRIDAY, MONDAY, Shop


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> dict[int, datetime | None]:
    """When requirements are ready, instead of asking the schedule."""
    moments: dict[int, datetime | None] = {}

    def ready_dates(*, requirement_ids, now):
        return {pk: Ready(moments.get(pk), ReadyCause.SCHEDULE) for pk in requirement_ids}

    monkeypatch.setattr(aps, "ready_dates", ready_dates)
    return moments


def test_the_chain_from_approval_to_a_date_on_the_line(shop: Shop) -> None:
    order = shop.approved()
    shop.run_jobs()
    line = shop.line(order)
    # Ten minutes of work on Monday morning; it leaves with the next opening of the dock.
    assert line.projected_ready_at is not None
    assert line.projected_date is not None
    assert line.projected_date >= line.projected_ready_at.date()
    entry = line.projections.latest("pk")
    assert entry.new_date == line.projected_date
    assert entry.schedule_version == aps.current_run(shop.site.pk).version
    assert "scheduled" in order.milestones.values_list("kind", flat=True)


def test_every_move_of_the_date_is_in_the_history_and_standing_still_is_not(
    shop: Shop, ready: dict[int, datetime | None]
) -> None:
    order = shop.converted()
    pk = shop.line(order).requirement_id
    for days in (1, 1, 3):
        ready[pk] = MONDAY + timedelta(days=days)
        shop.project()
    ready[pk] = None
    shop.project()
    history = shop.line(order).projections.order_by("pk").values_list("old_date", "new_date")
    assert list(history) == [
        (None, date(2026, 11, 24)),
        (date(2026, 11, 24), date(2026, 11, 26)),
        (date(2026, 11, 26), None),
    ]
    assert shop.line(order).projected_date is None


def test_transit_days_are_part_of_the_date(shop: Shop, ready: dict[int, datetime | None]) -> None:
    shop.customer.transit_days = 3
    shop.customer.save()
    order = shop.converted(wanted=date(2026, 12, 18))
    ready[shop.line(order).requirement_id] = MONDAY
    shop.project()
    assert shop.line(order).projected_date == date(2026, 11, 26)


def test_an_offered_date_stays_the_promise_whatever_the_plan_says(
    shop: Shop, ready: dict[int, datetime | None]
) -> None:
    order = shop.converted()
    ready[shop.line(order).requirement_id] = MONDAY + timedelta(days=20)
    shop.project()
    line = shop.line(order)
    assert line.promised_date == FRIDAY
    assert line.promises.count() == 1
    assert list(late_lines(on=MONDAY.date())) == [line]


def test_the_first_projection_becomes_the_promise_where_none_was_offered_and_only_once(
    shop: Shop, ready: dict[int, datetime | None]
) -> None:
    order = shop.enter()
    type(order).objects.filter(pk=order.pk).update(state="submitted")
    order = orders.approve(order=shop.fresh(order), by=shop.sales, now=shop.now)
    shop.convert()
    assert shop.line(order).promised_date is None
    pk = shop.line(order).requirement_id
    shop.project()
    assert shop.line(order).promised_date is None, "nothing is promised without a date"
    for days in (2, 9):
        ready[pk] = MONDAY + timedelta(days=days)
        shop.project()
    line = shop.line(order)
    assert line.promised_date == date(2026, 11, 25)
    assert line.projected_date == date(2026, 12, 2)
    assert PromiseRevision.objects.filter(line=line).count() == 1


def test_a_rush_is_projected_and_not_promised(
    shop: Shop, ready: dict[int, datetime | None]
) -> None:
    order = shop.converted(("PART", 40 * 60), wanted=date(2026, 11, 24), rush=[10])
    ready[shop.line(order).requirement_id] = MONDAY + timedelta(days=4)
    shop.project()
    line = shop.line(order)
    assert line.projected_date == FRIDAY
    assert line.promised_date is None


def test_what_has_left_keeps_its_estimate(shop: Shop, ready: dict[int, datetime | None]) -> None:
    shop.stock("PART", 10)
    order = shop.converted(("PART", 10), ("PART", 5))
    first, second = shop.line(order), shop.line(order, 20)
    for days in (0, 9):
        ready[first.requirement_id] = ready[second.requirement_id] = MONDAY + timedelta(days=days)
        shop.project()
        if not days:
            shop.ship(order, {10: 10})
    assert shop.line(order).projected_date == MONDAY.date()
    assert shop.line(order).projections.count() == 1
    assert shop.line(order, 20).projected_date == date(2026, 12, 2)


def test_lines_on_hold_cancelled_or_not_converted_keep_what_they_had(
    shop: Shop, ready: dict[int, datetime | None]
) -> None:
    held, waiting = shop.converted(), shop.approved()
    ready[shop.line(held).requirement_id] = MONDAY
    orders.hold(order=held, reason="No", by=shop.sales, now=shop.now)
    assert shop.project() == 0
    assert shop.line(held).projected_date is None
    assert shop.line(waiting).projected_date is None


def test_the_step_scheduled_is_reached_when_every_line_has_a_date(
    shop: Shop, ready: dict[int, datetime | None]
) -> None:
    order = shop.converted(("PART", 10), ("PART", 5))
    ready[shop.line(order).requirement_id] = MONDAY
    shop.project()
    assert not order.milestones.filter(kind="scheduled").exists()
    ready[shop.line(order, 20).requirement_id] = MONDAY
    shop.project()
    assert order.milestones.filter(kind="scheduled").exists()


def test_the_history_says_what_moved_the_day(
    shop: Shop, ready: dict[int, datetime | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from aps.services import causes

    order = shop.converted()
    run = shop.replan()
    for days, counts in ((0, {}), (2, {"masterdata.capacity.changed": 1}), (4, {})):
        ready[shop.line(order).requirement_id] = MONDAY + timedelta(days=days)
        run.comparison = {"cause": counts}
        run.save()
        shop.project()
    told = shop.line(order).projections.order_by("pk")
    assert [entry.cause for entry in told] == ["conversion", "capacity", "change"]
    assert [entry.reason for entry in told][1] == "Hours or machines changed"
    assert set(causes.PlanCause) <= set(ProjectionCause.values)


def test_a_day_that_nothing_leaves_on_any_more_does_not_keep_the_others(
    shop: Shop, ready: dict[int, datetime | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = shop.converted(), shop.converted()
    ready[shop.line(one).requirement_id] = MONDAY
    ready[shop.line(two).requirement_id] = never = MONDAY + timedelta(days=9)

    def day(self: shipping.ShippingCalendar, *, ready_at: datetime, transit_days: int) -> date:
        if ready_at == never:
            raise shipping.NoShippingTime("Nothing leaves then.")
        return real(self, ready_at=ready_at, transit_days=transit_days)

    real = shipping.ShippingCalendar.delivery_date
    monkeypatch.setattr(shipping.ShippingCalendar, "delivery_date", day)
    shop.project()
    assert shop.line(one).projected_date == MONDAY.date()
    assert shop.line(two).projected_date is None


def test_projections_take_a_constant_number_of_queries(
    shop: Shop,
) -> None:
    def queries() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with (
            CaptureQueriesContext(
                connection,
            ) as captured,
            transaction.atomic(),
        ):
            projections.update(site_id=shop.site.pk, by=None, now=shop.now)
        return len(captured)

    shop.converted()
    shop.run_jobs()
    few = queries()
    for _ in range(8):
        shop.converted(("PART", 3), ("PART", 4))
    shop.run_jobs()
    assert queries() == few


def test_a_change_of_the_promise_is_a_revision_and_the_same_day_is_none(shop: Shop) -> None:
    from crm.enums import PromiseCause
    from crm.services import commitments

    line = shop.line(shop.approved())
    for day in (FRIDAY, FRIDAY + timedelta(days=3)):
        commitments.promise(
            {line: day}, cause=PromiseCause.CUSTOMER_CHANGE, by=shop.sales, now=shop.now
        )
    assert list(line.promises.order_by("pk").values_list("old_date", "new_date", "cause")) == [
        (None, FRIDAY, "first"),
        (FRIDAY, FRIDAY + timedelta(days=3), "customer_change"),
    ]
    assert Decimal(line.quantity) == 10
