"""What no schedule can beat: the weighted tardiness if every operation had all machines alone."""

from __future__ import annotations

from aps.solver.plant import Plant
from common.intervals import CalendarExhausted


def tardiness_bound(plant: Plant) -> int:
    """Weighted tardiness with releases, routes, waits and calendars, but without any queue.

    A relaxation of capacity: weak where machines are the bottleneck, exact for a job that is late
    even alone. Transfer batches count as if the next operation could begin at once.
    """
    end: list[int] = [0] * len(plant.steps)
    for i in plant.order:
        step = plant.steps[i]
        if step.fixed is not None:
            end[i] = step.fixed[2]
            continue
        batches = {p for p, link in step.links if link.transfer_minutes is not None}
        ready = step.ready
        for before, lag in zip(step.predecessors, step.lags, strict=True):
            if before not in batches or before in step.plain:
                ready = max(ready, end[before] + lag)
        ends = []
        for resource, minutes in step.modes:
            times = plant.resources[resource].working_time
            try:
                ends.append(times.place(ready, minutes, step.interruptible)[1])
            except CalendarExhausted:
                continue
        end[i] = min(ends, default=ready)
    total = 0
    for job, steps in zip(plant.problem.jobs, plant.of_job, strict=True):
        if job.due is not None and steps:
            total += job.weight * max(0, max(end[i] for i in steps) - job.due)
    return total
