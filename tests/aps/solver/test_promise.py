"""Promises: both passes, the status, and the reason."""

import itertools
import time

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aps.solver import (
    Busy,
    InfeasibleHorizon,
    InvalidProblem,
    Job,
    LinkKind,
    Mode,
    Occupancy,
    Operation,
    Placement,
    Precedence,
    Problem,
    Request,
    Resource,
    Status,
    check,
    validate,
)
from common.intervals import WorkingTime

DAYS = WorkingTime([(day * 1440 + 480, day * 1440 + 960) for day in range(20)])
ROUND = WorkingTime.always(0, 30_000)


def ask(operations, *, due, busy=None, resources=None, now=0, labels=None, **more):
    resources = resources or [Resource(1, "Lathe", DAYS), Resource(2, "Mill", DAYS)]
    request = Request(1, tuple(operations), due, labels or {})
    (answer,) = check(
        occupancy=Occupancy(resources, busy or {}), requests=[request], now=now, **more
    )
    return answer


def op(identity, minutes, *, on=1, **more):
    return Operation(identity, 0, (Mode(on, minutes),), **more)


def kinds(answer):
    return [link.kind for link in answer.chain]


def test_an_empty_plant_keeps_the_date_and_names_the_minimum_lead_time():
    answer = ask([op(1, 100), op(2, 50, predecessors=(1,))], due=900, now=480)
    assert answer.status is Status.FEASIBLE
    assert answer.earliest_finish == 630
    assert answer.latest_start == 750
    assert answer.slack_minutes == 270
    assert answer.binding.kind is LinkKind.MINIMUM
    assert kinds(answer) == [LinkKind.WORK, LinkKind.WORK]


def test_little_slack_is_a_risk():
    answer = ask([op(1, 100)], due=600, now=480, risk_minutes=30)
    assert (answer.status, answer.slack_minutes) == (Status.AT_RISK, 20)


def test_a_taken_machine_is_named_as_capacity():
    answer = ask([op(1, 100)], due=700, now=480, busy={1: [Busy(480, 800)]})
    assert answer.status is Status.INFEASIBLE
    assert answer.earliest_finish == 900
    assert answer.late_minutes == 200
    assert answer.latest_start is None
    assert answer.backward == ()
    assert (answer.binding.kind, answer.binding.resource) == (LinkKind.CAPACITY, 1)
    assert (answer.binding.start, answer.binding.end) == (480, 800)


def test_a_closed_plant_is_named_as_calendar():
    answer = ask([op(1, 10)], due=500, now=960)
    assert answer.status is Status.INFEASIBLE
    assert (answer.binding.kind, answer.binding.minutes) == (LinkKind.CALENDAR, 960)


def test_late_material_is_named_with_its_label():
    answer = ask(
        [op(1, 10), op(2, 10, on=2, release=900, predecessors=(1,))],
        due=600,
        now=480,
        labels={2: "Steel 20 mm, purchase order 4711"},
    )
    assert answer.binding.kind is LinkKind.MATERIAL
    assert answer.binding.label == "Steel 20 mm, purchase order 4711"
    assert (answer.binding.start, answer.binding.end) == (490, 900)
    assert kinds(answer) == [LinkKind.WORK, LinkKind.MATERIAL, LinkKind.WORK]


def test_running_work_is_named_as_precedence():
    running = op(1, 300, fixed=Placement(1, 1, 400, 700))
    answer = ask([running, op(2, 10, on=2, predecessors=(1,))], due=600, now=480)
    assert answer.binding.kind is LinkKind.PRECEDENCE
    assert answer.earliest_finish == 710


def test_a_gap_between_two_jobs_is_used():
    answer = ask([op(1, 60)], due=960, now=480, busy={1: [Busy(480, 500), Busy(560, 700)]})
    assert answer.earliest_finish == 560
    answer = ask([op(1, 60)], due=960, now=480, busy={1: [Busy(480, 500), Busy(559, 700)]})
    assert answer.earliest_finish == 760


def test_unbroken_work_waits_for_a_window_that_holds_it():
    broken = ask([op(1, 100)], due=5000, now=900)
    whole = ask([op(1, 100, interruptible=False)], due=5000, now=900)
    assert broken.earliest_finish == 1920 + 40
    assert whole.earliest_finish == 1920 + 100


