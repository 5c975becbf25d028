"""Which operations a CP-SAT step frees: a stretch of time, some machines, or a late job."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from aps.solver.cpsat import Neighbourhood
from aps.solver.plant import Plant
from aps.solver.schedule import Schedule

FLOATING = 200
"""Most operations that keep machine and order but not their times."""


def choose(plant: Plant, schedule: Schedule, rng: Random, *, size: int) -> Neighbourhood:
    """A random neighbourhood of about ``size`` free operations around the schedule."""
    movable = [i for i, step in enumerate(plant.steps) if step.fixed is None]
    ways = (_stretch_of_time, _machines, _late_job)
    free = rng.choice(ways)(plant, schedule, rng, movable, size)
    first = min(schedule.start[i] for i in free)
    chosen = set(free)
    later = [i for i in movable if i not in chosen and schedule.end[i] > first]
    later.sort(key=lambda i: schedule.start[i])
    return Neighbourhood(tuple(free), tuple(later[:FLOATING]))


def _nearest(schedule: Schedule, steps: Iterable[int], moment: int, size: int) -> list[int]:
    return sorted(steps, key=lambda i: (abs(schedule.start[i] - moment), i))[:size]


def _stretch_of_time(
    plant: Plant, schedule: Schedule, rng: Random, movable: list[int], size: int
) -> list[int]:
    return _nearest(schedule, movable, schedule.start[rng.choice(movable)], size)


def _machines(
    plant: Plant, schedule: Schedule, rng: Random, movable: list[int], size: int
) -> list[int]:
    """The machines on which one operation may run, and a few more, around its time."""
    seed = rng.choice(movable)
    count = len(plant.resources)
    group = {r for r, _ in plant.steps[seed].modes} | {schedule.resource[seed]}
    group.update(rng.randrange(count) for _ in range(max(2, count // 10)))
    there = [i for i in movable if schedule.resource[i] in group]
    return _nearest(schedule, there, schedule.start[seed], size)


def _late_job(
    plant: Plant, schedule: Schedule, rng: Random, movable: list[int], size: int
) -> list[int]:
    """A job chosen by its lateness, what feeds it, and what runs beside or just before it."""
    lateness = []
    for job, steps in zip(plant.problem.jobs, plant.of_job, strict=True):
        end = max((schedule.end[i] for i in steps), default=0)
        late = max(0, end - job.due) if job.due is not None else 0
        lateness.append(job.weight * late + 1)
    seed = rng.choices(range(len(lateness)), lateness)[0]
    open_steps = set(movable)
    tree: set[int] = set()
    stack = list(plant.of_job[seed])
    while stack and len(tree) < size // 2:
        i = stack.pop()
        if i not in tree:
            tree.add(i)
            stack += plant.steps[i].predecessors
    tree &= open_steps
    if not tree:
        return _stretch_of_time(plant, schedule, rng, movable, size)
    wanted = {r for i in tree for r, _ in plant.steps[i].modes}
    spans = [(schedule.start[i] - 1440, schedule.end[i]) for i in sorted(tree)]
    beside = [
        i
        for i in movable
        if i not in tree
        and schedule.resource[i] in wanted
        and any(a <= schedule.start[i] <= b for a, b in spans)
    ]
    extra = rng.sample(beside, min(len(beside), max(0, size - len(tree))))
    return [*sorted(tree), *extra]
