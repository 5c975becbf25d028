"""The way of a purchase order: draft, approval, sent, confirmed, closed or cancelled.

What comes of it is booked in by ``erp.services.purchasing``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from common import audit, concurrency, events, numbers, transitions
from common.concurrency import Lock, lock
from common.models import User
from erp import policies_purchasing as policies
from erp import selectors
from erp.enums import PURCHASE_ORDER_TRANSITIONS, PurchaseOrderState
from erp.events import PurchaseOrdersChanged
from erp.models import PurchaseOrder, PurchaseOrderLine
from erp.policies_days import check_day
from erp.policies_purchasing import CannotApprove, CannotChangeOrder, CannotOrder
from erp.services import supplies
from masterdata import selectors as masterdata

__all__ = [
    "CannotApprove",
    "CannotChangeOrder",
    "CannotOrder",
    "DraftLine",
    "Promise",
    "approve",
    "cancel",
    "change_line",
    "close",
    "confirm",
    "draft",
    "reasons_for_approval",
    "remove_line",
    "send_back",
    "submit",
    "wish",
]


@dataclass(frozen=True, slots=True)
class DraftLine:
    """``wished_date``: the day that planning wants, where it differs from what can be expected."""

    item_id: int
    quantity: Decimal
    due_date: date
    unit_price: Decimal = Decimal(0)
    wished_date: date | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What the supplier says of a line: the whole quantity, and the day at our dock."""

    quantity: Decimal
    due_date: date


def draft(
    *,
    supplier_id: int,
    site_id: int,
    lines: Sequence[DraftLine],
    currency: str,
    by: User | None,
    now: datetime,
    rule: str = "",
) -> PurchaseOrder:
    """Write an order that nobody sent yet; planning reckons with it from now on.

    ``rule`` says by which rule, where nobody decided.
    """
    with transaction.atomic():
        placed = PurchaseOrder.objects.create(
            number=numbers.take("PO", now=now),
            supplier_id=supplier_id,
            site_id=site_id,
            ordered_at=now,
            ordered_by=by,
            currency=currency,
        )
        PurchaseOrderLine.objects.bulk_create(
            PurchaseOrderLine(
                order=placed,
                position=number * 10,
                item_id=line.item_id,
                quantity=line.quantity,
                ordered_quantity=line.quantity,
                unit_price=line.unit_price,
                due_date=line.due_date,
                wished_date=line.wished_date if line.wished_date != line.due_date else None,
            )
            for number, line in enumerate(lines, start=1)
        )
        supplies.note_purchases([placed.pk])
        _say_drafted(placed, rule, by, now)
    return placed


def _say_drafted(order: PurchaseOrder, rule: str, by: User | None, now: datetime) -> None:
    if not rule:
        audit.record(action="erp.purchase_order.draft", target=order, by=by, now=now)
        return
    audit.record(
        action="erp.purchase_order.draft_by_rule",
        target=order,
        by=by,
        now=now,
        reason=rule[:1000],
    )


def change_line(
    *,
    line: PurchaseOrderLine,
    quantity: Decimal,
    unit_price: Decimal | None,
    due_date: date,
    version: int,
    by: User | None,
    now: datetime,
) -> PurchaseOrder:
    """Change a draft's line (price None: as it is); raise CannotChangeOrder or StaleWrite."""
    with transaction.atomic():
        order, (line,) = _locked(line.order, [line.pk])
        concurrency.check_version(order, opened=version)
        policies.check_can_edit_line(order)
        policies.check_can_promise(line, quantity)
        check_day(due_date, CannotChangeOrder)
        before = _facts(line)
        line.quantity = line.ordered_quantity = quantity
        line.due_date = due_date
        if unit_price is not None:
            line.unit_price = unit_price
        line.save()
        audit.record(
            action="erp.purchase_order.change_line",
            target=order,
            by=by,
            now=now,
            changes=_changed(line, before),
        )
        _written(order, by, now)
    return order


