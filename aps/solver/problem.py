"""The scheduling problem as validated, immutable data.

Times are whole minutes; the caller chooses the epoch. Processing runs in the working time of its
resource; setup between families is clock time. A dataclass that would make no sense raises
``InvalidProblem`` with one sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from aps.solver.objective import Objective
from common.intervals import WorkingTime

SetupMinutes = Mapping[int, Mapping[str, Mapping[str, int]]]
"""resource -> family before -> family after -> minutes of clock time; what is missing is 0."""


class InvalidProblem(ValueError):
    """The problem contradicts itself; the text says where, in one sentence."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A work unit: ``capacity`` operations at a time; None means as many as one likes."""

    id: int
    name: str
    working_time: WorkingTime
    capacity: int | None = 1

    def __post_init__(self) -> None:
        if self.capacity is not None and self.capacity < 1:
            raise InvalidProblem(f"Resource {self.name} needs a capacity of at least 1 or None.")


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to run an operation: where, and how many working minutes (own setup and run)."""

    resource: int
    minutes: int

    def __post_init__(self) -> None:
        if not isinstance(self.minutes, int) or self.minutes < 0:
            raise InvalidProblem(
                f"A mode on resource {self.resource} takes {self.minutes!r} minutes; "
                "it must be a whole number, 0 or more."
            )


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and when an operation runs: the half-open clock interval [start, end)."""

    operation: int
    resource: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Precedence:
    """What an operation waits for besides its plain ``predecessors``; lags are clock minutes.

    It starts at least ``min_lag`` and at most ``max_lag`` after ``before`` ends. With
    ``transfer_minutes`` (a transfer batch) it may start earlier, ``min_lag`` after ``before`` has
    worked so many minutes, and ends at least ``tail_minutes`` after ``before`` ends: the time the
    last batch still needs here.
    """

    before: int
    min_lag: int = 0
    max_lag: int | None = None
    transfer_minutes: int | None = None
    tail_minutes: int = 0

    def __post_init__(self) -> None:
        numbers = (self.min_lag, self.max_lag or 0, self.transfer_minutes or 0, self.tail_minutes)
        if min(numbers) < 0:
            raise InvalidProblem(f"The precedence after {self.before} has negative minutes.")
        if self.max_lag is not None and self.max_lag < self.min_lag:
            raise InvalidProblem(
                f"After {self.before} the longest wait ({self.max_lag} minutes) is shorter than "
                f"the shortest ({self.min_lag})."
            )
        if self.transfer_minutes is not None and self.max_lag is not None:
            raise InvalidProblem(
                f"The transfer batch after {self.before} cannot have a longest wait as well."
            )


@dataclass(frozen=True, slots=True)
class Need:
    """So many units of a pool while the operation runs."""

    pool: int
    units: int = 1


@dataclass(frozen=True, slots=True)
class Pool:
    """People with a skill, or tools: at any moment the units of all ``crews`` then working.

    ``held_in_pauses``: a paused operation keeps its units (a clamped fixture); otherwise it needs
    them only in the working time of its machine (an operator goes home with the shift).
    """

    id: int
    name: str
    crews: tuple[tuple[WorkingTime, int], ...]
    held_in_pauses: bool = False

    def __post_init__(self) -> None:
        if any(units < 0 for _, units in self.crews):
            raise InvalidProblem(f"Pool {self.name} has a crew of fewer than 0.")

    @classmethod
    def tools(cls, id: int, name: str, units: int) -> Pool:
        """So many tools or fixtures, there day and night and held while an operation pauses."""
        return cls(id, name, ((WorkingTime.always(), units),), held_in_pauses=True)


@dataclass(frozen=True, slots=True)
class Operation:
    """A step of a job.

    It starts at max(now, release) or later, after all ``predecessors`` (of any job) have ended.
    An interruptible one pauses in non-working time and holds its resource; any other lies in one
    working window. ``fixed`` (running or locked) stays exactly where it is, whatever the rules.
    An operation of 0 minutes is a milestone: it takes place in working time and occupies nothing.
    """

    id: int
    job: int
    modes: tuple[Mode, ...]
    predecessors: tuple[int, ...] = ()
    release: int = 0
    interruptible: bool = True
    family: str | None = None
    fixed: Placement | None = None
    links: tuple[Precedence, ...] = ()
    needs: tuple[Need, ...] = ()

    @property
    def precedences(self) -> tuple[Precedence, ...]:
        """All that it waits for; a plain predecessor asks for its end and no more."""
        return (*(Precedence(before) for before in self.predecessors), *self.links)

    @property
    def waits_for(self) -> tuple[int, ...]:
        """All operations it waits for, each once."""
        if not self.links and len(self.predecessors) < 2:
            return self.predecessors
        return tuple(dict.fromkeys((*self.predecessors, *(link.before for link in self.links))))


@dataclass(frozen=True, slots=True)
class Job:
    """An order; weighted tardiness is weight x minutes its last operation ends after ``due``."""

    id: int
    due: int | None
    weight: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise InvalidProblem(f"Job {self.name or self.id} has a negative weight.")


