"""The test databases are emptied quickly after tests that commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase
from psycopg.errors import DeadlockDetected

_ATTEMPTS = 4
# Django writes them after a migration, and after a flush anew.
KEPT = {"auth_permission", "django_content_type"}
# A trigger refuses to delete their rows; it is named for that (common/migrations/0002).
APPEND_ONLY = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%append_only'"


def filled_tables(connection: BaseDatabaseWrapper) -> list[str]:
    """The tables of models that hold a row; without what Django keeps about the models."""
    asked = [
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in _tables(connection)
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        return [name for (name,) in cursor.fetchall()]


def empty(connection: BaseDatabaseWrapper) -> None:
    """Leave no row of any model, as a flush does.

    A request that a closed page has left behind takes the tables in another order: it is let
    through, and this tries again.
    """
    for _attempt in range(_ATTEMPTS - 1):
        try:
            _empty(connection)
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
        else:
            return
    _empty(connection)


def _empty(connection: BaseDatabaseWrapper) -> None:
    """Empty the tables in one transaction.

    Only tables that hold something are touched, and they hold little: deleting takes some
    milliseconds, where TRUNCATE of every table takes a tenth of a second and a flush does the
    work after a migration again.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        # Waits for processes that still write, as TRUNCATE does.
        names = ", ".join(f'"{table}"' for table in _tables(connection))
        cursor.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(APPEND_ONLY)
        append_only = {name for (name,) in cursor.fetchall()}
        filled = filled_tables(connection)
        if rows := [f'"{table}"' for table in filled if table in append_only]:
            # With the tables that refer to them, which are emptied all the same.
            cursor.execute(f"TRUNCATE {', '.join(rows)} CASCADE")
        for table in filled:
            if table not in append_only:
                cursor.execute(f'DELETE FROM "{table}"')


def _tables(connection: BaseDatabaseWrapper) -> list[str]:
    return sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)


def drop(creation: Any, test_database_name: str, verbosity: int) -> None:
    """Drop a test database with whoever is still in it: a listener of a page that was closed."""
    with creation._nodb_cursor() as cursor:
        drop_with_connections(cursor, test_database_name)


def drop_with_connections(cursor: Any, name: str) -> None:
    """Send away those of our own role, then drop.

    WITH (FORCE) is refused where the server's vacuum is in the database, which nobody but its
    owner may end; a plain DROP sends that away itself, and waits for all of them some seconds.
    """
    cursor.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = %s AND usename = current_user AND pid <> pg_backend_pid()",
        [name],
    )
    quoted = '"' + name.replace('"', '""') + '"'
    cursor.execute(f"DROP DATABASE IF EXISTS {quoted}")


@contextmanager
def emptied_quickly() -> Iterator[None]:
    """Tests that commit leave an empty database by ``empty``, not by Django's flush."""

    def teardown(case: Any) -> None:
        for alias in case._databases_names(include_mirrors=False):
            empty(connections[alias])

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        yield
