"""Purchase orders: place one, receive what it brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils.translation import gettext as _

from common import audit, events, numbers, transitions
from common.concurrency import Lock, lock
from common.models import User
from erp import policies, selectors
from erp.enums import (
    PURCHASE_ORDER_TRANSITIONS,
    MoveKind,
    PurchaseOrderState,
    PurchaseReceiptKind,
)
from erp.events import PurchaseOrdersChanged
from erp.models import PurchaseOrder, PurchaseOrderLine, PurchaseReceipt, SupplyRule
from erp.policies import CannotReceive
from erp.policies_purchasing import (
    CannotOrder,
    CannotReturn,
    check_can_return,
    check_can_take_in,
)
from erp.services import returns, stock, supplies
from masterdata import selectors as masterdata

__all__ = [
    "CannotOrder",
    "CannotReceive",
    "CannotReturn",
    "Goods",
    "NewLine",
    "order",
    "receive_line",
    "return_line",
]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class NewLine:
    """An item (by code), a quantity, and the day it is due at our dock."""

    item_code: str
    quantity: Decimal
    due_date: date
    # None: the supplier's price of today.
    unit_price: Decimal | None = None


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
            ordered_by=by,
            sent_at=now,
            currency=masterdata.site(site_id).currency,
        )
        PurchaseOrderLine.objects.bulk_create(_lines(placed, lines, now.date()))
        supplies.note_purchases([placed.pk])
        audit.record(action="erp.purchase_order.order", target=placed, by=by, now=now)
    return placed


@dataclass(frozen=True, slots=True)
class Labels:
    """What stands on goods that came, and where they are put; empty: numbers are given."""

    lot_number: str = ""
    serials: Sequence[str] = ()
    supplier_lot: str = ""
    expires_on: date | None = None
    bin_id: int | None = None
    # Of the material: "3.1 Z-4711".
    certificate: str = ""


# Which of the received goods go back.
Goods = returns.Goods


def receive_line(
    *,
    line: PurchaseOrderLine,
    quantity: Decimal,
    by: User | None,
    now: datetime,
    rejected: Decimal = ZERO,
    reference: str = "",
    labels: Labels | None = None,
) -> PurchaseOrderLine:
    """Book in what came of a line, for those who wait; ``rejected`` was refused at the dock.

    Raise CannotReceive for more than is open and the site's tolerance lets in, or where the item's
    policy asks for more than is said. A rest within the tolerance is not waited for.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, line.order.site_id)
        placed = PurchaseOrder.objects.select_for_update(no_key=True).get(pk=line.order_id)
        line = placed.lines.select_for_update(no_key=True).get(pk=line.pk)
        rule = selectors.supply_rule(placed.site_id)
        policies.check_can_receive(quantity + rejected, MoveKind.RECEIPT)
        check_can_take_in(placed, line, quantity + rejected, rule)
        line.received += quantity
        line.rejected += rejected
        _settle(line, rule)
        line.save(update_fields=["received", "rejected", "quantity", "ordered_quantity"])
        _keep(line, PurchaseReceiptKind.ACCEPTED, quantity, reference, by, now)
        _keep(line, PurchaseReceiptKind.REJECTED, rejected, reference, by, now)
        _move(placed)
        supplies.note_purchases([placed.pk])
        if quantity > 0:
            _take_in(line, placed, quantity, labels or Labels(), reference, by, now)
        else:
            # Nothing came into the store, and less is to come: the plan has to know.
            events.publish(PurchaseOrdersChanged(site_id=placed.site_id), by=by, now=now)
        audit.record(
            action="erp.purchase_order.receive", target=placed, by=by, now=now, reason=reference
        )
    return line


def _take_in(
    line: PurchaseOrderLine,
    placed: PurchaseOrder,
    quantity: Decimal,
    labels: Labels,
    delivery_note: str,
    by: User | None,
    now: datetime,
) -> None:
    stock.receive(
        item_id=line.item_id,
        site_id=placed.site_id,
        quantity=quantity,
        kind=MoveKind.RECEIPT,
        reference=placed.number,
        price=_home_price(line, placed, now),
        by=by,
        now=now,
        bin_id=labels.bin_id,
        lot_number=labels.lot_number,
        serials=labels.serials,
        origin=stock.Origin(placed.supplier_id, labels.supplier_lot, labels.expires_on),
        paper=stock.Paper(
            number=delivery_note.strip() or placed.number,
            order_number=placed.number,
            supplier_id=placed.supplier_id,
            certificate=labels.certificate.strip(),
        ),
    )


