"""Which function a job's name stands for, and how it is to be run."""

import enum
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., None])

QUEUES = ("default", "solver", "planning", "documents", "integration")


class JobKind(enum.Enum):
    """How a job's effect and its acknowledgement are tied together."""

    # Effect and `done` are one transaction: exactly once in effect.
    DATABASE = "database"
    # Computes with no transaction open; the final transaction is fenced by the attempt number.
    LONG = "long"
    # Acts on the outside world: at least once, with `claim.job_id` as idempotency key.
    OUTSIDE = "outside"


class UnknownJob(Exception):
    """No function is registered under this name."""


@dataclass(frozen=True)
class JobSpec:
    """A registered job."""

    name: str
    kind: JobKind
    function: Callable[..., None]
    queue: str
    max_attempts: int
    # How long a LONG or OUTSIDE job may be silent before it counts as lost, though it may be alive.
    lease_seconds: int
    # The dispatcher asks for it once an hour, without arguments.
    is_hourly: bool = False

    @property
    def parameters(self) -> frozenset[str]:
        """The names of the job's own arguments, without what the ledger passes in."""
        given = {"by", "now", "claim"}
        return frozenset(inspect.signature(self.function).parameters) - given


_SPECS: dict[str, JobSpec] = {}


def register(
    name: str,
    *,
    kind: JobKind,
    queue: str = "default",
    max_attempts: int = 8,
    lease_seconds: int = 60,
    is_hourly: bool = False,
) -> Callable[[F], F]:
    """Register the decorated function as the job ``name``; it is returned unchanged.

    ``is_hourly``: the dispatcher asks for it once an hour, without arguments.

    It takes ids, ``by`` and ``now`` by keyword, and ``claim`` as well unless it is DATABASE.
    Raise TypeError for another signature and ValueError for a name that is taken.
    """
    if queue not in QUEUES:
        raise ValueError(f"{queue!r} is no queue; choose one of {', '.join(QUEUES)}.")

    def decorate(function: F) -> F:
        _check_signature(name, kind, function)
        other = _SPECS.get(name)
        if other is not None and not _same(other.function, function):
            raise ValueError(f"Two functions are registered as the job {name!r}.")
        _SPECS[name] = JobSpec(name, kind, function, queue, max_attempts, lease_seconds, is_hourly)
        return function

    return decorate


def hourly() -> list[str]:
    """The names of the jobs that the dispatcher asks for once an hour."""
    return sorted(spec.name for spec in _SPECS.values() if spec.is_hourly)


def find(name: str) -> JobSpec:
    """The job registered as ``name``; raise UnknownJob."""
    try:
        return _SPECS[name]
    except KeyError:
        raise UnknownJob(
            f"No job is registered as {name!r}; put it in an app's jobs.py with @register."
        ) from None


def _check_signature(name: str, kind: JobKind, function: Callable[..., Any]) -> None:
    parameters = inspect.signature(function).parameters
    if any(p.kind is not inspect.Parameter.KEYWORD_ONLY for p in parameters.values()):
        raise TypeError(f"The job {name!r} must take all its arguments by keyword only.")
    wanted = {"by", "now"} | (set() if kind is JobKind.DATABASE else {"claim"})
    if missing := wanted - set(parameters):
        raise TypeError(f"The job {name!r} must also take {', '.join(sorted(missing))}.")
    if kind is JobKind.DATABASE and "claim" in parameters:
        raise TypeError(f"The job {name!r} is DATABASE: its transaction is its claim.")


def _same(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    # A module imported twice (autoreload) registers its functions again.
    return (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)
