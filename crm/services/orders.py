"""What sales does with an order, from the first draft to cancellation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit, bulk, events, numbers, transitions
from common.concurrency import Lock, lock
from common.models import User
from crm import policies
from crm.enums import (
    ORDER_TRANSITIONS,
    ConversionState,
    MilestoneKind,
    OrderState,
    PromiseCause,
    RushState,
)
from crm.events import OrderApproved, OrderCancelled, OrderChanged, OrderSubmitted
from crm.models import SalesOrder, SalesOrderLine
from crm.services import checks, commitments, milestones, news, progress, rush, shipments
from crm.services.undoing import Undone, undo_lines
from masterdata import selectors as masterdata
from masterdata.services import shipping
from mes.services import work_orders

# What an edit writes of a line.
LINE_FIELDS = (
    "item", "quantity", "unit_price", "requested_date", "offered_date", "is_rush_asked",
)  # fmt: skip


@dataclass(frozen=True)
class NewLine:
    """A line as it is typed: quantity in the item's unit, price per unit (None: list price)."""

    item_id: int
    quantity: Decimal
    requested_date: date
    unit_price: Decimal | None = None


def create(
    *,
    site_id: int,
    customer_id: int,
    lines: Sequence[NewLine],
    by: User | None,
    now: datetime,
    customer_reference: str = "",
    note: str = "",
) -> SalesOrder:
    """A new draft with its lines; raise CannotEdit with the reason for a line that is not right."""
    with transaction.atomic():
        order = SalesOrder.objects.create(
            number=numbers.take("SO", now=now),
            site_id=site_id,
            customer_id=customer_id,
            customer_reference=customer_reference,
            note=note,
            created_at=now,
            created_by=by,
        )
        order.currency = order.customer.currency
        order.save(update_fields=["currency"])
        _write_lines(order, lines)
        audit.record(action="crm.order.create", target=order, by=by, now=now)
    return order


def replace_lines(
    *,
    order: SalesOrder,
    lines: Sequence[NewLine],
    version: int,
    by: User,
    now: datetime,
    customer_reference: str | None = None,
    note: str | None = None,
) -> SalesOrder:
    """Give a draft other lines, and reference and note where given.

    Raise CannotEdit if it was changed since ``version``.
    """
    with transaction.atomic():
        order = _locked(order)
        policies.check_can_edit(order)
        if order.version != version:
            raise policies.CannotEdit(
                _("Somebody has changed order %(number)s meanwhile; reload it and look again.")
                % {"number": order.number}
            )
        before = _contents(order)
        rush.withdraw_for(order=order, by=by, now=now)
        _write_lines(order, lines)
        if customer_reference is not None:
            order.customer_reference = customer_reference
        if note is not None:
            order.note = note
        order.version += 1
        order.save(update_fields=["version", "customer_reference", "note"])
        audit.record(
            action="crm.order.edit",
            target=order,
            by=by,
            now=now,
            changes=audit.difference(before, _contents(order)),
        )
    return order


def _contents(order: SalesOrder) -> dict[str, object]:
    """What an edit may change, for the audit."""
    lines = order.lines.select_related("item").order_by("position")
    return {
        "customer_reference": order.customer_reference,
        "note": order.note,
        "lines": [
            f"{line.item.code} × {line.quantity.normalize():f} "
            f"@ {line.unit_price.normalize():f}, {line.requested_date}"
            for line in lines
        ],
    }


def _write_lines(order: SalesOrder, lines: Sequence[NewLine]) -> None:
    """Exactly these lines; a position that is there already keeps its row and its history."""
    items = masterdata.items_by_id(line.item_id for line in lines)
    stored = {line.position: line for line in order.lines.all()}
    rows = []
    for number, line in enumerate(lines, start=1):
        item = items.get(line.item_id)
        if item is None or not item.is_active:
            raise policies.CannotEdit(
                _("Line %(line)s: this item cannot be ordered.") % {"line": number}
            )
        if line.quantity <= 0:
            raise policies.CannotEdit(
                _("Line %(line)s: the quantity must be more than zero.") % {"line": number}
            )
        policies.check_requested_date(line.requested_date)
        policies.check_is_whole(line.quantity, item.uom, 10 * number, policies.CannotEdit)
        price = item.list_price if line.unit_price is None else line.unit_price
        if price < 0:
            raise policies.CannotEdit(
                _("Line %(line)s: the price cannot be negative.") % {"line": number}
            )
        row = stored.pop(10 * number, None) or SalesOrderLine(order=order, position=10 * number)
        row.item_id, row.quantity, row.unit_price = line.item_id, line.quantity, price
        row.requested_date, row.offered_date, row.is_rush_asked = line.requested_date, None, False
        rows.append(row)
    bulk.save([row for row in rows if row.pk], LINE_FIELDS)
    SalesOrderLine.objects.bulk_create([row for row in rows if not row.pk])
    order.lines.filter(pk__in=[row.pk for row in stored.values()]).delete()


