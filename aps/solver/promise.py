"""Capable to promise: can this be ready by then, and if not, what stands in the way?"""

from __future__ import annotations

from collections.abc import Sequence

from aps.solver.occupancy import Occupancy
from aps.solver.promise_types import Answer, Request


def check(
    *,
    occupancy: Occupancy,
    requests: Sequence[Request],
    now: int,
    risk_minutes: int = 0,
    horizon: int | None = None,
) -> tuple[Answer, ...]:
    """One answer per request, in order; later requests see the earlier ones' forward schedules.

    ``risk_minutes``: feasible with less slack than this is AT_RISK. ``horizon``: no search past
    this moment. ``occupancy`` is left as it was. Raises ``InfeasibleHorizon`` with a sentence when
    working time or horizon end before the work fits in, and ``InvalidProblem``.
    """
    raise NotImplementedError("The promise check is on its way.")
