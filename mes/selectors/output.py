"""What open work orders make that nobody has asked for yet."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import DecimalField, F, Max, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from mes.enums import WorkOrderState
from mes.models import WorkOrder, WorkOrderOperation, WorkOrderPeg

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class FreeOutput:
    """Good pieces that an open work order will make and that are pegged to nobody."""

    work_order_id: int
    number: str
    item_id: int
    quantity: Decimal
    due_at: datetime
    # End of its last operation by the live schedule; None before it is scheduled.
    planned_ends_at: datetime | None


def free_output(*, site_id: int, item_ids: Iterable[int]) -> list[FreeOutput]:
    """Free output of open work orders by due date; what is on hold is not counted. One query."""
    pegged = (
        WorkOrderPeg.objects.filter(work_order=OuterRef("pk"))
        .order_by()
        .values("work_order")
        .annotate(total=Sum("quantity"))
        .values("total")
    )
    ends = (
        WorkOrderOperation.objects.filter(work_order=OuterRef("pk"))
        .order_by()
        .values("work_order")
        .annotate(last=Max("planned_ends_at"))
        .values("last")
    )
    states = [WorkOrderState.PLANNED, WorkOrderState.RELEASED, WorkOrderState.IN_PROGRESS]
    # What came in beyond its pegs went into free stock already.
    rows = (
        WorkOrder.objects.filter(site_id=site_id, item__in=list(item_ids), state__in=states)
        .annotate(pegged=Coalesce(Subquery(pegged), ZERO, output_field=DecimalField()))
        .annotate(free=F("output") - F("pegged"), ends=Subquery(ends))
        .filter(free__gt=0)
        .order_by("due_at", "pk")
    )
    found = []
    for pk, number, item_id, free, due_at, ends_at, output, good in rows.values_list(
        "pk", "number", "item_id", "free", "due_at", "ends", "output", "good"
    ):
        quantity = min(free, output - good)
        if quantity > 0:
            found.append(FreeOutput(pk, number, item_id, quantity, due_at, ends_at))
    return found
