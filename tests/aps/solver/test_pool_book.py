"""Inserting beside what a plan holds of people and tools: first and last places, exactly."""

from hypothesis import given
from hypothesis import strategies as st

from aps.solver import (
    Busy,
    LinkKind,
    Mode,
    Need,
    Occupancy,
    Operation,
    Pool,
    Request,
    Resource,
    Status,
    check,
)
from aps.solver.occupancy import Overlay
from aps.solver.pool_book import PoolBook, longest_served
from common.intervals import WorkingTime

ROUND = WorkingTime.always(0, 2000)
SHIFTS = WorkingTime([(0, 40), (60, 100), (120, 160), (180, 2000)])
TOOL, CREW = Pool.tools(1, "F-1", 1), Pool(2, "Welder", ((WorkingTime([(0, 2000)]), 1),))


def op(minutes, *needs, resource=1, identity=1, interruptible=True):
    modes = (Mode(resource, minutes),)
    return Operation(identity, job=0, modes=modes, needs=needs, interruptible=interruptible)


def occupancy(busy, pools, resources=None):
    resources = resources or [Resource(1, "Mill", ROUND), Resource(2, "Lathe", ROUND)]
    return Occupancy(resources, busy, pools=pools)


def answer(operations, there, due=1000):
    (found,) = check(occupancy=there, requests=[Request(1, operations, due)], now=0)
    return found


def test_a_tool_held_on_another_machine_is_waited_for_and_named():
    there = occupancy({2: [Busy(0, 300, needs=(Need(1),))]}, [TOOL])
    found = answer((op(50, Need(1)),), there)
    assert (found.status, found.earliest_finish) == (Status.FEASIBLE, 350)
    assert (found.binding.kind, found.binding.pool, found.binding.minutes) == (
        LinkKind.POOL,
        1,
        300,
    )


def test_the_wait_for_a_machine_comes_before_the_wait_for_the_tool():
    busy = {1: [Busy(0, 100)], 2: [Busy(0, 300, needs=(Need(1),))]}
    found = answer((op(50, Need(1)),), occupancy(busy, [TOOL]))
    assert [(link.kind, link.minutes) for link in found.chain] == [
        (LinkKind.CAPACITY, 100),
        (LinkKind.POOL, 200),
        (LinkKind.WORK, 50),
    ]


def test_without_needs_nobody_waits_for_a_pool():
    there = occupancy({2: [Busy(0, 300, needs=(Need(1),))]}, [TOOL])
    assert answer((op(50),), there).earliest_finish == 50


def test_backwards_the_tool_is_left_to_who_has_it():
    there = occupancy({2: [Busy(900, 980, needs=(Need(1),))]}, [TOOL])
    found = answer((op(50, Need(1)),), there)
    assert (found.latest_start, found.backward[0].end) == (850, 900)


def test_operations_of_one_request_share_the_tool():
    one, other = op(50, Need(1)), op(50, Need(1), resource=2, identity=2)
    found = answer((one, other), occupancy({}, [TOOL]))
    assert sorted((p.start, p.end) for p in found.forward) == [(0, 50), (50, 100)]


def test_a_tool_stays_clamped_over_a_pause_and_people_go_home():
    resources = [Resource(1, "Mill", SHIFTS), Resource(2, "Lathe", ROUND)]
    # From 0 to 80 on the first machine, with a pause from 40 to 60.
    busy = {1: [Busy(0, 80, needs=(Need(1), Need(2)))]}
    there = occupancy(busy, [TOOL, CREW], resources)
    short = op(10, Need(2), resource=2)
    assert answer((short,), there).forward[0].start == 40
    assert answer((op(10, Need(1), resource=2),), there).forward[0].start == 80


def test_a_pool_that_nobody_brings_leaves_no_place():
    there = occupancy({}, [Pool(2, "Welder", ())])
    overlay = Overlay(there)
    assert overlay.soonest(op(10, Need(2)), op(10).modes, 0) is None
    assert overlay.latest(op(10, Need(2)), op(10).modes, 1000) is None


def test_a_copy_is_booked_without_the_other_and_a_booking_is_given_back():
    book = PoolBook([TOOL])
    twin = book.copy()
    twin.take((Need(1),), ROUND, 10, 20)
    assert (book.free(1, 15), twin.free(1, 15)) == (1, 0)
    book.take((Need(1),), ROUND, 12, 14)
    assert (book.free(1, 13), twin.free(1, 13)) == (0, 0)
    twin.give((Need(1),), ROUND, 10, 20)
    assert [twin.free(1, moment) for moment in (9, 15, 25)] == [1, 1, 1]


def test_the_longest_stretch_that_a_crew_serves():
    crew = Pool(2, "Welder", ((WorkingTime([(0, 70), (120, 400)]), 1), (WorkingTime([(0, 30)]), 1)))
    # Machine: 0-40, 60-100, 120-160, 180-2000. One welder until 70, and from 120 to 400.
    assert longest_served(crew, 1, SHIFTS, unbroken=False) == 40 + 220
    assert longest_served(crew, 1, SHIFTS, unbroken=True) == 220
    assert longest_served(crew, 2, SHIFTS, unbroken=False) == 30
    assert longest_served(crew, 3, SHIFTS, unbroken=False) == 0
    assert longest_served(TOOL, 1, SHIFTS, unbroken=True) == 1820
    assert longest_served(TOOL, 2, SHIFTS, unbroken=False) == 0


spans = st.tuples(st.integers(0, 150), st.integers(1, 40)).map(lambda s: (s[0], s[0] + s[1]))


def served(book, pool, units, start, end):
    """Minute by minute, and by the working minutes of the machine alone where people go home."""
    minutes = range(start, end)
    if not pool.held_in_pauses:
        minutes = [m for m in minutes if SHIFTS.is_working(m)]
    return all(book.free(pool.id, minute) >= units for minute in minutes)


@given(
    taken=st.lists(spans, max_size=5),
    crews=st.lists(st.tuples(spans, st.integers(1, 2)), min_size=1, max_size=4),
    minutes=st.integers(1, 45),
    units=st.integers(1, 2),
    interruptible=st.booleans(),
    is_tool=st.booleans(),
    moment=st.integers(0, 200),
)
def test_the_first_and_the_last_place_are_those_of_a_search_minute_by_minute(
    taken, crews, minutes, units, interruptible, is_tool, moment
):
    pool = Pool(
        1,
        "P",
        (
            *((WorkingTime([span]), people) for span, people in crews),
            (WorkingTime([(180, 900)]), 2),
        ),
        held_in_pauses=is_tool,
    )
    other = Resource(2, "Lathe", ROUND)
    busy = {2: [Busy(*span, needs=(Need(1),)) for span in taken]}
    there = Occupancy([Resource(1, "Mill", SHIFTS), other], busy, pools=[pool])
    one = op(minutes, Need(1, units), interruptible=interruptible)

    def places():
        for start in range(0, 900 - 2 * minutes):
            if SHIFTS.is_working(start):
                begins, end = SHIFTS.place(start, minutes, interruptible)
                if begins == start and served(there.book, pool, units, start, end):
                    yield start, end

    possible = list(places())
    first = Overlay(there).soonest(one, one.modes, moment)
    expected = [place for place in possible if place[0] >= moment]
    assert (first and (first.start, first.end)) == (expected[0] if expected else None)
    deadline = moment + 200
    last = Overlay(there).latest(one, one.modes, deadline)
    kept = [place for place in possible if place[1] <= deadline]
    assert (last and (last.start, last.end)) == (kept[-1] if kept else None)
