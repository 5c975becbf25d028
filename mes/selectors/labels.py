"""Operations by what people call them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mes.enums import OperationState
from mes.models import WorkOrder, WorkOrderOperation


@dataclass(frozen=True, slots=True)
class OperationLabel:
    """An operation as a sentence names it: "WO-100007/10"."""

    operation_id: int
    work_order_id: int
    work_order_number: str
    sequence: int
    item_code: str
    site_id: int
    state: OperationState

    def __str__(self) -> str:
        return f"{self.work_order_number}/{self.sequence}"


def operation_labels(operation_ids: Iterable[int]) -> dict[int, OperationLabel]:
    """The operations that exist among the ids; two queries, each of few tables (see standing)."""
    rows = WorkOrderOperation.objects.filter(pk__in=list(operation_ids)).values_list(
        "pk", "work_order_id", "sequence", "state"
    )
    found = list(rows)
    orders = {
        pk: (number, item, site)
        for pk, number, item, site in WorkOrder.objects.filter(
            pk__in={order for _pk, order, _sequence, _state in found}
        ).values_list("pk", "number", "item__code", "site_id")
    }
    labels = {}
    for pk, order, sequence, state in found:
        number, item, site = orders[order]
        labels[pk] = OperationLabel(pk, order, number, sequence, item, site, OperationState(state))
    return labels


@dataclass(frozen=True, slots=True)
class OperationFace:
    """What a drawing of a plan shows of an operation."""

    work_order_id: int
    work_order_number: str
    item_code: str
    due_at: datetime
    sequence: int
    name: str
    name_zh: str
    state: OperationState
    # Changeovers go by it, "" included.
    setup_family: str
    skill_id: int | None
    people: int
    tool_id: int | None


def operation_faces(operation_ids: Iterable[int]) -> dict[int, OperationFace]:
    """The operations that exist among the ids; two queries, each of few tables (see standing)."""
    rows = WorkOrderOperation.objects.filter(pk__in=list(operation_ids)).values_list(
        *("pk", "work_order_id", "sequence", "name", "name_zh", "state"),
        *("setup_family", "skill_id", "people", "tool_id"),
    )
    found = list(rows)
    orders = {
        row[0]: row[1:]
        for row in WorkOrder.objects.filter(pk__in={row[1] for row in found}).values_list(
            "pk", "number", "item__code", "due_at"
        )
    }
    return {
        pk: OperationFace(order, *orders[order], sequence, name, zh, OperationState(state), *rest)
        for pk, order, sequence, name, zh, state, *rest in found
    }
