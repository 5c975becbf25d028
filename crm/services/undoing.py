"""Taking back what an order asked of the shop, as far as it has not started."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from common.models import User
from crm.models import SalesOrderLine
from mes.services import supply


@dataclass(frozen=True)
class Undone:
    """Numbers of work orders that were cancelled or made smaller, and of those that go on."""

    undone: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()


def undo_lines(
    quantities: Mapping[SalesOrderLine, Decimal], *, by: User | None, now: datetime
) -> Undone:
    """Bring the supply of the lines down to the new quantities, in the caller's transaction."""
    targets = {
        line.requirement_id: quantity
        for line, quantity in quantities.items()
        if line.requirement_id is not None
    }
    if not targets:
        return Undone()
    site_id = next(iter(quantities)).order.site_id
    result = supply.unplan(site_id=site_id, quantities=targets, by=by, now=now)
    return Undone(undone=tuple(result.undone), remaining=tuple(result.remaining))
