"""Kill, empty, cut, repeat: nothing is lost and nothing is done twice, and nobody helps.

Every test has a control that takes the guard away and sees the failure.
"""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, connections, transaction
from django.db.models import QuerySet
from django.utils import timezone

from common.enums import AttemptOutcome, JobState
from common.jobs import Request, dispatcher, enqueue, enqueue_many, ledger, wakeups
from common.models import Heartbeat, Job, JobAttempt
from tests.faults.live import LiveProcess, LiveRedis, stays_false, wait_until
from tests.faults.toy_jobs import effects

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults, pytest.mark.worker]

COUNT = 40
# What a worker of Celery's says when it gives up.
ENDS = "Unrecoverable error"


def _ask_slow(numbers: range, milliseconds: int = 50) -> None:
    requests = [
        Request(
            "toy.write_slowly", key=f"slow:{n}", arguments={"n": n, "milliseconds": milliseconds}
        )
        for n in numbers
    ]
    with transaction.atomic():
        enqueue_many(requests, now=timezone.now())


def _running() -> int:
    return Job.objects.filter(state=JobState.RUNNING).count()


def _settled() -> bool:
    return not _wishes().exclude(state__in=JobState.finished()).exists()


def _wishes() -> QuerySet[Job]:
    """The jobs that these tests ask for; a dispatcher asks for others when its hour has come."""
    return Job.objects.filter(name__startswith="toy.")


def _assert_each_once(numbers: range) -> None:
    wait_until(_settled)
    assert Counter(effects()) == Counter(numbers)
    assert set(_wishes().values_list("state", flat=True)) == {JobState.DONE}


def test_work_is_done_through_the_broker_without_the_dispatcher(live_worker: LiveProcess) -> None:
    _ask_slow(range(5), 0)
    _assert_each_once(range(5))


@pytest.mark.usefixtures("live_dispatcher")
def test_a_worker_killed_in_the_midst_of_jobs_loses_and_doubles_nothing(
    live_worker: LiveProcess,
) -> None:
    _ask_slow(range(COUNT))
    wait_until(lambda: len(effects()) >= 3 and _running())
    live_worker.kill()
    while not _running():
        # The kill fell between two jobs: this one is to fall into one.
        live_worker.start()
        wait_until(_running)
        live_worker.kill()
    assert len(effects()) < COUNT
    live_worker.start()
    _assert_each_once(range(COUNT))
    assert JobAttempt.objects.filter(outcome=AttemptOutcome.LOST).exists()


@pytest.mark.usefixtures("live_dispatcher")
def test_killed_pool_children_lose_and_double_nothing(live_worker: LiveProcess) -> None:
    _ask_slow(range(COUNT))
    for seen in (3, 12, 20):
        wait_until(lambda seen=seen: len(effects()) >= seen and _running())  # type: ignore[misc]
        live_worker.kill_children()
    _assert_each_once(range(COUNT))


def test_without_the_dispatcher_a_killed_worker_leaves_its_job_undone(
    live_worker: LiveProcess,
) -> None:
    """The control: it is the dispatcher that takes a lost job back."""
    _ask_slow(range(1), 3000)
    wait_until(_running)
    live_worker.kill()
    live_worker.start()
    assert stays_false(_settled, 8)
    assert effects() == []


@pytest.mark.usefixtures("live_worker", "live_dispatcher")
def test_a_redis_emptied_again_and_again_loses_nothing(live_redis: LiveRedis) -> None:
    _ask_slow(range(COUNT))
    for seen in (2, 5, 9):
        wait_until(lambda seen=seen: len(effects()) >= seen)  # type: ignore[misc]
        live_redis.client.flushall()
    assert not _settled()
    _assert_each_once(range(COUNT))


@pytest.mark.usefixtures("live_worker")
def test_without_the_dispatcher_an_emptied_redis_loses_jobs(live_redis: LiveRedis) -> None:
    """The control."""
    _ask_slow(range(COUNT))
    wait_until(lambda: len(effects()) >= 2)
    live_redis.client.flushall()
    assert stays_false(_settled, 8)
    assert len(effects()) < COUNT