def submit(
    *, order: SalesOrder, by: User, now: datetime, rush_positions: frozenset[int] = frozenset()
) -> SalesOrder:
    """Ask for approval. Each line takes the date that the live schedule offers.

    Lines in ``rush_positions`` keep the customer's date and ask planning to make room instead.
    Raise CannotSubmit.
    """
    with transaction.atomic():
        order = _locked(order)
        policies.check_can_submit(order)
        _move(order, OrderState.SUBMITTED)
        order.submitted_at = now
        order.save(update_fields=["state", "submitted_at", "state_reason", "version"])
        _offer_dates(order, rush_positions, now)
        _ask_for_rushes(order, by, now)
        milestones.reach(order_ids=[order.pk], kind=MilestoneKind.SUBMITTED, now=now)
        audit.record(action="crm.order.submit", target=order, by=by, now=now)
        news.submitted(order, now=now)
        events.publish(OrderSubmitted(order_id=order.pk), by=by, now=now)
    return order


def _offer_dates(order: SalesOrder, rush_positions: frozenset[int], now: datetime) -> None:
    pairs = checks.answers_of(order, now=now)
    # What planning has approved already is offered as it is.
    decided = rush.weights_of([line for line, _answer in pairs])
    for line, answer in pairs:
        if line.pk in decided:
            continue
        line.is_rush_asked = line.position in rush_positions and not answer.feasible
        if answer.feasible:
            line.offered_date = line.requested_date
        else:
            line.offered_date = None if line.is_rush_asked else answer.earliest_date
    SalesOrderLine.objects.bulk_update(
        [line for line, _answer in pairs], ["is_rush_asked", "offered_date"]
    )


def _ask_for_rushes(order: SalesOrder, by: User, now: datetime) -> None:
    """Planning is asked to make room for the lines that keep the customer's date.

    Not once more for those of which it was asked before.
    """
    today = shipping.today(order.site, now=now)
    wanted = order.lines.filter(is_rush_asked=True)
    rush.insist(lines=wanted, by=by, now=now)
    under_way = order.lines.filter(rushes__state__in=RushState.open()).values("pk")
    for line in wanted.exclude(pk__in=under_way).order_by("position"):
        rush.request(
            line=line,
            wanted_date=max(line.requested_date, today),
            reason=_("The customer wants it then; asked for with the order."),
            by=by,
            now=now,
        )


def approve(*, order: SalesOrder, by: User | None, now: datetime) -> SalesOrder:
    """Approve the order and ask for its conversion; raise CannotApprove with the reason."""
    with transaction.atomic():
        order = _locked(order)
        policies.check_can_approve(order)
        _move(order, OrderState.APPROVED)
        order.approved_at = now
        order.approved_by = by
        order.save(update_fields=["state", "approved_at", "approved_by", "state_reason", "version"])
        lines = list(order.lines.filter(is_cancelled=False))
        SalesOrderLine.objects.filter(pk__in=[line.pk for line in lines]).update(
            conversion_state=ConversionState.WAITING, conversion_error=""
        )
        commitments.promise(
            {line: line.offered_date for line in lines if line.offered_date},
            cause=PromiseCause.FIRST,
            by=by,
            now=now,
        )
        milestones.reach(order_ids=[order.pk], kind=MilestoneKind.APPROVED, now=now)
        audit.record(action="crm.order.approve", target=order, by=by, now=now)
        events.publish(OrderApproved(order_id=order.pk, site_id=order.site_id), by=by, now=now)
    return order


def reject(*, order: SalesOrder, reason: str, by: User, now: datetime) -> SalesOrder:
    """Send a submitted order back to draft with the reason; raise CannotReject."""
    with transaction.atomic():
        order = _locked(order)
        policies.check_can_reject(order)
        if not reason.strip():
            raise policies.CannotReject(_("Say why the order is sent back."))
        _move(order, OrderState.DRAFT, reason=reason)
        order.save(update_fields=["state", "state_reason", "version"])
        rush.withdraw_for(order=order, by=by, now=now)
        audit.record(action="crm.order.reject", target=order, by=by, now=now, reason=reason)
        news.rejected(order, reason=reason, now=now)
    return order


def hold(*, order: SalesOrder, reason: str, by: User, now: datetime) -> SalesOrder:
    """Stop the order where it is; its work orders are held too. Raise CannotHold."""
    with transaction.atomic():
        order = _locked(order)
        policies.check_can_hold(order)
        if not reason.strip():
            raise policies.CannotHold(_("Say why the order is put on hold."))
        order.held_from = order.state
        _move(order, OrderState.ON_HOLD, reason=reason)
        order.save(update_fields=["state", "held_from", "state_reason", "version"])
        work_orders.hold_for(requirement_ids=_requirements(order), reason=reason, by=by, now=now)
        audit.record(action="crm.order.hold", target=order, by=by, now=now, reason=reason)
    return order


