"""Work orders with what they cost, as lists show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from erp import selectors as erp
from erp.enums import CostKind
from mes.enums import WorkOrderState
from mes.models import WorkOrder

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class CostRow:
    """A work order's money: what went in, what came out at the standard, what is left."""

    order: WorkOrder
    spent: Decimal
    output: Decimal
    # Favourable above zero; of a closed work order.
    variance: Decimal

    @property
    def taken(self) -> Decimal:
        """What came out at the standard, above zero."""
        return -self.output

    @property
    def in_progress(self) -> Decimal:
        """What went in, less what came out and was explained; zero once closed."""
        return self.spent + self.output + self.variance


def orders_in_progress() -> QuerySet[WorkOrder]:
    """Work orders that have begun and are not closed, the oldest first."""
    return (
        WorkOrder.objects.filter(started_at__isnull=False, closed_at__isnull=True)
        .exclude(state=WorkOrderState.CANCELLED)
        .select_related("item", "site")
        .order_by("started_at", "pk")
    )


def closed_orders() -> QuerySet[WorkOrder]:
    """Closed work orders, the latest first."""
    return (
        WorkOrder.objects.filter(closed_at__isnull=False)
        .select_related("item", "site")
        .order_by("-closed_at", "-pk")
    )


def cost_rows(orders: Sequence[WorkOrder]) -> list[CostRow]:
    """The orders with their money, in their order; one query."""
    amounts = erp.amounts_by_kind([order.number for order in orders])
    rows = []
    for order in orders:
        kinds = amounts[order.number]
        rows.append(
            CostRow(
                order=order,
                spent=sum((kinds.get(kind, ZERO) for kind in CostKind.inputs()), ZERO),
                output=kinds.get(CostKind.OUTPUT, ZERO),
                variance=kinds.get(CostKind.VARIANCE, ZERO),
            )
        )
    return rows


def work_in_progress() -> dict[str, Decimal]:
    """What is in all open work orders, by currency; two queries."""
    numbers = orders_in_progress().order_by().values_list("number", flat=True)
    return erp.amounts_by_currency(list(numbers))
