"""Equal waiting jobs are one, and no wish is lost: the races, with two real connections.

The effect of a job here is what it could see: the facts committed when it began.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections, transaction

from common.enums import JobState
from common.jobs import JobKind, claims, enqueue, ledger, register, run_due, runner, wakeups
from common.models import Event, Job, User

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


@register("toy.look", kind=JobKind.DATABASE)
def look(*, by: User | None, now: datetime) -> None:
    """Leave as effect how many wishes were visible."""
    seen = Event.objects.filter(topic="toy.wish").count()
    Event.objects.create(topic="toy.seen", payload={"n": seen}, at=now)


def seen() -> list[int]:
    """What each run saw."""
    payloads = Event.objects.filter(topic="toy.seen").values_list("payload", flat=True)
    return sorted(payload["n"] for payload in payloads)


def wish() -> Job | None:
    """A fact and the job it asks for; call it in a transaction."""
    Event.objects.create(topic="toy.wish", payload={}, at=NOW)
    return enqueue("toy.look", key="look", now=NOW, group_key="order:1", coalesce=True)


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups, "send", lambda jobs: None)


class Rival:
    """A transaction on a connection of its own that stays open until it is told to commit."""

    def __init__(self) -> None:
        self.acted = threading.Event()
        self.may_commit = threading.Event()
        self.result: object = None
        self.error: BaseException | None = None

    def run(self, act: Callable[[], object]) -> None:
        try:
            with transaction.atomic():
                self.result = act()
                self.acted.set()
                self.may_commit.wait(20)
        except BaseException as error:
            self.error = error
        finally:
            self.acted.set()
            connections.close_all()


@contextmanager
def open_transaction(act: Callable[[], object]) -> Iterator[Rival]:
    """Do ``act`` in another connection's transaction, which commits when the block ends."""
    rival = Rival()
    thread = threading.Thread(target=rival.run, args=[act])
    thread.start()
    assert rival.acted.wait(20)
    try:
        yield rival
    finally:
        rival.may_commit.set()
        thread.join(20)
    if rival.error is not None:
        raise rival.error


def test_a_job_that_an_open_transaction_joined_starts_after_its_commit() -> None:
    with transaction.atomic():
        job = wish()
    assert job is not None
    with open_transaction(wish) as rival:
        assert rival.result is None, "it joined the waiting job"
        assert run_due(now=NOW) == 0, "the claim passes the joined row by"
    assert run_due(now=NOW) == 1
    assert seen() == [2]


def test_without_the_shared_lock_the_joined_wish_would_be_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: joining without a lock."""

    def join_unlocked(request: ledger.Request, now: datetime) -> Job | None:
        return Job.objects.filter(name=request.name, state=JobState.QUEUED).first()

    monkeypatch.setattr(ledger, "_join_waiting", join_unlocked)
    with transaction.atomic():
        wish()
    with open_transaction(wish):
        assert run_due(now=NOW) == 1
    run_due(now=NOW)
    assert seen() == [1], "the second wish was never looked at"


def test_a_wish_while_the_job_is_being_claimed_asks_for_a_new_one() -> None:
    with transaction.atomic():
        job = wish()
    assert job is not None
    with open_transaction(lambda: claims._take_row(job.pk, NOW)), transaction.atomic():
        assert wish() is not None
    assert run_due(now=NOW) == 1
    assert seen() == [2]


def test_a_wish_while_the_job_runs_asks_for_a_new_one() -> None:
    with transaction.atomic():
        job = wish()
    assert job is not None
    taken = claims.claim(job.pk, worker="", now=NOW)
    assert taken is not None

    def run() -> None:
        with taken[1].finish(now=NOW):
            look(by=None, now=NOW)

    with open_transaction(run), transaction.atomic():
        assert wish() is not None
    assert run_due(now=NOW) == 1
    assert seen() == [1, 2]


def test_two_transactions_at_once_do_not_wait_for_each_other_and_their_jobs_merge() -> None:
    with open_transaction(wish) as rival, transaction.atomic():
        assert isinstance(rival.result, Job)
        assert wish() is not None, "it neither sees the other's row nor waits for it"
    assert Job.objects.filter(state=JobState.QUEUED).count() == 2
    assert run_due(now=NOW) == 1
    assert seen() == [2]
    first, second = Job.objects.order_by("pk")
    leader, merged = (first, second) if second.merged_into_id else (second, first)
    assert (leader.state, merged.state) == (JobState.DONE, JobState.DONE)
    assert merged.merged_into_id == leader.pk


def test_an_overdue_job_is_not_joined_so_that_a_stream_of_wishes_cannot_starve_it() -> None:
    with transaction.atomic():
        wish()
    Job.objects.update(run_at=NOW - timedelta(seconds=ledger.JOINABLE_SECONDS + 1))
    with transaction.atomic():
        assert wish() is not None
    assert run_due(now=NOW) == 1
    assert seen() == [2]


def test_a_failed_job_takes_the_wishes_that_came_meanwhile_along() -> None:
    with transaction.atomic():
        job = wish()
    assert job is not None
    taken = claims.claim(job.pk, worker="", now=NOW)
    assert taken is not None
    with transaction.atomic():
        wish()
    claims.record_failure(taken[1], error="broken", now=NOW)
    assert run_due(now=NOW) == 0, "the first of the group waits for its next attempt"
    later = NOW + timedelta(seconds=2)
    assert run_due(now=later) == 1
    assert seen() == [2]


def test_wishes_of_days_gone_by_are_done_together_and_say_so() -> None:
    """As the demo factory asks: one story, told in the past, every event at its own moment."""
    for day in range(5):
        with transaction.atomic():
            Event.objects.create(topic="toy.wish", payload={}, at=NOW)
            enqueue(
                "toy.look",
                key="look",
                now=NOW + timedelta(days=day),
                run_at=NOW + timedelta(days=day, seconds=2),
                group_key="order:1",
                coalesce=True,
            )
    run_due()
    assert seen() == [5]
    first, *merged = Job.objects.filter(name="toy.look").order_by("pk")
    assert first.attempt == 1
    assert {(job.state, job.attempt, job.merged_into_id) for job in merged} == {
        (JobState.DONE, 0, first.pk)
    }


def test_two_workers_cannot_claim_the_same_job() -> None:
    with transaction.atomic():
        job = wish()
    assert job is not None
    with open_transaction(lambda: claims._take_row(job.pk, NOW)):
        assert not runner.run_one(job.pk, now=NOW)


def test_two_jobs_of_a_group_are_not_claimed_at_once_though_neither_sees_the_other() -> None:
    # The earlier one's transaction commits late, while the later one is being claimed.
    def first() -> Job | None:
        return enqueue("toy.look", key="first", now=NOW, group_key="g")

    with open_transaction(first) as rival:
        with transaction.atomic():
            second = enqueue("toy.look", key="second", now=NOW, group_key="g")
        assert second is not None
        assert claims.claim(second.pk, worker="", now=NOW) is not None
    assert isinstance(rival.result, Job)
    assert rival.result.pk < second.pk
    assert not runner.run_one(rival.result.pk, now=NOW)
