"""PostgreSQL itself is killed: what was committed stays, what was not is done again, once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone

from common.enums import AttemptOutcome, JobState
from common.jobs import Request, enqueue_many
from common.models import Event, Job, JobAttempt
from tests.faults import private
from tests.faults.live import QUEUES, LiveProcess, LiveRedis, wait_until
from tests.faults.private import PrivatePostgres
from tests.faults.toy_jobs import effects

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.faults,
    pytest.mark.worker,
    pytest.mark.slow,
]

COUNT = 30


@pytest.fixture
def server(transactional_db: None, live_folder: Path) -> Iterator[PrivatePostgres]:
    """A PostgreSQL of this test's own, which this process speaks to."""
    made = private.make(live_folder)
    with made.in_use():
        yield made
    made.stop()


@pytest.fixture
def factory(
    server: PrivatePostgres, no_worker: None, live_redis: LiveRedis, live_folder: Path
) -> Iterator[list[LiveProcess]]:
    """A worker and a dispatcher on that server."""
    celery = ["-m", "celery", "-A", "config", "worker", "--concurrency", "2", "--queues", QUEUES]
    celery += ["--loglevel", "info", "--without-gossip", "--without-mingle"]
    celery += ["--include", "tests.faults.toy_jobs"]
    made = [
        LiveProcess("private-worker", celery, " ready.", live_folder, live_redis.url),
        LiveProcess(
            "private-dispatcher",
            ["manage.py", "run_dispatcher"],
            "Dispatching.",
            live_folder,
            live_redis.url,
        ),
    ]
    for process in made:
        process.environment["DATABASE_URL"] = server.url
        process.start()
    yield made
    for process in made:
        process.kill()


def _in_a_slow_one() -> bool:
    slow = {"arguments__milliseconds": 2_000}
    return Job.objects.filter(state=JobState.RUNNING, **slow).exists()


def _settled() -> bool:
    return not Job.objects.exclude(state__in=JobState.finished()).exists()


def test_a_killed_database_keeps_what_was_done_and_the_rest_is_done_once(
    server: PrivatePostgres, factory: list[LiveProcess]
) -> None:
    with transaction.atomic():
        enqueue_many(
            [
                # After the first, ones that outlast any kill: it is to fall into one.
                Request(
                    "toy.write_slowly",
                    key=f"k{n}",
                    arguments={"n": n, "milliseconds": 2_000 if 3 <= n < 7 else 50},
                )
                for n in range(COUNT)
            ],
            now=timezone.now(),
        )
    wait_until(lambda: len(effects()) >= 3 and _in_a_slow_one())
    seen = effects()
    assert len(seen) < COUNT
    # Claims do not wait for the disk; the next commit that does brings them there.
    Event.objects.create(topic="toy.flush", payload={}, at=timezone.now())
    server.kill()
    connection.close()
    server.start()
    # Committed is committed.
    assert set(seen) <= set(effects())
    wait_until(_settled)
    assert Counter(effects()) == Counter(range(COUNT))
    # Besides those, the dispatcher asks for others when their hour has come.
    wishes = Job.objects.filter(name__startswith="toy.")
    assert set(wishes.values_list("state", flat=True)) == {JobState.DONE}
    assert JobAttempt.objects.exclude(outcome=AttemptOutcome.DONE).exists()
    # Nobody started them anew: they waited for it.
    assert all(process.is_alive() for process in factory)
