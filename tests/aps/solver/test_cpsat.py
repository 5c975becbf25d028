"""Pieces of the calendar: which starts of an interruptible operation take which clock time."""

from hypothesis import given
from hypothesis import strategies as st

from aps.solver.cpsat import pieces
from common.intervals import CalendarExhausted, Interval, WorkingTime


@st.composite
def calendars(draw: st.DrawFn) -> WorkingTime:
    at, windows = draw(st.integers(0, 5)), []
    for _ in range(draw(st.integers(1, 5))):
        length = draw(st.integers(1, 8))
        windows.append(Interval(at, at + length))
        at += length + draw(st.integers(1, 6))
    return WorkingTime(windows)


def by_hand(times: WorkingTime, minutes: int, pauses: bool, low: int, high: int) -> dict[int, int]:
    """Clock time by start, for every worked start in the range whose work ends in the calendar."""
    found = {}
    for start in range(low, high + 1):
        if not times.is_working(start):
            continue
        try:
            begin, end = times.place(start, minutes, pauses)
        except CalendarExhausted:
            continue
        if begin == start:
            found[start] = end - start
    return found


@given(calendars(), st.integers(1, 20), st.booleans(), st.integers(0, 40), st.integers(0, 30))
def test_pieces_are_those_counted_by_hand_up_to_the_end_of_the_calendar(
    times: WorkingTime, minutes: int, pauses: bool, low: int, span: int
) -> None:
    told = {
        start: size
        for size, ranges in pieces(times, minutes, pauses, low, low + span).items()
        for first, last in ranges
        for start in range(first, last + 1)
    }
    assert told == by_hand(times, minutes, pauses, low, low + span)


def test_work_that_the_calendar_cannot_hold_has_no_start() -> None:
    """It used to raise CalendarExhausted, and with it the whole run."""
    times = WorkingTime([Interval(0, 10), Interval(20, 30)])
    assert pieces(times, 12, True, 0, 29) == {22: [[0, 8]]}
    assert pieces(times, 25, True, 0, 29) == {}
