"""Purchase orders: place one, receive what it brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils.translation import gettext as _

from common import audit, numbers, transitions
from common.concurrency import Lock, lock
from common.errors import Refused
from common.models import User
from erp import policies
from erp.enums import PURCHASE_ORDER_TRANSITIONS, MoveKind, PurchaseOrderState
from erp.models import PurchaseOrder, PurchaseOrderLine
from erp.policies import CannotReceive
from erp.services import stock
from masterdata import selectors as masterdata

__all__ = ["CannotOrder", "CannotReceive", "NewLine", "order", "receive_line"]


class CannotOrder(Refused):
    """The purchase order cannot be placed."""


@dataclass(frozen=True, slots=True)
class NewLine:
    """An item (by code), a quantity, and the day it is due at our dock."""

    item_code: str
    quantity: Decimal
    due_date: date
    unit_price: Decimal = Decimal(0)


def order(
    *,
    supplier_code: str,
    site_id: int,
    lines: Sequence[NewLine],
    by: User | None,
    now: datetime,
) -> PurchaseOrder:
    """Send a purchase order; raise CannotOrder for an unknown supplier or item, or no line."""
    with transaction.atomic():
        try:
            supplier = masterdata.supplier_by_code(supplier_code)
        except ObjectDoesNotExist:
            raise CannotOrder(
                _("There is no supplier %(code)s.") % {"code": supplier_code}
            ) from None
        placed = PurchaseOrder.objects.create(
            number=numbers.take("PO", now=now),
            supplier=supplier,
            site_id=site_id,
            state=PurchaseOrderState.SENT,
            ordered_at=now,
        )
        PurchaseOrderLine.objects.bulk_create(_lines(placed, lines))
        audit.record(action="erp.purchase_order.order", target=placed, by=by, now=now)
    return placed


def receive_line(
    *,
    line: PurchaseOrderLine,
    quantity: Decimal,
    by: User | None,
    now: datetime,
    bin_id: int | None = None,
    lot_number: str = "",
    serials: Sequence[str] = (),
    supplier_lot: str = "",
    expires_on: date | None = None,
) -> PurchaseOrderLine:
    """Book in what came of a line, for those who wait; raise CannotReceive for more than open,
    or where the item's policy asks for more than is said."""
    with transaction.atomic():
        lock(Lock.SUPPLY, line.order.site_id)
        placed = PurchaseOrder.objects.select_for_update(no_key=True).get(pk=line.order_id)
        line = placed.lines.select_for_update(no_key=True).get(pk=line.pk)
        policies.check_can_receive(quantity, MoveKind.RECEIPT)
        policies.check_can_receive_line(line, quantity)
        line.received += quantity
        line.save(update_fields=["received"])
        _move(placed)
        stock.receive(
            item_id=line.item_id,
            site_id=placed.site_id,
            quantity=quantity,
            kind=MoveKind.RECEIPT,
            reference=placed.number,
            by=by,
            now=now,
            bin_id=bin_id,
            lot_number=lot_number,
            serials=serials,
            origin=stock.Origin(placed.supplier_id, supplier_lot, expires_on),
        )
        audit.record(action="erp.purchase_order.receive", target=placed, by=by, now=now)
    return line


def _lines(placed: PurchaseOrder, lines: Sequence[NewLine]) -> list[PurchaseOrderLine]:
    if not lines:
        raise CannotOrder(_("Order at least one item."))
    rows = []
    for number, new in enumerate(lines, start=1):
        item = masterdata.item_by_code(new.item_code)
        if item is None:
            raise CannotOrder(_("There is no item %(code)s.") % {"code": new.item_code})
        if new.quantity <= 0:
            raise CannotOrder(_("Enter a quantity above zero."))
        rows.append(
            PurchaseOrderLine(
                order=placed,
                position=number * 10,
                item=item,
                quantity=new.quantity,
                unit_price=new.unit_price,
                due_date=new.due_date,
            )
        )
    return rows


def _move(placed: PurchaseOrder) -> None:
    is_whole = not any(line.quantity > line.received + line.rejected for line in placed.lines.all())
    new = PurchaseOrderState.RECEIVED if is_whole else PurchaseOrderState.PARTLY_RECEIVED
    if placed.state == new:
        return
    transitions.check(PURCHASE_ORDER_TRANSITIONS, old=PurchaseOrderState(placed.state), new=new)
    placed.state = new
    placed.save(update_fields=["state"])
