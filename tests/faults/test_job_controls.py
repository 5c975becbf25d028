"""Several dispatchers at once, and the controls of the ledger's guards that need no worker of ours.

Each control takes one guard away and sees the failure that it keeps off.
"""

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone

from common.enums import AttemptOutcome, JobState
from common.jobs import Request, claims, dispatcher, enqueue, enqueue_many, runner, wakeups
from common.models import Job, JobAttempt
from tests.faults.live import LiveProcess, LiveRedis, stays_false, wait_until
from tests.faults.test_job_faults import (
    COUNT,
    _ask_slow,
    _assert_each_once,
    _in_parallel,
    _running,
    _settled,
    _terminate_other_backends,
)
from tests.faults.toy_jobs import effects

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


class Crash(BaseException):
    """What SIGKILL is to a process."""


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wake-up leaves this process."""
    monkeypatch.setattr(wakeups, "send", lambda jobs: None)


# -- several dispatchers ----------------------------------------------------------------------


@pytest.fixture
def second_dispatcher(
    transactional_db: None, live_redis: LiveRedis, live_folder: Path
) -> Iterator[LiveProcess]:
    command = ["manage.py", "run_dispatcher"]
    process = LiveProcess("dispatcher-2", command, "Dispatching.", live_folder, live_redis.url)
    process.start()
    yield process
    process.kill()


@pytest.mark.worker
@pytest.mark.usefixtures("live_worker")
def test_with_two_dispatchers_nothing_runs_twice_and_one_may_die(
    live_dispatcher: LiveProcess, second_dispatcher: LiveProcess
) -> None:
    with transaction.atomic():
        requests = [
            Request("toy.write_slowly", key=f"k{n}", arguments={"n": n, "milliseconds": 30})
            for n in range(120)
        ]
        # Due, and nobody was told: the dispatchers have to wake them all.
        enqueue_many(requests, now=timezone.now())
        Job.objects.filter(name="toy.write_slowly").update(woken_at=None)
    wait_until(lambda: len(effects()) >= 40)
    second_dispatcher.kill()
    _assert_each_once(range(120))
    toys = JobAttempt.objects.filter(job__name="toy.write_slowly")
    assert toys.count() == 120, "each was begun once"
    assert Job.objects.filter(name=dispatcher.CLEAN_UP).count() <= 2, "once in an hour"
    assert live_dispatcher.is_alive()


@pytest.fixture
def told(quiet: None, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The jobs that dispatchers in this process send wake-ups for; nobody acts on them."""
    ids: list[int] = []

    def send_now(jobs: list[tuple[int, str]]) -> int:
        ids.extend(pk for pk, _queue in jobs)
        return len(jobs)

    monkeypatch.setattr(wakeups, "waiting", lambda queue: 0)
    monkeypatch.setattr(wakeups, "send_now", send_now)
    return ids


def _due(count: int) -> None:
    with transaction.atomic():
        requests = [Request("toy.write", key=f"k{n}", arguments={"n": n}) for n in range(count)]
        enqueue_many(requests, now=timezone.now())
        Job.objects.update(woken_at=None)


def test_of_two_dispatchers_at_once_each_wakes_what_the_other_does_not(told: list[int]) -> None:
    _due(200)
    _in_parallel(4, lambda: dispatcher.run_round(now=timezone.now()))
    assert Counter(told) == Counter(Job.objects.values_list("pk", flat=True))


