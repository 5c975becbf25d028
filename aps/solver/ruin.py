"""Ruin and recreate: take a few jobs out of the schedule and insert them anew.

Schrimpf, Schneider, Stamm-Wilbrandt and Dueck (2000), Record breaking optimization results using
the ruin and recreate principle. A step touches only the operations it takes out, so its cost does
not grow with the plant. What is left stays where it is; the gaps that open are closed by
left-shifting the whole schedule now and then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from random import Random

from aps.solver.plant import HorizonTooShort, Plant, State
from aps.solver.schedule import Schedule, decode, freeze

END_SHARE = 0.01
FLOW_SHARE = 0.01
BROKEN_LOCK = 1e7
MOST_STEPS = 160
TREE_STEPS = 40

Old = tuple[int, int, int, int]
"""step, resource position, start, end."""


class Ruiner:
    """Owns a mutable schedule and improves it step by step by simulated annealing."""

    def __init__(self, plant: Plant, start: Schedule, rng: Random) -> None:
        self.plant, self.rng = plant, rng
        self.best = start
        self.locks_of: list[list[int]] = [[] for _ in plant.of_job]
        for i in plant.locks:
            self.locks_of[plant.steps[i].job].append(i)
        self.load(start)

    def load(self, schedule: Schedule) -> None:
        """Go on from this schedule."""
        self.state = fill(self.plant, schedule)
        self.cost = [self._job_cost(job) for job in range(len(self.plant.of_job))]
        self.cumulated = list(accumulate(c + 1e-9 for c in self.cost))
        rows: list[list[int]] = [[] for _ in self.plant.resources]
        for i in sorted(range(len(self.plant.steps)), key=lambda i: schedule.start[i]):
            rows[schedule.resource[i]].append(i)
        self.row_on = rows
        self.place_in_row = {i: at for row in rows for at, i in enumerate(row)}

    def settle(self) -> Schedule:
        """Left-shift everything, go on from there, and remember it if it is the best."""
        now = freeze(self.state)
        shifted = decode(self.plant, self.state.resource, self.state.start)
        better = min(now, shifted, key=lambda s: s.worth)
        self.load(better)
        if better.worth < self.best.worth:
            self.best = better
        return better

    def offer(self, schedule: Schedule) -> None:
        """Go on from a schedule found elsewhere if it beats the best."""
        if schedule.worth < self.best.worth:
            self.best = schedule
            self.load(schedule)

    def step(self, temperature: float) -> bool:
        """Ruin, recreate, then accept or undo; whether the schedule changed."""
        steps, place = self._choose()
        if not steps:
            return False
        plant, state = self.plant, self.state
        jobs = {plant.steps[i].job for i in steps}
        jobs.update(plant.steps[a].job for i in steps for a in plant.locked_after[i])
        order = self._insertion_order(steps, place)
        old = [(i, state.resource[i], state.start[i], state.end[i]) for i in steps]
        doubtful = self._take_out(steps)
        try:
            for i in order:
                state.place_among(i, self._modes(i))
        except HorizonTooShort:
            self._undo(old, [i for i in order if state.start[i] >= 0])
            return False
        costs = {job: self._job_cost(job) for job in jobs}
        gain = sum(self.cost[job] for job in jobs) - sum(costs.values())
        sound = all(lane.sound() for r in doubtful for lane in state.lanes[r])
        if not sound or (gain < 0 and self.rng.random() >= math.exp(gain / temperature)):
            self._undo(old, order)
            return False
        for job, cost in costs.items():
            self.cost[job] = cost
        return True

    def _job_cost(self, job: int) -> float:
        """Weighted tardiness, a little of end and flow time, and broken locks above all."""
        steps = self.plant.of_job[job]
        if not steps:
            return 0.0
        start_at, end_at = self.state.start, self.state.end
        end = max([end_at[i] for i in steps])
        data = self.plant.problem.jobs[job]
        begin = self.plant.problem.now
        start = min([start_at[i] for i in steps])
        cost = END_SHARE * max(0, end - begin) + FLOW_SHARE * (end - start)
        if data.due is not None and end > data.due:
            cost += data.weight * (end - data.due)
        for i in self.locks_of[job]:
            before = max((end_at[p] for p in self.plant.steps[i].predecessors), default=0)
            cost += BROKEN_LOCK * max(0, before - start_at[i])
        return cost

    # -- what to take out ----------------------------------------------------------------------

    def _choose(self) -> tuple[list[int], dict[int, int]]:
        """Steps to move, in topological order, and the turn of each picked job."""
        rng, plant = self.rng, self.plant
        jobs = range(len(self.cost))
        if rng.random() < 0.7:
            seed = rng.choices(jobs, cum_weights=self.cumulated)[0]
        else:
            seed = rng.choice(jobs)
        core = self._tree(seed) if rng.random() < 0.5 else set(plant.of_job[seed])
        if not core:
            return [], {}
        picked = dict.fromkeys([seed, *(plant.steps[i].job for i in sorted(core))])
        self._add_neighbours(picked, sorted(core), rng.randint(1, 5))
        for job in picked:
            if job != seed and len(core) < TREE_STEPS:
                core.update(plant.of_job[job])
        if rng.random() < 0.4:
            moment = self.state.start[rng.choice(sorted(core))]
            core = {i for i in core if self.state.end[i] > moment}
        steps = self._with_followers(core)
        turns = list(picked)
        if rng.random() < 0.5:
            rng.shuffle(turns)
        return steps, {job: turn for turn, job in enumerate(turns)}

    def _tree(self, job: int) -> set[int]:
        """The job and what feeds it, the latest feeders first."""
        plant, state = self.plant, self.state
        tree: set[int] = set()
        stack = list(plant.of_job[job])
        while stack and len(tree) < TREE_STEPS:
            i = stack.pop()
            if i not in tree:
                tree.add(i)
                stack += sorted(plant.steps[i].predecessors, key=lambda p: state.end[p])
        return tree

    def _add_neighbours(self, picked: dict[int, None], core: Sequence[int], wanted: int) -> None:
        """Jobs whose operations stand before or around those of the core on its machines."""
        rng, plant = self.rng, self.plant
        most = len(picked) + wanted
        for _ in range(4 * wanted):
            i = rng.choice(core)
            row = self.row_on[self.state.resource[i]]
            at = self.place_in_row[i] + rng.randint(-4, 2)
            if 0 <= at < len(row):
                picked.setdefault(plant.steps[row[at]].job)
                if len(picked) >= most:
                    return

    def _with_followers(self, core: Iterable[int]) -> list[int]:
        plant = self.plant
        chosen: set[int] = set()
        stack = list(core)
        while stack:
            i = stack.pop()
            if i in chosen or plant.steps[i].fixed is not None:
                continue
            chosen.add(i)
            if len(chosen) > MOST_STEPS:
                return []
            stack += plant.successors[i]
        return sorted(chosen, key=plant.rank.__getitem__)

    # -- taking out and putting back -----------------------------------------------------------

    def _insertion_order(self, steps: Sequence[int], turn: dict[int, int]) -> list[int]:
        """Job after job by turn, each step before what follows it."""
        plant = self.plant
        key = {i: turn.get(plant.steps[i].job, len(turn)) for i in steps}
        for i in reversed(steps):
            for before in plant.steps[i].predecessors:
                if before in key and key[i] < key[before]:
                    key[before] = key[i]
        return sorted(steps, key=key.__getitem__)

    def _modes(self, i: int) -> tuple[tuple[int, int], ...]:
        """All modes; now and then all but one, so that ties and habits are broken."""
        modes = self.plant.steps[i].modes
        if len(modes) > 1 and self.rng.random() < 0.1:
            left_out = self.rng.randrange(len(modes))
            return modes[:left_out] + modes[left_out + 1 :]
        return modes

    def _take_out(self, steps: Iterable[int]) -> list[int]:
        """Free the steps' time; the resources whose changeovers must be looked at."""
        state = self.state
        doubtful: list[int] = []
        for i in steps:
            if not self._release(i):
                doubtful.append(state.resource[i])
            state.start[i] = state.end[i] = -1
        return doubtful

    def _release(self, i: int) -> bool:
        state = self.state
        start, end = state.start[i], state.end[i]
        lanes = state.lanes[state.resource[i]]
        for lane in lanes:
            if len(lanes) == 1 or lane.holds(start, end):
                return lane.remove(start, end)
        return True

    def _undo(self, old: Iterable[Old], placed: Iterable[int]) -> None:
        for i in placed:
            self._release(i)
        for i, resource, start, end in old:
            put_back(self.state, i, resource, start, end)


def put_back(state: State, i: int, resource: int, start: int, end: int) -> None:
    """Place the step at known times on the first lane that is free then."""
    state.resource[i], state.start[i], state.end[i] = resource, start, end
    lanes = state.lanes[resource]
    for lane in lanes:
        if len(lanes) == 1 or lane.free(start, end):
            lane.insert(start, end, state.plant.steps[i].family)
            return


def fill(plant: Plant, schedule: Schedule) -> State:
    """The schedule as a state with filled lanes."""
    state = plant.new_state()
    for i in sorted(range(len(plant.steps)), key=lambda i: schedule.start[i]):
        if plant.steps[i].fixed is None:
            put_back(state, i, schedule.resource[i], schedule.start[i], schedule.end[i])
    return state