@pytest.mark.usefixtures("live_worker", "live_dispatcher")
def test_a_redis_killed_and_started_again_loses_nothing(live_redis: LiveRedis) -> None:
    _ask_slow(range(COUNT))
    wait_until(lambda: len(effects()) >= 2)
    live_redis.kill()
    _ask_slow(range(COUNT, COUNT + 5))
    live_redis.start()
    _assert_each_once(range(COUNT + 5))


def _lose_the_broker_during_a_job(worker: LiveProcess, broker: LiveRedis) -> None:
    """Its remote control notices first: a Redis that dies cuts all at once, and chance decides."""
    client = broker.client
    client.ping()
    _ask_slow(range(1), 1500)
    wait_until(_running)
    with broker.unreachable():
        assert client.client_kill_filter(_type="pubsub") == 1
        assert client.client_kill_filter(_type="normal", skipme=True)
        wait_until(lambda: "Cannot connect" in worker.text() or ENDS in worker.text())


def test_a_worker_that_loses_its_broker_while_it_runs_a_job_lives_on_and_listens_again(
    live_worker: LiveProcess, live_redis: LiveRedis
) -> None:
    _lose_the_broker_during_a_job(live_worker, live_redis)
    wait_until(_settled)
    assert live_worker.is_alive(), live_worker.text()[-2000:]
    _ask_slow(range(1, 3), 0)
    _assert_each_once(range(3))


@pytest.mark.usefixtures("no_worker")
def test_celerys_own_consumer_would_end_with_its_broker(
    live_worker_of: Callable[[str], LiveProcess], live_redis: LiveRedis
) -> None:
    """The control."""
    worker = live_worker_of("tests.faults.plain_celery")
    _lose_the_broker_during_a_job(worker, live_redis)
    assert ENDS in worker.text()


def _terminate_other_backends() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("live_worker")
def test_cut_database_connections_lose_and_double_nothing(live_dispatcher: LiveProcess) -> None:
    _ask_slow(range(COUNT))
    for seen in (2, 8, 14, 20):
        wait_until(lambda seen=seen: len(effects()) >= seen and _running())  # type: ignore[misc]
        assert _terminate_other_backends()
    _assert_each_once(range(COUNT))
    assert JobAttempt.objects.exclude(outcome=AttemptOutcome.DONE).exists()
    assert live_dispatcher.process is not None
    assert live_dispatcher.process.poll() is None


def _in_parallel(count: int, act: Callable[[], object]) -> list[object]:
    """What ``count`` threads with a connection of their own return, started together."""
    start = threading.Barrier(count)
    results: list[object] = []

    def run() -> None:
        try:
            start.wait(30)
            results.append(act())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def _ask_for_the_same() -> Job | None:
    with transaction.atomic():
        return enqueue("toy.write", key="convert:1:1", now=timezone.now(), n=1)


@pytest.mark.usefixtures("live_worker", "live_dispatcher")
def test_the_same_wish_twenty_times_in_parallel_is_done_once() -> None:
    made = _in_parallel(20, _ask_for_the_same)
    assert len(made) == 20
    assert sum(job is not None for job in made) == 1
    _assert_each_once(range(1, 2))


