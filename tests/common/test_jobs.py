"""The job ledger: what is asked for, in which transaction, how often it runs, in which order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from common.enums import AttemptOutcome, JobState
from common.jobs import (
    Claim,
    JobKind,
    LostClaim,
    NotInTransaction,
    Request,
    UnknownJob,
    claims,
    enqueue,
    enqueue_many,
    register,
    registry,
    run_due,
    runner,
    signs,
    wakeups,
)
from common.models import Job, JobAttempt, User
from tests.faults import toy_jobs
from tests.faults.toy_jobs import effects

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """The wake-ups sent, instead of the broker."""
    messages: list[tuple[int, str]] = []
    monkeypatch.setattr(wakeups, "send", messages.extend)
    return messages


def asked(name: str = "toy.write", *, key: str = "", **options: Any) -> Job | None:
    """Enqueue in a transaction of its own."""
    ids = {"n": 1} | options
    with transaction.atomic():
        return enqueue(name, key=key or f"{name}:{ids['n']}", now=NOW, **ids)


def ask(name: str = "toy.write", *, key: str = "", **options: Any) -> Job:
    """Enqueue what is new."""
    job = asked(name, key=key, **options)
    assert job is not None
    return job


@pytest.mark.django_db(transaction=True)
def test_enqueue_refuses_outside_a_transaction() -> None:
    with pytest.raises(NotInTransaction):
        enqueue("toy.write", key="a", now=NOW, n=1)
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_enqueue_refuses_a_name_that_nobody_registered() -> None:
    with pytest.raises(UnknownJob, match="toy.unknown"):
        ask("toy.unknown")


@pytest.mark.django_db
def test_the_same_key_is_asked_for_once() -> None:
    ask(key="convert:1:1")
    assert asked(key="convert:1:1") is None
    run_due(now=NOW)
    assert asked(key="convert:1:1") is None
    assert run_due(now=NOW) == 0
    assert effects() == [1]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_leaves_no_job_and_no_wakeup(sent: list[object]) -> None:
    with transaction.atomic():
        enqueue("toy.write", key="a", now=NOW, n=1)
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert sent == []


@pytest.mark.django_db(transaction=True)
def test_the_wakeup_goes_out_after_the_commit_and_to_the_queue_of_the_job(
    sent: list[tuple[int, str]],
) -> None:
    with transaction.atomic():
        job = enqueue("toy.tell", key="a", now=NOW, path="/nowhere")
        assert sent == []
    assert job is not None
    assert sent == [(job.pk, "integration")]


@pytest.mark.django_db(transaction=True)
def test_a_job_for_later_is_left_to_the_dispatcher(sent: list[object]) -> None:
    ask(run_at=NOW + timedelta(seconds=1))
    assert sent == []
    assert run_due(now=NOW) == 0
    assert run_due(now=NOW + timedelta(seconds=1)) == 1


@pytest.mark.django_db
def test_many_are_asked_for_at_once_and_known_keys_are_left_out() -> None:
    ask(key="k:3")
    requests = [Request("toy.write", key=f"k:{n}", arguments={"n": n}) for n in range(5)]
    made = enqueue_many(requests, now=NOW)
    assert [job.key for job in made] == ["k:0", "k:1", "k:2", "k:4"]
    assert all(job.pk for job in made)
    assert run_due(now=NOW) == 5


@pytest.mark.django_db
def test_many_cost_a_constant_number_of_queries(
    django_assert_num_queries: "pytest.FixtureRequest",
) -> None:
    requests = [Request("toy.write", key=f"k:{n}", arguments={"n": n}) for n in range(100)]
    with django_assert_num_queries(1):  # type: ignore[operator]
        enqueue_many(requests, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_effect_and_done_are_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    job = ask()

    def refuse(*args: object, **kwargs: object) -> None:
        raise IntegrityError("The attempt row cannot be closed.")

    # The last statement of the final transaction fails: the effect must not stay behind.
    with monkeypatch.context() as patch:
        patch.setattr("django.db.models.query.QuerySet.update", _only_jobs(refuse))
        runner.run_one(job.pk, now=NOW)
    assert effects() == []
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    run_due(now=NOW + timedelta(minutes=1))
    assert effects() == [1]


def _only_jobs(refuse: object) -> object:
    """QuerySet.update that fails where an attempt is closed as done."""
    from django.db.models.query import QuerySet

    update = QuerySet.update

    def patched(self: "QuerySet[Job]", **fields: object) -> int:
        if fields.get("outcome") == AttemptOutcome.DONE:
            refuse()  # type: ignore[operator]
        return update(self, **fields)

    return patched


@pytest.mark.django_db
def test_a_done_job_keeps_its_attempt_and_actor() -> None:
    by = User.objects.create(username="planner")
    job = ask(by=by)
    assert runner.run_one(job.pk, worker="host:1", now=NOW)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.done_at, job.lease_until) == (JobState.DONE, 1, NOW, None)
    attempt = JobAttempt.objects.get()
    assert (attempt.outcome, attempt.worker) == (AttemptOutcome.DONE, "host:1")
    assert attempt.ended_at is not None
    assert not runner.run_one(job.pk, now=NOW)


@pytest.mark.django_db
def test_a_failing_job_leaves_no_effect_backs_off_and_dies_with_its_errors() -> None:
    job = ask("toy.write_and_fail")
    moment = NOW
    for attempt in (1, 2, 3):
        assert run_due(now=moment) == 1
        assert run_due(now=moment) == 0, "it waits after a failure"
        job.refresh_from_db()
        assert job.attempt == attempt
        if attempt < 3:
            assert job.run_at == moment + claims.backoff(attempt)
        moment = job.run_at
    assert job.state == JobState.DEAD
    assert run_due(now=NOW + timedelta(days=1)) == 0
    assert effects() == []
    assert "The toy is broken." in job.last_error
    outcomes = list(job.attempts.values_list("outcome", flat=True))
    assert outcomes == [AttemptOutcome.FAILED] * 3
    assert all("The toy is broken." in attempt.error for attempt in job.attempts.all())


def test_the_backoff_grows_to_an_hour() -> None:
    seconds = [claims.backoff(attempt).total_seconds() for attempt in range(1, 9)]
    assert seconds == [1, 4, 16, 64, 256, 1024, 3600, 3600]


@pytest.mark.django_db
def test_a_job_whose_name_is_gone_is_a_visible_failure() -> None:
    job = ask()
    Job.objects.update(name="toy.removed")
    assert run_due(now=NOW) == 1
    job.refresh_from_db()
    assert "toy.removed" in job.last_error


@pytest.mark.django_db
def test_jobs_of_one_group_run_in_order_also_when_woken_out_of_order() -> None:
    first = ask(n=1, group_key="order:1")
    second = ask(n=2, group_key="order:1")
    other = ask(n=3, group_key="order:2")
    assert not runner.run_one(second.pk, now=NOW)
    assert runner.run_one(other.pk, now=NOW)
    assert runner.run_one(first.pk, now=NOW)
    assert runner.run_one(second.pk, now=NOW)
    assert sorted(effects()) == [1, 2, 3]


@pytest.mark.django_db
def test_a_failed_job_holds_its_group_until_it_is_dead() -> None:
    failing = ask("toy.write_and_fail", n=1, group_key="order:1")
    second = ask(n=2, group_key="order:1")
    assert run_due(now=NOW) == 1
    assert not runner.run_one(second.pk, now=NOW)
    assert run_due(now=NOW + timedelta(hours=1)) == 1
    assert not runner.run_one(second.pk, now=NOW + timedelta(hours=1))
    assert run_due(now=NOW + timedelta(hours=2)) == 2
    failing.refresh_from_db()
    assert failing.state == JobState.DEAD
    assert effects() == [2]


@pytest.mark.django_db
def test_a_running_job_of_the_group_keeps_an_earlier_one_waiting() -> None:
    # Its transaction committed late: it was created first and seen last.
    first = ask(n=1, group_key="order:1")
    second = ask(n=2, group_key="order:1")
    Job.objects.filter(pk=second.pk).update(
        state=JobState.RUNNING, attempt=1, lease_until=NOW + timedelta(minutes=1)
    )
    assert not runner.run_one(first.pk, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_finishing_a_job_wakes_the_next_of_its_group(sent: list[tuple[int, str]]) -> None:
    first = ask(n=1, group_key="order:1")
    second = ask(n=2, group_key="order:1")
    sent.clear()
    runner.run_one(first.pk, now=NOW)
    assert sent == [(second.pk, "default")]


@pytest.mark.django_db
def test_equal_waiting_jobs_are_one_and_the_first_due_time_stands() -> None:
    soon, late = NOW + timedelta(seconds=2), NOW + timedelta(seconds=9)
    first = ask(group_key="o1", coalesce=True, run_at=soon)
    assert asked(group_key="o1", coalesce=True, run_at=late) is None
    ask(group_key="o2", coalesce=True)
    assert Job.objects.count() == 2
    first.refresh_from_db()
    assert first.run_at == soon


@pytest.mark.django_db
def test_a_wish_while_an_equal_job_runs_is_a_new_job() -> None:
    running = ask(group_key="o1", coalesce=True)
    assert claims.claim(running.pk, worker="", now=NOW) is not None
    ask(group_key="o1", coalesce=True)


@pytest.mark.django_db
def test_run_due_runs_debounced_jobs_early_only_when_asked_and_never_a_failed_one() -> None:
    ask(n=1, run_at=NOW + timedelta(seconds=2))
    failing = ask("toy.write_and_fail", n=2)
    assert run_due(now=NOW) == 1
    assert run_due(now=NOW, include_waiting=True) == 1
    assert effects() == [1]
    failing.refresh_from_db()
    assert failing.attempt == 1


@pytest.mark.django_db
def test_run_due_stops_at_its_limit() -> None:
    for n in range(3):
        ask(n=n)
    assert run_due(now=NOW, limit=2) == 2


@pytest.mark.django_db(transaction=True)
def test_a_long_job_computes_with_no_transaction_open_and_finishes_once() -> None:
    job = ask("toy.compute", milliseconds=0)
    assert run_due(now=NOW) == 1
    assert effects() == [1]
    job.refresh_from_db()
    assert job.state == JobState.DONE


@pytest.mark.django_db(transaction=True)
def test_a_long_job_that_lost_its_claim_is_discarded() -> None:
    job = ask("toy.compute", milliseconds=0)
    slow = _claimed(job, NOW)
    later = NOW + timedelta(seconds=10)
    assert claims.take_back_lost(now=later) == 1
    assert run_due(now=later) == 1
    with pytest.raises(LostClaim):
        toy_jobs.compute(n=1, milliseconds=0, by=None, now=later, claim=slow)
    with pytest.raises(LostClaim):
        slow.extend()
    assert effects() == [1]
    outcomes = list(job.attempts.order_by("attempt").values_list("outcome", flat=True))
    assert outcomes == [AttemptOutcome.LOST, AttemptOutcome.DONE]


@pytest.mark.django_db(transaction=True)
def test_without_the_fence_the_lost_attempt_would_count_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control of the test above."""
    job = ask("toy.compute", milliseconds=0)
    slow = _claimed(job, NOW)
    later = NOW + timedelta(seconds=10)
    claims.take_back_lost(now=later)
    run_due(now=later)
    monkeypatch.setattr(Claim, "_mine", lambda self: Job.objects.filter(pk=self.job_id))
    toy_jobs.compute(n=1, milliseconds=0, by=None, now=later, claim=slow)
    assert effects() == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_a_database_job_that_lost_its_claim_is_discarded_with_its_effect() -> None:
    job = ask()
    slow = _claimed(job, NOW)
    later = NOW + timedelta(seconds=10)
    claims.take_back_lost(now=later)
    with pytest.raises(LostClaim), slow.finish(now=later):
        toy_jobs.write(n=1, by=None, now=later)
    assert effects() == []


