"""The whole chain as processes: web, worker and dispatcher on the test database, over HTTP.

``tests/flows`` tells stories with it, ``tests/faults`` kills parts of it.
"""

import json
import socket
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from common.enums import JobState
from common.jobs import claims
from common.models import Heartbeat, Job
from tests.faults.live import LiveProcess, LiveRedis, wait_until

# Quick plans: the stories are about the chain, not about the last percent of a schedule; and who
# waits until all is settled does not wait for half a minute of quiet.
QUICK = {
    "SOLVE_SECONDS": "3",
    "REPLAN_DEBOUNCE_SECONDS": "0.5",
    "MRP_LOOK_SECONDS": "0.5",
    "MRP_QUIET_SECONDS": "1",
    "MRP_PAUSE_SECONDS": "5",
}
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Answer:
    """Status, body and headers of an API call."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    @property
    def sentence(self) -> str:
        """What a refusal says."""
        return str(self.body["detail"])


class Api:
    """A program with a user's token, made by ``manage.py create_token``."""

    def __init__(self, base: str, username: str) -> None:
        self.base = base
        self.token = _token(username)

    def get(self, path: str) -> Answer:
        return self._send(urllib.request.Request(self._url(path), headers=self._headers()))  # noqa: S310

    def post(self, path: str, body: object = None, *, key: str | None = None) -> Answer:
        """POST with an idempotency key: a new one, or the given."""
        headers = self._headers() | {"Idempotency-Key": key or str(uuid.uuid4())}
        data = json.dumps({} if body is None else body).encode()
        return self._send(urllib.request.Request(self._url(path), data, headers, method="POST"))  # noqa: S310

    def ok(self, path: str, body: object = None, *, key: str | None = None) -> Answer:
        """POST that must succeed."""
        answer = self.post(path, body, key=key)
        assert answer.status in (200, 201), (path, body, answer.status, answer.body)
        return answer

    def _url(self, path: str) -> str:
        return f"{self.base}/api/v1/{path}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}

    @staticmethod
    def _send(request: urllib.request.Request) -> Answer:
        try:
            with _DIRECT.open(request, timeout=60) as response:
                return Answer(response.status, json.load(response), dict(response.headers))
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                body = json.loads(text)
            except ValueError:
                body = text.decode(errors="replace")[:2000]
            return Answer(error.code, body, dict(error.headers))


def _token(username: str) -> str:
    import io

    out = io.StringIO()
    call_command("create_token", username, stdout=out)
    return out.getvalue().strip()


@dataclass
class Chain:
    """The running processes; ``api(username)`` calls the web server."""

    base: str
    web: LiveProcess
    worker: LiveProcess
    dispatcher: LiveProcess
    redis: LiveRedis

    def api(self, username: str) -> Api:
        return Api(self.base, username)


class Settled:
    """Whether every job has ended that is not meant for later, such as an escalation."""

    def __call__(self) -> bool:
        waiting = Job.objects.exclude(state__in=JobState.finished())
        later = timezone.now() + timedelta(seconds=60)
        return not waiting.exclude(attempt=0, run_at__gt=later).exists()


def settle(seconds: float = 120) -> None:
    """Wait until no job waits or runs, and none has died."""
    try:
        wait_until(Settled(), seconds)
    except AssertionError:
        rows = Job.objects.exclude(state__in=JobState.finished())
        left = rows.values_list("name", "state", "attempt", "group_key", "last_error")
        raise AssertionError(f"Jobs that did not end within {seconds} s: {list(left)}") from None
    dead = Job.objects.filter(state=JobState.DEAD).values_list("name", "last_error")
    assert not dead, list(dead)


def quiet() -> None:
    """Let nothing start any more and wait for what runs, so that the tables can be emptied."""

    def nothing_runs() -> bool:
        # A killed worker's job still counts as running where no dispatcher lives.
        claims.take_back_lost(now=timezone.now())
        Job.objects.filter(state=JobState.QUEUED).update(state=JobState.CANCELLED)
        return not Job.objects.filter(state=JobState.RUNNING).exists()

    wait_until(nothing_runs, 60)


def free_port() -> int:
    """A TCP port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _command(*words: str) -> list[str]:
    return [*words, "--without-gossip", "--without-mingle"]


# Of a module: the tests of the ledger have a worker and controls of their own.
@pytest.fixture(scope="module")
def _chain_web(
    django_db_setup: None, _redis_process: LiveRedis, live_folder: Path
) -> Iterator[tuple[LiveProcess, str]]:
    port = free_port()
    command = ["-m", "gunicorn", "--config", "config/gunicorn.py", "config.wsgi"]
    web = LiveProcess("web", command, "Booting worker", live_folder, _redis_process.url)
    web.environment |= {"PORT": str(port), "HOST": "127.0.0.1", **QUICK}
    yield web, f"http://127.0.0.1:{port}"
    web.kill()


@pytest.fixture(scope="module")
def _chain_worker(
    django_db_setup: None, _redis_process: LiveRedis, live_folder: Path
) -> Iterator[LiveProcess]:
    command = _command(
        *("-m", "celery", "-A", "config", "worker", "--concurrency", "2"),
        *("--queues", "default,solver,planning,documents,integration", "--loglevel", "info"),
    )
    worker = LiveProcess("chain-worker", command, " ready.", live_folder, _redis_process.url)
    worker.environment |= QUICK
    yield worker
    worker.kill()


@pytest.fixture(scope="module")
def _chain_dispatcher(
    django_db_setup: None,
    django_db_blocker: Any,
    _redis_process: LiveRedis,
    live_folder: Path,
) -> Iterator[LiveProcess]:
    command = ["manage.py", "run_dispatcher"]
    url = _redis_process.url
    process = LiveProcess("chain-dispatcher", command, "Dispatching.", live_folder, url)
    process.environment |= QUICK
    yield process
    process.kill()
    # It outlived the last test and wrote into the emptied tables: nothing of the next tests'.
    with django_db_blocker.unblock():
        Heartbeat.objects.all().delete()
        Job.objects.all().delete()
        connections.close_all()


@pytest.fixture
def chain(
    transactional_db: None,
    live_redis: LiveRedis,
    _worker_process: LiveProcess,
    _chain_worker: LiveProcess,
    _chain_dispatcher: LiveProcess,
    _chain_web: tuple[LiveProcess, str],
) -> Iterator[Chain]:
    """Web, worker and dispatcher, as ``make run`` starts them, on an empty database.

    They live on between tests, because they take seconds to start; a test may kill them.
    """
    # The worker of the ledger's own tests would take jobs with other settings.
    _worker_process.kill()
    web, base = _chain_web
    for process in (_chain_worker, _chain_dispatcher, web):
        if not process.is_alive():
            process.start()
    wait_until(lambda: _answers(base), 60)
    yield Chain(base, web, _chain_worker, _chain_dispatcher, live_redis)
    quiet()
    connections.close_all()


def _answers(base: str) -> bool:
    try:
        with _DIRECT.open(f"{base}/api/v1/sales-orders/", timeout=30):
            return True
    except urllib.error.HTTPError as error:
        return error.code == 401
    except OSError:
        return False
