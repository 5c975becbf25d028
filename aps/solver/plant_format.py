"""Reads the plants of the scheduling benchmarks and writes schedules in their format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aps.solver.problem import (
    InvalidProblem,
    Job,
    Mode,
    Operation,
    Placement,
    Problem,
    Resource,
)
from aps.solver.solution import Solution
from common.intervals import Interval, WorkingTime, subtract

WEEK = 7 * 1440


class MalformedFile(ValueError):
    """The file is no plant; the text says where, in one sentence."""


@dataclass(frozen=True)
class PlantFile:
    """A plant as a problem, with the names its file uses for operations and machines."""

    problem: Problem
    operation_names: Mapping[int, str]
    resource_names: Mapping[int, str]


def load(path: Path) -> PlantFile:
    """The plant in the file; raises ``MalformedFile``."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MalformedFile(f"{path.name} cannot be read as JSON: {error}.") from error
    try:
        return parse(data)
    except MalformedFile as error:
        raise MalformedFile(f"{path.name}: {error}") from error


def parse(data: Any) -> PlantFile:
    """The plant in parsed JSON; raises ``MalformedFile``."""
    if not isinstance(data, dict):
        raise MalformedFile("A plant is a JSON object.")
    if data.get("time_unit", "minute") != "minute":
        raise MalformedFile(f"The time unit must be minute, not {data['time_unit']!r}.")
    jobs, machines = _list(data, "jobs"), _list(data, "machines")
    weeks = _weeks_needed(jobs, data)
    calendars = {
        name: _calendar(name, spec, weeks) for name, spec in _dict(data, "calendars").items()
    }
    resources = tuple(_resource(i, row, calendars) for i, row in enumerate(machines))
    machine_at = {r.name: r.id for r in resources}
    operation_at: dict[str, int] = {}
    for name in (_text(o, "id") for j in jobs for o in _list(j, "operations")):
        if name in operation_at:
            raise MalformedFile(f"Operation {name} appears twice.")
        operation_at[name] = len(operation_at)
    operations = tuple(
        _operation(row, at, _number(job, "release", 0), operation_at, machine_at)
        for at, job in enumerate(jobs)
        for row in _list(job, "operations")
    )
    try:
        problem = Problem(
            resources=resources,
            jobs=tuple(_job(i, row) for i, row in enumerate(jobs)),
            operations=operations,
            setup_minutes=_setups(data, machine_at),
        )
    except InvalidProblem as error:
        raise MalformedFile(str(error)) from error
    return PlantFile(
        problem,
        operation_names={i: name for name, i in operation_at.items()},
        resource_names={r.id: r.name for r in resources},
    )


def dump(plant: PlantFile, solution: Solution) -> dict[str, list[dict[str, str | int]]]:
    """The schedule as the object ``check_schedule.py`` reads."""
    return {"operations": [_row(plant, placed) for placed in solution.placements]}


def _row(plant: PlantFile, placed: Placement) -> dict[str, str | int]:
    return {
        "id": plant.operation_names[placed.operation],
        "machine": plant.resource_names[placed.resource],
        "start": placed.start,
        "end": placed.end,
    }


def _weeks_needed(jobs: list[Any], data: Mapping[str, Any]) -> int:
    """Weeks in which even one machine alone would finish everything."""
    minutes, latest, operations = 0, 0, 0
    for job in jobs:
        latest = max(latest, _number(job, "release", 0))
        for operation in _list(job, "operations"):
            operations += 1
            minutes += max((_number(m, "minutes") for m in _list(operation, "machines")), default=0)
    off = 0
    weekly = WEEK
    for name, spec in _dict(data, "calendars").items():
        off = max([off, *(end for _, end in _pairs(name, spec, "off"))])
        weekly = min(weekly, sum(end - start for start, end in _pairs(name, spec, "weekly")))
    setups = [
        m
        for rows in _dict(data, "setup_minutes", {}).values()
        for row in rows.values()
        for m in row.values()
    ]
    clock = latest + off + operations * max(setups, default=0)
    return 8 + clock // WEEK + min(520, 2 * minutes // max(1, weekly))


