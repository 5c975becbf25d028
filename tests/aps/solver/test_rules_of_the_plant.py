"""Each rule of the model beyond machines: a schedule that keeps it, and one that breaks it."""

from dataclasses import replace

import pytest

from aps.solver import (
    HorizonTooShort,
    InvalidProblem,
    Job,
    Mode,
    Need,
    Objective,
    Operation,
    Placement,
    Pool,
    Precedence,
    Problem,
    Resource,
    solve,
    validate,
)
from common.intervals import WorkingTime

ALWAYS = WorkingTime.always(0, 100_000)
EARLY = WorkingTime((day * 1440 + 360, day * 1440 + 840) for day in range(40))
LATE = WorkingTime((day * 1440 + 840, day * 1440 + 1320) for day in range(40))
LONG = WorkingTime((day * 1440 + 360, day * 1440 + 1320) for day in range(40))


def frozen_clock():
    return 0.0


def plant(*operations, times=ALWAYS, machines=3, jobs=None, **more):
    """A problem of a few machines that all work by the same calendar."""
    resources = tuple(Resource(i, f"M{i}", times) for i in range(machines))
    jobs = jobs or tuple(Job(j, due=0, weight=1) for j in {o.job for o in operations})
    return Problem(resources, jobs, operations, **more)


def step(identity, machine, minutes, *, job=0, **more):
    return Operation(identity, job, (Mode(machine, minutes),), **more)


def solved(problem, **more):
    found = solve(problem, seconds=1, clock=frozen_clock, max_steps=4, **more)
    assert validate(problem, found.placements) == []
    return found


def said(problem, *rows):
    """What the judge says of placements given as (operation, resource, start, end)."""
    return validate(problem, [Placement(*row) for row in rows])


class TestShortestWait:
    problem = plant(step(1, 0, 60), step(2, 1, 30, links=(Precedence(1, min_lag=240),)))

    def test_is_kept(self):
        assert solved(self.problem).by_operation[2].start == 300

    def test_broken_is_named(self):
        assert said(self.problem, (1, 0, 0, 60), (2, 1, 299, 329)) == [
            "Operation 2 starts 239 minutes after 1 ends; it must wait 240."
        ]


class TestLongestWait:
    # The second machine is taken until 600, so the first operation has to begin late.
    problem = plant(
        step(1, 0, 60),
        step(2, 1, 30, links=(Precedence(1, max_lag=20),)),
        step(3, 1, 600, job=1, fixed=Placement(3, 1, 0, 600)),
    )

    def test_holds_the_predecessor_back(self):
        found = solved(self.problem).by_operation
        assert found[2].start == 600
        assert found[1].end >= 580

    def test_before_a_locked_operation_is_kept(self):
        link, locked_at = Precedence(1, max_lag=20), Placement(2, 1, 900, 930)
        locked = step(2, 1, 30, links=(link,), fixed=locked_at)
        found = solved(plant(step(1, 0, 60), locked)).by_operation
        assert 880 <= found[1].end <= 900

    def test_broken_is_named(self):
        rows = ((1, 0, 0, 60), (2, 1, 600, 630), (3, 1, 0, 600))
        assert said(self.problem, *rows) == [
            "Operation 2 starts 540 minutes after 1 ends; it may wait at most 20."
        ]

    def test_that_no_calendar_allows_is_refused(self):
        resources = (Resource(0, "Oven", EARLY), Resource(1, "Press", LATE))
        operations = (step(1, 0, 60), step(2, 1, 30, links=(Precedence(1, max_lag=0),)))
        problem = Problem(resources, (Job(0, due=0, weight=1),), operations)
        assert solved(problem).by_operation[2].start == 840  # just at the change of shifts
        night = WorkingTime((day * 1440, day * 1440 + 60) for day in range(40))
        never = replace(problem, resources=(resources[0], Resource(1, "Press", night)))
        with pytest.raises(HorizonTooShort):
            solve(never, seconds=1, clock=frozen_clock, max_steps=1)

    @pytest.mark.parametrize("wrong", [{"min_lag": -1}, {"min_lag": 9, "max_lag": 8}])
    def test_that_contradicts_itself_is_invalid(self, wrong):
        with pytest.raises(InvalidProblem):
            Precedence(1, **wrong)


class TestTransferBatch:
    link = Precedence(1, transfer_minutes=100, tail_minutes=50)
    problem = plant(step(1, 0, 600), step(2, 1, 300, links=(link,)))

    def test_lets_the_next_operation_begin_early(self):
        found = solved(self.problem).by_operation
        assert found[1].end == 600
        assert 350 <= found[2].start < 600  # not 100: it must not run out of parts
        assert found[2].end == 650

    def test_counts_working_minutes(self):
        problem = plant(step(1, 0, 600), step(2, 1, 900, links=(self.link,)), times=EARLY)
        found = solved(problem).by_operation
        assert found[2].start == 460

    def test_broken_is_named(self):
        (first,) = said(self.problem, (1, 0, 0, 600), (2, 1, 99, 399))[:1]
        assert first == (
            "Operation 2 starts when 1 has worked 99 of the 100 minutes "
            "of its first transfer batch."
        )
        assert said(self.problem, (1, 0, 0, 600), (2, 1, 349, 649)) == [
            "Operation 2 ends 49 minutes after 1, too soon for its last transfer batch (50)."
        ]


