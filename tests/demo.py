"""The demo factory for tests that commit: told once in a run of the tests, copied from then on.

Telling its story takes some seconds of computing; reading its rows back takes a tenth of one.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from aps.services import live
from crm.demo import loading
from tests.databases import empty, filled_tables

SEQUENCES = "sequences.json"
# What a running dispatcher writes by itself is not the factory's: each writes its own.
OURS = {
    "common_heartbeat": "false",
    "common_job": "key NOT LIKE 'clean-up:%'",
    # The database chains the events again as they are read.
    "traceability_seal": "false",
    "common_jobattempt": "job_id IN (SELECT id FROM common_job WHERE key NOT LIKE 'clean-up:%')",
}


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class DemoFactory:
    """The copy that the processes of one run of the tests share."""

    folder: Path

    def load(self, settle: Callable[[], None] = _nothing) -> None:
        """Fill the empty database with the demo factory of today, as it was some minutes ago.

        ``settle`` waits for the processes that run beside this one, which take part in loading.
        """
        now = timezone.now()
        copy = self.folder / f"demo-{now:%Y-%m-%d}"
        with self._alone():
            # What tells how numbers go on is written last.
            if not (copy / SEQUENCES).exists():
                loading.load(now=now)
                settle()
                _write(copy)
                return
        # A database that no test has emptied yet holds what migrations put there, as the copy does.
        empty(connection)
        _read(copy)
        settle()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "demo.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _write(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with transaction.atomic(), connection.cursor() as cursor:
        for table in filled_tables(connection):
            which = OURS.get(table, "true")
            ours = f'SELECT {_columns(cursor, table)} FROM "{table}" WHERE {which}'
            with (
                (folder / f"{table}.rows").open("wb") as file,
                cursor.copy(f"COPY ({ours}) TO STDOUT (FORMAT binary)") as rows,
            ):
                for part in rows:
                    file.write(part)
        cursor.execute(
            "SELECT sequencename, last_value FROM pg_sequences"
            " WHERE schemaname = 'public' AND last_value IS NOT NULL"
        )
        (folder / SEQUENCES).write_text(json.dumps(dict(cursor.fetchall())))


def _read(folder: Path) -> None:
    # Foreign keys are checked when the transaction ends: the order of the tables does not matter.
    with transaction.atomic(), connection.cursor() as cursor:
        for file in folder.glob("*.rows"):
            table = file.stem
            if table in OURS:
                # A dispatcher may have taken a number already: its row stays.
                cursor.execute(f'CREATE TEMP TABLE rows_read (LIKE "{table}") ON COMMIT DROP')
                _copy_into(cursor, "rows_read", file)
                cursor.execute(
                    f'INSERT INTO "{table}" SELECT * FROM rows_read ON CONFLICT DO NOTHING'
                )
                cursor.execute("DROP TABLE rows_read")
            else:
                _copy_into(cursor, table, file)
        # Never back: what an earlier test used up is not given again.
        for name, last in json.loads((folder / SEQUENCES).read_text()).items():
            cursor.execute(
                f'SELECT setval(%s::regclass, greatest(%s, last_value)) FROM "{name}"', [name, last]
            )
    live.forget()


def _columns(cursor: CursorWrapper, table: str) -> str:
    """The columns that are written; what the database computes by itself is left out."""
    cursor.execute(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        [f'"{table}"'],
    )
    return str(cursor.fetchone()[0])


def _copy_into(cursor: CursorWrapper, table: str, file: Path) -> None:
    with cursor.copy(f'COPY "{table}" FROM STDIN (FORMAT binary)') as rows:
        rows.write(file.read_bytes())
