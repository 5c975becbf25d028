"""The standard of a work order as rows: its frozen BOM and routing at the prices of a day."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from erp.enums import CostKind
from erp.services import costing
from masterdata.enums import RunBasis
from masterdata.services import lots
from mes.models import CostStandard, WorkOrder, WorkOrderMaterial, WorkOrderOperation
from mes.selectors.prices import BY_HOUR, HOUR, Prices

ZERO = Decimal(0)


def standard_rows(
    order: WorkOrder,
    lines: Iterable[WorkOrderMaterial],
    needs: Mapping[int, Decimal],
    operations: Sequence[WorkOrderOperation],
    prices: Prices,
) -> list[CostStandard]:
    """The rows, not saved, those without a price left out.

    ``lines`` with their items, ``needs`` their quantities by requirement; ``operations`` in order
    and without cancelled ones.
    """
    rows = [*_materials(order, lines, needs)]
    for operation in operations:
        rows += _operation(order, operation, prices, is_last=operation is operations[-1])
    return [row for row in rows if row.price]


def planned_output(order: WorkOrder) -> Decimal:
    """Good pieces that the standard counts on: the quantity less the scrap allowance.

    ``order.output`` shrinks with scrap beyond it, so it is taken from the item's allowance anew.
    """
    return lots.expected_output(
        order.quantity, scrap_rate=order.item.scrap_rate, uom=order.item.uom
    )


def unit_costs(order: WorkOrder, rows: Iterable[CostStandard]) -> dict[str, Decimal]:
    """What a good piece should cost by kind, unrounded."""
    output = planned_output(order)
    found: dict[str, Decimal] = {}
    for row in rows:
        # The words of setup do not matter to a unit's cost.
        standard = costing.Standard(
            costing.KINDS[row.kind], row.price, row.per_order, row.per_piece
        )
        each = standard.unit_cost(quantity=order.quantity, output=output)
        found[row.kind] = found.get(row.kind, ZERO) + each
    return found


def _materials(
    order: WorkOrder, lines: Iterable[WorkOrderMaterial], needs: Mapping[int, Decimal]
) -> Iterable[CostStandard]:
    """One row per component, however many lines of the BOM name it."""
    rows: dict[int, CostStandard] = {}
    for line in lines:
        row = rows.setdefault(
            line.item_id,
            CostStandard(
                work_order=order,
                kind=CostKind.MATERIAL,
                item=line.item,
                price=line.item.standard_cost,
                per_piece=ZERO,
            ),
        )
        row.per_piece += needs[line.requirement_id] / order.quantity
    return rows.values()


def _operation(
    order: WorkOrder, operation: WorkOrderOperation, prices: Prices, *, is_last: bool
) -> Iterable[CostStandard]:
    if operation.subcontractor_id is not None:
        price = prices.subcontract(order.item_id, operation)
        yield _row(order, operation, CostKind.SUBCONTRACT, price, piece=1)
        return
    setup, run = operation.setup_minutes / HOUR, operation.run_minutes / HOUR
    per_piece = operation.run_basis == RunBasis.PER_PIECE
    for kind in BY_HOUR:
        rate = prices.hour(operation, kind)
        people = operation.people if kind == CostKind.LABOUR else 1
        if setup:
            yield _row(order, operation, kind, rate, order_=setup * people, is_setup=True)
        if per_piece:
            yield _row(order, operation, kind, rate, piece=run * people)
        else:
            yield _row(order, operation, kind, rate, order_=run * people)
    price = prices.site.energy_price
    if order.item.energy_kwh_per_unit:
        if is_last:
            kwh = order.item.energy_kwh_per_unit
            yield _row(order, operation, CostKind.ENERGY, price, piece=kwh)
        return
    kw = prices.kilowatts(operation.work_center_id, operation.planned_work_unit_id)
    if setup:
        yield _row(order, operation, CostKind.ENERGY, price, order_=setup * kw, is_setup=True)
    kwh = run * kw
    if per_piece:
        yield _row(order, operation, CostKind.ENERGY, price, piece=kwh)
    else:
        yield _row(order, operation, CostKind.ENERGY, price, order_=kwh)


def _row(
    order: WorkOrder,
    operation: WorkOrderOperation,
    kind: CostKind,
    price: Decimal,
    *,
    order_: Decimal = ZERO,
    piece: Decimal | int = ZERO,
    is_setup: bool = False,
) -> CostStandard:
    return CostStandard(
        work_order=order,
        kind=kind,
        is_setup=is_setup,
        operation_sequence=operation.sequence,
        price=price,
        per_order=order_,
        per_piece=Decimal(piece),
    )
