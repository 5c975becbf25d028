"""The live schedule of a site and what its run was worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from aps.enums import RunKind, RunState
from aps.models import PlanState, ScheduledOperation, ScheduleRun


@dataclass(frozen=True, slots=True)
class Planned:
    """An operation in the live schedule; outside work has no unit."""

    operation_id: int
    sequence: int
    state: str
    work_order_id: int
    work_order_number: str
    item_code: str
    work_unit_id: int | None
    work_unit_code: str | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """A published version with its operations, by start."""

    run_id: int
    version: int
    published_at: datetime
    cause: str
    operations: Sequence[Planned]


def current_run(site_id: int) -> ScheduleRun | None:
    """The published run of a site, None before its first plan; one query."""
    return ScheduleRun.objects.filter(site_id=site_id, state=RunState.PUBLISHED).first()


def run_before(run: ScheduleRun) -> ScheduleRun | None:
    """The version that a published run replaced; None for the first."""
    return (
        ScheduleRun.objects.filter(site_id=run.site_id, version__lt=run.version)
        .order_by("-version")
        .first()
    )


def versions_since(*, site_id: int, since: datetime, limit: int = 200) -> list[ScheduleRun]:
    """The versions that were asked for since a moment, the first one first; one query."""
    rows = ScheduleRun.objects.filter(
        site_id=site_id, version__isnull=False, requested_at__gte=since
    )
    return list(rows.order_by("version")[:limit])


def current_schedule(site_id: int) -> Schedule | None:
    """The live schedule with all its operations; two queries."""
    run = current_run(site_id)
    if run is None:
        return None
    rows = (
        ScheduledOperation.objects.filter(run=run)
        .order_by("starts_at", "ends_at", "operation_id")
        .values_list(
            "operation_id",
            "operation__sequence",
            "operation__state",
            "operation__work_order_id",
            "operation__work_order__number",
            "operation__work_order__item__code",
            "work_unit_id",
            "work_unit__code",
            "starts_at",
            "ends_at",
        )
    )
    assert run.version is not None  # noqa: S101 - published
    assert run.published_at is not None  # noqa: S101 - published
    return Schedule(
        run_id=run.pk,
        version=run.version,
        published_at=run.published_at,
        cause=run.cause,
        operations=[Planned(*row) for row in rows],
    )


def runs(site_id: int) -> QuerySet[ScheduleRun]:
    """The site's plans, the newest first: made for it, or scenarios that were published."""
    return (
        ScheduleRun.objects.filter(Q(kind=RunKind.LIVE) | Q(version__isnull=False), site_id=site_id)
        .select_related("requested_by")
        .order_by("-requested_at", "-pk")
    )


def run_under_way(site_id: int) -> ScheduleRun | None:
    """The plan that waits or is made now, with its progress; None where nothing is under way.

    Scenarios have pages of their own.
    """
    return (
        ScheduleRun.objects.filter(
            site_id=site_id,
            kind=RunKind.LIVE,
            state__in=[RunState.QUEUED, RunState.SOLVING],
        )
        # "solving" before "queued".
        .order_by(F("state").desc(), "pk")
        .first()
    )


def plan_state(site_id: int) -> PlanState | None:
    """The site's counter of changes; None before its first plan."""
    return PlanState.objects.filter(site_id=site_id).first()


def kpis(run: ScheduleRun) -> dict[str, Any]:
    """The figures of a run by name; empty before it is solved. No query."""
    return dict(run.figures)
