"""The day at the customer's door, and the moment that still keeps it."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from masterdata.models import CalendarException
from masterdata.services import shipping
from tests.masterdata.factories import (
    CalendarFactory,
    CustomerFactory,
    SiteFactory,
    office_hours,
)

pytestmark = pytest.mark.django_db
BERLIN = "Europe/Berlin"


def _site(**kwargs):
    return SiteFactory(time_zone=BERLIN, shipping_calendar=office_hours(time_zone=BERLIN, **kwargs))


def _at(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_what_is_ready_in_the_morning_leaves_the_same_day():
    customer = CustomerFactory(transit_days=2)
    found = shipping.delivery_date(site=_site(), customer=customer, ready_at=_at(2026, 6, 8, 6, 30))
    assert found == date(2026, 6, 10)


def test_what_is_ready_at_the_end_of_the_shift_leaves_the_next_working_day():
    friday_five_pm_in_berlin = _at(2026, 6, 12, 15, 0)
    found = shipping.delivery_date(
        site=_site(), customer=CustomerFactory(), ready_at=friday_five_pm_in_berlin
    )
    assert found == date(2026, 6, 15)


def test_a_second_into_a_minute_is_the_next_minute():
    last_minute = _at(2026, 6, 12, 14, 59)
    site, customer = _site(), CustomerFactory()
    assert shipping.delivery_date(site=site, customer=customer, ready_at=last_minute) == date(
        2026, 6, 12
    )
    assert shipping.delivery_date(
        site=site, customer=customer, ready_at=last_minute + timedelta(seconds=1)
    ) == date(2026, 6, 15)


def test_a_holiday_of_the_shipping_calendar_is_no_shipping_day():
    site = _site()
    CalendarException.objects.create(
        calendar=site.shipping_calendar,
        starts_at=_at(2026, 6, 7, 22),
        ends_at=_at(2026, 6, 8, 22),
    )
    found = shipping.delivery_date(
        site=site, customer=CustomerFactory(), ready_at=_at(2026, 6, 8, 8)
    )
    assert found == date(2026, 6, 9)


def test_a_shipping_calendar_without_shifts_is_told():
    site = SiteFactory(shipping_calendar=CalendarFactory(code="EMPTY", shifts=[]))
    with pytest.raises(shipping.NoShippingTime, match="EMPTY"):
        shipping.delivery_date(site=site, customer=CustomerFactory(), ready_at=_at(2026, 6, 8))
    with pytest.raises(shipping.NoShippingTime, match="EMPTY"):
        shipping.latest_ready_at(site=site, customer=CustomerFactory(), day=date(2026, 6, 8))


def test_thousands_of_lines_load_the_calendar_once(django_assert_num_queries):
    site = _site()
    with django_assert_num_queries(3):
        calendar = shipping.ShippingCalendar(site)
        for hour in range(3000):
            calendar.delivery_date(ready_at=_at(2026, 6, 8) + timedelta(hours=hour), transit_days=1)


def test_today_is_the_sites_day():
    late = _at(2026, 6, 8, 23, 30)
    assert shipping.today(_site(), now=late) == date(2026, 6, 9)


_SHIFTS = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.builds(time, st.integers(0, 23), st.sampled_from([0, 30])),
        st.builds(time, st.integers(0, 23), st.sampled_from([0, 30])),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda shift: shift[:2],
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    shifts=_SHIFTS,
    zone=st.sampled_from([BERLIN, "UTC", "Asia/Shanghai", "America/Los_Angeles"]),
    day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    transit=st.integers(0, 12),
)
def test_latest_ready_at_is_the_inverse_of_delivery_date(shifts, zone, day, transit):
    site = SiteFactory(
        time_zone=zone, shipping_calendar=CalendarFactory(time_zone=zone, shifts=shifts)
    )
    calendar = shipping.ShippingCalendar(site)
    latest = calendar.latest_ready_at(day=day, transit_days=transit)
    assert calendar.delivery_date(ready_at=latest, transit_days=transit) <= day
    later = latest + timedelta(minutes=1)
    assert calendar.delivery_date(ready_at=later, transit_days=transit) > day
