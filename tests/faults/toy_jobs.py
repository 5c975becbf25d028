"""Jobs for the tests of the ledger; a worker gets them by ``--include tests.faults.toy_jobs``.

Their effect is an Event row of the topic "toy.effect": how often it is there is what counts.
"""

import os
import signal
import time
from datetime import datetime
from pathlib import Path

from django.db import connection

from common.jobs import Claim, JobKind, register
from common.models import Event, User

TOPIC = "toy.effect"


def effects() -> list[int]:
    """The numbers of all effects so far, in order of their time."""
    rows = Event.objects.filter(topic=TOPIC).order_by("at")
    return [payload["n"] for payload in rows.values_list("payload", flat=True)]


def _write(n: int, by: User | None, now: datetime) -> None:
    Event.objects.create(topic=TOPIC, payload={"n": n}, actor=by, at=now)


@register("toy.write", kind=JobKind.DATABASE)
def write(*, n: int, by: User | None, now: datetime) -> None:
    """Leave one effect."""
    _write(n, by, now)


@register("toy.write_slowly", kind=JobKind.DATABASE)
def write_slowly(*, n: int, milliseconds: int, by: User | None, now: datetime) -> None:
    """Leave one effect and stay in the transaction for a while."""
    _write(n, by, now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [milliseconds / 1000])


@register("toy.write_and_fail", kind=JobKind.DATABASE, max_attempts=3)
def write_and_fail(*, n: int, by: User | None, now: datetime) -> None:
    """Leave an effect that must be rolled back."""
    _write(n, by, now)
    raise RuntimeError("The toy is broken.")


@register("toy.write_once_mended", kind=JobKind.DATABASE)
def write_once_mended(*, n: int, path: str, by: User | None, now: datetime) -> None:
    """Fail as long as the file is there."""
    _write(n, by, now)
    if Path(path).exists():
        raise RuntimeError("The toy is broken.")


@register("toy.die", kind=JobKind.DATABASE, max_attempts=3)
def die(*, n: int, by: User | None, now: datetime) -> None:
    """Kill the process that runs this, each time."""
    _write(n, by, now)
    os.kill(os.getpid(), signal.SIGKILL)


@register("toy.compute", kind=JobKind.LONG, lease_seconds=3)
def compute(*, n: int, milliseconds: int, by: User | None, now: datetime, claim: Claim) -> None:
    """Take a while with no transaction open, then leave one effect."""
    assert not connection.in_atomic_block
    time.sleep(milliseconds / 1000)
    with claim.finish(now=now):
        _write(n, by, now)


@register("toy.compute_unseen", kind=JobKind.LONG, lease_seconds=3600)
def compute_unseen(
    *, n: int, milliseconds: int, by: User | None, now: datetime, claim: Claim
) -> None:
    """The same, with a lease that no test outlives."""
    compute(n=n, milliseconds=milliseconds, by=by, now=now, claim=claim)


@register("toy.write_apart", kind=JobKind.LONG, lease_seconds=3)
def write_apart(*, n: int, milliseconds: int, by: User | None, now: datetime, claim: Claim) -> None:
    """What nobody should do: the effect commits by itself, `done` only a while later."""
    _write(n, by, now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [milliseconds / 1000])


@register("toy.tell", kind=JobKind.OUTSIDE, queue="integration", lease_seconds=3)
def tell(*, path: str, by: User | None, now: datetime, claim: Claim) -> None:
    """Write the job's id, the idempotency key, to a file: an effect outside the database."""
    with Path(path).open("a") as file:
        file.write(f"{claim.job_id}\n")
