"""Made-up plants of any size, in the JSON of the benchmarks: shifts, setups, assemblies, due dates.

``realistic``: a plant as the benchmarks have them, loaded so that many orders are late.
``hostile``: what real data also holds and solvers stumble over: machines that work one hour a day,
a fortnight's shutdown, steps longer than a week, steps that fit into few windows exactly,
milestones of 0 minutes, orders late from the start, deep trees of parts, one machine for nearly
everything, setups without a triangle inequality.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Literal

Plant = dict[str, Any]
Kind = Literal["realistic", "hostile"]

DAY, WEEK = 1440, 10080
FAMILIES = "ABCDE"
CALENDARS: dict[str, dict[str, list[list[int]]]] = {
    "1x8": {
        "weekly": [[d * DAY + a, d * DAY + a + 240] for d in range(5) for a in (480, 750)],
        "off": [[16 * DAY, 17 * DAY]],
    },
    "2x8": {
        "weekly": [[d * DAY + 360, d * DAY + 1320] for d in range(5)],
        "off": [[16 * DAY, 17 * DAY]],
    },
    "3x8": {"weekly": [[0, 5 * DAY]], "off": [[16 * DAY, 17 * DAY]]},
}
HOSTILE_CALENDARS: dict[str, dict[str, list[list[int]]]] = {
    "1h": {"weekly": [[d * DAY + 600, d * DAY + 660] for d in range(7)], "off": []},
    "closed": {"weekly": [[0, 5 * DAY]], "off": [[7 * DAY, 21 * DAY]]},
    "always": {"weekly": [[0, WEEK]], "off": []},
}
WORKED = {"1x8": 2400, "2x8": 4800, "3x8": 7200, "1h": 420, "closed": 7200, "always": WEEK}
"""Minutes a week."""
WINDOW = {"1x8": 240, "2x8": 960, "3x8": 7200, "1h": 60, "closed": 7200, "always": 0}
"""Longest window, for what must not be interrupted; 0: without end."""


@dataclass
class _Maker:
    """The machines and the random numbers of one plant."""

    chance: random.Random
    machines: list[dict[str, str]]
    centers: dict[str, list[dict[str, str]]]
    hostile: bool

    def steps(self, job: str, count: int, parts: list[str]) -> list[Plant]:
        """The route of a job whose first step waits for the last steps of ``parts``."""
        rows: list[Plant] = []
        for i in range(count):
            before = [rows[-1]["id"]] if rows else parts
            rows.append(self._step(f"{job}-{10 * (i + 1)}", before))
        return rows

    def _step(self, name: str, before: list[str]) -> Plant:
        chance = self.chance
        places = self.centers[chance.choice(list(self.centers))]
        if self.hostile and chance.random() < 0.5:
            chosen = self.machines[:1]
        else:
            chosen = chance.sample(places, chance.randint(1, min(len(places), 6)))
        minutes = max(5, round(chance.lognormvariate(4.5, 0.7)))
        window = min((WINDOW[m["calendar"]] or WEEK) for m in chosen)
        interruptible = chance.random() < 0.8
        if self.hostile:
            draw = chance.random()
            minutes = 0 if draw < 0.05 else 12_000 if draw > 0.998 else minutes
            if draw > 0.998:
                chosen, interruptible = self.machines[1:2], True
            elif draw > 0.9:
                minutes, interruptible = window, False
        modes = []
        for machine in chosen:
            own = minutes if self.hostile else round(minutes * chance.uniform(0.85, 1.25))
            time = own if interruptible else min(own, window)
            modes.append({"id": machine["id"], "minutes": time})
        return {
            "id": name,
            "family": chance.choice(FAMILIES),
            "interruptible": interruptible,
            "after": before,
            "machines": modes,
        }


def generate(*, operations: int, seed: int = 0, kind: Kind = "realistic") -> Plant:
    """A plant of about ``operations`` operations (never fewer); the same for the same arguments."""
    chance = random.Random(seed)  # noqa: S311 - made-up data
    calendars = {**CALENDARS, **(HOSTILE_CALENDARS if kind == "hostile" else {})}
    machines = _machines(max(8, round(operations**0.5 / 1.5)), list(calendars), chance)
    centers: dict[str, list[dict[str, str]]] = {}
    for machine in machines:
        centers.setdefault(machine["center"], []).append(machine)
    maker = _Maker(chance, machines, centers, kind == "hostile")
    jobs: list[Plant] = []
    count = 0
    while count < operations:
        order = _order(maker, f"J{len(jobs) + 1:06}", deep=4 if kind == "hostile" else 1)
        jobs += order
        count += sum(len(job["operations"]) for job in order)
    _dates(jobs, machines, chance, late=0.3 if kind == "hostile" else 0.0)
    return {
        "time_unit": "minute",
        "calendars": calendars,
        "machines": machines,
        "setup_minutes": _setups(machines, chance),
        "jobs": jobs,
    }


def _machines(count: int, calendars: list[str], chance: random.Random) -> list[dict[str, str]]:
    """Machines in centers of one to seven; the first two never rest long."""
    rows: list[dict[str, str]] = []
    center = 0
    while len(rows) < count:
        center += 1
        for _ in range(min(chance.randint(1, 7), count - len(rows))):
            calendar = "3x8" if len(rows) < 2 else chance.choice(calendars)
            name = f"M{len(rows) + 1:04}"
            rows.append({"id": name, "center": f"WC{center:03}", "calendar": calendar})
    return rows


def _order(maker: _Maker, name: str, *, deep: int) -> list[Plant]:
    """A job and, in one case of three, two to four jobs of parts before it; the job comes last.

    ``deep``: how many levels of parts there may be.
    """
    chance = maker.chance
    parts: list[Plant] = []
    ends: list[str] = []
    if deep and chance.random() < 0.33:
        for i in range(chance.randint(2, 4)):
            below = _order(maker, f"{name}.{i + 1}", deep=deep - 1)
            below[-1]["weight"] = 0
            ends.append(below[-1]["operations"][-1]["id"])
            parts += below
    weight = chance.choice((1, 1, 1, 1, 2, 2, 4, 8))
    steps = maker.steps(name, chance.randint(3, 9), ends)
    return [*parts, {"id": name, "weight": weight, "operations": steps}]


def _dates(
    jobs: list[Plant], machines: list[dict[str, str]], chance: random.Random, *, late: float
) -> None:
    """Release and due date of each job; ``late``: share of those due before they can start."""
    work = [
        sum(min(m["minutes"] for m in step["machines"]) for step in job["operations"])
        for job in jobs
    ]
    weekly = sum(WORKED[machine["calendar"]] for machine in machines)
    horizon = max(WEEK, round(WEEK * sum(work) / weekly))
    begin = 0
    for job, minutes in zip(jobs, work, strict=True):
        if "." not in job["id"] or job["id"].endswith(".1"):
            begin = chance.randint(0, round(0.7 * horizon)) if chance.random() < 0.7 else 0
        job["release"] = begin
        job["due"] = begin + 2 * minutes + chance.randint(0, round(0.5 * horizon))
        if chance.random() < late:
            job["due"] = chance.randint(0, begin)


def _setups(machines: list[dict[str, str]], chance: random.Random) -> Plant:
    """Changeovers between families on a third of the machines."""
    return {
        machine["id"]: {
            before: {
                after: 0 if after == before else chance.choice((15, 20, 30, 45, 60))
                for after in FAMILIES
            }
            for before in FAMILIES
        }
        for machine in machines
        if chance.random() < 0.33
    }
