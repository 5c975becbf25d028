"""The exact model for CP-SAT: proves lower bounds and improves a schedule it is given.

One interval per operation and machine, no overlap on machines, routes as precedences, in one
worker (the other cores search otherwise). Model: https://developers.google.com/optimization/
scheduling/job_shop and the CP-SAT primer (Krupke 2024).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from aps.solver.jobshop.plans import Plan
from aps.solver.jobshop.shop import Shop


@dataclass(frozen=True)
class Proof:
    """What CP-SAT found: a bound, a schedule where it found a better one, and seconds it took."""

    lower_bound: int
    plan: Plan | None
    seconds: float


class Exact:
    """A model of ``shop`` whose schedules are all shorter than ``start``, which serves as hint.

    To ask for the proof that there are none is several times faster than to ask for the optimum.
    """

    def __init__(
        self, shop: Shop, start: Plan, start_times: NDArray[np.int32], lower_bound: int
    ) -> None:
        self.shop = shop
        self.model = cp_model.CpModel()
        self.starts: list[cp_model.IntVar] = []
        self.chosen: list[list[tuple[int, cp_model.IntVar | None]]] = []
        self.lines: list[list[cp_model.IntervalVar]] = [[] for _ in range(shop.machines)]
        self.horizon = start.makespan - 1
        self.length = self.model.new_int_var(lower_bound, self.horizon, "makespan")
        ends = [
            self._add(v, int(start.machine[v]), int(start_times[v])) for v in range(shop.operations)
        ]
        for v in range(1, shop.operations):
            if shop.job_of[v] == shop.job_of[v - 1]:
                self.model.add(self.starts[v] >= ends[v - 1])
        for last in np.unique(shop.job_start[1:]) - 1:
            if last >= 0:
                self.model.add(self.length >= ends[last])
        for line in self.lines:
            self.model.add_no_overlap(line)
        self.model.minimize(self.length)

    def _add(self, v: int, machine: int, time: int) -> cp_model.LinearExprT:
        """The operation with its modes; its end. ``machine``, ``time``: the hint."""
        shop, model = self.shop, self.model
        start = model.new_int_var(0, self.horizon, "")
        model.add_hint(start, min(time, self.horizon))
        self.starts.append(start)
        modes = range(shop.mode_start[v], shop.mode_start[v + 1])
        if len(modes) == 1:
            size = int(shop.mode_time[modes[0]])
            where = int(shop.mode_machine[modes[0]])
            self.lines[where].append(model.new_fixed_size_interval_var(start, size, ""))
            self.chosen.append([(where, None)])
            return start + size
        chosen: list[tuple[int, cp_model.IntVar | None]] = []
        sizes, literals = [], []
        for k in modes:
            where, size = int(shop.mode_machine[k]), int(shop.mode_time[k])
            here = model.new_bool_var("")
            model.add_hint(here, where == machine)
            bar = model.new_optional_fixed_size_interval_var(start, size, here, "")
            self.lines[where].append(bar)
            chosen.append((where, here))
            sizes.append(size)
            literals.append(here)
        model.add_exactly_one(literals)
        self.chosen.append(chosen)
        return start + sum(size * here for size, here in zip(sizes, literals, strict=True))

    def run(
        self,
        *,
        seconds: float,
        seed: int,
        effort: float | None = None,
        on_bound: Callable[[int], None] = lambda bound: None,
        on_plan: Callable[[Plan], None] = lambda plan: None,
        register: Callable[[cp_model.CpSolver], None] = lambda solver: None,
    ) -> Proof:
        """Search for at most ``seconds``, or until ``register``'s solver is told to stop.

        ``effort``: CP-SAT's deterministic time, for results that do not depend on the machine.
        """
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        # Measured on ft10, one thread: proof in 1 s instead of more than 30 s with the defaults.
        solver.parameters.linearization_level = 0
        solver.parameters.use_strong_propagation_in_disjunctive = True
        solver.parameters.use_dynamic_precedence_in_disjunctive = True
        solver.parameters.max_time_in_seconds = max(0.01, seconds)
        if effort is not None:
            solver.parameters.max_deterministic_time = effort
        solver.best_bound_callback = lambda bound: on_bound(int(round(bound)))
        register(solver)
        watch = _Watch(self, on_plan)
        status = solver.solve(self.model, watch)
        if status == cp_model.INFEASIBLE:
            return Proof(self.horizon + 1, None, solver.wall_time)
        return Proof(int(round(solver.best_objective_bound)), watch.best, solver.wall_time)


class _Watch(cp_model.CpSolverSolutionCallback):
    def __init__(self, exact: Exact, on_plan: Callable[[Plan], None]) -> None:
        super().__init__()
        self.exact = exact
        self.on_plan = on_plan
        self.best: Plan | None = None

    def on_solution_callback(self) -> None:
        exact = self.exact
        times = np.array([self.value(start) for start in exact.starts])
        machine = np.array(
            [
                next(where for where, here in modes if here is None or self.boolean_value(here))
                for modes in exact.chosen
            ],
            np.int32,
        )
        order = np.lexsort((np.arange(len(times)), times)).astype(np.int32)
        self.best = Plan(order, machine, int(self.objective_value))
        self.on_plan(self.best)