def remove_line(
    *, line: PurchaseOrderLine, version: int, by: User | None, now: datetime
) -> PurchaseOrder:
    """Take a line off a draft; raise CannotChangeOrder or StaleWrite."""
    with transaction.atomic():
        order, (line,) = _locked(line.order, [line.pk])
        concurrency.check_version(order, opened=version)
        policies.check_can_edit_line(order)
        supplies.forget_purchases([line.pk])
        changes = {"lines": [str(line.position), None]}
        line.delete()
        audit.record(
            action="erp.purchase_order.remove_line", target=order, by=by, now=now, changes=changes
        )
        _written(order, by, now)
    return order


def submit(*, order: PurchaseOrder, by: User | None, now: datetime) -> PurchaseOrder:
    """Send a draft, or ask another person: a value above the site's limit, a price of zero or
    far below the known one.

    Raise CannotOrder without lines, CannotChangeOrder for what is no draft.
    """
    with transaction.atomic():
        order, _lines = _locked(order)
        policies.check_can_submit(order)
        order.ordered_by = by
        if policies.needs_approval(order, selectors.supply_rule(order.site_id)):
            _move(order, PurchaseOrderState.TO_APPROVE)
            audit.record(action="erp.purchase_order.submit", target=order, by=by, now=now)
            _written(order, by, now)
        else:
            _send(order, by, now)
    return order


def reasons_for_approval(order: PurchaseOrder) -> list[str]:
    """Why somebody else has to approve it now, or will once it is sent; for who may see cost.

    The order is read with its lines' items. Nothing is said where no exchange rate is known.
    """
    if order.state not in (PurchaseOrderState.DRAFT, PurchaseOrderState.TO_APPROVE):
        return []
    try:
        return policies.reasons_for_approval(order, selectors.supply_rule(order.site_id))
    except masterdata.NoExchangeRate:
        return []


def approve(*, order: PurchaseOrder, by: User | None, now: datetime) -> PurchaseOrder:
    """Let the order go out; raise CannotApprove for the one who ordered."""
    with transaction.atomic():
        order, _lines = _locked(order)
        policies.check_can_approve(order, by)
        order.approved_by = by
        audit.record(action="erp.purchase_order.approve", target=order, by=by, now=now)
        _send(order, by, now)
    return order


def send_back(
    *, order: PurchaseOrder, reason: str, by: User | None, now: datetime
) -> PurchaseOrder:
    """Give an order that waits for approval back to its buyer, with the reason."""
    with transaction.atomic():
        order, _lines = _locked(order)
        policies.check_can_move(order, PurchaseOrderState.DRAFT)
        _move(order, PurchaseOrderState.DRAFT)
        audit.record(
            action="erp.purchase_order.send_back", target=order, by=by, now=now, reason=reason
        )
        _written(order, by, now)
    return order


def confirm(
    *,
    order: PurchaseOrder,
    promises: Mapping[int, Promise],
    supplier_reference: str,
    version: int,
    by: User | None,
    now: datetime,
) -> PurchaseOrder:
    """Note what the supplier promises for lines (by id), at first or anew; the schedule follows.

    Its first word on a line is what its punctuality is measured by. Raise CannotChangeOrder for
    an order that is not under way or too small a quantity, CannotApprove where it would cost more
    than its buyer may order alone, and StaleWrite.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, order.site_id)
        order, lines = _locked(order, promises)
        concurrency.check_version(order, opened=version)
        policies.check_can_confirm(order)
        value_before = policies.value_of(order)
        changes: dict[str, list[str | None]] = {}
        suspect = policies.suspect_lines(order)
        more_of_suspect = any(
            line.pk in suspect and promises[line.pk].quantity > line.quantity for line in lines
        )
        for line in lines:
            changes |= _promised(line, promises[line.pk])
        rule = selectors.supply_rule(order.site_id)
        policies.check_within_approval(
            order, rule, value_before=value_before, more_of_suspect=more_of_suspect, by=by
        )
        order.supplier_reference = supplier_reference or order.supplier_reference
        if order.state == PurchaseOrderState.SENT:
            _move(order, PurchaseOrderState.CONFIRMED)
            order.confirmed_at = now
        audit.record(
            action="erp.purchase_order.confirm", target=order, by=by, now=now, changes=changes
        )
        _written(order, by, now)
    return order


def _promised(line: PurchaseOrderLine, promise: Promise) -> dict[str, list[str | None]]:
    """Write the supplier's word on a line; return what it changed."""
    before = _facts(line)
    policies.check_can_promise(line, promise.quantity)
    check_day(promise.due_date, CannotChangeOrder)
    if line.ordered_quantity is None:
        line.ordered_quantity = line.quantity
    line.quantity, line.due_date = promise.quantity, promise.due_date
    line.confirmed_date = line.confirmed_date or promise.due_date
    if line.wished_date == line.due_date:
        line.wished_date = None
    line.save()
    return _changed(line, before)


