"""Operations by what people call them."""

from collections.abc import Iterable
from dataclasses import dataclass

from mes.enums import OperationState
from mes.models import WorkOrderOperation


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
    """The operations that exist among the ids; one query."""
    rows = WorkOrderOperation.objects.filter(pk__in=list(operation_ids)).values_list(
        "pk",
        "work_order_id",
        "work_order__number",
        "sequence",
        "work_order__item__code",
        "work_order__site_id",
        "state",
    )
    return {
        pk: OperationLabel(pk, order, number, sequence, item, site, OperationState(state))
        for pk, order, number, sequence, item, site, state in rows
    }
