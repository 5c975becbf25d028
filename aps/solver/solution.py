"""What a schedule is worth: its placements and the figures of the objective."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from aps.solver.problem import Placement, Precedence, Problem


@dataclass(frozen=True, slots=True)
class Figures:
    """The objective, most important first; all in minutes except ``late_jobs``.

    ``lock_conflict_minutes``: by how much predecessors end after a locked operation starts (0
    unless the locks themselves cannot be kept). ``flow_minutes``: over all jobs, first start (or
    now, when later) to last end, the work in progress. ``makespan``: now to the last end.
    ``early_minutes``: over all jobs with a due moment, last end to due. ``moved_minutes`` and
    ``changed_resources``: against the reference of the problem.
    """

    lock_conflict_minutes: int = 0
    weighted_tardiness: int = 0
    setup_minutes: int = 0
    flow_minutes: int = 0
    makespan: int = 0
    late_jobs: int = 0
    max_tardiness: int = 0
    early_minutes: int = 0
    moved_minutes: int = 0
    changed_resources: int = 0

    @property
    def key(self) -> tuple[int, int, int, int]:
        """Smaller is better: kept locks, weighted tardiness, setup, work in progress."""
        return (
            self.lock_conflict_minutes,
            self.weighted_tardiness,
            self.setup_minutes,
            self.flow_minutes,
        )


@dataclass(frozen=True)
class Solution:
    """A schedule: one placement per operation, ordered by start, and its figures."""

    placements: tuple[Placement, ...]
    figures: Figures = field(default_factory=Figures)

    @cached_property
    def by_operation(self) -> dict[int, Placement]:
        """Placement by operation id."""
        return {p.operation: p for p in self.placements}

    @property
    def weighted_tardiness(self) -> int:
        """Sum over jobs of weight x minutes late."""
        return self.figures.weighted_tardiness

    @property
    def setup_minutes(self) -> int:
        """Family changeover minutes on all machines."""
        return self.figures.setup_minutes

    @property
    def flow_minutes(self) -> int:
        """Work in progress: over all jobs, first start to last end."""
        return self.figures.flow_minutes

    @property
    def makespan(self) -> int:
        """Minutes from now to the last end."""
        return self.figures.makespan


def make_solution(problem: Problem, placements: Iterable[Placement]) -> Solution:
    """The schedule with its figures; trusts that the placements are feasible."""
    ordered = tuple(sorted(placements, key=lambda p: (p.start, p.end, p.operation)))
    return Solution(ordered, measure(problem, ordered))


def measure(problem: Problem, placements: Iterable[Placement]) -> Figures:
    """The figures of a schedule; operations not placed are left out."""
    at = {p.operation: p for p in placements}
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    conflict = 0
    for operation in problem.operations:
        placed = at.get(operation.id)
        if placed is None:
            continue
        first[operation.job] = min(first.get(operation.job, placed.start), placed.start)
        last[operation.job] = max(last.get(operation.job, placed.end), placed.end)
        if operation.fixed is not None and operation.fixed.start >= problem.now:
            ends = [at[p].end for p in operation.predecessors if p in at]
            ends += [at[k.before].end + k.min_lag for k in operation.links if _plain(k, at)]
            conflict += max(0, max(ends, default=placed.start) - placed.start)
    moved, changed = _deviation(problem, at)
    late = {
        job.id: (job.weight, max(0, last[job.id] - job.due))
        for job in problem.jobs
        if job.due is not None and job.id in last
    }
    return Figures(
        lock_conflict_minutes=conflict,
        weighted_tardiness=sum(weight * minutes for weight, minutes in late.values()),
        setup_minutes=sum(changeovers(problem, at.values()).values()),
        flow_minutes=sum(max(0, end - max(first[j], problem.now)) for j, end in last.items()),
        makespan=max((end - problem.now for end in last.values()), default=0),
        late_jobs=sum(1 for weight, minutes in late.values() if weight and minutes),
        max_tardiness=max((minutes for weight, minutes in late.values() if weight), default=0),
        early_minutes=sum(
            max(0, job.due - last[job.id])
            for job in problem.jobs
            if job.due is not None and job.id in last
        ),
        moved_minutes=moved,
        changed_resources=changed,
    )


def _plain(link: Precedence, at: Mapping[int, Placement]) -> bool:
    return link.before in at and link.transfer_minutes is None


def _deviation(problem: Problem, at: Mapping[int, Placement]) -> tuple[int, int]:
    """Minutes by which starts moved, and how many operations changed their resource."""
    moved = changed = 0
    for identity, planned in problem.reference.items():
        placed = at.get(identity)
        if placed is not None:
            moved += abs(placed.start - planned.start)
            changed += placed.resource != planned.resource
    return moved, changed


def changeovers(problem: Problem, placements: Iterable[Placement]) -> dict[int, int]:
    """By operation the setup minutes that its machine takes before it, where there are any."""
    if not problem.setup_minutes:
        return {}
    family = {o.id: o.family or "" for o in problem.operations}
    on: dict[int, list[Placement]] = {}
    for placed in placements:
        if placed.resource in problem.setup_minutes and placed.end > placed.start:
            on.setdefault(placed.resource, []).append(placed)
    found: dict[int, int] = {}
    for resource, row in on.items():
        matrix = problem.setup_minutes[resource]
        row.sort(key=lambda p: (p.start, p.end))
        for before, after in itertools.pairwise(row):
            minutes = matrix.get(family[before.operation], {}).get(family[after.operation], 0)
            if minutes:
                found[after.operation] = minutes
    return found
