"""A scenario's plan beside the live one, before anything of it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aps.services import problems, solving
from aps.services.comparison import Side, of_solution
from aps.services.inputs import Inputs
from aps.services.problems import Built
from aps.services.solving import Solved
from aps.solver import Solution
from masterdata.services.calendars import Rules


@dataclass(frozen=True)
class Trial:
    """A scenario's plan, the problem it solves, and the live plan that it is measured against."""

    # The plant without the changes.
    inputs: Inputs
    built: Built
    solved: Solved
    reference_built: Built
    reference: Solution
    # What calendars, by id, say with the changes.
    instead: Mapping[int, Rules] = field(default_factory=dict)


def both_sides(trial: Trial) -> tuple[Side, Side]:
    """The live plan and the scenario's, as they are compared."""
    return (
        of_solution(trial.reference_built, trial.reference),
        of_solution(trial.built, trial.solved.solution),
    )


def reference_of(found: Inputs) -> tuple[Built, Solution]:
    """What the live plan becomes by itself now: the same order, after what has happened."""
    built = problems.build_from(found)
    return built, solving.keep_order(built.problem, built.previous)
