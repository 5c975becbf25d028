"""A job shop, classic or flexible, as arrays.

Every job is a line of operations; every operation runs without a break on one of the machines it
names, which takes one operation at a time. Nothing else is asked: no calendars, no setups, no due
dates. The aim is the makespan. Times are whole numbers of any unit, from 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]

LONGEST = 2**30
"""No schedule may take longer; the search counts in 32 bits."""


class InvalidShop(ValueError):
    """The shop contradicts itself; the text says where, in one sentence."""


@dataclass(frozen=True, eq=False)
class Shop:
    """Operations are numbered job by job, in the order of their routes.

    ``job_start`` (jobs + 1): job j has the operations job_start[j] to job_start[j + 1] - 1.
    ``mode_start`` (operations + 1): likewise the modes of an operation.
    ``mode_machine``, ``mode_time`` (modes): where, from 0, and how long.
    """

    machines: int
    job_start: Ints
    mode_start: Ints
    mode_machine: Ints
    mode_time: Ints

    @classmethod
    def of(cls, machines: int, jobs: Iterable[Sequence[Sequence[tuple[int, int]]]]) -> Shop:
        """A shop from jobs of operations of (machine, time); raises ``InvalidShop``.

        Where an operation names a machine twice, the shorter time counts.
        """
        job_start, mode_start = [0], [0]
        machine: list[int] = []
        time: list[int] = []
        longest = 0
        for j, job in enumerate(jobs):
            for modes in job:
                fastest = _modes(f"Job {j + 1}", modes, machines)
                machine += fastest
                time += fastest.values()
                mode_start.append(len(machine))
                longest += max(fastest.values())
            job_start.append(len(mode_start) - 1)
        if not machine:
            raise InvalidShop("The shop has no operation.")
        if longest >= LONGEST:
            raise InvalidShop(f"All operations together take {longest}, which is too long.")
        columns = (job_start, mode_start, machine, time)
        return cls(machines, *(np.array(column, np.int32) for column in columns))

    def as_lists(self) -> list[list[list[tuple[int, int]]]]:
        """The jobs as ``of`` takes them."""
        modes = list(zip(self.mode_machine.tolist(), self.mode_time.tolist(), strict=True))
        bounds = self.mode_start.tolist()
        operations = [modes[a:b] for a, b in itertools.pairwise(bounds)]
        return [operations[a:b] for a, b in itertools.pairwise(self.job_start.tolist())]

    @property
    def jobs(self) -> int:
        """How many jobs."""
        return len(self.job_start) - 1

    @property
    def operations(self) -> int:
        """How many operations."""
        return len(self.mode_start) - 1

    @property
    def flexible(self) -> bool:
        """Whether any operation has a choice of machines."""
        return len(self.mode_machine) > self.operations

    def step_of(self, operation: int) -> int:
        """Its place on the route of its job, from 0."""
        return int(operation - self.job_start[self.job_of[operation]])

    def time_on(self, operation: int, machine: int) -> int:
        """How long it takes there; raises ``ValueError`` where it may not run."""
        for k in range(self.mode_start[operation], self.mode_start[operation + 1]):
            if self.mode_machine[k] == machine:
                return int(self.mode_time[k])
        raise ValueError(f"Operation {operation} may not run on machine {machine}.")

    @cached_property
    def job_of(self) -> Ints:
        """The job of each operation."""
        return np.repeat(np.arange(self.jobs, dtype=np.int32), np.diff(self.job_start))

    @cached_property
    def trivial_bound(self) -> int:
        """No makespan is shorter: the longest job, the busiest machine, the mean load.

        Machine loads count heads and tails, for every set of the form "head at least a, tail at
        least b" of the operations that can run nowhere else.
        """
        shortest = np.minimum.reduceat(self.mode_time, self.mode_start[:-1]).astype(np.int64)
        before = np.cumsum(shortest) - shortest
        head = before - before[self.job_start[self.job_of]]
        length = np.add.reduceat(shortest, self.job_start[:-1])
        tail = length[self.job_of] - head - shortest
        best = max(int(length.max()), -(-int(shortest.sum()) // self.machines))
        only = np.where(np.diff(self.mode_start) == 1, self.mode_machine[self.mode_start[:-1]], -1)
        for machine in range(self.machines):
            here = only == machine
            best = max(best, _one_machine(head[here], shortest[here], tail[here]))
        return best


def _modes(job: str, modes: Sequence[tuple[int, int]], machines: int) -> dict[int, int]:
    """Machine to shortest time; raises ``InvalidShop``."""
    if not modes:
        raise InvalidShop(f"{job} has an operation without a machine.")
    fastest: dict[int, int] = {}
    for machine, time in modes:
        if not 0 <= machine < machines:
            raise InvalidShop(f"{job} names a machine outside the {machines} of the shop.")
        if time < 0:
            raise InvalidShop(f"{job} has an operation of {time} minutes.")
        fastest[machine] = min(time, fastest.get(machine, time))
    return fastest


def _one_machine(head: NDArray[np.int64], time: NDArray[np.int64], tail: NDArray[np.int64]) -> int:
    """The preemptive bound of one machine (Carlier 1982): max of head + load + tail over sets."""
    best = 0
    for a in np.unique(head):
        inside = head >= a
        order = np.argsort(-tail[inside], kind="stable")
        loads = a + np.cumsum(time[inside][order]) + tail[inside][order]
        best = max(best, int(loads.max()))
    return best