def resume(*, order: SalesOrder, by: User, now: datetime) -> SalesOrder:
    """Go on where the hold began; raise CannotResume."""
    with transaction.atomic():
        order = _locked(order)
        policies.check_can_resume(order)
        _move(order, OrderState(order.held_from))
        order.held_from = ""
        order.save(update_fields=["state", "held_from", "state_reason", "version"])
        work_orders.resume_for(requirement_ids=_requirements(order), by=by, now=now)
        audit.record(action="crm.order.resume", target=order, by=by, now=now)
        if order.state in OrderState.open():
            # What came in or was asked for during the hold was passed by.
            events.publish(OrderChanged(order_id=order.pk, site_id=order.site_id), by=by, now=now)
    return order


def cancel(*, order: SalesOrder, reason: str, by: User, now: datetime) -> Undone:
    """Cancel the order: undo what has not started, list what has. Raise CannotCancel."""
    with transaction.atomic():
        lock(Lock.SUPPLY, order.site_id)
        order = _locked(order)
        policies.check_can_cancel(order)
        if not reason.strip():
            raise policies.CannotCancel(_("Say why the order is cancelled."))
        _move(order, OrderState.CANCELLED, reason=reason)
        order.save(update_fields=["state", "state_reason", "version"])
        lines = list(order.lines.select_related("requirement"))
        undone = undo_lines({line: Decimal(0) for line in lines}, by=by, now=now)
        rush.withdraw_for(order=order, by=by, now=now)
        audit.record(
            action="crm.order.cancel",
            target=order,
            by=by,
            now=now,
            reason=reason,
            changes={"started": [None, list(undone.remaining)]},
        )
        events.publish(OrderCancelled(order_id=order.pk, site_id=order.site_id), by=by, now=now)
    return undone


def change_quantity(
    *, line: SalesOrderLine, quantity: Decimal, reason: str, by: User, now: datetime
) -> Undone:
    """Another quantity for an approved line: less is undone at once, more is converted.

    Raise CannotChange with the reason; zero cancels the line.
    """
    with transaction.atomic():
        lock(Lock.SUPPLY, line.order.site_id)
        order = _locked(line.order)
        line = (
            SalesOrderLine.objects.select_for_update(no_key=True, of=("self",))
            .select_related("item", "requirement")
            .get(pk=line.pk)
        )
        line.order = order
        policies.check_can_change_quantity(line, quantity)
        old = line.quantity
        undone = _apply_quantity(line, quantity, by, now)
        rush.line_changed(line=line, by=by, now=now)
        audit.record(
            action="crm.order.change_quantity",
            target=order,
            by=by,
            now=now,
            reason=reason,
            changes={f"line {line.position}": [str(old), str(quantity)]},
        )
        if not shipments.close_if_whole(order, by=by, now=now):
            progress.refresh(order_ids=[order.pk], now=now)
        events.publish(OrderChanged(order_id=order.pk, site_id=order.site_id), by=by, now=now)
    return undone


def _apply_quantity(line: SalesOrderLine, quantity: Decimal, by: User, now: datetime) -> Undone:
    line.revision += 1
    if quantity == 0:
        line.is_cancelled = True
        line.save(update_fields=["revision", "is_cancelled"])
        return undo_lines({line: Decimal(0)}, by=by, now=now)
    # What work and stock were asked for so far; a line that still waits may have grown since.
    asked = line.requirement.quantity if line.requirement else Decimal(0)
    line.quantity = quantity
    fields = ["revision", "quantity"]
    if quantity > asked or line.conversion_state != ConversionState.CONVERTED:
        line.conversion_state = ConversionState.WAITING
        fields.append("conversion_state")
    line.save(update_fields=fields)
    if quantity >= asked:
        return Undone()
    return undo_lines({line: quantity}, by=by, now=now)


def retry_conversion(*, order: SalesOrder, by: User, now: datetime) -> SalesOrder:
    """Try the lines that could not be converted again, after the cause was mended."""
    with transaction.atomic():
        order = _locked(order)
        failed = order.lines.filter(conversion_state=ConversionState.FAILED)
        if order.state not in OrderState.open() or not failed.exists():
            raise policies.CannotChange(_("There is no line to convert again."))
        failed.update(conversion_state=ConversionState.WAITING, conversion_error="")
        audit.record(action="crm.order.retry_conversion", target=order, by=by, now=now)
        events.publish(OrderChanged(order_id=order.pk, site_id=order.site_id), by=by, now=now)
    return order


def _locked(order: SalesOrder) -> SalesOrder:
    return (
        SalesOrder.objects.select_for_update(no_key=True, of=("self",))
        .select_related("customer", "site")
        .get(pk=order.pk)
    )


def _move(order: SalesOrder, new: OrderState, *, reason: str = "") -> None:
    transitions.check(ORDER_TRANSITIONS, old=OrderState(order.state), new=new)
    order.state = new
    order.state_reason = reason
    order.version += 1


def _requirements(order: SalesOrder) -> list[int]:
    ids: Mapping[int, int | None] = dict(order.lines.values_list("pk", "requirement_id"))
    return [pk for pk in ids.values() if pk is not None]
