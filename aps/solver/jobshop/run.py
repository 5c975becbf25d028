"""The threads of one run: tabu searches that share a pool, and CP-SAT where it can prove a bound.

Compiled code and CP-SAT both run without Python's lock, so threads use the cores and share memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from aps.solver.jobshop.exact import Exact
from aps.solver.jobshop.graph import END, TIME, Graph, load, make_graph
from aps.solver.jobshop.memory import BEST, STEP, Search, make_search, vary
from aps.solver.jobshop.plans import Plan
from aps.solver.jobshop.pool import Pool
from aps.solver.jobshop.shop import Shop
from aps.solver.jobshop.tabu import begin, search

PATIENCE = 12_500
"""A tabu search ends after so many moves without a shorter schedule."""
EXACT_MODES = 200
"""Up to so many choices of operation and machine CP-SAT has a chance to prove something."""
BESIDE_SHARE = 0.6
"""With several workers, one of them runs CP-SAT for this part of the time at most."""
EXACT_TASKS = 4
"""A single worker turns to CP-SAT after so many tabu searches."""
ALONE_SHARE = 0.4
"""... for this part of the time at most."""
EXACT_TASK = 2**62
"""Stands for CP-SAT where searches are told apart by their numbers."""
EFFORT = 500_000
"""Moves per unit of CP-SAT's deterministic time where the run is limited by moves."""


