"""Material on work orders: what left the store for them, at what a piece cost on average."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from common.models import User
from erp import selectors
from erp.enums import CostKind
from erp.models import StockMove
from erp.services import costing, costs

_PLACES = Decimal("0.0001")


def put_on_orders(
    move_ids: Sequence[int], *, order_line: str, by: User | None, now: datetime
) -> None:
    """Put issued components on the work orders that the moves name, and take returned ones off.

    A query, and three a site, however many moves.
    """
    issued = list(StockMove.objects.filter(pk__in=list(move_ids)).order_by("pk"))
    for site_id in sorted({move.site_id for move in issued}):
        here = [move for move in issued if move.site_id == site_id]
        prices = selectors.average_costs({move.item_id for move in here}, site_id=site_id)
        costs.record(
            [_entry(move, prices[move.item_id], order_line) for move in here],
            site_id=site_id,
            by=by,
            now=now,
        )


def _entry(move: StockMove, price: Decimal, order_line: str) -> costs.NewEntry:
    return costs.NewEntry(
        kind=CostKind.MATERIAL,
        amount=costing.cents(-move.quantity * price),
        item_id=move.item_id,
        work_order=move.reference,
        source=f"move:{move.pk}",
        quantity=-move.quantity,
        price=price.quantize(_PLACES),
        order_line=order_line,
    )