def _calendar(name: str, spec: Any, weeks: int) -> WorkingTime:
    weekly = _pairs(name, spec, "weekly")
    if not weekly:
        raise MalformedFile(f"Calendar {name} has no weekly working window.")
    windows = [
        Interval(start + week * WEEK, end + week * WEEK)
        for week in range(weeks)
        for start, end in weekly
    ]
    return WorkingTime(
        subtract(windows, [Interval(start, end) for start, end in _pairs(name, spec, "off")])
    )


def _pairs(name: str, spec: Any, key: str) -> list[tuple[int, int]]:
    pairs = []
    for pair in _list(spec, key, []):
        if not (
            isinstance(pair, list)
            and len(pair) == 2
            and all(isinstance(x, int) for x in pair)
            and 0 <= pair[0] <= pair[1]
        ):
            raise MalformedFile(f"Calendar {name} holds {pair!r} where a [start, end] belongs.")
        pairs.append((pair[0], pair[1]))
    return pairs


def _resource(i: int, row: Any, calendars: Mapping[str, WorkingTime]) -> Resource:
    name, calendar = _text(row, "id"), _text(row, "calendar")
    if calendar not in calendars:
        raise MalformedFile(f"Machine {name} works by the unknown calendar {calendar}.")
    return Resource(i, name, calendars[calendar])


def _job(i: int, row: Any) -> Job:
    due = row.get("due")
    if due is not None and not isinstance(due, int):
        raise MalformedFile(f"Job {row.get('id')} is due at {due!r}, which is no whole minute.")
    return Job(i, due=due, weight=_number(row, "weight", 0), name=_text(row, "id"))


def _operation(
    row: Any,
    job: int,
    release: int,
    operation_at: Mapping[str, int],
    machine_at: Mapping[str, int],
) -> Operation:
    name = _text(row, "id")
    modes = []
    for mode in _list(row, "machines"):
        machine = _text(mode, "id")
        if machine not in machine_at:
            raise MalformedFile(f"Operation {name} may run on the unknown machine {machine}.")
        modes.append(Mode(machine_at[machine], _number(mode, "minutes")))
    for before in _list(row, "after", []):
        if before not in operation_at:
            raise MalformedFile(f"Operation {name} follows the unknown operation {before!r}.")
    try:
        return Operation(
            id=operation_at[name],
            job=job,
            modes=tuple(modes),
            predecessors=tuple(operation_at[p] for p in row.get("after", [])),
            release=release,
            interruptible=bool(row.get("interruptible", True)),
            family=row.get("family"),
        )
    except InvalidProblem as error:
        raise MalformedFile(f"Operation {name}: {error}") from error


def _setups(
    data: Mapping[str, Any], machine_at: Mapping[str, int]
) -> dict[int, dict[str, dict[str, int]]]:
    setups: dict[int, dict[str, dict[str, int]]] = {}
    for machine, matrix in _dict(data, "setup_minutes", {}).items():
        if machine not in machine_at:
            raise MalformedFile(f"The setup minutes name the unknown machine {machine}.")
        setups[machine_at[machine]] = {
            before: {after: _number(row, after) for after in row} for before, row in matrix.items()
        }
    return setups


def _dict(row: Any, key: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
    found = row.get(key, default) if isinstance(row, dict) else None
    if not isinstance(found, dict):
        raise MalformedFile(f"There is no object named {key} where one belongs.")
    return found


def _list(row: Any, key: str, default: list[Any] | None = None) -> list[Any]:
    found = row.get(key, default) if isinstance(row, dict) else None
    if not isinstance(found, list):
        raise MalformedFile(f"There is no list named {key} where one belongs.")
    return found


def _text(row: Any, key: str) -> str:
    found = row.get(key) if isinstance(row, dict) else None
    if not isinstance(found, str) or not found:
        raise MalformedFile(f"There is no text named {key} where one belongs.")
    return found


def _number(row: Any, key: str, default: int | None = None) -> int:
    found = row.get(key, default) if isinstance(row, dict) else None
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise MalformedFile(f"{key} is {found!r}, where a whole number of minutes belongs.")
    return found