def _home_price(line: PurchaseOrderLine, placed: PurchaseOrder, now: datetime) -> Decimal | None:
    """What a piece cost in the site's currency on the day it came; None where it has no price.

    Raise NoExchangeRate: a receipt at no price would make everything made of it too cheap.
    """
    if not line.unit_price:
        return None
    site = placed.site
    day = now.astimezone(ZoneInfo(site.time_zone)).date()
    money = masterdata.exchange(into=site.currency, on=day)
    return money.convert(line.unit_price, placed.currency)


def return_line(
    *,
    line: PurchaseOrderLine,
    quantity: Decimal,
    reason: str,
    replace: bool,
    by: User | None,
    now: datetime,
    goods: Goods | None = None,
) -> PurchaseOrderLine:
    """Send received goods back; with ``replace`` they are to come again.

    Of tracked items ``goods`` names the lot or the serial numbers. Raise CannotReturn for more
    than was received, for what did not come with this order or is not here, without a reason, or
    to be replaced on a closed order; and CannotMove where the stock is kept for somebody.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, line.order.site_id)
        placed = PurchaseOrder.objects.select_for_update(no_key=True).get(pk=line.order_id)
        line = placed.lines.select_for_update(no_key=True).get(pk=line.pk)
        line.order = placed
        check_can_return(line, quantity, reason, replace=replace)
        returns.of_delivery(
            item_id=line.item_id,
            site_id=placed.site_id,
            reference=placed.number,
            quantity=quantity,
            goods=goods or Goods(),
            price=line.unit_price or None,
            supplier_id=placed.supplier_id,
            by=by,
            now=now,
        )
        line.returned += quantity
        if replace:
            line.received -= quantity
        line.save(update_fields=["returned", "received"])
        _keep(line, PurchaseReceiptKind.RETURNED, quantity, reason, by, now)
        if replace:
            _move(placed)
        supplies.note_purchases([placed.pk])
        # Less is here, and where they are replaced more is to come: the plan has to know.
        events.publish(PurchaseOrdersChanged(site_id=placed.site_id), by=by, now=now)
        audit.record(
            action="erp.purchase_order.return", target=placed, by=by, now=now, reason=reason
        )
    return line


def _settle(line: PurchaseOrderLine, rule: SupplyRule) -> None:
    """Within the tolerance, what came is what was agreed; what was asked for stays on record."""
    came = line.received + line.rejected
    difference = came - line.quantity
    if difference > 0 or 0 < -difference <= line.quantity * rule.under_delivery:
        if line.ordered_quantity is None:
            line.ordered_quantity = line.quantity
        line.quantity = came


def _keep(
    line: PurchaseOrderLine,
    kind: PurchaseReceiptKind,
    quantity: Decimal,
    reference: str,
    by: User | None,
    now: datetime,
) -> None:
    if quantity <= 0:
        return
    zone = ZoneInfo(line.order.site.time_zone)
    PurchaseReceipt.objects.create(
        line=line,
        kind=kind,
        quantity=quantity,
        at=now,
        day=now.astimezone(zone).date(),
        promised_date=line.confirmed_date or line.due_date,
        reference=reference[:60],
        by=by,
    )


def _lines(placed: PurchaseOrder, lines: Sequence[NewLine], today: date) -> list[PurchaseOrderLine]:
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
                unit_price=_price(placed, item.pk, today)
                if new.unit_price is None
                else new.unit_price,
                due_date=new.due_date,
            )
        )
    return rows


def _price(placed: PurchaseOrder, item_id: int, today: date) -> Decimal:
    terms = masterdata.supplier_terms(on=today, item_ids=[item_id]).get(item_id, [])
    return next((one.price for one in terms if one.supplier_id == placed.supplier_id), ZERO)


def _move(placed: PurchaseOrder) -> None:
    is_whole = not any(line.quantity > line.received + line.rejected for line in placed.lines.all())
    new = PurchaseOrderState.RECEIVED if is_whole else PurchaseOrderState.PARTLY_RECEIVED
    if placed.state == new:
        return
    transitions.check(PURCHASE_ORDER_TRANSITIONS, old=PurchaseOrderState(placed.state), new=new)
    placed.state = new
    placed.save(update_fields=["state"])
