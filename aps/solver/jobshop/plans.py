"""Schedules as plans, and plans to start a search from: random ones, and between two others.

Swapping neighbours of one order that another has the other way round leads from the one to the
other through orders that respect the routes all the way, so nothing on the path needs repair (path
relinking for job shops: Peng, Lü and Cheng 2015; there the path may leave what is feasible).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from aps.solver.jit import in_place
from aps.solver.jobshop.shop import Ints, Shop


@dataclass(frozen=True, eq=False)
class Plan:
    """A schedule: every operation starts as early as order and machines let it.

    ``order`` (operations): respects the routes, and says who goes first on each machine.
    ``machine`` (operations): where each runs.
    """

    order: Ints
    machine: Ints
    makespan: int


def random_plan(shop: Shop, chance: random.Random) -> tuple[Ints, Ints]:
    """Order and machines: jobs take turns at random, operations go where they end first.

    One in eight goes to any of its machines instead.
    """
    turns = shop.job_of.tolist()
    chance.shuffle(turns)
    following = shop.job_start.tolist()
    mode_start = shop.mode_start.tolist()
    modes = list(zip(shop.mode_machine.tolist(), shop.mode_time.tolist(), strict=True))
    order, machine = [], [0] * shop.operations
    job_end, machine_end = [0] * shop.jobs, [0] * shop.machines
    for job in turns:
        v = following[job]
        following[job] += 1
        ends = [
            (max(job_end[job], machine_end[where]) + time, chance.random(), where)
            for where, time in modes[mode_start[v] : mode_start[v + 1]]
        ]
        end, _, where = min(ends) if chance.random() < 0.875 else chance.choice(ends)
        order.append(v)
        machine[v] = where
        job_end[job] = machine_end[where] = end
    return np.array(order, np.int32), np.array(machine, np.int32)


def between(one: Plan, two: Plan, chance: random.Random) -> tuple[Ints, Ints]:
    """Order and machines of a plan drawn from the middle of a path from ``one`` to ``two``."""
    n = len(one.order)
    share = chance.uniform(0.3, 0.6)
    rank = np.empty(n, np.int32)
    rank[two.order] = np.arange(n, dtype=np.int32)
    order = one.order.copy()
    swap_towards(order, rank, share, chance.getrandbits(60) + 1)
    other = np.random.default_rng(chance.getrandbits(32)).random(n) < share
    return order, np.where(other, two.machine, one.machine).astype(np.int32)


def distance(one: Plan, two: Plan) -> int:
    """How many operations run on another machine or follow another operation there."""
    return int(
        np.count_nonzero(
            (one.machine != two.machine) | (_machine_before(one) != _machine_before(two))
        )
    )


def _machine_before(plan: Plan) -> Ints:
    """Per operation the one before it on its machine, or -1."""
    line = plan.order[np.argsort(plan.machine[plan.order], kind="stable")]
    before = np.full(len(line), -1, np.int32)
    same = plan.machine[line[1:]] == plan.machine[line[:-1]]
    before[line[1:][same]] = line[:-1][same]
    return before


@in_place
def swap_towards(order: Ints, rank: Ints, share: float, state: int) -> None:
    """Swap random neighbours that ``rank`` has the other way round, up to ``share`` of all pairs
    that stand so."""
    n = len(order)
    wrong = 0
    for i in range(n):
        for k in range(i + 1, n):
            wrong += rank[order[i]] > rank[order[k]]
    left = int(share * wrong)
    while left > 0:
        state ^= state << 13
        state ^= (state >> 7) & 0x1FFFFFFFFFFFFFF
        state ^= state << 17
        i = ((state >> 20) & 0x7FFFFFFF) % (n - 1)
        v, w = order[i], order[i + 1]
        if rank[v] > rank[w]:
            order[i], order[i + 1] = w, v
            left -= 1
