"""WAITING and READY: derived from sequence, material and holds, and written here only."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db.models import DecimalField, Exists, F, OuterRef, QuerySet, Sum
from django.db.models.functions import Coalesce

from mes.enums import OperationState, WorkOrderState
from mes.models import WorkOrderMaterial, WorkOrderOperation

Operations = QuerySet[WorkOrderOperation]


def refresh(
    *,
    site_id: int,
    now: datetime,
    work_order_ids: Iterable[int] | None = None,
    skip_locked: bool = False,
) -> int:
    """Bring WAITING and READY up to date, of a site or of some of its work orders.

    Return how many changed. A few statements however many operations; what started meanwhile is
    left alone. ``skip_locked`` passes by what another transaction holds: for callers that are
    followed by the job, and that may not wait because they hold rows themselves.
    """
    rows = WorkOrderOperation.objects.filter(
        work_order__site_id=site_id, work_order__state__in=WorkOrderState.open()
    )
    if work_order_ids is not None:
        rows = rows.filter(work_order__in=list(work_order_ids))
    may_start = _may_start()
    became_ready = rows.filter(state=OperationState.WAITING).filter(may_start)
    fell_back = rows.filter(state=OperationState.READY).exclude(may_start)
    return _move(became_ready, OperationState.READY, skip_locked) + _move(
        fell_back, OperationState.WAITING, skip_locked
    )


def _move(rows: Operations, new: OperationState, skip_locked: bool) -> int:
    ids = list(rows.values_list("pk", flat=True))
    old = OperationState.WAITING if new == OperationState.READY else OperationState.READY
    locked = list(
        WorkOrderOperation.objects.select_for_update(no_key=True, skip_locked=skip_locked)
        .filter(pk__in=ids, state=old)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    return WorkOrderOperation.objects.filter(pk__in=locked).update(state=new)


def _may_start() -> Exists:
    """Operations of work orders that go on, with nothing undone before them and material there."""
    goes_on = [WorkOrderState.PLANNED, WorkOrderState.RELEASED, WorkOrderState.IN_PROGRESS]
    undone = WorkOrderOperation.objects.filter(
        work_order=OuterRef("work_order"), sequence__lt=OuterRef("sequence")
    ).exclude(state=OperationState.DONE)
    short = (
        _short_materials()
        .filter(work_order=OuterRef("work_order"))
        .filter(work_order__started_at__isnull=True)
    )
    return Exists(
        WorkOrderOperation.objects.filter(pk=OuterRef("pk"))
        .filter(work_order__state__in=goes_on)
        .exclude(Exists(undone))
        .exclude(Exists(short))
    )


def _short_materials() -> QuerySet[WorkOrderMaterial]:
    held = Coalesce(
        Sum("requirement__reservations__quantity"), Decimal(0), output_field=DecimalField()
    )
    return WorkOrderMaterial.objects.annotate(held=held).filter(
        requirement__quantity__gt=F("requirement__issued") + F("held")
    )