def test_the_other_machine_is_taken_where_it_is_sooner():
    either = Operation(1, 0, (Mode(1, 60), Mode(2, 90)))
    answer = ask([either], due=900, now=480, busy={1: [Busy(480, 700)]})
    assert answer.forward == (Placement(1, 2, 480, 570),)
    assert answer.backward == (Placement(1, 1, 840, 900),)


def test_setups_lie_between_families():
    resources = [Resource(1, "Lathe", ROUND)]
    occupancy = Occupancy(
        resources, {1: [Busy(0, 100, "a"), Busy(200, 300, "a")]}, {1: {"a": {"b": 30}, "b": {}}}
    )
    (answer,) = check(
        occupancy=occupancy, requests=[Request(1, (op(1, 60, family="b"),), 400)], now=0
    )
    assert answer.forward == (Placement(1, 1, 130, 190),)


def test_subcontracting_has_room_for_everybody():
    resources = [Resource(1, "Plater", ROUND, capacity=None)]
    answer = ask([op(1, 100), op(2, 100)], due=100, resources=resources)
    assert answer.status is Status.FEASIBLE
    assert answer.earliest_finish == 100


def test_two_places_hold_two_at_a_time():
    resources = [Resource(1, "Oven", ROUND, capacity=2)]
    answer = ask([op(1, 100)], due=100, resources=resources, busy={1: [Busy(0, 50)]})
    assert answer.earliest_finish == 100
    answer = ask([op(1, 100)], due=100, resources=resources, busy={1: [Busy(0, 50), Busy(0, 60)]})
    assert answer.earliest_finish == 150


def test_lines_of_one_order_compete_and_leave_the_occupancy_as_it_was():
    occupancy = Occupancy([Resource(1, "Lathe", ROUND)], {1: [Busy(0, 10)]})
    lines = [Request(i, (op(1, 100),), due=250) for i in (1, 2, 3)]
    for _ in range(2):
        answers = check(occupancy=occupancy, requests=lines, now=0)
        assert [a.earliest_finish for a in answers] == [110, 210, 310]
        assert [a.status for a in answers] == [Status.FEASIBLE, Status.FEASIBLE, Status.INFEASIBLE]


def test_a_request_without_work_is_done_now():
    answer = ask([], due=10, now=5)
    assert (answer.status, answer.earliest_finish) == (Status.FEASIBLE, 5)
    assert answer.binding is None


def test_the_end_of_the_known_calendar_is_a_sentence():
    with pytest.raises(InfeasibleHorizon, match="Operation 1 of request 1 does not fit"):
        ask([op(1, 20 * 480 + 1)], due=500)
    with pytest.raises(InfeasibleHorizon):
        ask([op(1, 100)], due=500, horizon=570)


def test_an_unknown_resource_is_refused():
    with pytest.raises(InvalidProblem, match="unknown resource 7"):
        ask([op(1, 10, on=7)], due=10)
    with pytest.raises(InvalidProblem, match="unknown resource 9"):
        ask([op(1, 10)], due=10, busy={9: [Busy(0, 1)]})


def precedences(before):
    """A wait with or without a longest one, or a transfer batch."""
    wait = st.integers(0, 500)
    return st.one_of(
        wait.map(lambda least: Precedence(before, least)),
        wait.map(lambda least: Precedence(before, least, max_lag=least + 3000)),
        st.builds(
            Precedence,
            st.just(before),
            st.integers(0, 60),
            transfer_minutes=st.integers(0, 100),
            tail_minutes=st.integers(0, 50),
        ),
    )


