"""PostgreSQL and Redis of this checkout, for whoever has no server of their own.

    python -m tools.services start|stop|status|env

`start` leaves both running in the background until `stop`, and writes `var/dev.env` for
`set -a; . var/dev.env; set +a`. Nothing is started for which DATABASE_URL or REDIS_URL is given.
Whoever needs them for a while only (`tools.run`, `tools.with_services`) uses `borrowed()`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools import errors, interrupts, postgres, redis, service_user
from tools.errors import CannotGoOn
from tools.paths import var_dir
from tools.postgres import Postgres
from tools.redis import Redis
from tools.service_user import ServiceUser

SOCKET_PATH_LIMIT = 107  # bytes, of the kernel
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"


class Services:
    """The embedded servers of one `var/` directory, and who uses them.

    Two locks, both released by the kernel if their holder is killed: `services.lock` is held while
    starting or stopping; every borrower shares `users.lock`, so that the last one to leave can tell
    that it is the last. The file `keep` says that somebody asked for the servers to stay.
    """

    def __init__(self, var: Path) -> None:
        self.var = var
        self.keep = var / "services.keep"
        self.env_file = var / "dev.env"
        user = service_user.current()
        sockets = _socket_dir(var)
        self.sockets = sockets
        self.user: ServiceUser = user
        self.postgres = (
            None
            if os.environ.get("DATABASE_URL")
            else Postgres(var / "postgres", sockets, var / "log" / "postgres.log", user)
        )
        self.redis = (
            None
            if os.environ.get("REDIS_URL")
            else Redis(var / "redis", sockets / "redis.sock", var / "log" / "redis.log", user)
        )

    def environment(self) -> dict[str, str]:
        """DATABASE_URL and REDIS_URL, as given or of the embedded servers."""
        return {
            "DATABASE_URL": self.postgres.url if self.postgres else os.environ["DATABASE_URL"],
            "REDIS_URL": self.redis.url if self.redis else os.environ["REDIS_URL"],
        }

    def start(self) -> None:
        """Start what is not running and check what was given; raise CannotGoOn with the reason."""
        self.var.mkdir(parents=True, exist_ok=True)
        with self._locked("services.lock", fcntl.LOCK_EX), interrupts.deferred():
            if self.postgres or self.redis:
                _own_sockets(self.user, self.sockets)
            if self.postgres is None:
                postgres.check_reachable(os.environ["DATABASE_URL"])
            elif not self.postgres.is_running():
                self.postgres.start()
            if self.redis is None:
                redis.check_reachable(os.environ["REDIS_URL"])
            elif not self.redis.is_running():
                self.redis.start()

    def stop(self) -> None:
        """Stop the embedded servers that run."""
        with self._locked("services.lock", fcntl.LOCK_EX), interrupts.deferred():
            for server in (self.redis, self.postgres):
                if server is not None and server.is_running():
                    server.stop()

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[dict[str, str]]:
        """Run the servers for the length of a block and yield their environment.

        The last borrower stops them, unless `tools.services start` asked for them to stay.
        """
        self.var.mkdir(parents=True, exist_ok=True)
        try:
            with self._locked("users.lock", fcntl.LOCK_SH):
                self.start()
                yield self.environment()
        finally:
            if not self.keep.exists():
                alone = self._locked("users.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
                with contextlib.suppress(BlockingIOError), alone:
                    self.stop()

    @contextlib.contextmanager
    def alone(self, otherwise: str) -> Iterator[None]:
        """Be the only `make run` or `make demo-reset` on this data, or raise `otherwise`."""
        self.var.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._locked("run.lock", fcntl.LOCK_EX | fcntl.LOCK_NB))
            except BlockingIOError:
                raise CannotGoOn(otherwise) from None
            yield

    @contextlib.contextmanager
    def _locked(self, name: str, operation: int) -> Iterator[None]:
        with (self.var / name).open("w") as file:
            fcntl.flock(file, operation)
            yield


def _socket_dir(var: Path) -> Path:
    """`var/run`, or a short folder of this checkout's own where that path is too long."""
    inside = var / "run"
    if len(os.fsencode(inside / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
        return inside
    name = hashlib.sha256(os.fsencode(var)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"millstream-{name}"


def _own_sockets(user: ServiceUser, sockets: Path) -> None:
    """Make the folder of the sockets private; refuse one that somebody else has put there."""
    uid = os.geteuid() if user.uid is None else user.uid
    if sockets.is_symlink() or (
        sockets.exists() and sockets.stat().st_uid not in (uid, os.geteuid())
    ):
        raise CannotGoOn(f"{sockets} belongs to somebody else: remove it and run again.")
    service_user.make_reachable(user, sockets)
    user.own(sockets)


def _print_environment(services: Services) -> str:
    return "".join(f"export {name}='{value}'\n" for name, value in services.environment().items())


def main() -> int:
    """Run the command line."""
    command = sys.argv[1] if len(sys.argv) == 2 else ""
    services = Services(var_dir())
    if command == "start":
        services.start()
        services.keep.touch()
        services.env_file.write_text(_print_environment(services))
        print(_print_environment(services), end="")
    elif command == "stop":
        services.keep.unlink(missing_ok=True)
        services.env_file.unlink(missing_ok=True)
        if services.var.exists():
            services.stop()
    elif command == "env":
        print(_print_environment(services), end="")
    elif command == "status":
        return _status(services)
    else:
        print(__doc__)
        return 2
    return 0


def _status(services: Services) -> int:
    code = 0
    for name, server in (("PostgreSQL", services.postgres), ("Redis", services.redis)):
        if server is None:
            print(f"{name}: given by the environment")
        elif server.is_running():
            print(f"{name}: running, {server.url}")
        else:
            print(f"{name}: stopped")
            code = 3
    return code


if __name__ == "__main__":
    errors.run_main(main)
