"""Ask for work: insert job rows in the caller's transaction and wake a worker after commit."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import JSONField

from common.enums import JobState
from common.jobs import registry, wakeups
from common.models import Job, User

Argument = int | str

# A waiting job that is overdue by more than this is not joined any more (see _join_waiting).
JOINABLE_SECONDS = 5
# Of a large batch only so many are woken by the caller, who waits; the dispatcher wakes the rest.
MOST_WAKEUPS = 100


class NotInTransaction(Exception):
    """The row must commit together with what it asks to be done; open atomic() first."""


@dataclass(frozen=True)
class Request:
    """One wish for a job, as ``enqueue_many`` takes them; the fields are those of ``enqueue``."""

    name: str
    key: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    group_key: str = ""
    coalesce: bool = False
    run_at: datetime | None = None


def enqueue(
    name: str,
    *,
    key: str,
    now: datetime,
    by: User | None = None,
    group_key: str = "",
    coalesce: bool = False,
    run_at: datetime | None = None,
    **ids: Argument,
) -> Job | None:
    """Ask for the job ``name`` in the current transaction and return its row.

    Return None if ``key`` was asked for before, or, with ``coalesce``, if an equal job (same name
    and ``group_key``; the arguments must follow from these) is waiting and will do. The waiting
    job keeps its ``run_at``: a debounce that every wish pushed back might never end.

    Raise NotInTransaction outside ``atomic()``, UnknownJob for a name nobody registered.
    """
    request = Request(name, key, ids, group_key, coalesce, run_at)
    made = enqueue_many([request], now=now, by=by)
    return made[0] if made else None


def enqueue_many(
    requests: Sequence[Request], *, now: datetime, by: User | None = None
) -> list[Job]:
    """Ask for many jobs with one statement; return the rows that are new. Raises as ``enqueue``."""
    if not connection.in_atomic_block:
        raise NotInTransaction("A job is asked for inside transaction.atomic(), or it may be lost.")
    specs = [registry.find(request.name) for request in requests]
    rows: list[Job] = []
    wake: list[tuple[int, str]] = []
    for request, spec in zip(requests, specs, strict=True):
        if request.coalesce:
            waiting = _join_waiting(request, now)
            if waiting is not None:
                # Our lock may make a worker pass this row by: wake one after our commit.
                wake += [(waiting.pk, waiting.queue)] if waiting.run_at <= now else []
                continue
            made = _insert([_row(request, spec, now, by)])
            rows += made
    plain = [
        _row(request, spec, now, by)
        for request, spec in zip(requests, specs, strict=True)
        if not request.coalesce
    ]
    for row in plain[MOST_WAKEUPS:]:
        row.woken_at = None
    rows += _insert(plain)
    wake += [(row.pk, row.queue) for row in rows if row.woken_at is not None]
    if wake:
        transaction.on_commit(partial(wakeups.send, wake), robust=True)
    return rows


def reschedule(key: str, *, run_at: datetime) -> bool:
    """Let a job that nobody took yet run at another moment; whether there is one.

    The dispatcher wakes it, within a second of the moment.
    """
    waiting = Job.objects.filter(key=key, state=JobState.QUEUED, attempt=0)
    return bool(waiting.update(run_at=run_at, woken_at=None))


def _row(request: Request, spec: registry.JobSpec, now: datetime, by: User | None) -> Job:
    run_at = request.run_at or now
    # A coalescing job's key only has to be unique: who is equal is decided by name and group.
    suffix = f"#{uuid.uuid4().hex[:12]}" if request.coalesce else ""
    return Job(
        name=request.name,
        arguments=dict(request.arguments),
        key=request.key + suffix,
        group_key=request.group_key,
        coalesce=request.coalesce,
        queue=spec.queue,
        run_at=run_at,
        woken_at=now if run_at <= now else None,
        max_attempts=spec.max_attempts,
        actor=by,
        created_at=now,
    )


def _join_waiting(request: Request, now: datetime) -> Job | None:
    """The waiting job that will also do for this request, or None.

    The race: we see a waiting job, a worker claims it and reads the world before our change is
    committed; our wish would be lost. So we take the row FOR SHARE until our commit. A claim
    wants it FOR NO KEY UPDATE and passes a locked row by, so a job we joined starts after our
    commit and sees our change; and a row that a claim has locked is passed by here, and we ask
    for a new one. Those who join share the lock, and nobody waits for anybody: no deadlock.
    Two transactions may each insert a row without seeing the other's; the claim merges those.

    A stream of overlapping transactions could keep one row locked for ever: a row that is
    overdue is therefore left alone and soon free.
    """
    overdue = now - timedelta(seconds=JOINABLE_SECONDS)
    rows = Job.objects.raw(
        """
        SELECT * FROM common_job
        WHERE name = %s AND group_key = %s AND coalesce AND state = %s AND run_at > %s
        ORDER BY id LIMIT 1 FOR SHARE SKIP LOCKED
        """,
        [request.name, request.group_key, JobState.QUEUED, overdue],
    )
    return next(iter(rows), None)


_COLUMNS = (
    "name", "arguments", "key", "group_key", "coalesce", "queue", "state", "run_at", "woken_at",
    "attempt", "max_attempts", "last_error", "actor_id", "created_at",
)  # fmt: skip
_PLACES = f"({', '.join(['%s'] * len(_COLUMNS))})"
# bulk_create(ignore_conflicts=True) would not tell which rows are new.
_INSERT = f"INSERT INTO common_job ({', '.join(_COLUMNS)}) VALUES "  # noqa: S608 -- own names
_NEW_ONLY = " ON CONFLICT (key) DO NOTHING RETURNING id, key"


def _insert(jobs: list[Job]) -> list[Job]:
    """Insert the rows whose keys are new; set their ids and return them."""
    if not jobs:
        return []
    values = [_value(job, column) for job in jobs for column in _COLUMNS]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT + ", ".join([_PLACES] * len(jobs)) + _NEW_ONLY, values)
        ids = {key: pk for pk, key in cursor.fetchall()}
    made = []
    for job in jobs:
        pk = ids.pop(job.key, None)
        if pk is not None:
            job.pk = pk
            job._state.adding = False
            made.append(job)
    return made


def _value(job: Job, column: str) -> Any:
    value = getattr(job, column)
    return JSONField().get_db_prep_value(value, connection) if column == "arguments" else value
