"""The connection pool after PostgreSQL has ended all its connections."""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.backends.postgresql.base import DatabaseWrapper as DjangoWrapper

from config.postgres.base import DatabaseWrapper

SIZE = 8
# How long a request may be held up where every connection in the pool is dead.
QUICK_SECONDS = 2.0

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def pooled(kind: type[DjangoWrapper], *, checks: bool) -> Iterator[DjangoWrapper]:
    """A wrapper whose pool holds dead connections only."""
    settings: dict[str, Any] = copy.deepcopy(connection.settings_dict)
    settings |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": checks}
    settings["OPTIONS"]["pool"] = {"min_size": SIZE, "max_size": SIZE, "timeout": 10}
    alias = f"pool-of-{kind.__module__}"
    wrappers = [kind(settings, alias) for _ in range(SIZE)]
    try:
        for wrapper in wrappers:
            wrapper.connect()
        pids = [wrapper.connection.info.backend_pid for wrapper in wrappers]
        for wrapper in wrappers:
            wrapper.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s) pid", [pids])
        yield wrappers[0]
    finally:
        for wrapper in wrappers:
            wrapper.close()
        wrappers[0].close_pool()


def _seconds_to_query(wrapper: DjangoWrapper) -> float:
    begin = time.monotonic()
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 1")
    return time.monotonic() - begin


def test_a_pool_of_dead_connections_serves_the_next_request_at_once() -> None:
    with pooled(DatabaseWrapper, checks=False) as wrapper:
        assert _seconds_to_query(wrapper) < QUICK_SECONDS


def test_the_control_psycopgs_own_check_makes_it_wait() -> None:
    with pooled(DjangoWrapper, checks=True) as wrapper:
        try:
            seconds = _seconds_to_query(wrapper)
        except OperationalError:
            return
        assert seconds > QUICK_SECONDS
