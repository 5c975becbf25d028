"""A plant as flat arrays: what the compiled functions read and write.

One record per operation, machine and job, constants and present state side by side, because a
move reads both and they then share a cache line. A resource of capacity k is k machines with the
same calendar; one of infinite capacity is a machine without a queue. The state is a queue of
operations per machine and, per operation, its mode and times; the times follow from the queues
(``timing``), never the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from aps.solver.kernel.board_extras import lay_links, lay_pools
from aps.solver.kernel.layout import (
    BLOCK,
    CHANGE,
    FAR,
    JOB,
    MACHINE,
    MODE,
    OPERATION,
    TOTALS,
    WINDOW,
    Array,
)
from aps.solver.plant import Plant


class Board(NamedTuple):
    """The arrays; ``first_x`` and ``last_x`` of a record are half-open ranges into ``x``."""

    operations: Array
    modes: Array
    before: Array
    links: Array
    """Beside ``before``: shortest wait, longest wait or -1, transfer batch or -1, and its tail."""
    after: Array
    machines: Array
    queue: Array
    """Operations in the order of each machine, machine after machine from ``first_place``."""
    windows: Array
    buckets: Array
    """First window that ends after the start of each stretch of the calendar."""
    blocks: Array
    """Fixed operations per machine, sorted and disjoint."""
    setups: Array
    """Minutes by matrix, family before, family after."""
    jobs: Array
    steps: Array
    """Operations job by job."""
    needs: Array
    pools: Array
    levels: Array
    """Units at work in each pool from a moment on."""
    bookings: Array
    """Placed operations that take from each pool, in no order."""
    heap: Array
    changes: Array
    """Times before the present move: operation, start, end."""
    prices: Array
    """Figures before the present move: job, tardiness, flow, conflict, early, end."""
    taken: Array
    """What a move took out of the queues, in that order: operation, mode, position, hold; twice
    the operations, because taking a move back takes them out again."""
    picked: Array
    """The operations that a ruin takes out."""
    lure: Array
    """Cumulated over the jobs: how strongly each invites moves."""
    best: Array
    """Mode, start and end per operation of the best schedule so far."""
    totals: Array
    """Two records: the figures of the whole schedule, with what the search pays for each and the
    sizes of the working arrays; and the figures of the best."""


def make_board(plant: Plant) -> Board:
    """The plant with empty queues and the fixed operations as blocks."""
    operations = _operations(plant)
    machine_of, machines, windows, buckets = _machines(plant)
    modes = _modes(plant, operations, machine_of, machines)
    needs, pools, levels, bookings = lay_pools(plant, operations)
    jobs = _jobs(plant)
    count = len(operations)
    board = Board(
        operations=operations,
        modes=modes,
        before=_flat(operations, "before", [step.predecessors for step in plant.steps]),
        links=lay_links(plant),
        after=_flat(operations, "after", plant.successors),
        machines=machines,
        queue=_queue(machines, modes),
        windows=windows,
        buckets=buckets,
        blocks=_blocks(plant, operations, machines, machine_of),
        setups=_setups(plant, operations, machines, machine_of),
        jobs=jobs,
        steps=_flat(jobs, "step", plant.of_job),
        needs=needs,
        pools=pools,
        levels=levels,
        bookings=bookings,
        heap=np.zeros(count + 1, np.int64),
        changes=np.zeros(count + 1, CHANGE),
        prices=np.zeros(len(jobs) + 1, CHANGE),
        taken=np.zeros(2 * count + 2, CHANGE),
        picked=np.zeros(count + 1, np.int64),
        lure=np.zeros(len(jobs), np.float64),
        best=np.zeros(count, CHANGE),
        totals=np.zeros(2, TOTALS),
    )
    links = board.links
    board.totals[0]["rich"] = (
        len(needs) > 0 or bool((links["most"] >= 0).any()) or bool((links["part"] >= 0).any())
    )
    return board


def _flat(records: Array, name: str, rows: Sequence[Sequence[int]]) -> Array:
    """The rows one behind the other, and their ranges in the records."""
    sizes = np.array([0, *(len(row) for row in rows)], np.int64).cumsum()
    records["first_" + name], records["last_" + name] = sizes[:-1], sizes[1:]
    return np.array([one for row in rows for one in row], np.int64)


def _operations(plant: Plant) -> Array:
    operations = np.zeros(len(plant.steps), OPERATION)
    for at, (record, step) in enumerate(zip(operations, plant.steps, strict=True)):
        if step.fixed is not None:
            record["start"], record["end"] = step.fixed[1:]
        record["planned"], record["planned_resource"] = plant.planned.get(at, (FAR, -1))
        record["ready"], record["pauses"], record["job"] = step.ready, step.interruptible, step.job
        record["fixed"], record["lock"] = step.fixed is not None, step.is_lock
    operations["at"] = -1
    operations["rank"] = plant.rank
    return operations


def _machines(plant: Plant) -> tuple[list[list[int]], Array, Array, Array]:
    """Machines by resource position, their records, and the calendars, each laid down once."""
    machine_of: list[list[int]] = []
    rows: list[tuple[int, int]] = []
    for at, resource in enumerate(plant.resources):
        lanes = min(resource.capacity or 1, max(1, len(plant.steps)))
        machine_of.append(list(range(len(rows), len(rows) + lanes)))
        rows += [(at, resource.capacity is not None)] * lanes
    machines = np.zeros(len(rows), MACHINE)
    machines["setup"] = -1
    windows: list[Array] = []
    buckets: list[Array] = []
    known: dict[Any, tuple[int, ...]] = {}
    names = ("first_window", "last_window", "first_bucket", "bucket_from", "bucket_minutes")
    sizes = [0, 0]
    for record, (at, queue) in zip(machines, rows, strict=True):
        times = plant.resources[at].working_time
        if id(times) not in known:
            laid, stretches, width = _calendar(list(times))
            windows.append(laid)
            buckets.append(stretches)
            first = int(laid["start"][0]) if len(laid) else 0
            place = (sizes[0], sizes[0] + len(laid), sizes[1], first, width, len(stretches) - 1)
            known[id(times)] = place
            sizes = [sizes[0] + len(laid), sizes[1] + len(stretches)]
        record["resource"], record["queue"] = at, queue
        for name, value in zip((*names, "buckets"), known[id(times)], strict=True):
            record[name] = value
    empty = np.zeros(0, WINDOW), np.zeros(0, np.int64)
    return (
        machine_of,
        machines,
        np.concatenate([empty[0], *windows]),
        np.concatenate([empty[1], *buckets]),
    )


def _calendar(times: Sequence[Any]) -> tuple[Array, Array, int]:
    """Windows with the minutes worked before each, and an index over equal stretches of time."""
    windows = np.zeros(len(times), WINDOW)
    if not len(times):
        return windows, np.zeros(2, np.int64), 1
    windows["start"] = [window.start for window in times]
    windows["end"] = [window.end for window in times]
    lengths = windows["end"] - windows["start"]
    windows["done"] = lengths.cumsum() - lengths
    first, last = int(windows["start"][0]), int(windows["end"][-1])
    width = max(1, -(-(last - first) // (4 * len(times))))
    moments = np.arange(first, last + width, width)
    return windows, np.searchsorted(windows["end"], moments, side="right"), width


def _modes(plant: Plant, operations: Array, machine_of: list[list[int]], machines: Array) -> Array:
    rows = [
        [(machine, minutes) for resource, minutes in step.modes for machine in machine_of[resource]]
        for step in plant.steps
    ]
    sizes = np.array([0, *(len(row) for row in rows)], np.int64).cumsum()
    operations["first_mode"], operations["last_mode"] = sizes[:-1], sizes[1:]
    for record, step in zip(operations, plant.steps, strict=True):
        if step.fixed is not None:
            record["machine"] = machine_of[step.fixed[0]][0]
    modes = np.zeros(int(sizes[-1]), MODE)
    flat = np.array([pair for row in rows for pair in row], np.int64).reshape(-1, 2)
    modes["machine"], modes["minutes"] = flat[:, 0], flat[:, 1]
    return modes


def _queue(machines: Array, modes: Array) -> Array:
    """Room on each machine for every operation that may run there."""
    sizes = np.bincount(modes["machine"], minlength=len(machines))
    machines["first_place"] = sizes.cumsum() - sizes
    return np.zeros(int(sizes.sum()), np.int64)


def _blocks(plant: Plant, operations: Array, machines: Array, machine_of: list[list[int]]) -> Array:
    families = _family_numbers(plant)
    rows: list[list[tuple[int, int, int, int]]] = [[] for _ in machines]
    fixed = [step for step in plant.steps if step.fixed is not None]
    for step in sorted(fixed, key=lambda step: (step.fixed or (0, 0, 0))[1:]):
        resource, start, end = step.fixed or (0, 0, 0)
        if end <= start:
            continue
        lanes = [rows[m] for m in machine_of[resource]]
        row = next((r for r in lanes if not r or r[-1][1] <= start), None)
        family = families[step.family]
        if row is not None:
            row.append((start, end, family, family))
        else:  # more than the capacity holds: a fact; it lasts until the last of them is over
            row = min(lanes, key=lambda r: r[-1][1])
            old = row.pop()
            row.append((old[0], max(end, old[1]), old[2], family))
    sizes = np.array([0, *(len(row) for row in rows)], np.int64).cumsum()
    machines["first_block"], machines["last_block"] = sizes[:-1], sizes[1:]
    return np.array([block for row in rows for block in row], BLOCK)


def _family_numbers(plant: Plant) -> dict[str, int]:
    return {name: i for i, name in enumerate(sorted({step.family for step in plant.steps}))}


def _setups(plant: Plant, operations: Array, machines: Array, machine_of: list[list[int]]) -> Array:
    numbers = _family_numbers(plant)
    operations["family"] = [numbers[step.family] for step in plant.steps]
    matrices = plant.problem.setup_minutes
    setups = np.zeros((max(1, len(matrices)), max(1, len(numbers)), max(1, len(numbers))), np.int64)
    for at, (resource, matrix) in enumerate(matrices.items()):
        machines["setup"][machine_of[plant.resource_at[resource]]] = at
        for one, row in matrix.items():
            for two, minutes in row.items():
                if one in numbers and two in numbers:
                    setups[at, numbers[one], numbers[two]] = minutes
    return setups


def _jobs(plant: Plant) -> Array:
    jobs = np.zeros(len(plant.problem.jobs), JOB)
    jobs["due"] = [FAR if job.due is None else job.due for job in plant.problem.jobs]
    jobs["weight"] = [job.weight for job in plant.problem.jobs]
    return jobs
