"""Compile the solver's machine code, so that the first schedule of an installation is a good one.

    python -m tools.compile_solver

About a minute of one core where nothing is compiled yet, a second where it is.
"""

from __future__ import annotations

import os
import time

from tools.paths import MACHINE_CODE

os.environ.setdefault("NUMBA_CACHE_DIR", str(MACHINE_CODE))

from aps.solver.jobshop import Shop, solve  # noqa: E402 - numba reads the variable when imported
from aps.solver.kernel import warm  # noqa: E402

ENOUGH_SECONDS = 600


def main() -> None:
    """Run each entry point once on the smallest of problems."""
    warm.compile_all()
    jobs = [[[(0, 2), (1, 3)], [(1, 2)]], [[(1, 2)], [(0, 3), (1, 2)]]]
    solve(Shop.of(2, jobs), seconds=ENOUGH_SECONDS, clock=time.monotonic, max_steps=3)


if __name__ == "__main__":
    main()
