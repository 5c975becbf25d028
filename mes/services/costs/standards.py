"""What a work order should cost: the frozen BOM and routing at the prices of its first day."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from erp.enums import CostKind
from erp.services import costing
from mes.enums import OperationState
from mes.models import CostStandard, WorkOrder, WorkOrderMaterial, WorkOrderOperation
from mes.selectors.prices import Prices
from mes.selectors.standard_rows import planned_output, standard_rows

__all__ = ["costing_kind", "element", "freeze", "of", "planned_output", "unit_cost"]


def freeze(order: WorkOrder, *, now: datetime) -> list[CostStandard]:
    """Write what the work order should cost, at the prices and rates of the day; once."""
    operations = list(
        WorkOrderOperation.objects.filter(work_order=order)
        .exclude(state=OperationState.CANCELLED)
        .order_by("sequence")
    )
    lines = list(
        WorkOrderMaterial.objects.filter(work_order=order)
        .select_related("item", "requirement")
        .order_by("position")
    )
    prices = Prices.of(
        order.site_id,
        # The routing's own work centers, wherever it is planned: the rest is a variance.
        {(operation.work_center_id, None) for operation in operations},
        at=now,
        asked={(order.item_id, o.subcontractor_id) for o in operations if o.subcontractor_id},
    )
    needs = {line.requirement_id: line.requirement.quantity for line in lines}
    rows = standard_rows(order, lines, needs, operations, prices)
    return CostStandard.objects.bulk_create(rows, batch_size=1000)


def of(order: WorkOrder) -> list[CostStandard]:
    """The frozen standard of a work order; empty before the work began."""
    return list(CostStandard.objects.filter(work_order=order).order_by("pk"))


def unit_cost(order: WorkOrder, rows: Iterable[CostStandard] | None = None) -> Decimal:
    """What a good piece of the work order should cost, unrounded; one query without ``rows``."""
    standards = [element(row) for row in (of(order) if rows is None else rows)]
    return costing.unit_cost(standards, quantity=order.quantity, output=planned_output(order))


def element(row: CostStandard) -> costing.Standard:
    """The row as the arithmetic wants it."""
    return costing.Standard(
        kind=costing_kind(row.kind, row.is_setup),
        price=row.price,
        per_order=row.per_order,
        per_piece=row.per_piece,
    )


def costing_kind(kind: str, is_setup: bool) -> costing.Kind:
    """The arithmetic knows setup apart, where it has a rate of its own kind."""
    if is_setup and kind == CostKind.LABOUR:
        return "labour_setup"
    if is_setup and kind == CostKind.MACHINE:
        return "machine_setup"
    return costing.KINDS[kind]
