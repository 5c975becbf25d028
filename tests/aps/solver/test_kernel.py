"""The compiled placing of work against the plain one, and taking moves back."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aps.solver import Job, Mode, Operation, Problem, Resource
from aps.solver.construct import rules
from aps.solver.kernel import calendar
from aps.solver.kernel.anneal import search
from aps.solver.kernel.layout import FAR
from aps.solver.kernel.moves import move, price
from aps.solver.plant import Plant
from aps.solver.schedule import freeze
from aps.solver.search import Worker
from common.intervals import CalendarExhausted, WorkingTime
from tests.aps.solver.test_solve import shop


@st.composite
def windows(draw):
    at, rows = draw(st.integers(0, 50)), []
    for _ in range(draw(st.integers(1, 12))):
        length = draw(st.integers(1, 30))
        rows.append((at, at + length))
        at += length + draw(st.sampled_from([1, 5, 400]))
    return WorkingTime(rows)


@settings(max_examples=150, deadline=None)
@given(windows(), st.integers(-20, 2000), st.integers(0, 90), st.booleans())
def test_work_is_placed_as_the_calendar_says(times, moment, minutes, pauses):
    problem = Problem(
        (Resource(1, "M", times),), (Job(1, None),), (Operation(1, 1, (Mode(1, 1),)),)
    )
    board = Worker(Plant(problem), 0).board
    try:
        expected = times.place(moment, minutes, pauses)
    except CalendarExhausted:
        expected = None
    start, end = calendar.place(board, 0, moment, minutes, int(pauses))
    assert (end >= FAR) if expected is None else ((start, end) == expected)


def test_the_running_figures_are_those_counted_anew():
    plant = Plant(shop(15))
    worker = Worker(plant, seed=4)
    assert worker.begin(freeze(rules(plant)[0]()))
    for _ in range(3):
        search(worker.board, 200, 200, 50.0)
    now = worker.board.totals[0]
    figures = worker.best().figures
    assert worker.best_key()[:2] == (0, figures.weighted_tardiness)
    assert worker.best_key()[3:] == (figures.setup_minutes, figures.flow_minutes)
    paid = float(price(worker.board))
    other = Worker(plant, seed=5)
    other.begin(freeze(rules(plant)[0]()))
    other.follow(worker)
    assert other.board.totals[0]["tardiness"] <= now["tardiness"]
    assert float(price(other.board)) <= paid + 1e-6 + 0.01 * int(other.board.totals[0]["flow"])


def queues(board):
    rows = ((m["first_place"], m["count"]) for m in board.machines)
    return [board.queue[first : first + count].tolist() for first, count in rows]


def test_a_refused_move_leaves_no_trace():
    plant = Plant(shop(15))
    worker = Worker(plant, seed=4)
    worker.begin(freeze(rules(plant)[0]()))
    search(worker.board, 300, 300, 1e-9)
    board = worker.board
    before = board.operations.copy(), queues(board), board.totals[0].copy()
    for item in range(len(board.operations)):
        move(board, item, -1e18)
    for name in ("start", "end", "at", "mode", "hold"):
        assert np.array_equal(before[0][name], board.operations[name])
    assert before[1] == queues(board)
    for name in ("tardiness", "setup", "flow", "moved", "changed"):
        assert before[2][name] == board.totals[0][name]
