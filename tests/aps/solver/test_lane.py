"""The gap search of a lane, against trying every minute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aps.solver.lane import Lane
from common.intervals import CalendarExhausted, WorkingTime

SPAN = 60
SETUPS = {"a": {"a": 0, "b": 4}, "b": {"a": 2, "b": 0}}

pair = st.tuples(st.integers(0, SPAN), st.integers(0, SPAN)).map(sorted)
windows = st.lists(pair.map(tuple), min_size=1, max_size=4)
tasks = st.tuples(
    st.integers(0, SPAN), st.integers(1, 12), st.booleans(), st.sampled_from(["a", "b"])
)


def slots(time, busy, minutes, interruptible, family, setups):
    """Every feasible (start, end) by brute force."""
    cells = [time.is_working(t) for t in range(SPAN)]
    for start in range(SPAN):
        if not cells[start]:
            continue
        for end in range(start + 1, SPAN + 1):
            if not cells[end - 1] or sum(cells[start:end]) != minutes:
                continue
            if not interruptible and end - start != minutes:
                continue
            if fits(busy, start, end, family, setups):
                yield start, end


def fits(busy, start, end, family, setups):
    if any(a < end and start < b for a, b, _ in busy):
        return False
    before = max((b for b in busy if b[1] <= start), default=None)
    after = min((b for b in busy if b[0] >= end), default=None)
    if before and before[1] + setups.get(before[2], {}).get(family, 0) > start:
        return False
    return not (after and end + setups.get(family, {}).get(after[2], 0) > after[0])


@given(windows, st.lists(tasks, max_size=5), tasks, st.booleans())
def test_search_finds_the_first_and_the_last_gap(row, before, task, with_setups):
    time, setups = WorkingTime(row), SETUPS if with_setups else {}
    lane, busy = Lane(time, setups or None), []
    for moment, minutes, interruptible, family in before:
        try:
            start, end = lane.earliest(moment, minutes, interruptible, family)
        except CalendarExhausted:
            continue
        lane.insert(start, end, family)
        busy.append((start, end, family))
    moment, minutes, interruptible, family = task
    every = list(slots(time, busy, minutes, interruptible, family, setups))
    later = [s for s in every if s[0] >= moment]
    sooner = [s for s in every if s[1] <= moment]
    assert found(lane.earliest, *task) == min(later, default=None)
    assert found(lane.latest, *task) == max(sooner, default=None)


def found(search, moment, minutes, interruptible, family):
    try:
        return search(moment, minutes, interruptible, family)
    except CalendarExhausted:
        return None


@given(st.lists(tasks, max_size=8), st.data())
def test_removing_gives_back_what_inserting_took(rows, data):
    lane, taken = Lane(WorkingTime.always()), []
    for moment, minutes, interruptible, family in rows:
        slot = lane.earliest(moment, minutes, interruptible, family)
        lane.insert(*slot, family)
        taken.append(slot)
    for slot in data.draw(st.permutations(taken)):
        assert lane.holds(*slot)
        assert lane.remove(*slot)
        assert lane.free(*slot)
    assert not lane.starts


def test_removing_reports_neighbours_without_their_setup():
    lane = Lane(WorkingTime.always(), {"a": {"b": 50, "c": 1}, "c": {"b": 1}})
    for start, end, family in ((0, 10, "a"), (11, 20, "c"), (21, 30, "b")):
        lane.insert(start, end, family)
    assert lane.sound()
    assert not lane.remove(11, 20)
    assert not lane.sound()


def test_a_copy_is_independent():
    lane = Lane(WorkingTime.always())
    lane.copy().insert(0, 10, "")
    assert lane.free(0, 10)


def test_a_gap_behind_the_last_window_is_refused():
    lane = Lane(WorkingTime([(0, 10)]))
    lane.insert(0, 8, "")
    with pytest.raises(CalendarExhausted):
        lane.earliest(0, 5, True, "")