def _claimed(job: Job, now: datetime) -> Claim:
    taken = claims.claim(job.pk, worker="slow", now=now)
    assert taken is not None
    return taken[1]


@pytest.mark.django_db
def test_a_heartbeat_keeps_a_long_job_from_being_taken_back() -> None:
    job = ask("toy.compute", milliseconds=0)
    claim = _claimed(job, NOW)
    with signs.of_life(claim.job_id, claim.attempt):
        claim.trust_sign()
        assert claims.take_back_lost(now=NOW + timedelta(seconds=10)) == 0


@pytest.mark.django_db
def test_a_long_job_without_a_sign_of_life_does_not_wait_for_its_lease() -> None:
    claim = _claimed(ask("toy.compute_unseen", milliseconds=0), NOW)
    claim.trust_sign()
    with signs.of_life(claim.job_id, claim.attempt + 1):
        # Of another attempt, so it is not this one's.
        assert claims.take_back_lost(now=NOW) == 1
    assert Job.objects.get().state == JobState.QUEUED


@pytest.mark.django_db
def test_until_it_gives_its_sign_a_long_job_has_the_first_lease() -> None:
    _claimed(ask("toy.compute_unseen", milliseconds=0), NOW)
    assert claims.take_back_lost(now=NOW + timedelta(seconds=claims.START_SECONDS)) == 0
    assert claims.take_back_lost(now=NOW + timedelta(seconds=claims.START_SECONDS + 1)) == 1


@pytest.mark.django_db
def test_a_job_that_kills_its_worker_each_time_ends_dead() -> None:
    job = ask("toy.die")
    moment = NOW
    for _ in range(3):
        _claimed(job, moment)  # ... and the worker is gone
        moment += timedelta(hours=1)
        assert claims.take_back_lost(now=moment) == 1
        moment += timedelta(hours=1)
    job.refresh_from_db()
    assert job.state == JobState.DEAD
    assert job.last_error == claims.LOST
    outcomes = set(job.attempts.values_list("outcome", flat=True))
    assert outcomes == {AttemptOutcome.LOST}


@pytest.mark.django_db
def test_a_first_loss_is_tried_again_at_once_and_a_second_one_later() -> None:
    job = ask()
    later = NOW + timedelta(seconds=6)
    _claimed(job, NOW)
    claims.take_back_lost(now=later)
    job.refresh_from_db()
    assert job.run_at == later
    _claimed(job, later)
    later += timedelta(seconds=6)
    claims.take_back_lost(now=later)
    job.refresh_from_db()
    assert job.run_at == later + claims.backoff(2)


@pytest.mark.django_db(transaction=True)
def test_an_outside_job_gets_the_job_id_as_idempotency_key(tmp_path: object) -> None:
    with transaction.atomic():
        job = enqueue("toy.tell", key="tell", now=NOW, path=f"{tmp_path}/out")
    assert job is not None
    run_due(now=NOW)
    with open(f"{tmp_path}/out") as file:
        assert file.read() == f"{job.pk}\n"
    job.refresh_from_db()
    assert job.state == JobState.DONE


