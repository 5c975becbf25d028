"""What is kept for a while and then thrown away: jobs that are over, answers already given.

The dispatcher asks for it once an hour; a worker does it, a part at a time.
"""

from datetime import datetime, timedelta

from django.conf import settings

from common import idempotency, jobs
from common.enums import JobState
from common.jobs import JobKind
from common.jobs.dispatcher import CLEAN_UP
from common.models import Job, User

# Rows in one transaction: short enough to hold nobody up.
PART = 1000
# Dead jobs are kept until somebody has decided about them.
OVER = (JobState.DONE, JobState.CANCELLED)


@jobs.register(CLEAN_UP, kind=JobKind.DATABASE)
def clean_up(*, part: int, by: User | None, now: datetime) -> None:
    """Throw one part away, and ask for the next where there is more."""
    gone = forget_jobs(before=now - timedelta(days=settings.KEEP_JOBS_DAYS))
    if not part:
        idempotency.forget(before=now - timedelta(days=settings.KEEP_ANSWERS_DAYS))
    if gone >= PART:
        key = f"clean-up:{now:%Y-%m-%dT%H:%M:%S.%f}:{part + 1}"
        jobs.enqueue(CLEAN_UP, key=key, group_key=CLEAN_UP, now=now, part=part + 1)


def forget_jobs(*, before: datetime) -> int:
    """Delete the oldest jobs that were over before the moment, a part of each state; how many.

    Their keys go with them, so the same thing could be asked again: keep them for longer than any
    event or request may come twice.
    """
    ids: list[int] = []
    for state in OVER:
        # The oldest by id, which an index finds; not all rows by their end, which none does.
        oldest = Job.objects.filter(state=state).order_by("pk").values_list("pk", "done_at")[:PART]
        ids += [pk for pk, done_at in oldest if done_at is not None and done_at < before]
    Job.objects.filter(pk__in=ids).delete()
    return len(ids)
