"""What a work order should cost: the frozen BOM and routing at the prices of its first day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from erp.enums import CostKind
from erp.services import costing
from masterdata import selectors as masterdata
from masterdata.enums import RateKind, RunBasis
from masterdata.services import lots
from mes.enums import OperationState
from mes.models import CostStandard, WorkOrder, WorkOrderMaterial, WorkOrderOperation

if TYPE_CHECKING:
    from masterdata.models import Site

ZERO = Decimal(0)
HOUR = Decimal(60)

# What is paid by the hour, and the rate behind it.
BY_HOUR = {
    CostKind.LABOUR: RateKind.LABOUR,
    CostKind.MACHINE: RateKind.MACHINE,
    CostKind.OVERHEAD: RateKind.OVERHEAD,
}


@dataclass(frozen=True, slots=True)
class Prices:
    """What an hour, a kWh and a subcontracted piece cost at a site on a day."""

    site: "Site"
    day: date
    rates: dict[tuple[int, str], Decimal]
    # Mean power of the active units of a work center, and each unit's own, in kW.
    center_kw: dict[int, Decimal]
    unit_kw: dict[int, Decimal]

    @classmethod
    def of(cls, order: WorkOrder, center_ids: Iterable[int], *, now: datetime) -> "Prices":
        """The prices of the day at the order's site; three queries."""
        site = masterdata.site(order.site_id)
        day = now.astimezone(ZoneInfo(site.time_zone)).date()
        units = masterdata.active_units(site_id=site.pk)
        by_center: dict[int, list[Decimal]] = {}
        for unit in units:
            by_center.setdefault(unit.work_center_id, []).append(unit.energy_kw)
        return cls(
            site=site,
            day=day,
            rates=masterdata.hourly_rates(list(center_ids), on=day, currency=site.currency),
            center_kw={pk: sum(kw, ZERO) / len(kw) for pk, kw in by_center.items()},
            unit_kw={unit.id: unit.energy_kw for unit in units},
        )

    def hour(self, operation: WorkOrderOperation, kind: CostKind) -> Decimal:
        """What an hour of the kind costs at the operation; 0 where no rate is known."""
        return self.rates.get((operation.work_center_id, BY_HOUR[kind]), ZERO)

    def subcontract(self, order: WorkOrder, operation: WorkOrderOperation) -> Decimal:
        """What the subcontractor asks for a piece: its price of the item that is made."""
        return masterdata.supplier_price(
            item_id=order.item_id,
            supplier_id=operation.subcontractor_id or 0,
            on=self.day,
            currency=self.site.currency,
        )

    def kilowatts(self, center_id: int, unit_id: int | None) -> Decimal:
        """The unit's power, or the mean of the center's units."""
        if unit_id is not None and unit_id in self.unit_kw:
            return self.unit_kw[unit_id]
        return self.center_kw.get(center_id, ZERO)


def freeze(order: WorkOrder, *, now: datetime) -> list[CostStandard]:
    """Write what the work order should cost, at the prices and rates of the day; once."""
    operations = list(
        WorkOrderOperation.objects.filter(work_order=order)
        .exclude(state=OperationState.CANCELLED)
        .order_by("sequence")
    )
    prices = Prices.of(order, {operation.work_center_id for operation in operations}, now=now)
    rows = [*_materials(order)]
    for operation in operations:
        rows += _operation(order, operation, prices, is_last=operation is operations[-1])
    return CostStandard.objects.bulk_create([row for row in rows if row.price], batch_size=1000)


def of(order: WorkOrder) -> list[CostStandard]:
    """The frozen standard of a work order; empty before the work began."""
    return list(CostStandard.objects.filter(work_order=order).order_by("pk"))


def unit_cost(order: WorkOrder, rows: Iterable[CostStandard] | None = None) -> Decimal:
    """What a good piece of the work order should cost, unrounded; one query without ``rows``."""
    standards = [element(row) for row in (of(order) if rows is None else rows)]
    return costing.unit_cost(standards, quantity=order.quantity, output=planned_output(order))


def planned_output(order: WorkOrder) -> Decimal:
    """Good pieces that the standard counts on: the quantity less the scrap allowance.

    ``order.output`` shrinks with scrap beyond it, so it is taken from the item's allowance anew.
    """
    return lots.expected_output(
        order.quantity, scrap_rate=order.item.scrap_rate, uom=order.item.uom
    )


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


def _materials(order: WorkOrder) -> Iterable[CostStandard]:
    """One row per component, however many lines of the BOM name it."""
    lines = WorkOrderMaterial.objects.filter(work_order=order).select_related("item", "requirement")
    rows: dict[int, CostStandard] = {}
    for line in lines.order_by("position"):
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
        row.per_piece += line.requirement.quantity / order.quantity
    return rows.values()


def _operation(
    order: WorkOrder, operation: WorkOrderOperation, prices: Prices, *, is_last: bool
) -> Iterable[CostStandard]:
    if operation.subcontractor_id is not None:
        price = prices.subcontract(order, operation)
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
