"""What an administrator may do to jobs: run a dead one again, or call one off. Each is audited."""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit, transitions
from common.enums import JOB_TRANSITIONS, JobState
from common.errors import Refused
from common.jobs import claims, registry, wakeups
from common.models import Job, User


class CannotReplay(Refused):
    """The job is not dead."""


class CannotCancel(Refused):
    """The job runs or is over."""


def replay(*, job: Job, by: User, now: datetime) -> Job:
    """Let a dead job be tried again, as often as a new one; raise CannotReplay."""
    with transaction.atomic():
        job = _locked(job)
        check_can_replay(job)
        _revive(job, now)
        audit.record(action="common.job.replay", target=job, by=by, now=now)
        transaction.on_commit(partial(wakeups.send, [(job.pk, job.queue)]), robust=True)
    return job


def replay_dead(*, name: str = "", by: User, now: datetime) -> int:
    """Replay every dead job, or those called ``name``; return how many."""
    with transaction.atomic():
        dead = Job.objects.select_for_update(no_key=True).filter(state=JobState.DEAD)
        jobs = list((dead.filter(name=name) if name else dead).order_by("pk"))
        for job in jobs:
            _revive(job, now)
            # The dispatcher wakes them, at the pace at which they can be run.
            Job.objects.filter(pk=job.pk).update(woken_at=None)
        audit.record_many(action="common.job.replay", targets=jobs, by=by, now=now)
    return len(jobs)


def cancel(*, job: Job, by: User, now: datetime, reason: str = "") -> Job:
    """Call off a waiting or dead job; the next of its group may run. Raise CannotCancel."""
    with transaction.atomic():
        job = _locked(job)
        check_can_cancel(job)
        old = job.state
        _move(job, JobState.CANCELLED)
        job.done_at = now
        job.save(update_fields=["state", "done_at"])
        audit.record(
            action="common.job.cancel",
            target=job,
            by=by,
            now=now,
            reason=reason,
            changes={"state": [old, job.state]},
        )
        transaction.on_commit(partial(claims.wake_next, job.group_key), robust=True)
    return job


def check_can_replay(job: Job) -> None:
    """Raise CannotReplay, with the reason, unless the job is dead."""
    if job.state != JobState.DEAD:
        raise CannotReplay(_("Only a dead job can be run again; the others run by themselves."))


def check_can_cancel(job: Job) -> None:
    """Raise CannotCancel, with the reason, unless the job waits or is dead."""
    if job.state == JobState.RUNNING:
        raise CannotCancel(_("The job is running; wait until this attempt has ended."))
    if JobState.CANCELLED not in JOB_TRANSITIONS[JobState(job.state)]:
        raise CannotCancel(_("The job is over; there is nothing to cancel."))


def _locked(job: Job) -> Job:
    return Job.objects.select_for_update(no_key=True).get(pk=job.pk)


def _move(job: Job, new: JobState) -> None:
    transitions.check(JOB_TRANSITIONS, old=JobState(job.state), new=new)
    job.state = new


def _revive(job: Job, now: datetime) -> None:
    _move(job, JobState.QUEUED)
    try:
        more = registry.find(job.name).max_attempts
    except registry.UnknownJob:
        more = 1
    job.max_attempts = job.attempt + more
    job.run_at = job.woken_at = now
    job.save(update_fields=["state", "max_attempts", "run_at", "woken_at"])
