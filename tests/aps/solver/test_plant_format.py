"""Plant files: what is read, what is refused, and the public floor that must be held."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aps.solver import construct, solve, validate
from aps.solver.plant_format import MalformedFile, dump, load, parse
from common.intervals import Interval

PLANT = {
    "time_unit": "minute",
    "calendars": {"day": {"weekly": [[480, 720], [720, 960]], "off": [[10560, 10600]]}},
    "machines": [{"id": "M1", "center": "W", "calendar": "day"}],
    "setup_minutes": {"M1": {"A": {"A": 0, "B": 30}}},
    "jobs": [
        {
            "id": "J1",
            "weight": 4,
            "release": 500,
            "due": 600,
            "operations": [
                {
                    "id": "J1-10",
                    "family": "A",
                    "interruptible": True,
                    "after": [],
                    "machines": [{"id": "M1", "minutes": 60}],
                },
                {
                    "id": "J1-20",
                    "family": "B",
                    "interruptible": False,
                    "after": ["J1-10"],
                    "machines": [{"id": "M1", "minutes": 60}],
                },
            ],
        }
    ],
}


def changed(path, value):
    plant = copy.deepcopy(PLANT)
    *way, last = path
    at = plant
    for step in way:
        at = at[step]
    at[last] = value
    return plant


def test_a_plant_is_read_and_its_schedule_written():
    plant = parse(PLANT)
    windows = plant.problem.resources[0].working_time
    assert windows[0] == Interval(480, 960)
    assert windows[1] == Interval(10560 + 40, 11040)
    assert plant.problem.jobs[0].weight == 4
    assert plant.problem.setup_minutes == {0: {"A": {"A": 0, "B": 30}}}
    assert dump(plant, construct(plant.problem)) == {
        "operations": [
            {"id": "J1-10", "machine": "M1", "start": 500, "end": 560},
            {"id": "J1-20", "machine": "M1", "start": 590, "end": 650},
        ]
    }


FIRST = ("jobs", 0, "operations", 0)


@pytest.mark.parametrize(
    ("plant", "sentence"),
    [
        ([], "A plant is a JSON object"),
        ({}, "no list named jobs"),
        (changed(["time_unit"], "hour"), "time unit must be minute"),
        (changed(["machines", 0, "calendar"], "night"), "unknown calendar night"),
        (changed(["calendars", "day", "weekly"], [[5]]), "where a .start, end. belongs"),
        (changed(["calendars", "day", "weekly"], []), "no weekly working window"),
        (changed([*FIRST, "machines", 0, "id"], "M9"), "unknown machine M9"),
        (changed([*FIRST, "machines", 0, "minutes"], 1.5), "minutes is 1.5"),
        (changed([*FIRST, "machines", 0, "minutes"], -5), "minutes is -5"),
        (changed([*FIRST, "after"], ["J7"]), "unknown operation 'J7'"),
        (changed([*FIRST, "after"], ["J1-20"]), "for itself"),
        (changed([*FIRST, "machines"], []), "no mode"),
        (changed([*FIRST, "id"], "J1-20"), "J1-20 appears twice"),
        (changed(["jobs", 0, "due"], "soon"), "due at 'soon'"),
        (changed(["setup_minutes"], {"M9": {}}), "unknown machine M9"),
    ],
)
def test_a_malformed_plant_is_refused_in_a_sentence(plant, sentence):
    with pytest.raises(MalformedFile, match=sentence):
        parse(plant)


def test_a_file_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "plant.json"
    path.write_text("{")
    with pytest.raises(MalformedFile, match=r"plant\.json cannot be read as JSON"):
        load(path)
    with pytest.raises(MalformedFile, match="cannot be read"):
        load(tmp_path / "missing.json")


@pytest.fixture
def benchmarks():
    folder = Path(__file__).parents[4] / "shared" / "benchmarks"
    if not folder.is_dir():
        reason = "The scheduling benchmarks do not lie beside this checkout."
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


def checked(folder, name, solution, plant, tmp_path):
    """Figures by the benchmarks' own checker; fails on a violation."""
    schedule = tmp_path / "schedule.json"
    schedule.write_text(json.dumps(dump(plant, solution)))
    source = folder / "plants" / f"{name}.json"
    done = subprocess.run(
        [sys.executable, folder / "check_schedule.py", source, schedule],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)


def test_the_small_plant_beats_its_floor_in_a_few_steps(benchmarks, tmp_path):
    plant = load(benchmarks / "plants" / "p50x8.json")
    solution = solve(plant.problem, seconds=60, clock=lambda: 0.0, seed=1, max_steps=6)
    figures = checked(benchmarks, "p50x8", solution, plant, tmp_path)
    assert figures["weighted_tardiness"] == solution.weighted_tardiness
    assert figures["weighted_tardiness"] <= 90_471 * 0.7


@pytest.mark.parametrize(
    ("name", "floor"),
    [("p150x25-setup", 118_160), ("p150x25-assembly", 218_590)],
)
def test_the_rules_alone_hold_the_floors(benchmarks, tmp_path, name, floor):
    plant = load(benchmarks / "plants" / f"{name}.json")
    solution = construct(plant.problem)
    assert validate(plant.problem, solution.placements) == []
    figures = checked(benchmarks, name, solution, plant, tmp_path)
    assert figures["setup_minutes"] == solution.setup_minutes
    assert figures["weighted_tardiness"] <= floor
