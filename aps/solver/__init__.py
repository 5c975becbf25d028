"""Scheduling and promising, as a pure package: no Django, no clock, no database.

Times are whole minutes as ``int``; the caller chooses the epoch. The time a search may take is
measured by the ``clock`` passed in (``time.monotonic`` outside; a fake in tests).

    shift = WorkingTime([(480, 960), (1920, 2400)])            # from common.intervals
    problem = Problem(
        resources=(Resource(1, "Lathe", shift),),
        jobs=(Job(7, due=960, weight=2),),
        operations=(
            Operation(10, job=7, modes=(Mode(1, 120),)),
            Operation(20, job=7, modes=(Mode(1, 60),), predecessors=(10,)),
        ),
        now=0,
    )
    solution = solve(problem, seconds=20, clock=time.monotonic)
    assert validate(problem, solution.placements) == []
    solution.weighted_tardiness                                # 0

    occupancy = Occupancy(problem.resources, busy={1: [Busy(480, 600)]})
    line = Request(id=1, operations=problem.operations, due=2000)
    (answer,) = check(occupancy=occupancy, requests=[line], now=0, risk_minutes=480)
    answer.status, answer.earliest_finish, answer.binding      # FEASIBLE, 780, Link(...)

Public: the problem (``Resource``, ``Mode``, ``Operation``, ``Job``, ``Placement``, ``Problem``,
``InvalidProblem``), what operations share or owe each other (``Precedence`` with waits and transfer
batches, ``Pool`` and ``Need`` for people and tools), the ``Objective``; ``solve`` and its
``Progress``, ``construct`` (rules only, in a second),
``Solution`` and ``Figures``, ``validate`` (violations in words; shares no code with the solver),
``HorizonTooShort`` (working time ends before the work does), and of the promise: ``Occupancy``,
``Busy``, ``Request``, ``check``, ``Answer``, ``Status``, ``Link``, ``InfeasibleHorizon``.
Files: ``plant_format`` reads and writes the JSON of the benchmarks.
"""

from aps.solver import waits
from aps.solver.objective import Objective
from aps.solver.occupancy import Occupancy
from aps.solver.plant import HorizonTooShort
from aps.solver.problem import (
    InvalidProblem,
    Job,
    Mode,
    Need,
    Operation,
    Placement,
    Pool,
    Precedence,
    Problem,
    Resource,
    SetupMinutes,
)
from aps.solver.promise import check
from aps.solver.promise_types import (
    Answer,
    Busy,
    InfeasibleHorizon,
    Link,
    LinkKind,
    Request,
    Status,
)
from aps.solver.solution import Figures, Solution, make_solution, measure
from aps.solver.solve import Progress, construct, solve
from aps.solver.validate import validate

__all__ = [
    "Answer",
    "Busy",
    "Figures",
    "HorizonTooShort",
    "InfeasibleHorizon",
    "InvalidProblem",
    "Job",
    "Link",
    "LinkKind",
    "Mode",
    "Need",
    "Objective",
    "Occupancy",
    "Operation",
    "Placement",
    "Pool",
    "Precedence",
    "Problem",
    "Progress",
    "Request",
    "Resource",
    "SetupMinutes",
    "Solution",
    "Status",
    "check",
    "construct",
    "make_solution",
    "measure",
    "solve",
    "validate",
    "waits",
]
