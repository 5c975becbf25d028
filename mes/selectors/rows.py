"""Work orders as lists show them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Max, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from mes.models import WorkOrder
from mes.selectors.tree import work_orders_serving


@dataclass(frozen=True, slots=True)
class WorkOrderRow:
    """One work order with the span of its operations, as happened or as planned."""

    number: str
    item_code: str
    item_label: str
    state: str
    state_label: str
    quantity: Decimal
    good: Decimal
    planned_starts_at: datetime | None
    planned_ends_at: datetime | None


def work_orders() -> QuerySet[WorkOrder]:
    """All work orders with the span of their operations, the newest first."""
    return (
        WorkOrder.objects.select_related("item")
        .annotate(
            planned_starts_at=Min(
                Coalesce("operations__started_at", "operations__planned_starts_at")
            ),
            planned_ends_at=Max(
                Coalesce(F("operations__finished_at"), F("operations__planned_ends_at")),
                filter=~Q(operations__state="cancelled"),
            ),
        )
        .order_by("-pk")
    )


def work_order_rows(requirement_ids: Collection[int]) -> list[WorkOrderRow]:
    """The work orders of the whole tree below the requirements, as a list shows them."""
    found = work_orders().filter(pk__in=[row.pk for row in work_orders_serving(requirement_ids)])
    return sorted(
        _rows(found), key=lambda row: (row.planned_starts_at is None, row.planned_starts_at)
    )


def _rows(found: Iterable[WorkOrder]) -> list[WorkOrderRow]:
    return [
        WorkOrderRow(
            number=row.number,
            item_code=row.item.code,
            item_label=row.item.label,
            state=row.state,
            state_label=row.get_state_display(),
            quantity=row.quantity,
            good=row.good,
            planned_starts_at=row.planned_starts_at,  # type: ignore[attr-defined]
            planned_ends_at=row.planned_ends_at,  # type: ignore[attr-defined]
        )
        for row in found
    ]
