"""One migrated database that the processes of a parallel run copy.

    python -m tests.template NAME MARK

Migrating takes a process of the tests longer than to collect them, and all do it at the same time;
copying takes a moment. The first process (the one that tests nothing) starts this beside them; the
others wait for the file MARK. Where it could not be made, each migrates its own as before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql.creation import DatabaseCreation
from psycopg import sql

from tests import databases
from tools.paths import ROOT

PATIENCE_SECONDS = 300
READY, FAILED = "ready", "failed"


class Template:
    """The template as the first process sees it: started, told to the others, dropped."""

    def __init__(self, mark: Path, environment: dict[str, str]) -> None:
        self.name = f"{settings.DATABASES['default']['TEST']['NAME']}_template"
        self.mark = mark
        command = [sys.executable, "-m", "tests.template", self.name, str(mark)]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment)

    def drop(self) -> None:
        """Leave neither process nor database behind."""
        self._process.terminate()
        self._process.wait()
        with _server() as connection:
            databases.drop_with_connections(connection.cursor(), self.name)


def copying(name: str, mark: Path, otherwise: Callable[..., str]) -> Callable[..., str]:
    """A ``create_test_db`` that copies the template; where there is none, it works as before."""

    def create(creation: Any, *arguments: Any, **options: Any) -> str:
        if options.get("keepdb") or not _is_ready(mark):
            return otherwise(creation, *arguments, **options)
        database: str = creation._get_test_db_name()
        into, source = sql.Identifier(database), sql.Identifier(name)
        with _server() as connection:
            databases.drop_with_connections(connection.cursor(), database)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(into, source))
        creation.connection.close()
        settings.DATABASES[creation.connection.alias]["NAME"] = database
        creation.connection.settings_dict["NAME"] = database
        creation.connection.ensure_connection()
        return database

    return create


def _is_ready(mark: Path) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if mark.exists() and (said := mark.read_text()):
            return said == READY
        time.sleep(0.1)
    return False


def _server() -> psycopg.Connection[Any]:
    """A connection to the server, at no database of ours."""
    known: dict[str, Any] = settings.DATABASES["default"]
    return psycopg.connect(
        dbname="postgres",
        user=known["USER"] or None,
        password=known["PASSWORD"] or None,
        host=known["HOST"] or None,
        port=known["PORT"] or None,
        autocommit=True,
    )


def main(name: str, mark: Path) -> None:
    """Make the template, then write whether that went well."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connection

    said = FAILED
    try:
        connection.settings_dict["TEST"]["NAME"] = name
        DatabaseCreation(connection).create_test_db(verbosity=0, autoclobber=True)
        # A template with somebody in it cannot be copied.
        connection.close()
        said = READY
    finally:
        mark.write_text(said)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