@pytest.mark.usefixtures("live_worker", "live_dispatcher")
def test_without_the_unique_key_the_wish_would_be_done_twenty_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: the key is taken out of the row that is inserted."""
    row = ledger._row

    def row_with_any_key(*arguments: object) -> Job:
        job = row(*arguments)  # type: ignore[arg-type]
        job.key += f":{threading.get_ident()}:{id(job)}"
        return job

    monkeypatch.setattr(ledger, "_row", row_with_any_key)
    _in_parallel(20, _ask_for_the_same)
    wait_until(_settled)
    assert effects() == [1] * 20


@pytest.mark.usefixtures("live_worker", "live_dispatcher")
def test_a_job_that_kills_its_process_each_time_ends_dead_and_others_go_on() -> None:
    with transaction.atomic():
        poison = enqueue("toy.die", key="poison", now=timezone.now(), n=99)
    _ask_slow(range(5), 0)
    assert poison is not None
    wait_until(_settled)
    poison.refresh_from_db()
    assert poison.state == JobState.DEAD
    assert poison.attempts.filter(outcome=AttemptOutcome.LOST).count() == 3
    assert sorted(effects()) == list(range(5))


@pytest.mark.usefixtures("live_dispatcher")
def test_a_long_job_on_a_killed_worker_is_computed_again_long_before_its_lease_ends(
    live_worker: LiveProcess,
) -> None:
    with transaction.atomic():
        job = enqueue("toy.compute_unseen", key="long", now=timezone.now(), n=1, milliseconds=1500)
    assert job is not None
    in_an_hour = timezone.now() + timedelta(minutes=50)
    wait_until(Job.objects.filter(pk=job.pk, lease_until__gt=in_an_hour).exists)
    live_worker.kill()
    live_worker.start()
    _assert_each_once(range(1, 2))
    outcomes = list(job.attempts.order_by("attempt").values_list("outcome", flat=True))
    assert outcomes == [AttemptOutcome.LOST, AttemptOutcome.DONE]


@pytest.mark.usefixtures("live_worker", "live_dispatcher")
def test_a_long_job_that_outlives_its_lease_is_discarded() -> None:
    # The lease is 3 s and the job silent for 5 s: each attempt loses its claim, none counts.
    with transaction.atomic():
        job = enqueue("toy.compute", key="long", now=timezone.now(), n=1, milliseconds=5000)
    assert job is not None
    wait_until(lambda: job.attempts.filter(outcome=AttemptOutcome.LOST).count() >= 2)
    assert effects() == []


@pytest.mark.usefixtures("live_worker", "live_dispatcher")
def test_debounced_and_failed_jobs_run_when_their_time_has_come(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.touch()
    now = timezone.now()
    with transaction.atomic():
        enqueue("toy.write", key="later", now=now, run_at=now + timedelta(seconds=2), n=1)
        enqueue("toy.write_once_mended", key="mended", now=now, n=2, path=str(broken))
    wait_until(lambda: JobAttempt.objects.filter(outcome=AttemptOutcome.FAILED).exists())
    broken.unlink()
    _assert_each_once(range(1, 3))
    later = Job.objects.get(key="later")
    assert later.done_at is not None
    assert later.done_at >= later.run_at


def test_a_group_keeps_its_order_with_two_children_at_work(
    live_worker: LiveProcess, live_dispatcher: LiveProcess
) -> None:
    requests = [
        Request(
            "toy.write_slowly",
            key=f"g:{n}",
            arguments={"n": n, "milliseconds": 5},
            group_key=f"order:{n % 3}",
        )
        for n in range(30)
    ]
    with transaction.atomic():
        enqueue_many(requests, now=timezone.now())
    _assert_each_once(range(30))
    for group in range(3):
        mine = [n for n in effects() if n % 3 == group]
        assert mine == sorted(mine)


def test_the_dispatcher_writes_its_heartbeat_and_ends_gracefully(
    live_dispatcher: LiveProcess, live_redis: LiveRedis
) -> None:
    wait_until(lambda: Heartbeat.objects.filter(name="dispatcher").exists())
    live_redis.kill()
    _ask_slow(range(2))
    wait_until(lambda: Heartbeat.objects.get(name="dispatcher").failures)
    live_redis.start()
    wait_until(lambda: not Heartbeat.objects.get(name="dispatcher").failures)
    assert live_dispatcher.terminate() == 0
    assert "Dispatcher stopped." in live_dispatcher.text()


def test_a_worker_that_is_asked_to_end_finishes_its_job_first(live_worker: LiveProcess) -> None:
    _ask_slow(range(1), 2000)
    wait_until(_running)
    assert live_worker.terminate() == 0
    assert effects() == [0]


@pytest.mark.usefixtures("no_worker", "live_dispatcher")
def test_the_dispatcher_does_not_flood_the_broker() -> None:
    # 1,000 jobs are due for a while and every one of them wants a wake-up.
    with transaction.atomic():
        requests = [Request("toy.write", key=f"k{n}", arguments={"n": n}) for n in range(1000)]
        enqueue_many(requests, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert wakeups.flush(5)
    most = dispatcher.LONGEST_QUEUE + ledger.MOST_WAKEUPS
    assert stays_false(lambda: (wakeups.waiting("default") or 0) > most, 8)
    assert (wakeups.waiting("default") or 0) >= dispatcher.LONGEST_QUEUE
