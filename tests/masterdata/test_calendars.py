"""Working time against brute force on the local clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from masterdata.models import Calendar, CalendarException, Shift
from masterdata.services import calendars
from tests.masterdata.factories import (
    CalendarFactory,
    SiteFactory,
    WorkCenterFactory,
    WorkUnitFactory,
)

BERLIN = "Europe/Berlin"
# Berlin goes forward on 29 March 2026 at 02:00 and back on 25 October 2026 at 03:00.
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


class _Rows(list):
    """Stands in for a related manager: rules that were never saved."""

    def all(self):
        return self


class _Calendar:
    def __init__(self, time_zone, shifts, exceptions=()):
        self.time_zone = time_zone
        self.shifts = _Rows(
            Shift(weekday=day, starts_at=start, ends_at=end) for day, start, end in shifts
        )
        self.exceptions = _Rows(
            CalendarException(starts_at=start, ends_at=end, is_working=working)
            for start, end, working in exceptions
        )


def _moment(day, hour=0, minute=0):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def _windows(calendar, start, end):
    found = calendars.working_time(calendar, starts_at=start, ends_at=end)
    return [(calendars.to_datetime(w.start), calendars.to_datetime(w.end)) for w in found]


def _reaches(wanted, time_zone, near):
    """Brute force: the first minute whose local clock shows ``wanted`` or later."""
    zone = ZoneInfo(time_zone)
    moment = near
    while moment.astimezone(zone).replace(tzinfo=None) < wanted:
        moment += timedelta(minutes=1)
    return moment


def _brute_force(calendar, start, end):
    worked = set()
    minute = timedelta(minutes=1)
    day = start.date() - timedelta(days=3)
    while day <= end.date() + timedelta(days=2):
        for shift in calendar.shifts:
            if shift.weekday != day.weekday():
                continue
            over_midnight = shift.ends_at <= shift.starts_at
            near = _moment(day) - timedelta(hours=15)
            begins = datetime.combine(day, shift.starts_at)
            ends = datetime.combine(day + timedelta(days=over_midnight), shift.ends_at)
            moment = _reaches(begins, calendar.time_zone, near)
            until = _reaches(ends, calendar.time_zone, moment)
            while moment < until:
                worked.add(moment)
                moment += minute
        day += timedelta(days=1)
    for wanted in (False, True):
        for exception in calendar.exceptions:
            moment = exception.starts_at
            while exception.is_working == wanted and moment < exception.ends_at:
                (worked.add if wanted else worked.discard)(moment)
                moment += minute
    return {moment for moment in worked if start <= moment < end}


_QUARTERS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
_SHIFTS = st.lists(
    st.tuples(st.integers(0, 6), _QUARTERS, _QUARTERS),
    max_size=4,
    unique_by=lambda shift: (shift[0], shift[1]),
)


@st.composite
def _spans(draw):
    day = draw(st.sampled_from([SPRING, AUTUMN, date(2026, 6, 10)]))
    start = _moment(day) - timedelta(minutes=draw(st.integers(0, 1500)))
    return start, start + timedelta(minutes=draw(st.integers(0, 3600)))


@st.composite
def _exceptions(draw, start):
    found = []
    for working in draw(st.lists(st.booleans(), max_size=2)):
        begins = start + timedelta(minutes=draw(st.integers(-600, 3000)))
        ends = begins + timedelta(minutes=draw(st.integers(1, 900)))
        found.append((begins, ends, working))
    return found


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_working_time_agrees_with_brute_force_on_the_local_clock(data):
    zone = data.draw(st.sampled_from([BERLIN, "UTC", "Asia/Shanghai", "America/New_York"]))
    start, end = data.draw(_spans())
    calendar = _Calendar(zone, data.draw(_SHIFTS), data.draw(_exceptions(start)))
    found = set()
    for begins, ends in _windows(calendar, start, end):
        minutes = range((ends - begins) // timedelta(minutes=1))
        found.update(begins + timedelta(minutes=minute) for minute in minutes)
    assert found == _brute_force(calendar, start, end)


def test_a_night_shift_lasts_an_hour_less_when_clocks_go_forward():
    calendar = _Calendar(BERLIN, [(5, time(22), time(6))])
    [(start, end)] = _windows(calendar, _moment(SPRING, 0) - timedelta(days=1), _moment(SPRING, 12))
    assert end - start == timedelta(hours=7)


def test_a_night_shift_lasts_an_hour_more_when_clocks_go_back():
    calendar = _Calendar(BERLIN, [(5, time(22), time(6))])
    day = _moment(AUTUMN) - timedelta(days=1)
    [(start, end)] = _windows(calendar, day, _moment(AUTUMN, 12))
    assert end - start == timedelta(hours=9)


def test_a_shift_until_midnight_and_one_from_midnight_join():
    calendar = _Calendar("UTC", [(0, time(16), time(0)), (1, time(0), time(8))])
    monday = date(2026, 6, 8)
    assert _windows(calendar, _moment(monday), _moment(monday) + timedelta(days=2)) == [
        (_moment(monday, 16), _moment(date(2026, 6, 9), 8))
    ]


def test_a_shift_from_midnight_to_midnight_is_a_whole_day():
    calendar = _Calendar("UTC", [(0, time(0), time(0))])
    monday = _moment(date(2026, 6, 8))
    assert _windows(calendar, monday, monday + timedelta(days=7)) == [
        (monday, monday + timedelta(days=1))
    ]


def test_overtime_counts_on_a_holiday():
    monday = date(2026, 6, 8)
    calendar = _Calendar(
        "UTC",
        [(0, time(8), time(16))],
        [
            (_moment(monday), _moment(monday, 23), False),
            (_moment(monday, 10), _moment(monday, 12), True),
        ],
    )
    assert _windows(calendar, _moment(monday), _moment(monday, 23)) == [
        (_moment(monday, 10), _moment(monday, 12))
    ]


def test_an_unknown_time_zone_is_refused_with_a_sentence():
    with pytest.raises(calendars.UnknownTimeZone, match="Mars/Base"):
        calendars.zone("Mars/Base")
    with pytest.raises(calendars.UnknownTimeZone):
        calendars.zone("../etc/passwd")


def test_minutes_and_moments_are_inverse():
    moment = datetime(2026, 6, 8, 13, 37, tzinfo=UTC)
    assert calendars.to_datetime(calendars.to_minutes(moment)) == moment
    assert calendars.to_minutes(moment + timedelta(seconds=59)) == calendars.to_minutes(moment)
    assert calendars.to_minutes_up(moment + timedelta(seconds=1)) == 1 + calendars.to_minutes(
        moment
    )
    with pytest.raises(ValueError, match="no time zone"):
        calendars.to_minutes(moment.replace(tzinfo=None))


@pytest.mark.django_db
def test_unit_times_use_the_units_calendar_else_its_centers(django_assert_num_queries):
    site = SiteFactory()
    center = WorkCenterFactory(site=site)
    night = CalendarFactory(shifts=[(0, time(22), time(6))])
    plain, own = (
        WorkUnitFactory(work_center=center),
        WorkUnitFactory(work_center=center, calendar=night),
    )
    WorkUnitFactory(work_center=center, is_active=False)
    WorkUnitFactory()
    start = _moment(date(2026, 6, 8))
    with django_assert_num_queries(5):
        times = calendars.unit_times(
            site_id=site.pk, starts_at=start, ends_at=start + timedelta(days=7)
        )
    assert set(times) == {plain.pk, own.pk}
    assert sum(w.minutes for w in times[plain.pk]) == 7 * 24 * 60
    assert sum(w.minutes for w in times[own.pk]) == 8 * 60


@pytest.mark.django_db
def test_unit_times_take_the_same_queries_for_many_units():
    site = SiteFactory()
    center = WorkCenterFactory(site=site)
    start = _moment(date(2026, 6, 8))
    counts = []
    for _round in range(2):
        for _unit in range(5):
            WorkUnitFactory(work_center=center, calendar=CalendarFactory())
        with CaptureQueriesContext(connection) as queries:
            calendars.unit_times(
                site_id=site.pk, starts_at=start, ends_at=start + timedelta(days=30)
            )
        counts.append(len(queries))
    assert counts[0] == counts[1] == 5


@pytest.mark.django_db
def test_with_rules_loads_only_exceptions_of_the_span():
    calendar = CalendarFactory()
    start = _moment(date(2026, 6, 8))
    for offset in (-10, 0, 10):
        day = start + timedelta(days=offset)
        CalendarException.objects.create(
            calendar=calendar, starts_at=day, ends_at=day + timedelta(hours=1)
        )
    [found] = calendars.with_rules(
        Calendar.objects.all(), starts_at=start, ends_at=start + timedelta(days=1)
    )
    assert len(found.exceptions.all()) == 1
