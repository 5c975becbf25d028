"""What is already on the machines: read by many promise checks, changed by none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from aps.solver.lane import Lane
from aps.solver.plant import make_lanes
from aps.solver.problem import Resource, SetupMinutes, check_setup
from aps.solver.promise_types import Busy


class Occupancy:
    """Busy time per resource id; build it once per schedule, ask it as often as one likes.

    ``busy`` may be unsorted. ``setup_minutes`` as in ``Problem``. Raises ``InvalidProblem``.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        busy: Mapping[int, Sequence[Busy]],
        setup_minutes: SetupMinutes | None = None,
    ) -> None:
        self.resources = {r.id: r for r in resources}
        self._busy = busy
        self._setup = setup_minutes or {}
        check_setup(self._setup, self.resources)

    @cached_property
    def lanes(self) -> dict[int, list[Lane]]:
        """Per resource its lanes; empty for a resource of infinite capacity."""
        taken = {
            resource: [(b.start, b.end, b.family or "") for b in row]
            for resource, row in self._busy.items()
        }
        rows = make_lanes(self.resources.values(), self._setup, taken)
        return dict(zip(self.resources, rows, strict=True))
