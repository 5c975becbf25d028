"""`manage.py solve`: one line of JSON, a schedule on disk, exit code 2; and no database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from aps.solver.generator import generate
from tests.aps.solver.classics import FT06

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"objective", "makespan", "weighted_tardiness", "lower_bound", "status", "seconds"}


def test_a_job_shop_gives_one_line_and_a_schedule(tmp_path, capsys) -> None:
    (tmp_path / "ft06.txt").write_text(FT06)
    out = tmp_path / "schedule.json"
    call_command(
        "solve", str(tmp_path / "ft06.txt"), "--format", "jsp", "--seconds", "20",
        "--workers", "2", "--output", str(out),
    )  # fmt: skip
    (line,) = capsys.readouterr().out.splitlines()
    answer = json.loads(line)
    assert set(answer) == KEYS
    assert (answer["objective"], answer["lower_bound"], answer["status"]) == (55, 55, "optimal")
    rows = json.loads(out.read_text())["operations"]
    assert len(rows) == 36
    assert max(row["end"] for row in rows) == 55


def test_a_plant_is_solved_by_default(tmp_path, capsys) -> None:
    path, out = tmp_path / "plant.json", tmp_path / "schedule.json"
    path.write_text(json.dumps(generate(operations=30)))
    call_command("solve", str(path), "--seconds", "1", "--output", str(out))
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == KEYS
    assert answer["objective"] == answer["weighted_tardiness"]
    assert len(json.loads(out.read_text())["operations"]) >= 30


@pytest.mark.parametrize("form", ["plant", "fjsp", "jsp"])
@pytest.mark.parametrize("content", [None, "", "{}", "1 1\n0 x\n", "[1]"])
def test_what_is_missing_or_malformed_ends_with_code_2(tmp_path, form, content) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CommandError) as caught:
        call_command("solve", str(path), "--format", form, "--seconds", "1")
    assert caught.value.returncode == 2
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_it_needs_neither_settings_nor_a_database(tmp_path) -> None:
    (tmp_path / "bad.txt").write_text("nonsense")
    bare = {"PATH": os.environ["PATH"], "DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}
    done = subprocess.run(
        [sys.executable, "manage.py", "solve", str(tmp_path / "bad.txt"), "--format", "fjsp"],
        cwd=ROOT, env=bare, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
