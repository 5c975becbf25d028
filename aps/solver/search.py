"""Improvement of a schedule until time or steps are up, in one thread per worker.

A worker owns a board (``kernel``) and anneals on it, in rounds of about 50 ms of compiled code
without Python's lock; between rounds the clock, the stop and the progress have their turn. Now and
then the workers compare: the one that stands worse goes on from where the better one is. A round
is a fixed number of moves, so that seed and number of rounds decide the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from aps.solver.kernel import warm
from aps.solver.kernel.anneal import load, search
from aps.solver.kernel.board import make_board
from aps.solver.kernel.layout import FAR, Array
from aps.solver.kernel.moves import price
from aps.solver.objective import Objective, Worth
from aps.solver.plant import HorizonTooShort, Plant
from aps.solver.schedule import Schedule, make_schedule

HOT, COLD = 0.5, 0.005
"""First and last temperature as shares of the mean cost of a job. Both fall with the size of the
plant: a search that can touch each job only a few times must not begin by shuffling."""

HOT_OPERATIONS = 2500
"""Up to so many operations the search begins at ``HOT``."""

SINGLE_OPERATIONS = 800
"""Up to so many operations a round has as many moves of one operation as ruins; their share falls
with the size of the plant, because what follows such a move grows with it."""

PER_CONFLICT = 1e7
"""What the annealing pays for a minute by which a lock is broken."""

COMPARE_EVERY = 20
"""Rounds between two comparisons of the workers."""


@dataclass(slots=True)
class Budget:
    """When to end: ``seconds`` of ``clock``, ``max_steps`` rounds, or when told so."""

    clock: Callable[[], float]
    seconds: float
    max_steps: int | None
    should_stop: Callable[[], bool]
    steps: int = 0
    moves: int = 0
    started: float = 0.0

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def used(self) -> float:
        """Seconds gone by."""
        return self.clock() - self.started

    def over(self) -> bool:
        """Whether no further round may begin."""
        if self.max_steps is not None and self.steps >= self.max_steps:
            return True
        return self.used >= self.seconds or self.should_stop()

    def share(self) -> float:
        """How much of the budget is gone, 0 to 1; by steps where they are limited."""
        if self.max_steps is not None:
            return min(1.0, self.steps / max(1, self.max_steps))
        return min(1.0, self.used / self.seconds) if self.seconds > 0 else 1.0


def _set_prices(totals: Array, objective: Objective) -> None:
    """What the annealing pays for each figure; the best is kept as the objective compares."""
    totals["in_order"] = objective.in_order
    totals["per_conflict"] = PER_CONFLICT
    totals["per_tardiness"], totals["per_setup"] = objective.tardiness, objective.setup_minute
    totals["per_flow"], totals["per_moved"] = objective.flow_minute, objective.moved_minute
    totals["per_changed"] = objective.changed_resource
    if not objective.in_order:
        totals["per_makespan"] = objective.makespan_minute
        totals["per_early"] = objective.early_minute


class Worker:
    """One annealing on a board of its own; not shared between threads while it runs."""

    def __init__(self, plant: Plant, seed: int) -> None:
        self.plant = plant
        self.board = make_board(plant)
        self.rank = np.array(plant.rank, np.int64)
        self.movable = np.flatnonzero(self.board.operations["fixed"] == 0)
        totals = self.board.totals[0]
        totals["random"] = (seed * 2654435761 + 88172645463325252) % 2**48
        _set_prices(totals, plant.problem.objective)
        count = len(plant.steps)
        self.ruins = max(10, int(40_000 / math.sqrt(count)))
        self.moves = 0 if totals["rich"] else int(self.ruins * min(1.0, SINGLE_OPERATIONS / count))
        self.mean = 0.0

    def begin(self, schedule: Schedule) -> bool:
        """Start from the schedule, shifted left; False if it does not fit the calendars so."""
        start = np.array(schedule.start, np.int64)
        order = self.movable[np.lexsort((self.rank[self.movable], start[self.movable]))]
        for name, times in (("start", schedule.start), ("end", schedule.end)):
            self.board.operations[name][self.movable] = np.array(times, np.int64)[self.movable]
        modes = self._modes(schedule, order)
        if self.plant.problem.objective.charges_deviation:
            self._stay(order)
        good = bool(load(self.board, order, modes))
        self.mean = self.price() / max(1, len(self.board.jobs))
        return good

    def follow(self, other: Worker) -> None:
        """Go on from where the other worker stands; the best found here is kept."""
        theirs, mine = other.board.operations, self.board.operations
        key, best, kept = self.best_key(), self.board.totals[1].copy(), self.board.best.copy()
        for name in ("start", "end", "hold"):
            mine[name] = theirs[name]
        start = theirs["start"][self.movable]
        order = self.movable[np.lexsort((self.rank[self.movable], start))]
        load(self.board, order, theirs["mode"].copy())
        if key < self.best_key():
            self.board.totals[1] = best
            self.board.best[:] = kept

    def _modes(self, schedule: Schedule, order: Array) -> Array:
        """The mode of every operation; on a resource of several lanes the one free longest."""
        board = self.board
        modes = board.operations["first_mode"].copy()
        position = board.machines["resource"][board.modes["machine"]]
        free_from = self._blocked()
        for item in order.tolist():
            record = board.operations[item]
            first, last = int(record["first_mode"]), int(record["last_mode"])
            lanes = [
                (free_from[int(board.modes["machine"][mode])], mode)
                for mode in range(first, last)
                if position[mode] == schedule.resource[item]
            ]
            if lanes:
                modes[item] = mode = min(lanes)[1]
                free_from[int(board.modes["machine"][mode])] = schedule.end[item]
        return modes

    def _blocked(self) -> list[int]:
        """Per machine, until when running operations hold it."""
        board = self.board
        ends = [-FAR] * len(board.machines)
        for at, machine in enumerate(board.machines):
            blocks = board.blocks[machine["first_block"] : machine["last_block"]]
            running = blocks["end"][blocks["start"] < self.plant.problem.now]
            ends[at] = int(running.max()) if len(running) else -FAR
        return ends

    def run(self, share: float) -> None:
        """One round at the temperature of that share of the budget."""
        size = min(1.0, HOT_OPERATIONS / len(self.board.operations))
        temperature = self.mean * HOT * size * (COLD / HOT) ** share
        search(self.board, self.ruins, self.moves, max(1e-9, temperature))

    def price(self) -> float:
        """What the present schedule costs."""
        return float(price(self.board))

    def best_key(self) -> Worth:
        """What the best schedule is worth, as the kernel counts."""
        best, paid = self.board.totals[1], self.board.totals[0]
        if not paid["in_order"]:
            return float(best["conflict"]), float(best["paid"])
        strayed = best["moved"] * paid["per_moved"] + best["changed"] * paid["per_changed"]
        figures = (best["conflict"], best["tardiness"], strayed, best["setup"], best["flow"])
        return tuple(float(figure) for figure in figures)

    def _stay(self, order: Array) -> None:
        """At first nothing starts before the reference plan says."""
        operations = self.board.operations
        planned = operations["planned"][order]
        operations["hold"][order] = np.where(planned < FAR, planned, 0)

    def best(self) -> Schedule:
        """The best schedule so far."""
        board, kept = self.board, self.board.best
        resource = board.machines["resource"][board.modes["machine"][kept["one"]]].tolist()
        start, end = kept["two"].tolist(), kept["three"].tolist()
        for i, step in enumerate(self.plant.steps):
            if step.fixed is not None:
                resource[i], start[i], end[i] = step.fixed
        return make_schedule(self.plant, resource, start, end)


def complete(
    plant: Plant, schedule: Schedule, not_before: Mapping[int, int] | None = None
) -> Schedule:
    """The schedule of a rule, which knows machines and lags, with all other rules kept as well.

    Only plants with pools, transfer batches or longest waits are placed again, by the kernel, in
    the order of the starts, the steps of ``not_before`` no earlier than that. Raises
    ``HorizonTooShort``.
    """
    if not plant.is_rich or not schedule.start:
        return schedule
    warm.start()
    warm.done.wait()
    worker = Worker(plant, 0)
    ready = worker.board.operations["ready"]
    for step, moment in (not_before or {}).items():
        ready[step] = max(ready[step], moment)
    if not worker.begin(schedule):
        raise HorizonTooShort(
            "Pools and longest waits leave no room for all operations before working time ends."
        )
    return worker.best()


def improve(
    plant: Plant,
    start: Schedule,
    *,
    budget: Budget,
    seed: int,
    workers: int,
    on_round: Callable[[Schedule], None],
) -> Schedule:
    """The best schedule found, never worse than ``start``; ``on_round`` sees the best so far."""
    if not any(start.worth) or not any(step.fixed is None for step in plant.steps):
        return start
    if not _compiled_in_time(budget):
        return start
    crew = [Worker(plant, seed * 1000 + number) for number in range(max(1, workers))]
    if not all(worker.begin(start) for worker in crew):
        return start
    report_every = max(4, len(plant.steps) // 100)
    best, shown = start, crew[0].best_key()
    with ThreadPoolExecutor(max_workers=len(crew)) as pool:
        while not budget.over() and any(shown):
            share = budget.share()
            list(pool.map(Worker.run, crew, [share] * len(crew)))
            budget.steps += 1
            budget.moves += sum(worker.ruins + worker.moves for worker in crew)
            if budget.steps % COMPARE_EVERY == 0 and len(crew) > 1:
                _compare(crew)
            if budget.steps % report_every == 0:
                best = _lead(crew, best)
                on_round(best)
            shown = min(worker.best_key() for worker in crew)
    return _lead(crew, best)


def _compiled_in_time(budget: Budget) -> bool:
    """Wait for the machine code, which a new installation must compile once; False if too long."""
    warm.start()
    while not warm.done.wait(0.02):
        if budget.over():
            return False
    return True


def _compare(crew: Sequence[Worker]) -> None:
    """The worker that stands worst goes on from where the best one stands."""
    ranked = sorted(crew, key=lambda worker: worker.price())
    ranked[-1].follow(ranked[0])


def _lead(crew: Sequence[Worker], best: Schedule) -> Schedule:
    """The best schedule of all workers and the one known before."""
    leader = min(crew, key=lambda worker: worker.best_key())
    return min(best, leader.best(), key=lambda schedule: schedule.worth)