class Run:
    """Start with ``start``, end with ``stop``; ``best`` and the bound can be read at any time."""

    def __init__(
        self, shop: Shop, *, seconds: float, seed: int, workers: int, max_steps: int | None
    ) -> None:
        self.shop = shop
        self.seconds = seconds
        self.seed = seed
        self.max_steps = max_steps
        self.best: Plan | None = None
        self._best_task = -1
        self.lower_bound = shop.trivial_bound
        self.steps = 0
        self.finished = threading.Event()
        self.error: BaseException | None = None
        self._lock = threading.Lock()
        self._solver: cp_model.CpSolver | None = None
        self._provable = len(shop.mode_machine) <= EXACT_MODES
        beside = self._provable and workers > 1 and max_steps is None
        self._alone = self._provable and workers == 1 and max_steps is None
        self._left = workers
        self.pool = Pool(shop, seed=seed, workers=workers)
        jobs: list[Callable[[int], None]] = [self._search] * workers
        if beside:
            jobs[-1] = self._prove_beside
            self.pool.leave(workers - 1)
        self._threads = [
            threading.Thread(target=self._guard, args=(job, worker), daemon=True)
            for worker, job in enumerate(jobs)
        ]

    def start(self) -> None:
        """Let the threads go."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads and wait for them; raises what one of them raised."""
        self.finished.set()
        self.pool.close()
        with self._lock:
            if self._solver is not None:
                self._solver.stop_search()
        for thread in self._threads:
            thread.join()
        if self.error is not None:
            raise self.error

    def starts(self, plan: Plan) -> NDArray[np.int32]:
        """When each operation of ``plan`` starts."""
        graph = make_graph(self.shop)
        load(graph, plan.order, plan.machine)
        times: NDArray[np.int32] = graph.node[END, :-1] - graph.node[TIME, :-1]
        return times

    # -- threads -------------------------------------------------------------------------------

    def _guard(self, work: Callable[[int], None], worker: int) -> None:
        try:
            work(worker)
        except BaseException as error:  # it is raised again by stop()
            self.error = error
            self.finished.set()
            self.pool.close()

    def _search(self, worker: int) -> None:
        """Tabu searches, one after another, until the run is over or the moves are used up."""
        graph = make_graph(self.shop)
        memory = make_search(self.shop, self.seed * 64 + worker)
        task, every = self.pool.join(worker), len(self.pool.next)
        while (start := self.pool.start(task)) is not None:
            vary(memory, wide=self.shop.flexible and task // every % 2 == 1)
            begin(graph, memory, *start)
            self._one_search(graph, memory, task)
            used_up = memory.number[STEP] >= (self.max_steps or 2**62)
            last = used_up or self._over(task + every)
            self.pool.finish(task, _best(memory), last=last)
            if last:
                break
            if self._alone and task == EXACT_TASKS:
                self._prove(seconds=ALONE_SHARE * self.seconds)
            task += every
        self._leave()

    def _one_search(self, graph: Graph, memory: Search, task: int) -> None:
        chunk = max(10, min(2_500, 1_500_000 // self.shop.operations))  # about 50 ms
        limit = self.max_steps or 2**62
        before = memory.number[STEP]
        over = False
        while not over and not self._over(task) and memory.number[STEP] < limit:
            moves = min(chunk, limit - memory.number[STEP])
            target, flexible = self.lower_bound, self.shop.flexible
            over = search(graph, memory, moves, PATIENCE, target, flexible)
            self._offer(_best(memory), task, int(memory.number[STEP] - before))
            before = memory.number[STEP]

    def _leave(self) -> None:
        """The last search proves what it can, where the run is limited by moves, and ends it."""
        with self._lock:
            self._left -= 1
            if self._left:
                return
        if self._provable and self.max_steps is not None and not self.finished.is_set():
            self._prove(seconds=self.seconds, effort=self.max_steps / EFFORT)
        self.finished.set()

    def _over(self, task: int) -> bool:
        """Whether task ``task`` has nothing to find any more."""
        with self._lock:
            best = self.best
            solved = best is not None and best.makespan <= self.lower_bound
            # With a limit on moves, an earlier task may still find the same: it counts then.
            return self.finished.is_set() or (
                solved and (self.max_steps is None or self._best_task < task)
            )

    def _offer(self, plan: Plan, task: int, steps: int = 0) -> None:
        with self._lock:
            self.steps += steps
            old = self.best
            if old is None or (plan.makespan, task) < (old.makespan, self._best_task):
                self.best, self._best_task = plan, task
                if old is not None and plan.makespan < old.makespan and self._solver is not None:
                    self._solver.stop_search()  # it goes on from the shorter one
        self._check_proof()

    def _check_proof(self) -> None:
        with self._lock:
            solved = self.best is not None and self.best.makespan <= self.lower_bound
        if solved and self.max_steps is None:
            self.finished.set()
            self.pool.close()

    # -- CP-SAT --------------------------------------------------------------------------------

    def _prove_beside(self, worker: int) -> None:
        """CP-SAT for a part of the time, from the best schedule of the others; then as they do."""
        pool = self.pool
        with pool.changed:
            pool.changed.wait_for(lambda: pool.closed or pool.added >= EXACT_TASKS)
        left = BESIDE_SHARE * self.seconds
        while left > 0 and not self.finished.is_set():
            left -= max(0.01, self._prove(seconds=left))
        self._search(worker)

    def _prove(self, *, seconds: float, effort: float | None = None) -> float:
        """Ask CP-SAT for a shorter schedule or the proof that there is none; seconds it took."""
        best = self.best
        if best is None or best.makespan <= self.lower_bound:
            return 0.0
        exact = Exact(self.shop, best, self.starts(best), self.lower_bound)
        proof = exact.run(
            seconds=seconds,
            seed=self.seed,
            effort=effort,
            on_bound=self._raise_bound,
            on_plan=lambda plan: self._offer(plan, EXACT_TASK),
            register=self._register,
        )
        self._register(None)
        self._raise_bound(proof.lower_bound)
        return proof.seconds

    def _register(self, solver: cp_model.CpSolver | None) -> None:
        with self._lock:
            self._solver = solver

    def _raise_bound(self, bound: int) -> None:
        with self._lock:
            self.lower_bound = max(self.lower_bound, bound)
        self._check_proof()


def _best(memory: Search) -> Plan:
    return Plan(memory.best[0].copy(), memory.best[1].copy(), int(memory.number[BEST]))
