"""A plan repaired by its own order, where locks are in the way; no database."""

from aps.services import solving
from aps.solver import Job, Mode, Operation, Placement, Problem, Resource, validate
from common.intervals import WorkingTime

LATHE, ASSEMBLY, MILL, PACKING = 1, 2, 3, 4
BEFORE, LONG, PART, PUMP, OTHER, CASE, VALVE = range(7)


def problem(*, lathe_busy_until: int, pump_at: int = 150) -> Problem:
    """A pump is locked for as soon as its part comes from the lathe, a valve for much later."""
    resources = tuple(Resource(i, str(i), WorkingTime.always(-60)) for i in range(1, 5))
    busy = Placement(BEFORE, LATHE, -50, lathe_busy_until)
    operations = (
        Operation(BEFORE, BEFORE, (Mode(LATHE, 1),), fixed=busy),
        Operation(LONG, LONG, (Mode(LATHE, 100),)),
        Operation(PART, PUMP, (Mode(LATHE, 50),)),
        _locked(PUMP, PUMP, ASSEMBLY, 30, at=pump_at, after=PART),
        Operation(OTHER, OTHER, (Mode(MILL, 300),)),
        Operation(CASE, VALVE, (Mode(MILL, 50),)),
        _locked(VALVE, VALVE, PACKING, 30, at=500, after=CASE),
    )
    return Problem(resources, tuple(Job(i, due=None) for i in range(7)), operations)


def _locked(pk: int, job: int, resource: int, minutes: int, *, at: int, after: int) -> Operation:
    place = Placement(pk, resource, at, at + minutes)
    return Operation(pk, job, (Mode(resource, minutes),), predecessors=(after,), fixed=place)


PLAN = [
    Placement(LONG, LATHE, 0, 100),
    Placement(PART, LATHE, 100, 150),
    Placement(OTHER, MILL, 0, 300),
    Placement(CASE, MILL, 300, 350),
]


def starts(found: Problem) -> dict[int, int]:
    """Where each operation begins after a repair, which breaks no rule."""
    solution = solving.keep_order(found, PLAN, pull_minutes=5)
    assert validate(found, solution.placements) == []
    return {placed.operation: placed.start for placed in solution.placements}


def test_nothing_gives_way_while_no_lock_is_missed():
    found = starts(problem(lathe_busy_until=0))
    assert (found[LONG], found[PART], found[OTHER], found[CASE]) == (0, 100, 0, 300)


def test_work_before_a_lock_that_would_be_missed_keeps_its_place_and_no_other_lock_moves_work():
    """The lathe is busy for 20 minutes more: the part would be 20 minutes late for its pump."""
    found = starts(problem(lathe_busy_until=20))
    assert (found[PART], found[LONG]) == (100, 150)
    assert (found[OTHER], found[CASE]) == (0, 300), "the valve's lock was never in danger"


def test_where_its_place_is_not_enough_it_comes_earlier():
    found = starts(problem(lathe_busy_until=20, pump_at=80))
    assert (found[PART], found[LONG]) == (20, 70)
    assert (found[OTHER], found[CASE]) == (0, 300)
