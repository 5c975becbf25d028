"""Components that are scanned into a work order, and how far that is."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from erp import selectors as erp
from masterdata.enums import IssueMethod, Tracking
from mes.enums import OperationState
from mes.models import WorkOrder, WorkOrderMaterial, WorkOrderOperation

if TYPE_CHECKING:
    from masterdata.models import Item


@dataclass(frozen=True, slots=True)
class ScanLine:
    """A line of the frozen BOM that is issued by scan."""

    item: "Item"
    requirement_id: int
    quantity: Decimal
    issued: Decimal

    @property
    def item_id(self) -> int:
        return int(self.item.pk)

    @property
    def missing(self) -> Decimal:
        return max(Decimal(0), self.quantity - self.issued)


def takes_serials(operation: WorkOrderOperation) -> bool:
    """Whether its good pieces go into stock with serial numbers that may be scanned."""
    if operation.work_order.item.tracking != Tracking.SERIAL:
        return False
    later = WorkOrderOperation.objects.filter(
        work_order=operation.work_order_id, sequence__gt=operation.sequence
    )
    return not later.exclude(state=OperationState.CANCELLED).exists()


def scan_lines(order: WorkOrder) -> list[ScanLine]:
    """The lines by position; two queries."""
    lines = (
        WorkOrderMaterial.objects.filter(work_order=order, issue_method=IssueMethod.SCAN)
        .select_related("item")
        .order_by("position")
    )
    items = {line.requirement_id: line.item for line in lines}
    rows = {row.requirement_id: row for row in erp.coverage(list(items))} if items else {}
    return [ScanLine(item, pk, rows[pk].quantity, rows[pk].issued) for pk, item in items.items()]
