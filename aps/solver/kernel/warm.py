"""Compiles the kernel in the background, so that the first schedule need not wait for it.

The code is compiled once per installation (about a minute of one core) and read from the cache
(0.3 seconds) by every process after that. An image does it when it is built:

    python -m tools.compile_solver
"""

from __future__ import annotations

import threading

import numpy as np

from aps.solver.kernel.anneal import load, search
from aps.solver.kernel.board import make_board
from aps.solver.plant import Plant
from aps.solver.problem import Job, Mode, Operation, Problem, Resource
from common.intervals import WorkingTime

done = threading.Event()
"""Set as soon as the machine code is there."""

_lock = threading.Lock()
_started = False


def start() -> None:
    """Begin compiling unless that has been done; returns at once."""
    global _started  # noqa: PLW0603 - one compilation per process
    with _lock:
        if _started:
            return
        _started = True
    threading.Thread(target=compile_all, name="compile-solver", daemon=True).start()


def compile_all() -> None:
    """Run both entry points once on the smallest of plants."""
    resource = Resource(0, "", WorkingTime.always(0, 100))
    problem = Problem((resource,), (Job(0, due=0),), (Operation(0, 0, (Mode(0, 1),)),))
    board = make_board(Plant(problem))
    load(board, np.array([0]), np.array([0]))
    search(board, 1, 1, 1.0)
    done.set()
