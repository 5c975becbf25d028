"""Construction and improvement: always feasible, never worse, repeatable, stoppable."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aps.solver import (
    HorizonTooShort,
    Job,
    Mode,
    Need,
    Operation,
    Placement,
    Pool,
    Precedence,
    Problem,
    Resource,
    construct,
    measure,
    solve,
    validate,
)
from aps.solver.bound import tardiness_bound
from aps.solver.construct import rules
from aps.solver.plant import Plant
from aps.solver.schedule import freeze
from common.intervals import WorkingTime

WEEKS = 30
SHIFTS = {
    "day": [(480, 720), (750, 990)],
    "two": [(360, 1320)],
    "round": [(0, 1440)],
}


def shift(name):
    return WorkingTime(
        (day * 1440 + a, day * 1440 + b)
        for day in range(7 * WEEKS)
        if day % 7 < 5
        for a, b in SHIFTS[name]
    )


TIMES = {name: shift(name) for name in SHIFTS}


def frozen_clock():
    return 0.0


@st.composite
def plants(draw):
    """Small plants with everything: shifts, capacities, setups, assemblies, locks, running work."""
    machines = draw(st.integers(1, 4))
    resources = [
        Resource(
            i,
            f"M{i}",
            TIMES[draw(st.sampled_from(sorted(TIMES)))],
            draw(st.sampled_from([1, 1, 1, 2, None])),
        )
        for i in range(machines)
    ]
    jobs = [
        Job(j, draw(st.one_of(st.none(), st.integers(0, 8000))), draw(st.integers(0, 4)))
        for j in range(draw(st.integers(1, 4)))
    ]
    operations = []
    for i in range(draw(st.integers(1, 12))):
        modes = draw(st.lists(st.integers(0, machines - 1), min_size=1, max_size=3, unique=True))
        before = draw(st.lists(st.integers(0, i - 1), max_size=2, unique=True)) if i else []
        operations.append(
            Operation(
                i,
                job=draw(st.sampled_from(jobs)).id,
                modes=tuple(Mode(m, draw(st.integers(0, 230))) for m in modes),
                predecessors=tuple(before),
                release=draw(st.sampled_from([0, 0, 700, 3000])),
                interruptible=draw(st.booleans()),
                family=draw(st.sampled_from(["a", "b", None])),
            )
        )
    setups = {
        r.id: {"a": {"b": draw(st.integers(0, 60))}, "b": {"a": 40}}
        for r in resources
        if r.capacity == 1 and draw(st.booleans())
    }
    problem = Problem(resources, jobs, operations, draw(st.sampled_from([0, 500])), setups)
    return lock_some(draw, problem)


def lock_some(draw, problem):
    """Fixes some operations where a feasible schedule has them."""
    placed = construct(problem, max_rules=1).by_operation
    locked = draw(st.sets(st.sampled_from([o.id for o in problem.operations]), max_size=3))
    operations = [
        replace(o, fixed=placed[o.id]) if o.id in locked else o for o in problem.operations
    ]
    return replace(problem, operations=operations)


@st.composite
def shared_plants(draw):
    """As ``plants``, without locks, and with pools, shortest and longest waits, batches."""
    problem = draw(plants())
    pools = (
        Pool(1, "Fitters", ((TIMES["day"], 2), (TIMES["two"], 1))),
        Pool.tools(2, "Gauge", draw(st.integers(1, 2))),
    )
    operations = []
    for o in problem.operations:
        # A day's work at most in people's hands, or no shift would be long enough for it.
        modes = tuple(Mode(m.resource, min(m.minutes, 100)) for m in o.modes)
        resources = {m.resource for m in modes}
        asked = draw(st.sampled_from([(), (), (Need(2),), (Need(1),)]))
        if any(len(problem.resources[r].working_time) == 1 for r in resources):
            asked = ()
        operations.append(
            replace(
                o,
                fixed=None,
                modes=modes,
                needs=asked,
                predecessors=(),
                links=tuple(draw(links(before)) for before in o.predecessors),
            )
        )
    return replace(problem, operations=tuple(operations), pools=pools)


@st.composite
def links(draw, before):
    shortest = draw(st.sampled_from([0, 0, 45]))
    kind = draw(st.sampled_from(["lag", "wait", "batch"]))
    if kind == "wait":
        longest = shortest + draw(st.sampled_from([1500, 5000]))
        return Precedence(before, shortest, max_lag=longest)
    if kind == "batch":
        first = draw(st.integers(0, 90))
        return Precedence(before, shortest, transfer_minutes=first, tail_minutes=30)
    return Precedence(before, shortest)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shared_plants(), st.integers(0, 3))
def test_what_is_shared_is_never_overdrawn(problem, seed):
    try:
        best = solve(problem, seconds=1, clock=frozen_clock, seed=seed, max_steps=3)
    except HorizonTooShort:
        return
    assert validate(problem, best.placements) == []


def broken(problem, placements):
    """Violations, but for locks that the rules did not keep and say so."""
    found = validate(problem, placements)
    if measure(problem, placements).lock_conflict_minutes:
        locks = {o.id for o in problem.operations if o.fixed}
        found = [
            one for one in found if not any(one.startswith(f"Operation {i} starts") for i in locks)
        ]
    return found


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plants())
def test_every_rule_makes_a_feasible_schedule(problem):
    plant = Plant(problem)
    for rule in rules(plant):
        assert broken(problem, freeze(rule()).placements(plant)) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plants(), st.integers(0, 3))
def test_improvement_never_violates_and_never_worsens(problem, seed):
    first = construct(problem)
    best = solve(problem, seconds=1, clock=frozen_clock, seed=seed, max_steps=3)
    assert broken(problem, best.placements) == []
    assert best.figures.key <= first.figures.key


def shop(jobs=12, seed=5):
    """A deterministic small shop with two shifts, due dates that collide, and a setup machine."""
    numbers = itertools.accumulate(
        itertools.repeat(seed), lambda x, _: (x * 1103515245 + 12345) % 2**31
    )
    pick = lambda low, high: low + (next(numbers) >> 8) % (high - low + 1)  # noqa: E731
    resources = [Resource(i, f"M{i}", TIMES["day" if i % 2 else "two"]) for i in range(4)]
    operations = []
    for j in range(jobs):
        for at in range(4):
            first = pick(0, 3)
            operations.append(
                Operation(
                    4 * j + at,
                    j,
                    (Mode(first, pick(30, 200)), Mode((first + 1) % 4, pick(30, 200))),
                    predecessors=(4 * j + at - 1,) if at else (),
                    family="ab"[pick(0, 1)],
                    interruptible=pick(0, 3) > 0,
                )
            )
    return Problem(
        resources,
        [Job(j, due=pick(600, 5000), weight=pick(1, 4)) for j in range(jobs)],
        operations,
        setup_minutes={0: {"a": {"b": 30}, "b": {"a": 45}}},
    )


def test_same_seed_and_steps_give_the_same_schedule():
    one, two = (
        solve(shop(), seconds=1, clock=frozen_clock, seed=7, max_steps=22) for _ in range(2)
    )
    assert one == two
    assert validate(shop(), one.placements) == []


def test_improvement_beats_the_rules():
    first = construct(shop(20))
    best = solve(shop(20), seconds=1, clock=frozen_clock, max_steps=25)
    assert best.weighted_tardiness < first.weighted_tardiness


def test_the_clock_ends_the_search():
    ticks = itertools.count()
    seen = []
    solve(shop(), seconds=60, clock=lambda: float(next(ticks)), on_progress=seen.append)
    assert seen
    assert next(ticks) < 200


def test_a_stop_ends_the_search():
    seen = []
    solve(
        shop(),
        seconds=1,
        clock=frozen_clock,
        on_progress=seen.append,
        should_stop=lambda: len(seen) >= 3,
    )
    assert len(seen) == 3
    assert seen[0].steps == seen[0].moves == 0
    assert seen[1].steps < seen[2].steps
    assert seen[1].moves < seen[2].moves
    assert all(a.best.figures.key >= b.best.figures.key for a, b in itertools.pairwise(seen))
    assert seen[0].bound is None
    assert seen[1].bound <= seen[2].best.weighted_tardiness


def test_two_workers_repeat_themselves():
    one, two = (
        solve(shop(20), seconds=1, clock=frozen_clock, seed=3, workers=2, max_steps=22)
        for _ in range(2)
    )
    assert one == two
    assert validate(shop(20), one.placements) == []


def test_the_bound_is_what_a_job_alone_would_be_late():
    problem = Problem(
        (Resource(1, "Lathe", TIMES["round"]),),
        (Job(1, due=0, weight=2), Job(2, due=50, weight=1)),
        (Operation(1, 1, (Mode(1, 100),)), Operation(2, 2, (Mode(1, 100),))),
    )
    assert tardiness_bound(Plant(problem)) == 2 * 100 + 50


def test_a_given_schedule_is_repaired_and_not_worsened():
    problem = shop()
    good = solve(problem, seconds=1, clock=frozen_clock, max_steps=20)
    again = solve(problem, seconds=1, clock=frozen_clock, max_steps=0, start=good)
    assert again.figures.key <= good.figures.key
    later = replace(problem, now=900)
    repaired = solve(later, seconds=1, clock=frozen_clock, max_steps=0, start=good)
    assert validate(later, repaired.placements) == []


def test_a_problem_without_operations_is_solved():
    problem = Problem((), (), ())
    assert solve(problem, seconds=1, clock=frozen_clock).placements == ()


def test_running_and_locked_operations_stay():
    resource = Resource(1, "Lathe", TIMES["day"])
    running, locked = Placement(1, 1, 400, 600), Placement(2, 1, 800, 900)
    problem = Problem(
        (resource,),
        (Job(1, due=0, weight=1),),
        (
            Operation(1, 1, (Mode(1, 100),), fixed=running),
            Operation(2, 1, (Mode(1, 100),), fixed=locked),
            Operation(3, 1, (Mode(1, 300),)),
            Operation(4, 1, (Mode(1, 60),)),
        ),
        now=500,
    )
    found = solve(problem, seconds=1, clock=frozen_clock, max_steps=2)
    assert validate(problem, found.placements) == []
    assert found.by_operation[1] == running
    assert found.by_operation[2] == locked
    assert found.by_operation[4].end <= 800


def test_work_before_a_lock_is_put_first():
    resource = Resource(1, "Lathe", TIMES["round"])
    problem = Problem(
        (resource,),
        (Job(1, due=0, weight=9), Job(2, due=None)),
        (
            Operation(1, 1, (Mode(1, 100),)),
            Operation(2, 2, (Mode(1, 100),)),
            Operation(3, 2, (Mode(1, 50),), predecessors=(2,), fixed=Placement(3, 1, 120, 170)),
        ),
    )
    found = solve(problem, seconds=1, clock=frozen_clock, max_steps=2)
    assert found.figures.lock_conflict_minutes == 0
    assert validate(problem, found.placements) == []


def test_a_calendar_that_ends_too_soon_is_named():
    problem = Problem(
        (Resource(1, "Lathe", WorkingTime([(0, 10)])),),
        (Job(1, due=0),),
        (Operation(5, 1, (Mode(1, 11),)),),
    )
    with pytest.raises(HorizonTooShort, match="Operation 5 does not fit"):
        construct(problem)


def test_makespan_is_a_milestone_with_a_due_moment_of_zero():
    """Three jobs on two machines (any order): best is both machines busy to the end."""
    resources = [Resource(i, f"M{i}", WorkingTime.always(0)) for i in range(2)]
    steps = [Operation(i, i, (Mode(0, m), Mode(1, m))) for i, m in enumerate((50, 30, 20))]
    end = Operation(9, 9, (Mode(0, 0),), predecessors=(0, 1, 2))
    jobs = [*(Job(i, None) for i in range(3)), Job(9, due=0, weight=1)]
    found = solve(
        Problem(resources, jobs, [*steps, end]), seconds=1, clock=frozen_clock, max_steps=5
    )
    assert found.makespan == 50
