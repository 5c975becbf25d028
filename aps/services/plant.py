"""The site's work units as the solver's resources."""

from collections.abc import Iterable, Mapping

from aps.solver import Mode, Resource, SetupMinutes
from common.intervals import WorkingTime
from masterdata.selectors import Changeovers, UnitInfo

# Not work units: outside work in calendar days, and milestones without work.
SUBCONTRACT = -1
MILESTONE = -2
DAY_MINUTES = 24 * 60


def resources(
    units: Iterable[UnitInfo], times: Mapping[int, WorkingTime], start: int, end: int
) -> list[Resource]:
    """Every work unit, and the two that are none and always open from ``start`` to ``end``."""
    always = WorkingTime.always(start, end)
    machines = [Resource(unit.id, unit.code, times.get(unit.id, WorkingTime([]))) for unit in units]
    return [
        *machines,
        Resource(SUBCONTRACT, "subcontract", always, capacity=None),
        Resource(MILESTONE, "milestone", always, capacity=None),
    ]


def setup_minutes(
    units: Iterable[UnitInfo], changeovers: Mapping[int, Changeovers], families: Iterable[str]
) -> SetupMinutes:
    """The changeovers between these families on every unit; by unit, of those that take any.

    ``changeovers`` are by work center. Units of a center share the object.
    """
    if not changeovers:
        return {}
    known = {center: rules.matrix(families) for center, rules in changeovers.items()}
    return {unit.id: matrix for unit in units if (matrix := known.get(unit.work_center_id))}


def longest_windows(times: Mapping[int, WorkingTime]) -> dict[int, int]:
    """The longest unbroken working time of each work unit, in minutes."""
    known: dict[int, int] = {}
    found = {}
    for unit, working in times.items():
        # Units that share a calendar share the object.
        if id(working) not in known:
            known[id(working)] = max((window.minutes for window in working), default=0)
        found[unit] = known[id(working)]
    return found


def may_pause(interruptible: bool, modes: Iterable[Mode], longest: Mapping[int, int]) -> bool:
    """Whether the work may pause over breaks: it has to where no shift is long enough for it."""
    return interruptible or all(
        mode.minutes > longest.get(mode.resource, mode.minutes) for mode in modes
    )
