"""WAITING and READY: derived from sequence, material and holds, and written here only."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from erp import selectors as erp
from masterdata.services import routings
from mes import policies
from mes.enums import OperationState, WorkOrderState
from mes.models import WorkOrderMaterial, WorkOrderOperation

# The longest wait that a routing may ask for.
MOST_WAIT = routings.MOST_WAIT

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
    lines = WorkOrderMaterial.objects.filter(
        work_order__site_id=site_id, work_order__state__in=WorkOrderState.open()
    )
    if work_order_ids is not None:
        chosen = list(work_order_ids)
        rows = rows.filter(work_order__in=chosen)
        lines = lines.filter(work_order__in=chosen)
    may_start = _may_start(_short_of_material(lines)) & ~Q(pk__in=_resting(rows, now))
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


def _may_start(short_of_material: list[int]) -> Q:
    """Operations of work orders that go on, that something has come to, and material there."""
    goes_on = [WorkOrderState.PLANNED, WorkOrderState.RELEASED, WorkOrderState.IN_PROGRESS]
    # What passes on in batches lets the next one begin; what follows that one waits for it.
    has_passed = Q(state=OperationState.DONE) | Q(good__gte=F("transfer_quantity"))
    undone = WorkOrderOperation.objects.filter(
        work_order=OuterRef("work_order"), sequence__lt=OuterRef("sequence")
    ).exclude(has_passed)
    return (
        Q(work_order__state__in=goes_on) & ~Q(work_order__in=short_of_material) & Q(~Exists(undone))
    )


def _resting(rows: Operations, now: datetime) -> list[int]:
    """Those whose pieces still wait (cool, dry) after the operation before."""
    longest = now - timedelta(minutes=MOST_WAIT)
    before = WorkOrderOperation.objects.filter(
        Q(finished_at__gt=longest) | Q(finished_at__isnull=True),
        work_order__in=rows.values("work_order"),
        wait_minutes__gt=0,
        good__gt=0,
    )
    still = {
        (one.work_order_id, one.sequence)
        for one in before
        if (until := policies.rests_until(one)) is not None and until > now
    }
    if not still:
        return []
    orders = {order for order, _sequence in still}
    found = []
    last: dict[int, tuple[int, int]] = {}
    every = WorkOrderOperation.objects.filter(work_order__in=orders)
    for pk, order, sequence in every.order_by("work_order", "sequence").values_list(
        "pk", "work_order_id", "sequence"
    ):
        if order in last and last[order] in still:
            found.append(pk)
        last[order] = (order, sequence)
    return found


def _short_of_material(lines: QuerySet[WorkOrderMaterial]) -> list[int]:
    """Work orders of the lines that have not begun and whose material is not all reserved.

    Two plain reads and a comparison here: right after a bulk conversion PostgreSQL has no
    statistics yet, and a nested query then takes minutes.
    """
    waited_for = lines.filter(work_order__started_at__isnull=True, item__may_be_negative=False)
    rows = waited_for.annotate(open=F("requirement__quantity") - F("requirement__issued"))
    needs = list(rows.values_list("work_order_id", "requirement_id", "open"))
    held = erp.reserved_quantities([pk for _order, pk, _open in needs])
    return sorted({order for order, pk, still in needs if still > held[pk]})
