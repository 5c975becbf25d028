"""The problem refuses, in a sentence, what makes no sense."""

import pytest

from aps.solver import InvalidProblem, Job, Mode, Operation, Placement, Problem, Resource
from common.intervals import WorkingTime

ALWAYS = WorkingTime.always()


JOBS = (Job(1, due=10),)
RESOURCES = (Resource(1, "Lathe", ALWAYS),)


def make(operations, *, jobs=JOBS, resources=RESOURCES, **more):
    return Problem(resources=resources, jobs=jobs, operations=operations, **more)


def operation(identity=1, **more):
    return Operation(identity, **{"job": 1, "modes": (Mode(1, 5),), **more})


def test_a_sound_problem_is_accepted():
    problem = make([operation(1), operation(2, predecessors=(1,))])
    assert len(problem.operations) == 2


@pytest.mark.parametrize(
    ("operations", "sentence"),
    [
        ([operation(1), operation(1)], "The operation id 1 appears twice"),
        ([operation(1, modes=())], "has no mode"),
        ([operation(1, modes=(Mode(9, 5),))], "unknown resource 9"),
        ([operation(1, predecessors=(7,))], "unknown operation 7"),
        ([operation(1, job=4)], "unknown job 4"),
        ([operation(1, predecessors=(2,)), operation(2, predecessors=(1,))], "for itself"),
        ([operation(1, predecessors=(1,))], "for itself"),
        ([operation(1, fixed=Placement(2, 1, 0, 5))], "fixed placement of 2"),
        ([operation(1, fixed=Placement(1, 8, 0, 5))], "unknown resource 8"),
        ([operation(1, fixed=Placement(1, 1, 6, 5))], "end before its start"),
    ],
)
def test_an_operation_that_makes_no_sense_is_refused(operations, sentence):
    with pytest.raises(InvalidProblem, match=sentence):
        make(operations)


@pytest.mark.parametrize("minutes", [-1, 2.5])
def test_a_mode_takes_whole_minutes(minutes):
    with pytest.raises(InvalidProblem, match="whole number"):
        Mode(1, minutes)


def test_zero_minutes_are_allowed():
    assert make([operation(1, modes=(Mode(1, 0),))]).operations[0].modes[0].minutes == 0


def test_a_resource_needs_a_capacity():
    with pytest.raises(InvalidProblem, match="capacity"):
        Resource(1, "Lathe", ALWAYS, capacity=0)


def test_a_weight_is_not_negative():
    with pytest.raises(InvalidProblem, match="weight"):
        Job(1, due=None, weight=-1)


def test_ids_of_jobs_and_resources_are_unique():
    with pytest.raises(InvalidProblem, match="job id 1"):
        make([], jobs=(Job(1, None), Job(1, None)))
    with pytest.raises(InvalidProblem, match="resource id 1"):
        make([], resources=(Resource(1, "A", ALWAYS), Resource(1, "B", ALWAYS)))


@pytest.mark.parametrize(
    ("setup", "sentence"),
    [({5: {}}, "unknown resource 5"), ({1: {"a": {"b": -3}}}, "negative setup")],
)
def test_setups_that_make_no_sense_are_refused(setup, sentence):
    with pytest.raises(InvalidProblem, match=sentence):
        make([], setup_minutes=setup)


def test_setups_need_one_operation_at_a_time():
    with pytest.raises(InvalidProblem, match="capacity other than 1"):
        make(
            [],
            resources=(Resource(1, "Oven", ALWAYS, capacity=2),),
            setup_minutes={1: {"a": {"b": 3}}},
        )
