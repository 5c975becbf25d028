"""Whether a quantity can be made at all in the time that is looked at, by arithmetic alone.

Counts what no plan can get around: the minutes of the pieces themselves on the quickest machine,
against all the hours of all machines that may do the work. So that a question with too many pieces
is answered at once; what passes here is still checked exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from aps.services.live import Live
from aps.services.promise_answers import LineRequest
from aps.services.supplies import ZERO, Supplies
from masterdata.enums import RunBasis
from masterdata.selectors import ItemStructure, OperationStructure, eligible_units

HOUR = 60


@dataclass(frozen=True, slots=True)
class Lacking:
    """Where the hours do not suffice: minutes needed and minutes there are."""

    item: ItemStructure
    quantity: Decimal
    center: str
    needed: int
    available: int
    days: int

    def sentence(self) -> str:
        return _(
            "%(quantity)s of %(item)s take at least %(needed)s hours at work center %(center)s, "
            "which has %(available)s hours in the next %(years)s years; ask for less at once."
        ) % {
            "quantity": f"{self.quantity.normalize():,f}",
            "item": self.item.code,
            "needed": f"{-(-self.needed // HOUR):,}",
            "center": self.center,
            "available": f"{self.available // HOUR:,}",
            "years": self.days // 365,
        }


def lacking(
    line: LineRequest,
    structures: Mapping[int, ItemStructure],
    supplies: Supplies,
    live: Live,
    now: int,
) -> Lacking | None:
    """The first operation of the item for which the known hours do not suffice; None for none."""
    item = structures[line.item_id]
    lots = supplies.lots.get(item.item_id, ())
    free = supplies.stock.get(item.item_id, ZERO) + sum((lot.quantity for lot in lots), ZERO)
    rest = line.quantity - free
    if rest <= 0 or not item.is_made:
        return None
    for operation in item.operations:
        found = _short(operation, rest, live, now)
        if found is not None:
            needed, available, center = found
            days = (live.horizon - now) // (24 * HOUR)
            return Lacking(item, line.quantity, center, needed, available, days)
    return None


def _short(
    operation: OperationStructure, pieces: Decimal, live: Live, now: int
) -> tuple[int, int, str] | None:
    if operation.subcontractor_id is not None or operation.run_basis == RunBasis.PER_ORDER:
        return None
    center = live.units_by_center.get(operation.work_center_id, [])
    units = [unit for unit in eligible_units(operation, center) if unit.work_unit_id in live.times]
    if not units:
        return None
    needed = int(min(unit.run_minutes for unit in units) * pieces)
    available = sum(live.times[unit.work_unit_id].worked(now, live.horizon) for unit in units)
    code = live.units[units[0].work_unit_id].work_center_code
    return (needed, available, code) if needed > available else None
