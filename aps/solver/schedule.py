"""A complete schedule by position, cheap to copy, and the decoders that make one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aps.solver.objective import Worth
from aps.solver.plant import Plant, State
from aps.solver.problem import Placement
from aps.solver.solution import Figures, Solution, measure


@dataclass(frozen=True, slots=True)
class Schedule:
    """Resource position, start and end per step, and what the whole is worth."""

    resource: tuple[int, ...]
    start: tuple[int, ...]
    end: tuple[int, ...]
    figures: Figures
    worth: Worth

    def placements(self, plant: Plant) -> list[Placement]:
        """The schedule by ids."""
        return [
            Placement(identity, plant.resources[self.resource[i]].id, self.start[i], self.end[i])
            for i, identity in enumerate(plant.ids)
        ]

    def solution(self, plant: Plant) -> Solution:
        """The schedule as the caller gets it."""
        placed = sorted(self.placements(plant), key=lambda p: (p.start, p.end, p.operation))
        return Solution(tuple(placed), self.figures)


def freeze(state: State) -> Schedule:
    """The finished state as a schedule."""
    return make_schedule(state.plant, state.resource, state.start, state.end)


def make_schedule(
    plant: Plant, resource: Sequence[int], start: Sequence[int], end: Sequence[int]
) -> Schedule:
    """The schedule with its worth."""
    bare = Schedule(tuple(resource), tuple(start), tuple(end), Figures(), ())
    figures = measure(plant.problem, bare.placements(plant))
    return replace(bare, figures=figures, worth=plant.problem.objective.worth(figures))


def feasible_order(plant: Plant, key: Sequence[float]) -> list[int]:
    """Steps by ``key``, each pulled before whatever follows it."""
    pulled = list(key)
    for i in reversed(plant.order):
        for before in plant.steps[i].predecessors:
            pulled[before] = min(pulled[before], pulled[i])
    return sorted(range(len(pulled)), key=lambda i: (pulled[i], plant.rank[i]))


def decode(plant: Plant, resource: Sequence[int], start: Sequence[int]) -> Schedule:
    """Left-shift: each step, in order of start, into the first gap of the machine it has.

    Never later than the given times where these are feasible (without setups; with setups an
    insertion may cost a follower a changeover, so a caller compares before accepting).
    """
    state = plant.new_state()
    for i in feasible_order(plant, start):
        step = plant.steps[i]
        if step.fixed is None:
            kept = [m for m in step.modes if m[0] == resource[i]]
            state.place_among(i, kept or step.modes)
    return freeze(state)
