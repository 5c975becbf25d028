"""Material, time, energy and output of a work order, as ledger entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from common.models import User
from erp import selectors as erp
from erp.enums import CostKind, RequirementKind
from erp.services import costing, costs
from masterdata import selectors as masterdata
from mes.models import WorkOrder, WorkOrderOperation, WorkOrderPeg
from mes.selectors.prices import HOUR, Prices

ZERO = Decimal(0)
_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Spent:
    """Minutes at an operation: of people (labour) or of the work unit (machine)."""

    operation: WorkOrderOperation
    minutes: Decimal
    # The row that is the fact: "time:815".
    source: str
    is_setup: bool = False
    is_labour: bool = False
    work_unit_id: int | None = None

    @property
    def place(self) -> int | None:
        """The work unit at which it was, people at that of their operation."""
        return self.work_unit_id or self.operation.work_unit_id


def book_time(order: WorkOrder, spent: Sequence[Spent], *, by: User | None, now: datetime) -> None:
    """Put booked time on the work order at the rates of the day.

    People cost labour. A work unit costs its machine rate, the overhead of its hours and, where the
    item has no energy per piece, the energy of its power. An alternative that stands in another
    work center than the routing says costs the rates of that one, and so do people there.
    """
    if not spent:
        return
    places = {(row.operation.work_center_id, row.place) for row in spent}
    prices = Prices.of(order.site_id, places, at=now)
    line = order_line(order)
    entries: list[costs.NewEntry] = []
    for row in spent:
        kinds = [CostKind.LABOUR] if row.is_labour else [CostKind.MACHINE, CostKind.OVERHEAD]
        entries += [_hours(order, row, kind, prices, line) for kind in kinds]
        if not row.is_labour and not order.item.energy_kwh_per_unit:
            kw = prices.kilowatts(row.operation.work_center_id, row.place)
            kwh = row.minutes / HOUR * kw
            entries.append(
                _energy(
                    order,
                    row.operation,
                    kwh,
                    prices.site.energy_price,
                    row.source,
                    line,
                    row.is_setup,
                )
            )
    _record(order, entries, by, now)


def correct_labour(
    order: WorkOrder, row: Spent, booked: erp.BookedTime | None, *, by: User | None, now: datetime
) -> None:
    """Book what is missing of (or too much for) a person's minutes that were shared anew.

    At the rate at which they were ``booked`` before, else that of the day.
    """
    if booked is None:
        place = (row.operation.work_center_id, row.place)
        prices = Prices.of(order.site_id, [place], at=now)
        rate = prices.hour(row.operation, CostKind.LABOUR, row.place)
        booked = erp.BookedTime(ZERO, ZERO, rate, 0)
    hours = (row.minutes / HOUR).quantize(_PLACES)
    entry = costs.NewEntry(
        kind=CostKind.LABOUR,
        amount=costing.hourly(row.minutes, booked.price) - booked.amount,
        item_id=order.item_id,
        work_order=order.number,
        source=f"{row.source}#{booked.entries}" if booked.entries else row.source,
        is_setup=row.is_setup,
        quantity=hours - booked.hours,
        price=booked.price,
        operation_sequence=row.operation.sequence,
        order_line=order_line(order),
    )
    _record(order, [entry], by, now)


def book_energy(
    order: WorkOrder,
    operation: WorkOrderOperation,
    pieces: Decimal,
    *,
    source: str,
    by: User | None,
    now: datetime,
    line: str | None = None,
) -> None:
    """Put the energy of pieces on the work order, where the item says how much a piece takes.

    ``line`` is the order line, where the caller knows it; so below.
    """
    if not order.item.energy_kwh_per_unit:
        return
    price = masterdata.site(order.site_id).energy_price
    line = order_line(order) if line is None else line
    kwh = pieces * order.item.energy_kwh_per_unit
    entry = _energy(order, operation, kwh, price, source, line, False)
    _record(order, [entry], by, now)


def book_subcontract(
    order: WorkOrder,
    operation: WorkOrderOperation,
    pieces: Decimal,
    *,
    source: str,
    by: User | None,
    now: datetime,
    line: str | None = None,
) -> None:
    """Put subcontracted pieces on the work order at the subcontractor's price of the day."""
    asked = [(order.item_id, operation.subcontractor_id or 0)]
    price = Prices.of(order.site_id, [], at=now, asked=asked).subcontract(order.item_id, operation)
    entry = costs.NewEntry(
        kind=CostKind.SUBCONTRACT,
        amount=costing.cents(pieces * price),
        item_id=order.item_id,
        work_order=order.number,
        source=source,
        quantity=pieces,
        price=price,
        operation_sequence=operation.sequence,
        order_line=order_line(order) if line is None else line,
    )
    _record(order, [entry], by, now)


