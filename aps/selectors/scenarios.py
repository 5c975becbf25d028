"""Scenarios as their list shows them, and the plans that can be put side by side."""

from django.db.models import Exists, OuterRef, QuerySet

from aps.enums import RunKind, RunState
from aps.models import ScheduledOperation, ScheduleRun

# A plan that may be published or was.
SOLVED = (RunState.SOLVED, RunState.STALE, RunState.PUBLISHED, RunState.SUPERSEDED)


def scenarios(site_id: int) -> QuerySet[ScheduleRun]:
    """What-ifs, rushes, repairs and drafts of a site, the newest first."""
    return (
        ScheduleRun.objects.filter(site_id=site_id)
        .exclude(kind=RunKind.LIVE)
        .select_related("requested_by")
        .order_by("-requested_at", "-pk")
    )


def comparable(site_id: int) -> QuerySet[ScheduleRun]:
    """Versions and solved scenarios whose operations are still kept: the newest first."""
    kept = ScheduledOperation.objects.filter(run=OuterRef("pk"))
    return (
        ScheduleRun.objects.filter(Exists(kept), site_id=site_id, state__in=SOLVED)
        .select_related("requested_by")
        .order_by("-requested_at", "-pk")
    )