def wish(
    *, line: PurchaseOrderLine, wished_date: date, by: User | None, now: datetime
) -> PurchaseOrder:
    """Note the day that planning wants: a draft gets it, of others the supplier is to be asked."""
    with transaction.atomic():
        order, (line,) = _locked(line.order, [line.pk])
        before = _facts(line)
        if order.state == PurchaseOrderState.DRAFT:
            line.due_date, line.wished_date = wished_date, None
        else:
            line.wished_date = wished_date
        line.save()
        audit.record(
            action="erp.purchase_order.wish",
            target=order,
            by=by,
            now=now,
            changes=_changed(line, before),
        )
        _written(order, by, now)
    return order


def close(*, order: PurchaseOrder, reason: str, by: User | None, now: datetime) -> PurchaseOrder:
    """Expect nothing more of it; raise CannotChangeOrder."""
    with transaction.atomic():
        order = _ended(order, PurchaseOrderState.CLOSED)
        audit.record(action="erp.purchase_order.close", target=order, by=by, now=now, reason=reason)
        _written(order, by, now)
    return order


def cancel(*, order: PurchaseOrder, reason: str, by: User | None, now: datetime) -> PurchaseOrder:
    """Take it back before anything came; raise CannotChangeOrder."""
    with transaction.atomic():
        order = _ended(order, PurchaseOrderState.CANCELLED)
        audit.record(
            action="erp.purchase_order.cancel", target=order, by=by, now=now, reason=reason
        )
        _written(order, by, now)
    return order


def _ended(order: PurchaseOrder, new: PurchaseOrderState) -> PurchaseOrder:
    lock(Lock.SUPPLY, order.site_id)
    order, _lines = _locked(order)
    policies.check_can_move(order, new)
    _move(order, new)
    return order


def _send(order: PurchaseOrder, by: User | None, now: datetime) -> None:
    _move(order, PurchaseOrderState.SENT)
    order.sent_at = now
    audit.record(action="erp.purchase_order.send", target=order, by=by, now=now)
    _written(order, by, now)


def _written(order: PurchaseOrder, by: User | None, now: datetime) -> None:
    """Save, keep the table of supply true, and tell whom it concerns."""
    order.version += 1
    order.save()
    supplies.note_purchases([order.pk])
    events.publish(PurchaseOrdersChanged(site_id=order.site_id), by=by, now=now)


def _locked(
    order: PurchaseOrder, line_ids: Iterable[int] = ()
) -> tuple[PurchaseOrder, list[PurchaseOrderLine]]:
    """The order and those of its lines, as they are now, held until the transaction ends."""
    held = PurchaseOrder.objects.select_for_update(no_key=True).get(pk=order.pk)
    lines = held.lines.select_for_update(no_key=True).filter(pk__in=list(line_ids))
    found = list(lines.order_by("pk"))
    for line in found:
        line.order = held
    return held, found


def _move(order: PurchaseOrder, new: PurchaseOrderState) -> None:
    transitions.check(PURCHASE_ORDER_TRANSITIONS, old=PurchaseOrderState(order.state), new=new)
    order.state = new


def _facts(line: PurchaseOrderLine) -> dict[str, str]:
    return {
        "quantity": str(line.quantity),
        "due_date": str(line.due_date),
        "unit_price": str(line.unit_price),
    }


def _changed(line: PurchaseOrderLine, before: Mapping[str, str]) -> dict[str, list[str | None]]:
    found = audit.difference(before, _facts(line))
    return {f"{line.position} {name}": values for name, values in found.items()}