class TestWaits:
    mill = (Resource(1, "Lathe", ROUND), Resource(2, "Mill", ROUND))

    def test_a_wait_is_kept_and_told_in_both_passes(self):
        link = Precedence(1, min_lag=300)
        answer = ask([op(1, 100), op(2, 50, on=2, links=(link,))], due=900, resources=self.mill)
        assert (answer.earliest_finish, answer.latest_start) == (450, 450)
        assert kinds(answer) == [LinkKind.WORK, LinkKind.WAIT, LinkKind.WORK]
        assert (answer.binding.kind, answer.binding.minutes) == (LinkKind.WAIT, 300)

    def test_a_transfer_batch_lets_the_next_one_begin_and_not_end_too_soon(self):
        link = Precedence(1, transfer_minutes=100, tail_minutes=30)
        steps = [op(1, 400), op(2, 120, on=2, links=(link,))]
        answer = ask(steps, due=2000, resources=self.mill)
        assert [(p.start, p.end) for p in answer.forward] == [(0, 400), (310, 430)]
        assert [(p.start, p.end) for p in answer.backward] == [(1570, 1970), (1880, 2000)]

    def test_a_longest_wait_holds_the_operation_before_it_back(self):
        link = Precedence(1, max_lag=20)
        steps = [op(1, 60), op(2, 30, on=2, links=(link,))]
        answer = ask(steps, due=700, busy={2: [Busy(0, 600)]}, resources=self.mill)
        assert [(p.start, p.end) for p in answer.forward] == [(520, 580), (600, 630)]
        late = ask(steps, due=700, busy={1: [Busy(500, 690)]}, resources=self.mill)
        assert [(p.start, p.end) for p in late.backward] == [(440, 500), (490 + 30, 550)]


@st.composite
def requests(draw):
    operations = []
    for i in range(draw(st.integers(1, 7))):
        before = draw(st.lists(st.integers(0, i - 1), max_size=2, unique=True)) if i else []
        machines = draw(st.lists(st.integers(0, 2), min_size=1, max_size=2, unique=True))
        links = tuple(draw(precedences(b)) for b in before if draw(st.booleans()))
        operations.append(
            Operation(
                i,
                0,
                tuple(Mode(m, draw(st.integers(1, 200))) for m in machines),
                predecessors=tuple(set(before) - {link.before for link in links}),
                links=links,
                release=draw(st.sampled_from([0, 0, 1500])),
                interruptible=draw(st.booleans()),
            )
        )
    return tuple(operations)


busy_rows = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(1, 300)).map(lambda p: Busy(p[0], p[0] + p[1])),
    max_size=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests(), st.lists(busy_rows, min_size=3, max_size=3), st.integers(0, 9000))
def test_both_schedules_are_feasible_and_the_chain_has_no_hole(operations, rows, due):
    now = 300
    resources = [Resource(i, f"M{i}", DAYS) for i in range(3)]
    occupancy = Occupancy(resources, dict(enumerate(rows)))
    try:
        (answer,) = check(occupancy=occupancy, requests=[Request(1, operations, due)], now=now)
    except InfeasibleHorizon:
        assume(False)
    blocks = [
        Operation(n, 0, (Mode(r, 0),), fixed=Placement(n, r, b.start, b.end))
        for n, (r, b) in enumerate(((r, b) for r, row in enumerate(rows) for b in row), 1000)
    ]
    problem = Problem(resources, [Job(0, due, 1)], [*operations, *blocks], now)
    fixed = [o.fixed for o in blocks]
    assert validate(problem, [*answer.forward, *fixed]) == []
    assert answer.earliest_finish == max(p.end for p in answer.forward)
    assert (answer.earliest_finish <= due) == (answer.status is not Status.INFEASIBLE)
    if answer.backward:
        assert validate(problem, [*answer.backward, *fixed]) == []
        assert max(p.end for p in answer.backward) <= due
    assert answer.chain[0].start == now
    assert answer.chain[-1].end == answer.earliest_finish
    assert all(a.end == b.start for a, b in itertools.pairwise(answer.chain))


def test_a_large_plant_answers_within_milliseconds():
    """5,000 busy intervals on 50 machines, 20 operations; generous for a loaded machine."""
    resources = [Resource(i, f"M{i}", DAYS) for i in range(50)]
    busy = {
        r: [
            Busy(d * 1440 + 480 + 90 * k, d * 1440 + 480 + 90 * k + 60)
            for d in range(20)
            for k in range(5)
        ]
        for r in range(50)
    }
    operations = tuple(
        Operation(
            i,
            0,
            tuple(Mode((7 * i + 3 * k) % 50, 25 + i % 7) for k in range(3)),
            predecessors=(i - 1,) if i % 5 else (),
        )
        for i in range(20)
    )
    occupancy = Occupancy(resources, busy)
    line = Request(1, operations, due=9000)
    check(occupancy=occupancy, requests=[line], now=0)
    best = min(_timed(lambda: check(occupancy=occupancy, requests=[line], now=0)) for _ in range(5))
    assert best < 0.02


def _timed(action):
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun
