"""Who holds a job: claim, fence, finish, fail, and take back what was lost.

A claim is announced in a short transaction of its own: attempt + 1, state running, an attempt
row. So a job whose worker dies each time is counted and ends dead. The effect is then fenced: its
transaction locks the job row and goes on only if the row still carries this attempt's number.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from common.enums import AttemptOutcome, JobState
from common.jobs import registry, signs, wakeups
from common.jobs.registry import JobKind, JobSpec
from common.models import Job, JobAttempt

logger = logging.getLogger(__name__)

# A DATABASE job's real lease is its row lock, a LONG one's its sign of life: PostgreSQL releases
# both at the moment the worker dies. This only bridges the way from the announcement to them.
START_SECONDS = 5
LONGEST_BACKOFF_SECONDS = 3600
LONGEST_ERROR = 8000
LOST = "The worker vanished while it ran this job (killed, or its lease ran out)."


class LostClaim(Exception):
    """The job is no longer this attempt's: it was taken back, so the effect must not count."""


@dataclass
class Claim:
    """One attempt's hold on a job; what a LONG or OUTSIDE job gets as ``claim``."""

    job_id: int
    attempt: int
    group_key: str
    lease_seconds: int
    finished: bool = False

    def extend(self) -> None:
        """Say that the attempt is alive, for another lease; raise LostClaim if it lost its job."""
        self._renew()

    def trust_sign(self) -> None:
        """The same, and that it gives a sign of life as long as it is (``common.jobs.signs``)."""
        self._renew(has_sign_of_life=True)

    def _renew(self, **changes: bool) -> None:
        until = timezone.now() + timedelta(seconds=self.lease_seconds)
        if not self._mine().update(lease_until=until, **changes):
            raise LostClaim(f"Job {self.job_id}, attempt {self.attempt}.")

    @contextmanager
    def finish(self, *, now: datetime) -> Iterator[None]:
        """Open the final transaction: what happens inside commits with `done`, or not at all.

        Raise LostClaim, before anything is done, if the attempt no longer holds the job.
        """
        with transaction.atomic():
            # First, not last: the row lock now keeps the dispatcher from taking the job back.
            if not self._mine().update(state=JobState.DONE, done_at=now, lease_until=None):
                raise LostClaim(f"Job {self.job_id}, attempt {self.attempt}.")
            yield
            JobAttempt.objects.filter(job_id=self.job_id, attempt=self.attempt).update(
                outcome=AttemptOutcome.DONE, ended_at=timezone.now()
            )
            transaction.on_commit(lambda: wake_next(self.group_key), robust=True)
        self.finished = True

    def _mine(self) -> models.QuerySet[Job]:
        return Job.objects.filter(pk=self.job_id, state=JobState.RUNNING, attempt=self.attempt)


def claim(job_id: int, *, worker: str, now: datetime) -> tuple[Job, Claim] | None:
    """Take a due job for this worker and commit that; None if it is not due, free or next."""
    with transaction.atomic():
        # Losing this commit in a crash of the server only loses a count, so it need not wait
        # for the disk; the effect's commit flushes it as well.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")
        job = _take_row(job_id, now)
        if job is None or (job.group_key and not _is_next(job)):
            return None
        spec = _spec(job.name)
        job.attempt += 1
        job.state = JobState.RUNNING
        job.lease_until = now + timedelta(seconds=_first_lease(spec))
        job.has_sign_of_life = False
        job.save(update_fields=["attempt", "state", "lease_until", "has_sign_of_life"])
        JobAttempt.objects.create(job=job, attempt=job.attempt, worker=worker, started_at=now)
        if job.coalesce:
            _merge_equals(job, now)
    lease = spec.lease_seconds if spec else START_SECONDS
    return job, Claim(job.pk, job.attempt, job.group_key, lease)


def _take_row(job_id: int, now: datetime) -> Job | None:
    """Lock the row of a due job, or None: it is not due, another worker's, or just joined."""
    return (
        Job.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(pk=job_id, state=JobState.QUEUED, run_at__lte=now)
        .first()
    )


def _spec(name: str) -> JobSpec | None:
    try:
        return registry.find(name)
    except registry.UnknownJob:
        return None


def _first_lease(spec: JobSpec | None) -> int:
    """Of an unknown job just long enough to fail with that as the attempt's error."""
    return spec.lease_seconds if spec and spec.kind is JobKind.OUTSIDE else START_SECONDS


