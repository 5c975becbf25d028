"""Material on work orders: what left the store for them, at what a piece cost on average."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from common.models import User
from erp import selectors
from erp.enums import CostKind, VarianceCause
from erp.models import CostEntry, StockMove
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


def explain_returned(move_ids: Sequence[int], *, by: User | None, now: datetime) -> None:
    """Book what came back from closed work orders as less use, so that these still sum to zero."""
    sources = [f"move:{pk}" for pk in move_ids]
    for taken_off in CostEntry.objects.filter(source__in=sources, kind=CostKind.MATERIAL):
        # Variances are of what the order makes, as those are that it closed with.
        made = CostEntry.objects.filter(work_order=taken_off.work_order)
        head = made.exclude(kind=CostKind.MATERIAL).order_by("-pk").first() or taken_off
        less_used = costs.NewEntry(
            kind=CostKind.VARIANCE,
            cause=VarianceCause.USAGE,
            amount=-taken_off.amount,
            item_id=head.item_id,
            work_order=taken_off.work_order,
            source=taken_off.source,
            order_line=head.order_line,
        )
        costs.record([less_used], site_id=taken_off.site_id, by=by, now=now)


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