@pytest.mark.django_db
def test_a_running_job_without_a_lease_is_refused_by_the_database() -> None:
    ask()
    with pytest.raises(IntegrityError, match="common_job_running_has_lease"), transaction.atomic():
        Job.objects.update(state=JobState.RUNNING)


@pytest.mark.django_db
def test_an_attempt_number_is_used_once() -> None:
    job = ask()
    JobAttempt.objects.create(job=job, attempt=1, started_at=NOW)
    with pytest.raises(IntegrityError, match="common_jobattempt_once_per_number"):
        JobAttempt.objects.create(job=job, attempt=1, started_at=NOW)


def test_register_refuses_positional_arguments_and_missing_ones() -> None:
    with pytest.raises(TypeError, match="keyword only"):

        @register("toy.positional", kind=JobKind.DATABASE)
        def positional(n: int, *, by: object, now: object) -> None: ...

    with pytest.raises(TypeError, match="claim"):

        @register("toy.no_claim", kind=JobKind.LONG)
        def no_claim(*, by: object, now: object) -> None: ...

    with pytest.raises(UnknownJob):
        registry.find("toy.positional")


def test_register_refuses_a_name_that_is_taken_and_a_queue_that_nobody_serves() -> None:
    with pytest.raises(ValueError, match="Two functions"):

        @register("toy.write", kind=JobKind.DATABASE)
        def other(*, by: object, now: object) -> None: ...

    with pytest.raises(ValueError, match="no queue"):
        register("toy.queue", kind=JobKind.DATABASE, queue="nowhere")
