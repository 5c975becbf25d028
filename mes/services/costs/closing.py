"""What is left on a work order when it closes, explained to the cent."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from common.models import User
from erp import selectors as erp
from erp.enums import CostKind
from erp.services import costing, costs
from mes.models import CostStandard, WorkOrder, WorkOrderOperation
from mes.services.costs import standards
from mes.services.costs.booking import order_line

ZERO = Decimal(0)
# Kind, setup or run, operation, component: what is compared with its standard.
_Key = tuple[str, bool, int | None, int | None]


def explain(order: WorkOrder, *, by: User | None, now: datetime) -> dict[costing.Cause, Decimal]:
    """Book the variances of a work order that closes; afterwards its entries sum to zero.

    Return them, favourable above zero. They sum to the output at standard less the actual cost.
    """
    rows = standards.of(order)
    spent = erp.cost_totals(order.number)
    left = sum((total.amount for total in spent), ZERO)
    exact = costing.variances(element for _kind, element in elements(order, rows, spent))
    found = costing.to_the_cent(exact, -left)
    line = order_line(order)
    costs.record(
        [
            costs.NewEntry(
                kind=CostKind.VARIANCE,
                cause=cause,
                # A favourable one puts back what the output took off too much.
                amount=amount,
                item_id=order.item_id,
                work_order=order.number,
                source=f"close:{order.number}",
                order_line=line,
            )
            for cause, amount in found.items()
        ],
        site_id=order.site_id,
        by=by,
        now=now,
    )
    return found


def elements(
    order: WorkOrder, rows: Sequence[CostStandard], spent: Sequence[erp.CostTotal]
) -> list[tuple[str, costing.Element]]:
    """Each element of a work order with its kind in the ledger: the standard beside the actual.

    What nobody planned is use beyond the standard, all of it at what it cost.
    """
    processed = _processed(order)
    first = min(processed, default=0)
    actual = {_key_of(total): total for total in spent if total.kind in CostKind.inputs()}
    output = standards.planned_output(order)
    found: list[tuple[str, costing.Element]] = []
    for row in rows:
        key = (row.kind, row.is_setup, row.operation_sequence, row.item_id)
        total = actual.pop(key, None)
        element = standards.element(row).measured(
            quantity=order.quantity,
            output=output,
            processed=processed.get(row.operation_sequence or first, ZERO),
            good=order.good,
            actual_quantity=total.quantity if total else ZERO,
            actual_amount=total.amount if total else ZERO,
        )
        found.append((row.kind, element))
    return found + [(total.kind, _unplanned(total)) for total in actual.values()]


def _key_of(total: erp.CostTotal) -> _Key:
    if total.kind == CostKind.MATERIAL:
        return (total.kind, False, None, total.item_id)
    return (total.kind, total.is_setup, total.operation_sequence, None)


def _unplanned(total: erp.CostTotal) -> costing.Element:
    price = total.amount / total.quantity if total.quantity else ZERO
    return costing.Element(
        kind=standards.costing_kind(total.kind, total.is_setup),
        price=price,
        actual_quantity=total.quantity,
        actual_amount=total.amount,
        allowed_processed=ZERO,
        allowed_output=ZERO,
    )


def _processed(order: WorkOrder) -> dict[int, Decimal]:
    """Pieces that each operation worked on, by its sequence."""
    rows = WorkOrderOperation.objects.filter(work_order=order).order_by("sequence")
    return {
        sequence: good + scrap
        for sequence, good, scrap in rows.values_list("sequence", "good", "scrap")
    }
