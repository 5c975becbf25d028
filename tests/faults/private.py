"""A PostgreSQL of a test's own, with the schema of the test database: it may be killed."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, connections

from tests.faults.live import wait_until
from tools import postgres, processes, service_user
from tools.postgres import Postgres


@dataclass(frozen=True)
class PrivatePostgres:
    """A cluster in a folder; ``kill`` ends it as a power cut of its machine would."""

    server: Postgres

    @property
    def url(self) -> str:
        """What to put in DATABASE_URL."""
        return self.server.url

    def start(self) -> None:
        """Start it; what was committed is there again."""
        self.server.start()

    def stop(self) -> None:
        """An orderly end."""
        self.server.stop()

    def kill(self) -> None:
        """SIGKILL the server and all processes of its connections."""
        pid = int((self.server.data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGSTOP)  # It must not notice, and tell its children to end.
        family = [pid, *_children(pid)]
        for one in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        wait_until(lambda: not any(processes.is_alive(one) for one in family))

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Within it, this process's models are those of this server."""
        usual = connections["default"]
        place = {"NAME": postgres.NAME, "USER": postgres.NAME, "PASSWORD": ""}
        place |= {"HOST": str(self.server.sockets), "PORT": ""}
        mine = type(usual)({**usual.settings_dict, **place}, "default")
        connections["default"] = mine
        try:
            yield
        finally:
            mine.close()
            connections["default"] = usual


def make(folder: Path) -> PrivatePostgres:
    """Make and start a server whose database is a copy of the test database."""
    private = PrivatePostgres(
        Postgres(
            data=folder / "pg",
            sockets=folder / "pg-socket",
            log=folder / "pg-log" / "postgres.log",
            user=service_user.current(),
        )
    )
    private.server.user.own(private.server.sockets)
    private.start()
    _copy_schema(private)
    return private


def _copy_schema(private: PrivatePostgres) -> None:
    usual = connection.settings_dict
    programs = postgres._programs()
    source = [programs / "pg_dump", "--no-owner", "--username", usual["USER"]]
    source += ["--host", usual["HOST"], "--dbname", usual["NAME"]]
    source += ["--port", str(usual["PORT"])] if usual["PORT"] else []
    target = [programs / "psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--username", postgres.NAME]
    target += ["--host", private.server.sockets, "--dbname", postgres.NAME]
    dumped = subprocess.run(
        [str(word) for word in source],
        env={**os.environ, "PGPASSWORD": usual["PASSWORD"]},
        capture_output=True,
        check=True,
    )
    command = [str(word) for word in target]
    subprocess.run(command, input=dumped.stdout, check=True, capture_output=True)


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
