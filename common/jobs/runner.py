"""Run one job, or all that is due, in this process."""

import logging
import traceback
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from common.enums import JobState
from common.jobs import claims, registry, signs
from common.jobs.claims import Claim, LostClaim
from common.jobs.registry import JobKind, JobSpec
from common.models import Job

logger = logging.getLogger(__name__)


def run_one(job_id: int, *, worker: str = "", now: datetime | None = None) -> bool:
    """Run the job if it is due, free and next in its group; return whether it was tried.

    An error of the job is recorded with a back-off and not raised. What the database's loss
    leaves open is taken back by the dispatcher.
    """
    taken = claims.claim(job_id, worker=worker, now=now or timezone.now())
    if taken is None:
        return False
    job, held = taken
    try:
        spec = registry.find(job.name)
        if spec.kind is JobKind.DATABASE:
            _run_in_one_transaction(spec, job, held, now)
        elif spec.kind is JobKind.LONG:
            _run_long(spec, job, held, now)
        else:
            _run_outside(spec, job, held, now)
    except LostClaim as lost:
        logger.warning("Discarded, another attempt has the job: %s", lost)
    except Exception as error:  # whatever a job raises is its failure
        logger.warning("Job %s, attempt %s failed: %r", job, held.attempt, error)
        _drop_broken_connection(error)
        claims.record_failure(held, error=traceback.format_exc(), now=now or timezone.now())
    return True


def run_due(
    *,
    now: datetime | None = None,
    limit: int | None = None,
    include_waiting: bool = False,
) -> int:
    """Drain the ledger in this process and return how many attempts were made.

    Stops when nothing is due at ``now`` (default: the clock) or after ``limit`` attempts.
    ``include_waiting`` also runs debounced jobs ahead of their time, but not those that wait
    after a failure: these would be tried to death.
    """
    count = 0
    passed: set[int] = set()
    while limit is None or count < limit:
        moment = now or timezone.now()
        claims.take_back_lost(now=moment)
        if include_waiting:
            Job.objects.filter(state=JobState.QUEUED, attempt=0, run_at__gt=moment).update(
                run_at=moment
            )
        due = Job.objects.filter(state=JobState.QUEUED, run_at__lte=moment).exclude(pk__in=passed)
        job_id = due.order_by("run_at", "pk").values_list("pk", flat=True).first()
        if job_id is None:
            return count
        if run_one(job_id, worker="run_due", now=now):
            count += 1
            passed.clear()
        else:
            # Blocked by its group or held elsewhere: look at it again once something has run.
            passed.add(job_id)
    return count


def _run_in_one_transaction(spec: JobSpec, job: Job, held: Claim, now: datetime | None) -> None:
    moment = now or timezone.now()
    with held.finish(now=moment):
        spec.function(**job.arguments, by=job.actor, now=moment)


def _run_long(spec: JobSpec, job: Job, held: Claim, now: datetime | None) -> None:
    with signs.of_life(job.pk, held.attempt):
        held.trust_sign()
        _run_outside(spec, job, held, now)


def _run_outside(spec: JobSpec, job: Job, held: Claim, now: datetime | None) -> None:
    spec.function(**job.arguments, by=job.actor, now=now or timezone.now(), claim=held)
    if not held.finished:
        with held.finish(now=now or timezone.now()):
            pass


def _drop_broken_connection(error: Exception) -> None:
    """Let the failure be recorded on a new connection if the old one is gone."""
    if isinstance(error, (OperationalError, InterfaceError)) and not connection.in_atomic_block:
        connection.close()
