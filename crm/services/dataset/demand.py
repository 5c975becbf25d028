"""What the imported orders ask of each work center: a rough-cut explosion of all levels."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from crm.services.dataset import files
from crm.services.dataset.context import Context
from erp import selectors as erp
from masterdata import selectors as masterdata
from masterdata.enums import LotPolicy
from masterdata.selectors import ItemStructure
from masterdata.services import lots

_FILE = "sales_order_lines.csv"
ZERO = Decimal(0)
Demand = list[tuple[date, Decimal]]


@dataclass(slots=True)
class Load:
    """Minutes per work center in so many days."""

    days: int
    minutes: dict[str, Decimal] = field(default_factory=dict)


def load(context: Context, centers: dict[int, str]) -> Load:
    """The minutes of all work orders that the sales orders need, stock netted, lots as planned.

    The span goes from the first order to the last requested day.
    """
    wanted = _sales(context)
    table = context.table(_FILE)
    first, last = files.first_day(table, "order_date"), files.last_day(table, "requested_date")
    found = Load(max(7, (last - first).days if first and last else 7))
    if not wanted or first is None:
        return found
    structures = masterdata.structures(item_ids=wanted, on=first)
    site = masterdata.site_by_code(context.options.site)
    free = dict(erp.free_stock(site_id=site.pk, item_ids=structures))
    levels = masterdata.low_level_codes(structures)
    for pk in sorted(structures, key=lambda pk: levels[pk]):
        item = structures[pk]
        if not item.is_made:
            continue
        for day, quantity in work_orders(item, _net(wanted.get(pk, []), free.get(pk, ZERO))):
            _add_operations(found, item, quantity, centers)
            for component in item.components:
                needed = lots.component_need(
                    quantity,
                    quantity_per=component.quantity_per,
                    scrap_rate=component.scrap_rate,
                    uom=component.uom,
                )
                due = day - timedelta(days=item.lead_time_days)
                wanted.setdefault(component.item_id, []).append((due, needed))
    return found


def work_orders(item: ItemStructure, demand: Demand) -> Demand:
    """Day and started quantity of the work orders for a net demand, as conversion makes them."""
    uom, scrap = item.uom, item.scrap_rate
    if item.lot_policy == LotPolicy.PERIOD and item.lot_period_days:
        periods: dict[date, list[tuple[date, Decimal]]] = {}
        for day, quantity in sorted(demand):
            start = lots.period_start(day, item.lot_period_days)
            periods.setdefault(start, []).append((day, quantity))
        demand = [(needs[0][0], sum((q for _day, q in needs), ZERO)) for needs in periods.values()]
    size = item.lot_size if item.lot_policy == LotPolicy.FIXED else None
    started = [
        (day, lots.to_start(quantity, scrap_rate=scrap, uom=uom, lot_size=size))
        for day, quantity in sorted(demand)
    ]
    if size is None:
        return started
    return [(day, size) for day, quantity in started for _lot in range(int(quantity / size))]


def _net(demand: Demand, free: Decimal) -> Demand:
    """What stock does not cover, earliest first."""
    left: Demand = []
    for day, quantity in sorted(demand):
        taken = min(free, quantity)
        free -= taken
        if quantity > taken:
            left.append((day, quantity - taken))
    return left


def _add_operations(
    found: Load, item: ItemStructure, quantity: Decimal, centers: dict[int, str]
) -> None:
    for operation in item.operations:
        code = centers.get(operation.work_center_id)
        if code is not None and operation.subcontractor_id is None:
            minutes = operation.setup_minutes + operation.minutes_for(quantity)
            found.minutes[code] = found.minutes.get(code, ZERO) + minutes


def _sales(context: Context) -> dict[int, Demand]:
    """Quantity by day and item of the lines that are in order; the others are told elsewhere."""
    rows = context.table(_FILE).rows
    items = masterdata.item_ids()
    wanted: dict[int, Demand] = {}
    for row in rows:
        item = items.get(row.cells["item_number"])
        day = files.to_date(row.cells["requested_date"])
        try:
            quantity = Decimal(row.cells["quantity"])
        except InvalidOperation:
            continue
        if item is not None and day is not None and quantity.is_finite() and quantity > 0:
            wanted.setdefault(item, []).append((day, quantity))
    return wanted
