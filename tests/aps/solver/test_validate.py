"""One feasible schedule, and for each rule one that breaks it."""

from dataclasses import replace

import pytest

from aps.solver import Job, Mode, Operation, Placement, Problem, Resource, validate
from common.intervals import WorkingTime

DAY = WorkingTime([(480, 720), (750, 990), (1920, 2400)])

PROBLEM = Problem(
    resources=(
        Resource(1, "Lathe", DAY),
        Resource(2, "Mill", DAY),
        Resource(3, "Oven", DAY, capacity=2),
        Resource(4, "Plater", DAY, capacity=None),
    ),
    jobs=(Job(1, due=900, weight=1),),
    operations=(
        Operation(10, 1, (Mode(1, 60), Mode(2, 90)), family="a"),
        Operation(20, 1, (Mode(1, 60),), predecessors=(10,), family="b"),
        Operation(30, 1, (Mode(2, 200),), release=500),
        Operation(40, 1, (Mode(2, 60),), interruptible=False),
        Operation(50, 1, (Mode(1, 30),), fixed=Placement(50, 1, 400, 500), family="a"),
        *(Operation(60 + i, 1, (Mode(3, 60), Mode(4, 60))) for i in range(3)),
    ),
    now=480,
    setup_minutes={1: {"a": {"b": 30}}},
)

FEASIBLE = {
    10: Placement(10, 1, 500, 560),
    20: Placement(20, 1, 590, 650),
    30: Placement(30, 2, 600, 830),
    40: Placement(40, 2, 830, 890),
    50: Placement(50, 1, 400, 500),
    60: Placement(60, 3, 480, 540),
    61: Placement(61, 3, 480, 540),
    62: Placement(62, 3, 540, 600),
}


def violations(**changes):
    schedule = dict(FEASIBLE)
    for name, (resource, start, end) in changes.items():
        identity = int(name[1:])
        schedule[identity] = Placement(identity, resource, start, end)
    return validate(PROBLEM, schedule.values())


def test_a_feasible_schedule_has_no_violations():
    assert violations() == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"_40": (1, 700, 720)}, "Operation 40 may not run on resource 1."),
        ({"_30": (2, 490, 690)}, "Operation 30 starts at 490, before its release at 500."),
        ({"_60": (4, 470, 530)}, "Operation 60 starts at 470, before now (480)."),
        ({"_40": (2, 730, 790)}, "Operation 40 starts at 730, outside working time."),
        ({"_40": (2, 1000, 2000)}, "Operation 40 starts at 1000, outside working time."),
        ({"_30": (2, 500, 730)}, "Operation 30 ends at 730, outside working time."),
        ({"_30": (2, 600, 829)}, "Operation 30 works 199 of 200 minutes."),
        ({"_40": (2, 840, 830)}, "Operation 40 ends before it starts."),
        ({"_50": (1, 401, 500)}, "Operation 50 is fixed and was moved."),
        ({"_20": (1, 550, 610)}, "before its predecessor 10 ends at 560."),
        ({"_40": (2, 650, 710)}, "Operation 40 overlaps 30 on Mill."),
        ({"_62": (3, 500, 560)}, "Operation 62 overlaps 60 on Oven."),
        ({"_20": (1, 589, 649)}, "Operation 20 follows 10 on Lathe without 30 minutes of setup."),
        ({"_10": (1, 490, 550)}, "Operation 10 overlaps 50 on Lathe."),
    ],
)
def test_each_broken_rule_is_named(changes, sentence):
    assert any(sentence in found for found in violations(**changes)), violations(**changes)


def test_unbroken_work_may_not_span_a_break():
    found = violations(_40=(2, 970, 1960), _30=(2, 500, 700))
    assert "Operation 40 is interrupted by non-working time." in found


def test_missing_doubled_and_unknown_operations_are_named():
    rows = list(FEASIBLE.values())
    assert validate(PROBLEM, rows[1:]) == ["Operation 10 is not scheduled."]
    assert validate(PROBLEM, [*rows, rows[0]]) == ["Operation 10 is scheduled 2 times."]
    assert validate(PROBLEM, [*rows, Placement(99, 1, 0, 1)]) == ["Operation 99 is unknown."]


def test_infinite_capacity_never_overlaps():
    assert violations(_60=(4, 500, 560), _61=(4, 500, 560), _62=(4, 500, 560)) == []


def test_a_lock_whose_predecessor_ends_too_late_is_named():
    locked = replace(PROBLEM.operations[1], fixed=Placement(20, 1, 540, 600))
    problem = replace(PROBLEM, operations=[locked if o.id == 20 else o for o in PROBLEM.operations])
    found = validate(problem, {**FEASIBLE, 20: Placement(20, 1, 540, 600)}.values())
    assert any("before its predecessor 10" in one for one in found)


def test_an_operation_running_out_of_sequence_is_a_fact():
    running = replace(PROBLEM.operations[1], fixed=Placement(20, 1, 440, 500))
    problem = replace(
        PROBLEM, operations=[running if o.id == 20 else o for o in PROBLEM.operations]
    )
    assert not any(
        "predecessor" in one
        for one in validate(problem, {**FEASIBLE, 20: Placement(20, 1, 440, 500)}.values())
    )
