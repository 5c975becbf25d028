"""Lays lags, transfer batches and pools into the arrays of a board."""

from __future__ import annotations

import numpy as np

from aps.solver.kernel.layout import BOOKING, FAR, LEVEL, LINK, NEED, POOL, Array
from aps.solver.plant import Plant
from aps.solver.problem import Pool


def lay_links(plant: Plant) -> Array:
    """One record per predecessor, in the order of the steps and their predecessors."""
    rows: list[tuple[int, int, int, int]] = []
    for step in plant.steps:
        links = dict(step.links)
        plain = set(step.plain)
        for before, lag in zip(step.predecessors, step.lags, strict=True):
            link = links.get(before)
            part, most, tail = -1, -1, 0
            if link is not None and link.max_lag is not None:
                most = link.max_lag
            if link is not None and link.transfer_minutes is not None and before not in plain:
                part, tail = link.transfer_minutes, link.tail_minutes
            rows.append((lag, most, part, tail))
    return np.array(rows, LINK)


def lay_pools(plant: Plant, operations: Array) -> tuple[Array, Array, Array, Array]:
    """Needs by operation, the pools, their units over time, and room for bookings."""
    pools = plant.problem.pools
    number = {pool.id: at for at, pool in enumerate(pools)}
    needs: list[tuple[int, int]] = []
    for record, operation in zip(operations, plant.problem.operations, strict=True):
        record["first_need"] = len(needs)
        units: dict[int, int] = {}
        for need in operation.needs:
            units[number[need.pool]] = units.get(number[need.pool], 0) + need.units
        needs += units.items()
        record["last_need"] = len(needs)
    laid = np.zeros(len(pools), POOL)
    rows = [_levels(pool) for pool in pools]
    sizes = np.array([0, *map(len, rows)], np.int64).cumsum()
    laid["first_level"], laid["last_level"] = sizes[:-1], sizes[1:]
    laid["held"] = [pool.held_in_pauses for pool in pools]
    users = np.bincount(np.array([pool for pool, _ in needs], np.int64), minlength=len(pools))
    laid["first_place"] = users.cumsum() - users
    return (
        np.array(needs, NEED),
        laid,
        np.array([level for row in rows for level in row], LEVEL),
        np.zeros(len(needs), BOOKING),
    )


def _levels(pool: Pool) -> list[tuple[int, int]]:
    """(moment, units from then on), sorted."""
    changes: dict[int, int] = {-FAR: 0}
    for times, units in pool.crews:
        for window in times:
            changes[window.start] = changes.get(window.start, 0) + units
            changes[window.end] = changes.get(window.end, 0) - units
    units, levels = 0, []
    for moment in sorted(changes):
        units += changes[moment]
        levels.append((moment, units))
    return levels
