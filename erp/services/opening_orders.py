"""Purchase orders that were placed before the system started, as another system recorded them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from common import audit
from common.models import User
from erp.enums import PurchaseOrderState
from erp.models import PurchaseOrder, PurchaseOrderLine
from erp.services import supplies
from masterdata import selectors as masterdata

_BATCH = 2000


@dataclass(frozen=True, slots=True)
class OpeningLine:
    """``accepted`` and ``rejected`` came already; the rest is expected by ``due_date``."""

    position: int
    item_id: int
    quantity: Decimal
    unit_price: Decimal
    due_date: date
    accepted: Decimal
    rejected: Decimal

    @property
    def open(self) -> Decimal:
        return self.quantity - self.accepted - self.rejected


@dataclass(frozen=True, slots=True)
class OpeningOrder:
    """An order with the number it had."""

    number: str
    supplier_id: int
    ordered_at: datetime
    lines: Sequence[OpeningLine]


def known(numbers: Iterable[str]) -> set[str]:
    """Those of the numbers that are taken."""
    taken = PurchaseOrder.objects.filter(number__in=list(numbers))
    return set(taken.values_list("number", flat=True))


def record(
    orders: Sequence[OpeningOrder], *, site_id: int, reference: str, by: User | None, now: datetime
) -> None:
    """Write the orders, whose numbers must be free, in a few statements.

    What they brought is not booked in again: it is part of the opening stock.
    """
    currency = masterdata.site(site_id).currency
    with transaction.atomic():
        placed = PurchaseOrder.objects.bulk_create(
            [
                PurchaseOrder(
                    number=order.number,
                    supplier_id=order.supplier_id,
                    site_id=site_id,
                    state=_state(order.lines),
                    ordered_at=order.ordered_at,
                    currency=currency,
                )
                for order in orders
            ],
            batch_size=_BATCH,
        )
        PurchaseOrderLine.objects.bulk_create(
            [
                PurchaseOrderLine(
                    order=row,
                    position=line.position,
                    item_id=line.item_id,
                    quantity=line.quantity,
                    received=line.accepted,
                    rejected=line.rejected,
                    unit_price=line.unit_price,
                    due_date=line.due_date,
                )
                for row, order in zip(placed, orders, strict=True)
                for line in order.lines
            ],
            batch_size=_BATCH,
        )
        supplies.note_purchases([row.pk for row in placed])
        audit.record_many(
            action="erp.purchase_order.import", targets=placed, by=by, now=now, reason=reference
        )


def _state(lines: Sequence[OpeningLine]) -> PurchaseOrderState:
    if all(line.open <= 0 for line in lines):
        return PurchaseOrderState.RECEIVED
    if any(line.accepted or line.rejected for line in lines):
        return PurchaseOrderState.PARTLY_RECEIVED
    return PurchaseOrderState.CONFIRMED
