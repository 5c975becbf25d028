"""What the floor has done meanwhile, read over the foreign key of the scheduled operations."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from aps.enums import RunState
from aps.models import ScheduledOperation, ScheduleRun
from mes.enums import OperationState


@dataclass(frozen=True, slots=True)
class Begun:
    """Where and since when an operation really runs."""

    work_unit_id: int | None
    started_at: datetime


def reported(*, site_id: int) -> frozenset[int]:
    """Ids of running operations of the live schedule with pieces reported; one query."""
    found = ScheduledOperation.objects.filter(
        Q(operation__good__gt=0) | Q(operation__scrap__gt=0),
        run__site_id=site_id,
        run__state=RunState.PUBLISHED,
        operation__state__in=OperationState.started(),
    )
    return frozenset(found.values_list("operation_id", flat=True))


def closed(run: ScheduleRun) -> set[int]:
    """Operations of a run that are done or cancelled."""
    planned = ScheduledOperation.objects.filter(run=run)
    over = planned.exclude(operation__state__in=OperationState.open())
    return set(over.values_list("operation_id", flat=True))


def begun(run: ScheduleRun) -> dict[int, Begun]:
    """Operations of a run that have been started, by id."""
    planned = ScheduledOperation.objects.filter(
        run=run, operation__state__in=OperationState.started()
    )
    found = planned.values_list("operation_id", "operation__work_unit_id", "operation__started_at")
    return {pk: Begun(unit, at) for pk, unit, at in found if at is not None}