class TestPoolOfPeople:
    welders = Pool(7, "Welders", ((EARLY, 2), (LATE, 1)))
    problem = plant(
        *(step(i, i, 240, job=i, needs=(Need(7),)) for i in range(3)), times=LONG, pools=(welders,)
    )

    def test_is_never_overdrawn(self):
        starts = sorted(p.start for p in solved(self.problem).placements)
        assert starts == [360, 360, 600]

    def test_shrinks_with_the_shift(self):
        both = replace(
            self.problem,
            operations=tuple(replace(o, needs=(Need(7, 2),)) for o in self.problem.operations),
        )
        starts = sorted(p.start for p in solved(both).placements)
        assert starts == [360, 600, 1800]

    def test_overdrawn_is_named(self):
        rows = [(i, i, 360, 600) for i in range(3)]
        assert said(self.problem, *rows) == [
            "Operation 0 runs at 360 when pool Welders has 2 and is asked for 3."
        ]

    def test_people_go_home_while_the_operation_pauses(self):
        problem = plant(
            step(0, 0, 600, needs=(Need(7),)), times=EARLY, pools=(Pool(7, "W", ((EARLY, 1),)),)
        )
        assert solved(problem).by_operation[0] == Placement(0, 0, 360, 1800 + 120)

    @pytest.mark.parametrize("need", [Need(9), Need(7, 4), Need(7, 0)])
    def test_a_need_that_no_pool_can_meet_is_invalid(self, need):
        with pytest.raises(InvalidProblem):
            plant(step(0, 0, 1, needs=(need,)), pools=(self.welders,))


class TestTools:
    mould = Pool.tools(3, "Mould 12", 1)
    problem = plant(
        step(0, 0, 600, needs=(Need(3),)),
        step(1, 1, 60, job=1, needs=(Need(3),)),
        times=EARLY,
        pools=(mould,),
        jobs=(Job(0, due=0, weight=9), Job(1, due=0, weight=0)),
    )

    def test_are_held_over_the_night(self):
        found = solved(self.problem).by_operation
        one, two = found[0], found[1]
        assert one.end <= two.start or two.end <= one.start

    def test_used_twice_are_named(self):
        rows = ((0, 0, 360, 1920), (1, 1, 1800, 1860))
        assert said(self.problem, *rows) == [
            "Operation 0 runs at 1800 when pool Mould 12 has 1 and is asked for 2."
        ]


class TestFrozenWindow:
    planned = Placement(1, 0, 100, 160)
    problem = plant(
        step(1, 0, 60),
        step(2, 0, 60),
        step(3, 1, 60),
        now=50,
        frozen_until=500,
        reference={1: planned, 2: Placement(2, 0, 700, 760)},
    )

    def test_keeps_what_is_in_it_and_lets_nothing_else_in(self):
        found = solved(self.problem).by_operation
        assert found[1] == self.planned
        assert found[2].start == found[3].start == 500

    def test_broken_is_named(self):
        rows = ((1, 0, 160, 220), (2, 0, 499, 559), (3, 1, 500, 560))
        assert said(self.problem, *rows) == [
            "Operation 1 is fixed and was moved.",
            "Operation 2 starts at 499, in the frozen window until 500.",
        ]


class TestObjective:
    reference = {1: Placement(1, 0, 1000, 1060), 2: Placement(2, 1, 2000, 2060)}
    problem = plant(
        Operation(1, 0, (Mode(0, 60), Mode(2, 60))),
        Operation(2, 1, (Mode(1, 60), Mode(2, 60))),
        jobs=(Job(0, due=5000, weight=1), Job(1, due=1500, weight=1)),
        reference=reference,
    )

    def test_without_a_price_nothing_holds_the_plan(self):
        assert solved(self.problem).figures.moved_minutes > 0

    def test_moving_costs_but_lateness_costs_more(self):
        stable = replace(self.problem, objective=Objective(moved_minute=1, changed_resource=50))
        found = solved(stable)
        assert found.by_operation[1] == self.reference[1]
        assert found.by_operation[2].end <= 1500
        assert found.figures.changed_resources == 0

    def test_weighed_a_late_job_may_stay_where_it_was(self):
        stable = replace(
            self.problem, objective=Objective(in_order=False, tardiness=0.5, moved_minute=1)
        )
        found = solved(stable)
        assert found.figures.moved_minutes == 0

    def test_earliness_has_its_price(self):
        problem = plant(step(1, 0, 60), jobs=(Job(0, due=900, weight=1),))
        assert solved(problem).by_operation[1].end == 60
        just_in_time = replace(problem, objective=Objective(in_order=False, early_minute=1))
        assert solved(just_in_time).by_operation[1].end > 800

    def test_makespan_alone_balances_the_machines(self):
        steps = [Operation(i, i, (Mode(0, m), Mode(1, m))) for i, m in enumerate((50, 30, 20))]
        jobs = tuple(Job(i, None) for i in range(3))
        aim = Objective(in_order=False, makespan_minute=1)
        assert solved(plant(*steps, jobs=jobs, objective=aim)).makespan == 50

    def test_a_negative_weight_is_refused(self):
        with pytest.raises(ValueError, match="negative"):
            Objective(moved_minute=-1)
