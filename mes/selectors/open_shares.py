"""What open work orders still owe, for those who plan.

Operations are counted by the ids of their work orders, without a join: where the statistics of
PostgreSQL are out of date, as after a bulk conversion, it may choose nested loops for minutes.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, QuerySet

from erp.enums import RequirementKind, RequirementState
from mes.enums import OperationState, WorkOrderState
from mes.models import WorkOrderOperation, WorkOrderPeg


@dataclass(frozen=True, slots=True)
class OpenShare:
    """A share of an open work order's output that is still to be delivered to a requirement."""

    requirement_id: int
    work_order_id: int
    number: str
    state: WorkOrderState
    quantity: Decimal
    delivered: Decimal
    # 0 while its output is about to be handed over.
    open_operations: int

    @property
    def left(self) -> Decimal:
        """What is still to come."""
        return self.quantity - self.delivered


def open_shares(requirement_ids: Collection[int]) -> dict[int, list[OpenShare]]:
    """The shares that each requirement waits for, by its id; two queries.

    Work orders on hold are in it, with their state.
    """
    pegs = _open_pegs().filter(requirement__in=list(requirement_ids), quantity__gt=F("delivered"))
    rows = list(
        pegs.values_list(
            "requirement_id",
            "work_order_id",
            "work_order__number",
            "work_order__state",
            "quantity",
            "delivered",
        )
    )
    operations = WorkOrderOperation.objects.filter(
        work_order__in={row[1] for row in rows}, state__in=OperationState.open()
    )
    counts = dict(
        operations.order_by().values_list("work_order_id").annotate(operations=Count("pk"))
    )
    found: dict[int, list[OpenShare]] = {}
    for requirement_id, work_order_id, number, state, quantity, delivered in rows:
        share = OpenShare(
            requirement_id=requirement_id,
            work_order_id=work_order_id,
            number=number,
            state=WorkOrderState(state),
            quantity=quantity,
            delivered=delivered,
            open_operations=counts.get(work_order_id, 0),
        )
        found.setdefault(requirement_id, []).append(share)
    return found


def waiting_lines(*, site_id: int) -> list[int]:
    """Requirements of open order lines of a site that work orders still serve; one query."""
    pegs = _open_pegs().filter(
        work_order__site_id=site_id,
        requirement__kind=RequirementKind.SALES,
        requirement__state=RequirementState.OPEN,
    )
    return sorted(set(pegs.values_list("requirement_id", flat=True)))


def open_operation_counts() -> dict[int, int]:
    """How many operations are still to be done, by site id; one query."""
    rows = _open_operations().order_by().values_list("work_order__site_id")
    return dict(rows.annotate(operations=Count("pk")))


def _open_operations() -> QuerySet[WorkOrderOperation]:
    return WorkOrderOperation.objects.filter(
        state__in=OperationState.open(), work_order__state__in=WorkOrderState.open()
    )


def _open_pegs() -> QuerySet[WorkOrderPeg]:
    return WorkOrderPeg.objects.filter(work_order__state__in=WorkOrderState.open())
