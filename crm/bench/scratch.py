"""A database, a worker and a dispatcher of the benchmark's own; gone when it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from common.jobs import QUEUES

NAME = "millstream_bench"
PROCESSES = (
    ("celery", "-A", "config", "worker", "-Q", ",".join(QUEUES),
     "--concurrency", "2", "--without-gossip", "--without-mingle", "-l", "ERROR"),
    ("django", "run_dispatcher"),
)  # fmt: skip


def manage(environment: dict[str, str], *arguments: str) -> None:
    """Run a management command in the scratch database; raise CalledProcessError."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
    subprocess.run(command, check=True, env=environment)  # noqa: S603 - our own command


def manage_read(environment: dict[str, str], *arguments: str) -> str:
    """The same, and what it printed."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
    done = subprocess.run(  # noqa: S603 - our own command
        command, check=True, env=environment, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


@contextmanager
def database(name: str = NAME) -> Iterator[dict[str, str]]:
    """Create and migrate a scratch database; yield the environment that points to it."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
    parts = urlsplit(os.environ["DATABASE_URL"])
    environment = {
        **os.environ,
        "DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}")),
        "REDIS_URL": _other_redis(os.environ["REDIS_URL"]),
        "LOG_LEVEL": "WARNING",
    }
    try:
        manage(environment, "migrate", "--verbosity", "0")
        # Pages are measured too, and a clone that nobody has run yet has none of their files.
        manage(environment, "collectstatic", "--no-input", "--verbosity", "0")
        yield environment
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _other_redis(url: str) -> str:
    """Another logical database of the same Redis."""
    if url.startswith("unix://"):
        return url.partition("?")[0] + "?db=14"
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path="/14"))


@contextmanager
def processes(environment: dict[str, str]) -> Iterator[None]:
    """A worker of two children and a dispatcher, as `make run` has them."""
    running = []
    try:
        for program, *arguments in PROCESSES:
            head = (
                ["-m", "celery"] if program == "celery" else [str(settings.BASE_DIR / "manage.py")]
            )
            command = [sys.executable, *head, *arguments]
            running.append(subprocess.Popen(command, env=environment))  # noqa: S603
        yield
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