def _is_next(job: Job) -> bool:
    """Whether no other job of the group runs and no earlier one waits."""
    with connection.cursor() as cursor:
        # Two claims of one group, each of whose rows the other does not see yet, must not pass
        # together. Held only for this short transaction.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [job.group_key])
    return not (
        Job.objects.filter(group_key=job.group_key)
        .exclude(pk=job.pk)
        .filter(Q(state=JobState.RUNNING) | Q(state=JobState.QUEUED, pk__lt=job.pk))
        .exists()
    )


def whose_turn_it_is(jobs: "models.QuerySet[Job]") -> "models.QuerySet[Job]":
    """Those of the jobs whose group runs none and has no earlier one that waits."""
    group = Job.objects.exclude(group_key="").filter(group_key=OuterRef("group_key"))
    before = Q(state=JobState.QUEUED, pk__lt=OuterRef("pk")) | Q(state=JobState.RUNNING)
    return jobs.exclude(Exists(group.filter(before)))


def _merge_equals(job: Job, now: datetime) -> None:
    """Let this run also be that of equal jobs that wait; their commits are behind us.

    A row that a transaction has just joined (FOR SHARE) is passed by and runs by itself.
    """
    equals = (
        Job.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(name=job.name, group_key=job.group_key, coalesce=True, state=JobState.QUEUED)
        .exclude(pk=job.pk)
        .values_list("pk", flat=True)
    )
    Job.objects.filter(pk__in=list(equals)).update(
        state=JobState.DONE, done_at=now, merged_into=job
    )


def record_failure(held: Claim, *, error: str, now: datetime) -> None:
    """Close the attempt as failed and plan the next one, or bury the job after the last."""
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(no_key=True)
            .filter(pk=held.job_id, state=JobState.RUNNING, attempt=held.attempt)
            .first()
        )
        if job is None:
            return
        _give_back(job, AttemptOutcome.FAILED, error, now)


def take_back_lost(*, now: datetime, limit: int = 100) -> int:
    """Give back running jobs whose lease ran out or whose sign of life ended; return how many.

    SKIP LOCKED passes by what another dispatcher handles and what is in its final transaction.
    """
    suspected = Q(lease_until__lt=now) | Q(has_sign_of_life=True)
    with transaction.atomic():
        held = list(
            Job.objects.select_for_update(no_key=True, skip_locked=True)
            .filter(suspected, state=JobState.RUNNING)
            .order_by("lease_until")[:limit]
        )
        silent = signs.missing((job.pk, job.attempt) for job in held if not _is_over(job, now))
        lost = [job for job in held if _is_over(job, now) or job.pk in silent]
        for job in lost:
            _give_back(job, AttemptOutcome.LOST, LOST, now)
    return len(lost)


def _is_over(job: Job, now: datetime) -> bool:
    return job.lease_until is not None and job.lease_until < now


def backoff(attempt: int) -> timedelta:
    """How long to wait after the given number of attempts: 1 s, 4 s, 16 s … at most an hour."""
    return timedelta(seconds=min(4 ** max(attempt - 1, 0), LONGEST_BACKOFF_SECONDS))


def wake_next(group_key: str) -> None:
    """Wake the job of the group whose turn has come, if there is one. Call after the commit."""
    if not group_key:
        return
    following = (
        Job.objects.filter(group_key=group_key, state=JobState.QUEUED).order_by("pk").first()
    )
    if following is not None and following.run_at <= timezone.now():
        wakeups.send([(following.pk, following.queue)])


def _give_back(job: Job, outcome: AttemptOutcome, error: str, now: datetime) -> None:
    JobAttempt.objects.filter(job=job, attempt=job.attempt).update(
        outcome=outcome, ended_at=now, error=error[-LONGEST_ERROR:]
    )
    dead = job.attempt >= job.max_attempts
    job.state = JobState.DEAD if dead else JobState.QUEUED
    # A lost worker is seldom the job's fault: the first time it is tried again at once.
    waits = outcome is AttemptOutcome.FAILED or job.attempt > 1
    job.run_at = now + backoff(job.attempt) if waits else now
    job.woken_at = None
    job.lease_until = None
    job.last_error = error[-LONGEST_ERROR:]
    job.save(update_fields=["state", "run_at", "woken_at", "lease_until", "last_error"])
    if dead:
        logger.error("Job %s is dead after %s attempts: %s", job, job.attempt, error[-300:])
        transaction.on_commit(lambda: wake_next(job.group_key), robust=True)
