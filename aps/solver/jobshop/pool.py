"""The elite pool that the tabu searches of all workers share, with a fixed order of events.

Searches are tasks with numbers; worker w of W runs the tasks w, w + W, w + 2W ... A task starts
from the pool as it is when exactly the tasks up to number - W have been added, in the order of
their numbers. So what is found depends on the seed alone and not on which thread is faster.
"""

from __future__ import annotations

import random
import threading

from aps.solver.jobshop.plans import Plan, between, distance, random_plan
from aps.solver.jobshop.shop import Ints, Shop

SIZE = 10
"""Plans in the pool."""
NEVER = 2**62
"""The next task of a worker that has none."""
BARREN = 30
"""Tasks in a row that may change nothing before the pool is given up but for its best."""


class Pool:
    """Starts for tasks and what became of them; safe to use from several threads."""

    def __init__(self, shop: Shop, *, seed: int, workers: int) -> None:
        self.shop = shop
        self.seed = seed
        self.changed = threading.Condition()
        self.next = list(range(workers))  # per worker: the task it will add next
        self.waiting: dict[int, Plan] = {}  # finished, but a task before it is not
        self.added = 0  # all tasks below are in
        self.history: dict[int, tuple[Plan, ...]] = {0: ()}  # the pool by tasks added
        self.members: list[Plan] = []
        self.barren = 0
        self.closed = False

    def leave(self, worker: int) -> None:
        """Nobody waits for the worker until it joins again."""
        with self.changed:
            self.next[worker] = NEVER
            self.changed.notify_all()

    def join(self, worker: int) -> int:
        """The number of the worker's next task."""
        with self.changed:
            if self.next[worker] == NEVER:
                every = len(self.next)
                latest = max((n for n in self.next if n != NEVER), default=0)
                self.next[worker] = latest + 1 + (worker - latest - 1) % every
            return self.next[worker]

    def start(self, task: int) -> tuple[Ints, Ints] | None:
        """Order and machines to start from; waits for its turn. None once the pool is closed."""
        need = max(0, task - len(self.next) + 1)
        with self.changed:
            self.changed.wait_for(lambda: self.closed or self.added >= need)
            if self.closed:
                return None
            members = self.history[max(k for k in self.history if k <= need)]
        chance = random.Random(self.seed * 1_000_003 + task)  # noqa: S311 - a search
        if len(members) < SIZE:
            return random_plan(self.shop, chance)
        one, two = chance.sample(members, 2)
        return between(one, two, chance)

    def finish(self, task: int, plan: Plan, *, last: bool = False) -> None:
        """Hand in what task ``task`` found; ``last``: its worker does no more."""
        with self.changed:
            worker = task % len(self.next)
            self.next[worker] = NEVER if last else task + len(self.next)
            self.waiting[task] = plan
            ready = min(self.next)
            while self.waiting and min(self.waiting) < ready:
                number = min(self.waiting)
                self._add(self.waiting.pop(number))
                self.history[number + 1] = tuple(self.members)
                self.history.pop(number - 2 * len(self.next), None)
            self.added = ready
            self.changed.notify_all()

    def close(self) -> None:
        """Nobody starts any more."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def _add(self, plan: Plan) -> None:
        if not self.members:
            self.members.append(plan)
            return
        gaps = [distance(plan, other) for other in self.members]
        nearest = min(range(len(gaps)), key=gaps.__getitem__)
        worst = max(range(len(gaps)), key=lambda i: self.members[i].makespan)
        self.barren += 1
        if gaps[nearest] <= len(plan.order) // 100:
            self._replace(nearest, plan)
        elif len(self.members) < SIZE:
            self.members.append(plan)
        else:
            self._replace(worst, plan)
        if self.barren > BARREN:
            self.members = [min(self.members, key=lambda p: p.makespan)]
            self.barren = 0

    def _replace(self, i: int, plan: Plan) -> None:
        if plan.makespan < self.members[i].makespan:
            self.members[i] = plan
            self.barren = 0