def test_without_lock_and_mark_each_dispatcher_would_wake_everything(
    told: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    _due(200)

    def take(queue: str, now: Any, limit: int) -> list[int]:
        return list(dispatcher._asleep(queue, now).values_list("pk", flat=True)[:limit])

    monkeypatch.setattr(dispatcher, "_take", take)
    _in_parallel(2, lambda: dispatcher.run_round(now=timezone.now()))
    assert set(Counter(told).values()) == {2}


# -- cut connections --------------------------------------------------------------------------


@pytest.mark.worker
@pytest.mark.usefixtures("live_worker")
def test_without_the_dispatcher_cut_connections_leave_jobs_undone() -> None:
    """The control of nothing lost."""
    _ask_slow(range(COUNT), 100)
    wait_until(lambda: len(effects()) >= 2 and _running())
    assert _terminate_other_backends()
    assert stays_false(_settled, 10)
    assert len(effects()) < COUNT


@pytest.mark.worker
@pytest.mark.usefixtures("live_worker", "live_dispatcher")
def test_an_effect_that_commits_apart_from_done_is_doubled_by_a_cut_connection() -> None:
    """The control of nothing doubled: effect and `done` in one transaction is what keeps it off."""
    with transaction.atomic():
        enqueue("toy.write_apart", key="apart", now=timezone.now(), n=1, milliseconds=1500)
    wait_until(lambda: effects() == [1])
    assert _terminate_other_backends()
    wait_until(_settled)
    assert len(effects()) >= 2


# -- a job that kills its process -------------------------------------------------------------


@pytest.fixture
def poison(quiet: None, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job that ends its process; a worker of one thread in here stands for the process."""

    def crash(pid: int, signal: int) -> None:
        raise Crash

    monkeypatch.setattr(os, "kill", crash)
    with transaction.atomic():
        job = enqueue("toy.die", key="poison", now=timezone.now(), n=1)
    assert job is not None
    return job


def _try_five_times(job: Job, *, in_one_transaction: bool) -> None:
    now = timezone.now()
    for _round in range(5):
        now += timedelta(hours=1)
        whole = transaction.atomic() if in_one_transaction else contextlib.nullcontext()
        with contextlib.suppress(Crash), whole:
            runner.run_one(job.pk, now=now)
        claims.take_back_lost(now=now + timedelta(minutes=1))
    job.refresh_from_db()


def test_a_job_that_kills_its_process_is_counted_and_dies(poison: Job) -> None:
    _try_five_times(poison, in_one_transaction=False)
    assert (poison.state, poison.attempt) == (JobState.DEAD, 3)
    assert poison.attempts.filter(outcome=AttemptOutcome.LOST).count() == 3
    assert effects() == []


def test_without_the_announcement_it_would_kill_for_ever(poison: Job) -> None:
    """The control: claim and effect in one transaction, which the crash takes with it."""
    _try_five_times(poison, in_one_transaction=True)
    assert (poison.state, poison.attempt) == (JobState.QUEUED, 0)
    assert not poison.attempts.exists()


# -- the order of a group ---------------------------------------------------------------------


def _second_while_the_first_runs() -> bool:
    """Ask for two jobs of a group and begin the second while the first runs; whether it ran."""
    with transaction.atomic():
        requests = [
            Request(
                "toy.write_slowly",
                key=f"g:{n}",
                arguments={"n": n, "milliseconds": milliseconds},
                group_key="order:1",
            )
            for n, milliseconds in ((1, 1500), (2, 0))
        ]
        first, second = enqueue_many(requests, now=timezone.now())

    def run_first() -> None:
        try:
            runner.run_one(first.pk)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run_first)
    thread.start()
    wait_until(_running)
    ran = runner.run_one(second.pk)
    first.refresh_from_db()
    assert first.state == JobState.RUNNING, "the first was still under way"
    thread.join(30)
    return ran


@pytest.mark.usefixtures("quiet")
def test_the_second_of_a_group_waits_for_the_first() -> None:
    assert not _second_while_the_first_runs()
    assert effects() == [1]
    assert runner.run_due() == 1
    assert effects() == [1, 2]


@pytest.mark.usefixtures("quiet")
def test_without_the_look_at_the_group_the_second_overtakes_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control."""
    monkeypatch.setattr(claims, "_is_next", lambda job: True)
    assert _second_while_the_first_runs()
    in_order_of_end = JobAttempt.objects.order_by("ended_at").values_list("job__key", flat=True)
    assert list(in_order_of_end) == ["g:2", "g:1"]
