"""What the administrators' page shows: how deep, how old, what died."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet

from common.enums import JobState
from common.jobs import claims
from common.models import Heartbeat, Job, JobAttempt

SILENT_AFTER = timedelta(seconds=15)
# How long due jobs may lie while the queue's workers start none and run none.
DEAF_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class Depth:
    """How many jobs are in each state, how long the oldest due one waits, and the dispatcher."""

    counts: dict[JobState, int]
    oldest_due: timedelta | None
    dispatcher_at: datetime | None
    dispatcher_silent: bool
    # Wake-ups that the broker did not take since it last took one.
    failures: int
    # Queues that nobody takes from, though the dispatcher and the broker do their part.
    deaf: tuple[str, ...]


def depth(*, at: datetime) -> Depth:
    """The ledger as a whole."""
    rows = dict(Job.objects.values_list("state").annotate(Count("pk")).order_by())
    due = Job.objects.filter(state=JobState.QUEUED, run_at__lte=at)
    oldest: datetime | None = due.aggregate(oldest=Min("run_at"))["oldest"]
    beat = Heartbeat.objects.filter(name="dispatcher").first()
    silent = beat is None or at - beat.at > SILENT_AFTER
    failures = beat.failures if beat else 0
    return Depth(
        counts={state: rows.get(state.value, 0) for state in JobState},
        oldest_due=at - oldest if oldest else None,
        dispatcher_at=beat.at if beat else None,
        dispatcher_silent=silent,
        failures=failures,
        deaf=() if silent or failures else tuple(deaf_queues(at=at)),
    )


def deaf_queues(*, at: datetime) -> list[str]:
    """Queues of which a job is due for DEAF_AFTER while none runs and none began or ended since.

    A worker that lives and does not listen (after the broker was gone; a bug of Celery's), or no
    worker at all. One that is busy is not deaf, and neither is one whose jobs wait for an earlier
    one of their group. One query, three where something lies.
    """
    since = at - DEAF_AFTER
    lying = set(
        claims.whose_turn_it_is(Job.objects.filter(state=JobState.QUEUED, run_at__lte=since))
        .order_by()
        .values_list("queue", flat=True)
        .distinct()
    )
    if not lying:
        return []
    busy = set(
        Job.objects.filter(state=JobState.RUNNING, queue__in=lying)
        .order_by()
        .values_list("queue", flat=True)
        .distinct()
    )
    tried = Q(started_at__gt=since) | Q(ended_at__gt=since)
    begun = set(
        JobAttempt.objects.filter(tried, job__queue__in=lying)
        .order_by()
        .values_list("job__queue", flat=True)
        .distinct()
    )
    return sorted(lying - busy - begun)


def jobs(*, state: str = "", name: str = "") -> QuerySet[Job]:
    """The jobs in this state and of this name, newest first; an empty word means any."""
    found = Job.objects.order_by("-pk").select_related("actor")
    if state in JobState.values:
        found = found.filter(state=state)
    return found.filter(name=name) if name else found


def names() -> list[str]:
    """The names of all jobs that were ever asked for."""
    return list(Job.objects.values_list("name", flat=True).distinct().order_by("name"))


def is_open(*, group_key: str) -> bool:
    """Whether a job of the group waits or runs."""
    states = [JobState.QUEUED, JobState.RUNNING]
    return Job.objects.filter(group_key=group_key, state__in=states).exists()
