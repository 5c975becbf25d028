"""Material on work orders: what left the store for them, at what a piece cost on average."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from common.models import User
from erp import selectors
from erp.enums import CostKind, VarianceCause
from erp.models import CostEntry
from erp.services import costing, costs

_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Issued:
    """A move that has just been written: what left the store, below zero."""

    pk: int
    item_id: int
    site_id: int
    quantity: Decimal


def put_on_orders(
    issued: Sequence[Issued],
    work_order: str,
    *,
    order_line: str,
    by: User | None,
    now: datetime,
) -> None:
    """Put issued components on the work order of that number, and take returned ones off.

    Three queries a site, however many moves.
    """
    for site_id in sorted({move.site_id for move in issued}):
        here = [move for move in issued if move.site_id == site_id]
        prices = selectors.average_costs({move.item_id for move in here}, site_id=site_id)
        costs.record(
            [_entry(move, work_order, prices[move.item_id], order_line) for move in here],
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


def _entry(move: Issued, work_order: str, price: Decimal, order_line: str) -> costs.NewEntry:
    return costs.NewEntry(
        kind=CostKind.MATERIAL,
        amount=costing.cents(-move.quantity * price),
        item_id=move.item_id,
        work_order=work_order,
        source=f"move:{move.pk}",
        quantity=-move.quantity,
        price=price.quantize(_PLACES),
        order_line=order_line,
    )