@dataclass(frozen=True, slots=True)
class Problem:
    """Resources, jobs and operations; raises ``InvalidProblem`` when they do not fit together.

    ``reference``: the plan in force, by operation, from which ``objective`` may charge deviations.
    ``frozen_until``: no operation starts earlier, except that what starts there in the reference
    stays exactly as it is (it becomes ``fixed``).
    """

    resources: tuple[Resource, ...]
    jobs: tuple[Job, ...]
    operations: tuple[Operation, ...]
    now: int = 0
    setup_minutes: SetupMinutes = field(default_factory=dict)
    pools: tuple[Pool, ...] = ()
    reference: Mapping[int, Placement] = field(default_factory=dict)
    frozen_until: int | None = None
    objective: Objective = Objective()

    def __post_init__(self) -> None:
        for name in ("resources", "jobs", "operations", "pools"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.frozen_until is not None:
            object.__setattr__(self, "operations", freeze_window(self))
        resources = {r.id: r for r in self.resources}
        _check_unique("resource", [r.id for r in self.resources])
        _check_unique("job", [j.id for j in self.jobs])
        check_operations(self.operations, resources)
        jobs = {j.id for j in self.jobs}
        for operation in self.operations:
            if operation.job not in jobs:
                raise InvalidProblem(
                    f"Operation {operation.id} belongs to the unknown job {operation.job}."
                )
        check_setup(self.setup_minutes, resources)
        _check_pools(self)

    @property
    def earliest_start(self) -> int:
        """Before this moment nothing starts but what is fixed."""
        return self.now if self.frozen_until is None else max(self.now, self.frozen_until)


def freeze_window(problem: Problem) -> tuple[Operation, ...]:
    """The operations, those fixed that start inside the frozen window in the reference."""
    until = problem.earliest_start
    return tuple(
        replace(operation, fixed=planned)
        if operation.fixed is None and planned is not None and planned.start < until
        else operation
        for operation in problem.operations
        for planned in [problem.reference.get(operation.id)]
    )


def _check_pools(problem: Problem) -> None:
    _check_unique("pool", [pool.id for pool in problem.pools])
    most = {pool.id: sum(units for _, units in pool.crews) for pool in problem.pools}
    for operation in problem.operations:
        for need in operation.needs:
            if need.pool not in most:
                raise InvalidProblem(
                    f"Operation {operation.id} needs the unknown pool {need.pool}."
                )
            if not 1 <= need.units <= most[need.pool]:
                raise InvalidProblem(
                    f"Operation {operation.id} needs {need.units} of pool {need.pool}, which "
                    f"never has more than {most[need.pool]}."
                )


def check_operations(operations: Iterable[Operation], resources: Mapping[int, Resource]) -> None:
    """Raise ``InvalidProblem`` unless ids, modes, fixed placements and precedence make sense."""
    listed = list(operations)
    _check_unique("operation", [o.id for o in listed])
    known = {o.id for o in listed}
    for operation in listed:
        if not operation.modes:
            raise InvalidProblem(f"Operation {operation.id} has no mode to run in.")
        for mode in operation.modes:
            if mode.resource not in resources:
                raise InvalidProblem(
                    f"Operation {operation.id} may run on the unknown resource {mode.resource}."
                )
        for before in operation.waits_for:
            if before not in known:
                raise InvalidProblem(
                    f"Operation {operation.id} follows the unknown operation {before}."
                )
        _check_fixed(operation, resources)
    topological_order(listed)


def check_setup(setup: SetupMinutes, resources: Mapping[int, Resource]) -> None:
    """Raise ``InvalidProblem`` for setups of unknown or parallel resources or below 0 minutes."""
    for resource, matrix in setup.items():
        if resource not in resources:
            raise InvalidProblem(f"Setup minutes name the unknown resource {resource}.")
        if resources[resource].capacity != 1:
            raise InvalidProblem(
                f"Resource {resources[resource].name} has setup minutes and a capacity other than "
                "1, which leaves open who follows whom."
            )
        if any(minutes < 0 for row in matrix.values() for minutes in row.values()):
            raise InvalidProblem(f"Resource {resources[resource].name} has negative setup minutes.")


def topological_order(operations: Iterable[Operation]) -> list[int]:
    """Operation ids, predecessors first; raises ``InvalidProblem`` on a cycle."""
    waiting: dict[int, int] = {}
    followers: dict[int, list[int]] = {}
    for operation in operations:
        before = operation.waits_for
        waiting[operation.id] = len(before)
        for predecessor in before:
            followers.setdefault(predecessor, []).append(operation.id)
    ready = [identity for identity, count in waiting.items() if not count]
    for identity in ready:  # grows while it is walked
        for follower in followers.get(identity, ()):
            waiting[follower] -= 1
            if not waiting[follower]:
                ready.append(follower)
    if len(ready) < len(waiting):
        stuck = min(identity for identity, count in waiting.items() if count)
        raise InvalidProblem(f"Operation {stuck} waits, over its predecessors, for itself.")
    return ready


def _check_unique(kind: str, ids: list[int]) -> None:
    seen: set[int] = set()
    for identity in ids:
        if identity in seen:
            raise InvalidProblem(f"The {kind} id {identity} appears twice.")
        seen.add(identity)


def _check_fixed(operation: Operation, resources: Mapping[int, Resource]) -> None:
    fixed = operation.fixed
    if fixed is None:
        return
    if fixed.operation != operation.id:
        raise InvalidProblem(
            f"Operation {operation.id} carries the fixed placement of {fixed.operation}."
        )
    if fixed.resource not in resources:
        raise InvalidProblem(
            f"Operation {operation.id} is fixed on the unknown resource {fixed.resource}."
        )
    if fixed.end < fixed.start:
        raise InvalidProblem(f"Operation {operation.id} is fixed with its end before its start.")
