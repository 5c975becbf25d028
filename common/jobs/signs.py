"""A sign of life that ends with its process: an advisory lock on a connection of its own.

A long job is silent while it computes, so its lease has to be long. PostgreSQL lets go of the lock
at the moment the worker dies, so nobody waits for that lease (docs/adr/0001-job-ledger.md).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection

from common.alone import connect_alone

_KEY = "hashtextextended(format('job:%%s:%%s', %s::bigint, %s::integer), 0)"


@contextmanager
def of_life(job_id: int, attempt: int) -> Iterator[None]:
    """Give the sign for this attempt as long as the block runs.

    By a transaction, as behind a pooler a session's lock would be another one's; it has no snapshot
    and keeps nothing from being vacuumed.
    """
    with connect_alone() as alone, alone.transaction():
        alone.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        alone.execute(f"SELECT pg_advisory_xact_lock({_KEY})", [job_id, attempt])
        yield


def missing(attempts: Iterable[tuple[int, int]]) -> set[int]:
    """The jobs, of pairs of job and attempt, that give no sign. Call it in a transaction."""
    found = set()
    with connection.cursor() as cursor:
        for job_id, attempt in attempts:
            cursor.execute(f"SELECT pg_try_advisory_xact_lock({_KEY})", [job_id, attempt])
            if cursor.fetchone() == (True,):
                found.add(job_id)
    return found
