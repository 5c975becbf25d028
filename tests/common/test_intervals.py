"""Intervals and working time, against an array with one cell per minute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.intervals import (
    CalendarExhausted,
    Interval,
    InvalidInterval,
    WorkingTime,
    intersect,
    subtract,
    union,
)

SPAN = 60

bounds = st.tuples(st.integers(0, SPAN), st.integers(0, SPAN)).map(sorted)
intervals = st.lists(bounds.map(lambda pair: Interval(*pair)), max_size=8)


def minutes_of(row):
    return {t for interval in row for t in range(interval.start, interval.end)}


def is_tidy(row):
    return all(a.end < b.start for a, b in zip(row, row[1:], strict=False)) and all(
        i.minutes for i in row
    )


def test_an_interval_holds_its_start_and_not_its_end():
    assert 5 in Interval(5, 8)
    assert 8 not in Interval(5, 8)
    assert Interval(5, 8).minutes == 3


@pytest.mark.parametrize("pair", [(5, 4), (1.5, 2), (True, 2)])
def test_an_interval_refuses_bounds_that_make_no_sense(pair):
    with pytest.raises(InvalidInterval):
        Interval(*pair)


def test_intervals_that_touch_do_not_overlap():
    assert not Interval(0, 5).overlaps(Interval(5, 9))
    assert Interval(0, 6).overlaps(Interval(5, 9))


@given(intervals)
def test_union_covers_the_same_minutes(row):
    joined = union(row)
    assert minutes_of(joined) == minutes_of(row)
    assert is_tidy(joined)


@given(intervals, intervals)
def test_subtract_leaves_the_minutes_of_the_first_alone(row, removed):
    left = subtract(row, removed)
    assert minutes_of(left) == minutes_of(row) - minutes_of(removed)
    assert is_tidy(left)


@given(intervals, intervals)
def test_intersect_keeps_the_minutes_of_both(one, other):
    assert minutes_of(intersect(one, other)) == minutes_of(one) & minutes_of(other)


def working(row):
    return [t in minutes_of(row) for t in range(SPAN)]


@given(intervals, st.integers(0, SPAN), st.integers(0, SPAN))
def test_worked_counts_the_worked_minutes(row, start, end):
    assert WorkingTime(row).worked(start, end) == sum(working(row)[start:end])


@given(intervals, st.integers(0, SPAN - 1))
def test_is_working_and_window_agree_with_the_minutes(row, moment):
    time = WorkingTime(row)
    assert time.is_working(moment) == working(row)[moment]
    window = time.window_at(moment)
    assert (window is not None and moment in window) == working(row)[moment]


@given(intervals, st.integers(0, SPAN), st.integers(0, 20))
def test_add_gives_the_earliest_end_after_moving_to_working_time(row, moment, minutes):
    cells, time = working(row), WorkingTime(row)
    start = next((t for t in range(moment, SPAN) if cells[t]), None)
    if start is None or sum(cells[start:]) < minutes:
        with pytest.raises(CalendarExhausted):
            time.add(moment, minutes)
        return
    expected = next(e for e in range(start, SPAN + 1) if sum(cells[start:e]) == minutes)
    assert time.place(moment, minutes) == (start, expected)
    assert time.next_working(moment) == start
    assert time.add(moment, minutes) == expected


@given(intervals, st.integers(0, SPAN), st.integers(0, 20))
def test_subtract_gives_the_latest_start(row, moment, minutes):
    cells, time = working(row), WorkingTime(row)
    end = next((e for e in range(moment, 0, -1) if cells[e - 1]), None)
    if end is None or sum(cells[:end]) < minutes:
        with pytest.raises(CalendarExhausted):
            time.subtract(moment, minutes)
        return
    expected = next(s for s in range(end, -1, -1) if sum(cells[s:end]) == minutes)
    assert time.place_before(moment, minutes) == (expected, end)
    assert time.previous_working(moment) == end
    assert time.subtract(moment, minutes) == expected


@given(intervals, st.integers(0, SPAN), st.integers(1, 20))
def test_unbroken_work_takes_the_first_and_the_last_window_that_holds_it(row, moment, minutes):
    cells, time = working(row), WorkingTime(row)
    fits = [s for s in range(SPAN - minutes + 1) if all(cells[s : s + minutes])]
    after = [s for s in fits if s >= moment]
    before = [s for s in fits if s + minutes <= moment]
    if after:
        assert time.next_window_fitting(moment, minutes) == after[0]
    else:
        with pytest.raises(CalendarExhausted):
            time.next_window_fitting(moment, minutes)
    if before:
        assert time.last_window_fitting(moment, minutes) == before[-1]
    else:
        with pytest.raises(CalendarExhausted):
            time.last_window_fitting(moment, minutes)


@given(intervals, st.integers(0, SPAN), st.integers(0, SPAN))
def test_windows_between_are_the_worked_minutes_of_the_stretch(row, start, end):
    found = WorkingTime(row).windows_between(start, end)
    assert minutes_of(found) == minutes_of(row) & set(range(start, end))


def test_windows_that_touch_are_one():
    assert list(WorkingTime([(10, 20), (0, 10)])) == [Interval(0, 20)]
    assert WorkingTime([(0, 10), (10, 20)]) == WorkingTime([(0, 20)])
    assert WorkingTime([(0, 10), (10, 20)]).next_window_fitting(5, 12) == 5


def test_always_works_around_the_clock():
    assert WorkingTime.always().add(29_000_000, 100_000) == 29_100_000


def test_an_exhausted_calendar_says_so_in_a_sentence():
    with pytest.raises(CalendarExhausted, match="There is no working time after minute 30"):
        WorkingTime([(0, 20)]).next_working(30)
