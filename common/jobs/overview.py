"""What the administrators' page shows: how deep, how old, what died."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, QuerySet

from common.enums import JobState
from common.models import Heartbeat, Job

SILENT_AFTER = timedelta(seconds=15)


@dataclass(frozen=True)
class Depth:
    """How many jobs are in each state, how long the oldest due one waits, and the dispatcher."""

    counts: dict[JobState, int]
    oldest_due: timedelta | None
    dispatcher_at: datetime | None
    dispatcher_silent: bool
    # Wake-ups that the broker did not take since it last took one.
    failures: int


def depth(*, at: datetime) -> Depth:
    """The ledger as a whole."""
    rows = dict(Job.objects.values_list("state").annotate(Count("pk")).order_by())
    due = Job.objects.filter(state=JobState.QUEUED, run_at__lte=at)
    oldest: datetime | None = due.aggregate(oldest=Min("run_at"))["oldest"]
    beat = Heartbeat.objects.filter(name="dispatcher").first()
    return Depth(
        counts={state: rows.get(state.value, 0) for state in JobState},
        oldest_due=at - oldest if oldest else None,
        dispatcher_at=beat.at if beat else None,
        dispatcher_silent=beat is None or at - beat.at > SILENT_AFTER,
        failures=beat.failures if beat else 0,
    )


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
