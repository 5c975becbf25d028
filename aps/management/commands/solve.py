"""Solve one file: a plant, a job shop or a flexible job shop. Needs no database."""

import json
import signal
import threading
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aps import solver
from aps.solver import jobshop, plant_format

Row = dict[str, str | int]
Solved = tuple[dict[str, int | str], list[Row]]


class Command(BaseCommand):
    """Prints one line of JSON: objective, makespan, weighted_tardiness, lower_bound, status,
    seconds. What stops it early (Ctrl-C, SIGTERM) still gives the best schedule so far."""

    help = "Solve one scheduling file and print one line of JSON."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--format", choices=("plant", "fjsp", "jsp"), default="plant")
        parser.add_argument("--seconds", type=_positive, default=60.0, help="default: 60")
        parser.add_argument("--workers", type=_whole(1, 64), default=1, help="default: 1")
        parser.add_argument("--seed", type=_whole(0, 2**24), default=0, help="default: 0")
        parser.add_argument("--output", type=Path, metavar="SCHEDULE.json", help="the schedule")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = _stop_on_signal()
        solve = _solve_plant if options["format"] == "plant" else _solve_shop
        try:
            line, rows = solve(options["file"], options, stop)
        except plant_format.MalformedFile as error:
            raise CommandError(str(error), returncode=2) from error
        except solver.HorizonTooShort as error:
            raise CommandError(str(error)) from error
        if options["output"]:
            _write(options["output"], rows)
        self.stdout.write(json.dumps(line))


def _solve_plant(path: Path, options: dict[str, Any], stop: Callable[[], bool]) -> Solved:
    """Objective: weighted tardiness in minutes, of which 0 is the only bound known."""
    began = time.monotonic()
    plant = plant_format.load(path)
    solution = solver.solve(
        plant.problem,
        seconds=max(0.0, options["seconds"] - (time.monotonic() - began)),
        clock=time.monotonic,
        seed=options["seed"],
        workers=options["workers"],
        should_stop=stop,
    )
    tardiness = solution.weighted_tardiness
    line: dict[str, int | str] = {
        "objective": tardiness,
        "makespan": solution.makespan,
        "weighted_tardiness": tardiness,
        "lower_bound": 0,
        "status": "feasible" if tardiness else "optimal",
    }
    return _timed(line, began), plant_format.dump(plant, solution)["operations"]


def _solve_shop(path: Path, options: dict[str, Any], stop: Callable[[], bool]) -> Solved:
    """Objective: makespan. Nothing is due, so nothing is late."""
    began = time.monotonic()
    file = jobshop.load(path, options["format"])
    result = jobshop.solve(
        file.shop,
        seconds=max(0.0, options["seconds"] - (time.monotonic() - began)),
        clock=time.monotonic,
        seed=options["seed"],
        workers=options["workers"],
        should_stop=stop,
    )
    line: dict[str, int | str] = {
        "objective": result.makespan,
        "makespan": result.makespan,
        "weighted_tardiness": 0,
        "lower_bound": result.lower_bound,
        "status": result.status,
    }
    return _timed(line, began), jobshop.dump(file, result)["operations"]


def _timed(line: dict[str, int | str], began: float) -> dict[str, Any]:
    return {**line, "seconds": round(time.monotonic() - began, 2)}


def _write(path: Path, rows: list[Row]) -> None:
    try:
        path.write_text(json.dumps({"operations": rows}), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error


def _stop_on_signal() -> Callable[[], bool]:
    """Whether somebody asked to stop; a second signal ends the process at once."""
    asked = threading.Event()

    def ask(number: int, _frame: object) -> None:
        asked.set()
        signal.signal(number, signal.SIG_DFL)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, ask)
        signal.signal(signal.SIGTERM, ask)
    return asked.is_set


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number <= 10**6:
        raise ArgumentTypeError(f"{text} is not between 0 and a million")
    return number


def _whole(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not low <= int(text) <= high:
            raise ArgumentTypeError(f"{text} is not between {low} and {high}")
        return int(text)

    return number
