"""Wake-ups: the broker may be dead, deaf or slow; a request does not notice."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import transaction
from kombu.connection import Connection

from common.enums import JobState
from common.jobs import enqueue, wakeups
from common.models import Job
from config.celery import app
from tests.faults import toy_jobs  # noqa: F401 -- registers the jobs

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LONGEST_SECONDS = 0.2


@pytest.fixture(autouse=True)
def fresh_sender() -> Iterator[None]:
    """No pause and no connection left over from another test."""
    wakeups.reset()
    yield
    wakeups.flush(5)
    wakeups.reset()


@pytest.fixture(params=["nobody listens", "accepts and is silent", "socket file is missing"])
def dead_broker(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    """A broker that does not answer, in each of three ways."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        if request.param == "accepts and is silent":
            server.listen(20)
        elif request.param == "socket file is missing":
            url = f"redis+socket://{tmp_path}/none.sock?virtual_host=0"
        monkeypatch.setattr(wakeups, "connect", lambda: Connection(url))
        monkeypatch.setattr(wakeups, "BROKER_TIMEOUT_SECONDS", LONGEST_SECONDS)
        yield


def _request_seconds(n: int) -> float:
    started = time.monotonic()
    with transaction.atomic():
        enqueue("toy.write", key=f"k{n}", now=NOW, n=n)
    return time.monotonic() - started


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dead_broker")
def test_a_dead_broker_costs_a_request_nothing_and_loses_nothing() -> None:
    durations = [_request_seconds(n) for n in range(20)]
    assert max(durations) < LONGEST_SECONDS, durations
    assert Job.objects.filter(state=JobState.QUEUED).count() == 20
    assert wakeups.flush(5)
    assert wakeups.take_failures() == 20
    assert wakeups.waiting("default") is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("dead_broker", ["accepts and is silent"], indirect=True)
@pytest.mark.usefixtures("dead_broker")
def test_without_the_thread_a_silent_broker_would_hold_up_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control of the test above."""
    monkeypatch.setattr(wakeups, "send", wakeups.send_now)
    assert _request_seconds(1) >= LONGEST_SECONDS


@pytest.mark.usefixtures("dead_broker")
def test_after_a_failure_the_next_ones_are_skipped_cheaply(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wakeups.send_now([(1, "default")])
    started = time.monotonic()
    wakeups.send_now([(n, "default") for n in range(1000)])
    assert time.monotonic() - started < LONGEST_SECONDS
    assert wakeups.take_failures() == 1001


def test_after_the_pause_the_broker_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups, "PAUSE_SECONDS", 0)
    with monkeypatch.context() as patch:
        patch.setattr(wakeups, "connect", lambda: Connection("redis://127.0.0.1:1/0"))
        assert wakeups.send_now([(0, "integration")]) == 0
    wakeups._sender.producers = None
    assert wakeups.send_now([(0, "integration")]) == 1
    _purge()


def test_a_living_broker_takes_the_wakeup_and_counts_what_waits() -> None:
    before = wakeups.waiting("integration")
    assert before is not None
    wakeups.send([(0, "integration"), (0, "integration")])
    assert wakeups.flush(5)
    assert wakeups.waiting("integration") == before + 2
    assert wakeups.take_failures() == 0
    _purge()


def _purge() -> None:
    with app.connection_for_write() as connection:
        connection.default_channel.queue_purge("integration")
