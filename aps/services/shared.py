"""People with a skill and tools of a site, as the solver's pools.

An operation needs so many people of its skill and one of its tool from its start to its end. A
pool does not pause an operation: every minute that its machine works has to be served, so work
that no shift of the crews is long enough for cannot be planned; ``serve`` says so beforehand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from aps.solver import Mode, Need, Pool
from aps.solver.pool_book import PoolBook, longest_served
from common.intervals import FAR_FUTURE, FAR_PAST, WorkingTime
from masterdata import selectors as masterdata
from masterdata.selectors import SharedInfo
from masterdata.services import calendars
from masterdata.services.calendars import Rules


class Needing(Protocol):
    """A routing's or a work order's operation."""

    @property
    def skill_id(self) -> int | None: ...
    @property
    def people(self) -> int: ...
    @property
    def tool_id(self) -> int | None: ...
    @property
    def subcontractor_id(self) -> int | None: ...


def skill_pool(pk: int) -> int:
    """The pool of a skill: skills and tools count in one row."""
    return 2 * pk


def tool_pool(pk: int) -> int:
    """The pool of a tool."""
    return 2 * pk + 1


def needs_of(skill_id: int | None, people: int, tool_id: int | None) -> tuple[Need, ...]:
    """What an operation needs besides its machine."""
    found = []
    if skill_id is not None:
        found.append(Need(skill_pool(skill_id), people))
    if tool_id is not None:
        found.append(Need(tool_pool(tool_id)))
    return tuple(found)


@dataclass(frozen=True)
class Shared:
    """The pools of a site by id, and what sentences call them. Never changed."""

    pools: Mapping[int, Pool] = field(default_factory=dict)
    names: Mapping[int, SharedInfo] = field(default_factory=dict)
    # Answers of ``_longest``: by pool, units, whether unbroken, and the times, which are kept
    # alive with their answer.
    _known: dict[tuple[int, int, bool, int], tuple[WorkingTime, int]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def needs(self, operation: Needing) -> tuple[Need, ...]:
        """What the operation needs; nothing where it is done outside."""
        if operation.subcontractor_id is not None:
            return ()
        return needs_of(operation.skill_id, operation.people, operation.tool_id)

    def possible(self, needs: Iterable[Need]) -> tuple[Need, ...]:
        """Those that there are enough units for, at some time."""
        return tuple(need for need in needs if self.has(need))

    def has(self, need: Need) -> bool:
        """Whether there are so many units at some time, taken or not."""
        return self._most(need.pool) >= need.units

    def is_tool(self, pool: int) -> bool:
        """Whether the pool is of tools, else of people."""
        return pool % 2 == 1

    def name(self, pool: int) -> str:
        """The code of the tool or skill."""
        return self.names[pool].code if pool in self.names else "?"

    def label(self, pool: int) -> str:
        """The name of the tool or skill in the active language."""
        return self.names[pool].label if pool in self.names else "?"

    def serve(
        self,
        modes: Sequence[Mode],
        needs: Sequence[Need],
        times: Mapping[int, WorkingTime],
        *,
        unbroken: bool,
    ) -> tuple[tuple[Mode, ...], Need | None]:
        """The modes in which people and tool are there long enough; where none is left, what
        is missing.

        A mode that is longer than all that is known of its machine is kept: a longer horizon says.
        """
        found, missing = tuple(modes), None
        for need in needs:
            kept = tuple(
                mode
                for mode in found
                if mode.resource in times
                and self._lasts(need, times[mode.resource], unbroken, max(1, mode.minutes))
            )
            if found and not kept:
                missing = need
            found = kept
        return found, missing

    def is_short(
        self, needs: Sequence[Need], times: WorkingTime | None, start: int, end: int
    ) -> bool:
        """Whether there are fewer units than that in [start, end), whatever else is planned."""
        if not needs or times is None:
            return False
        wanted = [self.pools[need.pool] for need in needs if need.pool in self.pools]
        return PoolBook(wanted).later(needs, times, start, end) != start

    def _lasts(self, need: Need, times: WorkingTime, unbroken: bool, minutes: int) -> bool:
        if self._longest(need, times, unbroken) >= minutes:
            return True
        return self.has(need) and minutes > times.worked(FAR_PAST, FAR_FUTURE)

    def _longest(self, need: Need, times: WorkingTime, unbroken: bool) -> int:
        pool = self.pools.get(need.pool)
        if pool is None:
            return 0
        key = (need.pool, need.units, unbroken, id(times))
        if key not in self._known:
            found = longest_served(pool, need.units, times, unbroken=unbroken)
            self._known[key] = (times, found)
        return self._known[key][1]

    def _most(self, pool: int) -> int:
        return sum(units for _times, units in self.pools[pool].crews) if pool in self.pools else 0


def read(
    *,
    site_id: int,
    starts_at: datetime,
    ends_at: datetime,
    instead: Mapping[int, Rules] | None = None,
) -> Shared:
    """The site's people and active tools, with the crews' calendars; a constant number of
    queries.

    ``instead``: rules of calendars, by id, as they would be.
    """
    skills = masterdata.skills()
    crews = calendars.crew_times(
        site_id=site_id, starts_at=starts_at, ends_at=ends_at, instead=instead
    )
    tools = masterdata.tools()
    pools = {
        skill_pool(pk): Pool(skill_pool(pk), skills[pk].code, tuple(rows))
        for pk, rows in crews.items()
    }
    pools |= {
        tool_pool(pk): Pool.tools(tool_pool(pk), tool.code, tool.quantity)
        for pk, tool in tools.items()
        if tool.is_active and tool.site_id == site_id
    }
    names = {skill_pool(pk): skill for pk, skill in skills.items()}
    names |= {tool_pool(pk): tool for pk, tool in tools.items()}
    return Shared(pools, names)
