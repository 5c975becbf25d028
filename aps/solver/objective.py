"""What a good schedule is: figures in a fixed order, or weighed against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aps.solver.solution import Figures

Worth = tuple[float, ...]
"""Smaller is better, compared from the left."""


@dataclass(frozen=True, slots=True)
class Objective:
    """How two schedules compare; what no schedule may do (break a lock) always comes first.

    ``in_order`` (the default): weighted tardiness, then the cost of deviating from the reference,
    then setup minutes, then work in progress. Otherwise the sum of the figures, each times its
    weight. The weights of the deviation (per minute that a start moves, per operation that changes
    its resource) count in both.
    """

    in_order: bool = True
    tardiness: float = 1.0
    setup_minute: float = 0.1
    flow_minute: float = 0.01
    makespan_minute: float = 0.0
    early_minute: float = 0.0
    moved_minute: float = 0.0
    changed_resource: float = 0.0

    def __post_init__(self) -> None:
        weights = (
            self.tardiness,
            self.setup_minute,
            self.flow_minute,
            self.makespan_minute,
            self.early_minute,
            self.moved_minute,
            self.changed_resource,
        )
        if min(weights) < 0:
            raise ValueError("A weight of the objective is negative.")

    @property
    def charges_deviation(self) -> bool:
        """Whether moving away from the reference costs anything."""
        return self.moved_minute > 0 or self.changed_resource > 0

    def deviation(self, figures: Figures) -> float:
        """What moving away from the reference costs."""
        moved = self.moved_minute * figures.moved_minutes
        return moved + self.changed_resource * figures.changed_resources

    def worth(self, figures: Figures) -> Worth:
        """The figures as a tuple to compare."""
        conflict, tardiness, setup, flow = figures.key
        if self.in_order:
            return conflict, tardiness, self.deviation(figures), setup, flow
        return conflict, self.cost(figures)

    def cost(self, figures: Figures) -> float:
        """The weighted sum."""
        return (
            self.tardiness * figures.weighted_tardiness
            + self.setup_minute * figures.setup_minutes
            + self.flow_minute * figures.flow_minutes
            + self.makespan_minute * figures.makespan
            + self.early_minute * figures.early_minutes
            + self.deviation(figures)
        )