def book_output(
    order: WorkOrder,
    good: Decimal,
    *,
    price: Decimal,
    source: str,
    by: User | None,
    now: datetime,
    line: str | None = None,
) -> None:
    """Take good pieces off the work order at what one should cost; negative ones come back."""
    entry = costs.NewEntry(
        kind=CostKind.OUTPUT,
        amount=-costing.cents(good * price),
        item_id=order.item_id,
        work_order=order.number,
        source=source,
        quantity=good,
        price=price.quantize(_PLACES),
        order_line=order_line(order) if line is None else line,
    )
    _record(order, [entry], by, now)


def book_pieces(
    operation: WorkOrderOperation,
    pieces: Decimal,
    *,
    is_last: bool,
    source: str,
    by: User | None,
    now: datetime,
    line: str | None = None,
) -> None:
    """Put on the work order what each piece that an operation worked on costs by itself.

    That is the subcontractor's price, and at the last operation the energy of a piece. Negative
    pieces were reported by mistake.
    """
    if not pieces:
        return
    order = operation.work_order
    if operation.subcontractor_id is not None:
        book_subcontract(order, operation, pieces, source=source, by=by, now=now, line=line)
    if is_last:
        book_energy(order, operation, pieces, source=source, by=by, now=now, line=line)


def order_line(order: WorkOrder) -> str:
    """The order line that all of the work order is for, else empty; one query."""
    rows = WorkOrderPeg.objects.filter(work_order=order).values_list(
        "requirement__kind", "requirement__reference"
    )[:2]
    found = list(rows)
    if len(found) == 1 and found[0][0] == RequirementKind.SALES:
        return str(found[0][1])
    return ""


def _hours(
    order: WorkOrder, row: Spent, kind: CostKind, prices: Prices, line: str
) -> costs.NewEntry:
    rate = prices.hour(row.operation, kind, row.place)
    return costs.NewEntry(
        kind=kind,
        amount=costing.hourly(row.minutes, rate),
        item_id=order.item_id,
        work_order=order.number,
        source=row.source,
        is_setup=row.is_setup,
        quantity=(row.minutes / HOUR).quantize(_PLACES),
        price=rate,
        operation_sequence=row.operation.sequence,
        order_line=line,
    )


def _energy(
    order: WorkOrder,
    operation: WorkOrderOperation,
    kwh: Decimal,
    price: Decimal,
    source: str,
    line: str,
    is_setup: bool,
) -> costs.NewEntry:
    return costs.NewEntry(
        kind=CostKind.ENERGY,
        amount=costing.cents(kwh * price),
        item_id=order.item_id,
        work_order=order.number,
        source=source,
        is_setup=is_setup,
        quantity=kwh.quantize(_PLACES),
        price=price,
        operation_sequence=operation.sequence,
        order_line=line,
    )


def _record(
    order: WorkOrder, entries: Sequence[costs.NewEntry], by: User | None, now: datetime
) -> None:
    costs.record(entries, site_id=order.site_id, by=by, now=now)
