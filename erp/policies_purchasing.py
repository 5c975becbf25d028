"""What may be done with purchase orders and proposals; each refusal is a sentence."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.utils.translation import gettext as _

from common.errors import Refused
from common.models import User
from erp import selectors
from erp.enums import (
    PURCHASE_ORDER_TRANSITIONS,
    ProposalState,
    PurchaseOrderState,
    PurchaseReceiptKind,
)
from erp.models import Proposal, PurchaseOrder, PurchaseOrderLine, SupplyRule
from erp.policies import CannotReceive, plain
from masterdata import selectors as masterdata

# A price below this share of the known one is far below it: rebates do not go so far, slips do.
FAR_BELOW = Decimal("0.5")


class CannotOrder(Refused):
    """The purchase order cannot be placed."""


class CannotApprove(Refused):
    """Somebody else has to approve it, or there is nothing to approve."""


class CannotChangeOrder(Refused):
    """The purchase order is past the point where this can be changed."""


class CannotReturn(Refused):
    """The goods cannot go back."""


class CannotDecide(Refused):
    """The proposal cannot be changed or accepted."""


def value_of(order: PurchaseOrder) -> Decimal:
    """What the order costs, in its currency; one query."""
    return sum((line.value for line in order.lines.all()), Decimal(0))


def needs_approval(order: PurchaseOrder, rule: SupplyRule) -> bool:
    """Whether another person has to approve the order before it goes out.

    A price of zero, or far below the known one, needs it by itself, for its value says nothing,
    whoever entered it. Raise NoExchangeRate where the order's currency is unknown.
    """
    if rule.approval_limit is None:
        return False
    return bool(suspect_lines(order)) or is_above_limit(order, rule)


def suspect_lines(order: PurchaseOrder) -> dict[int, Decimal | None]:
    """By id, the lines whose price says nothing: zero, or far below the known price.

    With the known price, in the order's currency; None where nothing is known. What costs something
    and is not known cannot be compared.
    """
    known = selectors.known_prices(order)
    return {
        line.pk: known.get(line.item_id)
        for line in order.lines.all()
        if line.is_free
        or (line.item_id in known and line.unit_price < known[line.item_id] * FAR_BELOW)
    }


def reasons_for_approval(order: PurchaseOrder, rule: SupplyRule) -> list[str]:
    """The same in sentences, of an order that was read with its lines' items."""
    if rule.approval_limit is None:
        return []
    suspect = suspect_lines(order)
    found = [
        _reason(line, suspect[line.pk], order) for line in order.lines.all() if line.pk in suspect
    ]
    if is_above_limit(order, rule):
        found.append(_("Its value is above the site's limit."))
    return found


def _reason(line: PurchaseOrderLine, known: Decimal | None, order: PurchaseOrder) -> str:
    if line.is_free or known is None:
        return _("Position %(position)s, %(item)s, has a price of zero.") % {
            "position": line.position,
            "item": line.item.code,
        }
    return _(
        "Position %(position)s, %(item)s: the price of %(price)s %(currency)s is far below "
        "the known one of %(known)s %(currency)s."
    ) % {
        "position": line.position,
        "item": line.item.code,
        "price": plain(line.unit_price),
        "known": plain(known.quantize(Decimal("0.0001"))),
        "currency": order.currency,
    }


def is_above_limit(order: PurchaseOrder, rule: SupplyRule) -> bool:
    """Whether it costs more than its buyer may order alone, at the rate of the order's day.

    The limit is in the site's currency; raise NoExchangeRate where the order's is unknown.
    """
    if rule.approval_limit is None:
        return False
    money = masterdata.exchange(into=order.site.currency, on=local_today(order))
    return money.convert(value_of(order), order.currency) > rule.approval_limit


def local_today(order: PurchaseOrder) -> date:
    """The day at the order's site on which it was written: that of its exchange rate."""
    return order.ordered_at.astimezone(ZoneInfo(order.site.time_zone)).date()


def check_can_rule(
    item_id: int | None, supplier_id: int | None, limit: Decimal, reason: str
) -> None:
    """Raise CannotDecide for a rule of automatic ordering about nothing, or without a reason."""
    if item_id is None and supplier_id is None:
        raise CannotDecide(
            _("Name an item, a supplier or both; the site's limit is for all others.")
        )
    if limit < 0:
        raise CannotDecide(_("The limit is zero (never) or above."))
    if not reason.strip():
        raise CannotDecide(_("Say why: others will read it."))


def check_can_move(order: PurchaseOrder, new: PurchaseOrderState) -> None:
    """Raise CannotChangeOrder where the state table does not lead there."""
    if new not in PURCHASE_ORDER_TRANSITIONS[PurchaseOrderState(order.state)]:
        raise CannotChangeOrder(
            _("%(order)s is “%(state)s”; it cannot become “%(new)s”.")
            % {
                "order": order.number,
                "state": PurchaseOrderState(order.state).label,
                "new": new.label,
            }
        )


def check_can_submit(order: PurchaseOrder) -> None:
    """Raise CannotOrder for an order without lines, CannotChangeOrder for one that is no draft."""
    if order.state != PurchaseOrderState.DRAFT:
        check_can_move(order, PurchaseOrderState.SENT)
        raise CannotChangeOrder(_("%(order)s waits for approval.") % {"order": order.number})
    if not order.lines.exists():
        raise CannotOrder(_("Order at least one item."))


def check_can_approve(order: PurchaseOrder, by: User | None) -> None:
    """Raise CannotApprove where nothing waits, or where its own buyer would approve it."""
    if order.state != PurchaseOrderState.TO_APPROVE:
        raise CannotApprove(_("%(order)s does not wait for approval.") % {"order": order.number})
    if by is not None and by.pk == order.ordered_by_id:
        raise CannotApprove(
            _("You ordered %(order)s yourself: another person has to approve it.")
            % {"order": order.number}
        )


def check_can_edit_line(order: PurchaseOrder) -> None:
    """Raise CannotChangeOrder once the order left the house."""
    if order.state != PurchaseOrderState.DRAFT:
        raise CannotChangeOrder(
            _("%(order)s is “%(state)s”: only a draft can be changed.")
            % {"order": order.number, "state": PurchaseOrderState(order.state).label}
        )


def check_can_confirm(order: PurchaseOrder) -> None:
    """Raise CannotChangeOrder where the supplier has nothing to confirm."""
    if order.state not in PurchaseOrderState.on_order():
        raise CannotChangeOrder(
            _("%(order)s is “%(state)s”: there is nothing to confirm.")
            % {"order": order.number, "state": PurchaseOrderState(order.state).label}
        )


def check_within_approval(
    order: PurchaseOrder,
    rule: SupplyRule,
    *,
    value_before: Decimal,
    more_of_suspect: bool,
    by: User | None,
) -> None:
    """Raise CannotApprove where its own buyer would note a promise that costs more than the limit,
    or more of what has a price of zero or far below the known one.

    The order as it was had been approved, or needed no approval; another person who notes the
    dearer promise approves it by that.
    """
    if by is None or by.pk != order.ordered_by_id:
        return
    if rule.approval_limit is not None and more_of_suspect:
        raise CannotApprove(
            _(
                "%(order)s would bring more of what has a price of zero or far below "
                "the known one: "
                "another person has to note this promise."
            )
            % {"order": order.number}
        )
    if value_of(order) > value_before and is_above_limit(order, rule):
        raise CannotApprove(
            _(
                "%(order)s would cost more than you may order alone: "
                "another person has to note this promise."
            )
            % {"order": order.number}
        )


def check_can_promise(line: PurchaseOrderLine, quantity: Decimal) -> None:
    """Raise CannotChangeOrder for a quantity below what came already."""
    least = line.received + line.rejected
    if quantity < least or quantity <= 0:
        raise CannotChangeOrder(
            _("Position %(position)s: %(least)s came already, so %(quantity)s is too few.")
            % {
                "position": line.position,
                "least": plain(least),
                "quantity": plain(quantity),
            }
        )


def check_is_to_come(order: PurchaseOrder) -> None:
    """Raise CannotReceive where nothing of the order is to come."""
    if order.state not in PurchaseOrderState.on_order():
        raise CannotReceive(
            _("%(order)s is “%(state)s”: nothing is to come.")
            % {"order": order.number, "state": PurchaseOrderState(order.state).label}
        )


def check_can_take_in(
    order: PurchaseOrder, line: PurchaseOrderLine, quantity: Decimal, rule: SupplyRule
) -> None:
    """Raise CannotReceive: nothing is to come, or more came than the tolerance lets in."""
    check_is_to_come(order)
    left = line.quantity - line.received - line.rejected
    most = left + line.quantity * rule.over_delivery
    if quantity > most:
        sentence = (
            _(
                "%(order)s, position %(position)s: %(left)s is open, "
                "with the tolerance %(most)s, not %(quantity)s."
            )
            if rule.over_delivery
            else _("%(order)s, position %(position)s: %(left)s is open, not %(quantity)s.")
        )
        raise CannotReceive(
            sentence
            % {
                "order": order.number,
                "position": line.position,
                "left": plain(left),
                "most": plain(most),
                "quantity": plain(quantity),
            }
        )


def check_can_return(
    line: PurchaseOrderLine, quantity: Decimal, reason: str, *, replace: bool
) -> None:
    """Raise CannotReturn for more than came and did not go back, without a reason, or where
    nothing comes."""
    if not reason.strip():
        raise CannotReturn(_("Say why the goods go back."))
    if replace and line.order.state not in (
        PurchaseOrderState.PARTLY_RECEIVED,
        PurchaseOrderState.RECEIVED,
    ):
        raise CannotReturn(
            _("%(order)s is “%(state)s”: nothing is to come.")
            % {
                "order": line.order.number,
                "state": PurchaseOrderState(line.order.state).label,
            }
        )
    here = min(_came(line) - line.returned, line.received)
    if quantity <= 0 or quantity > here:
        raise CannotReturn(
            _("Position %(position)s: %(received)s was received, so %(quantity)s cannot go back.")
            % {
                "position": line.position,
                "received": plain(max(here, Decimal(0))),
                "quantity": plain(quantity),
            }
        )


def _came(line: PurchaseOrderLine) -> Decimal:
    """All that ever came of the line, replaced or not; of an imported one what it says itself."""
    accepted = line.receipts.filter(kind=PurchaseReceiptKind.ACCEPTED)
    total: Decimal = accepted.aggregate(total=Sum("quantity"))["total"] or Decimal(0)
    return max(total, line.received)


def check_can_decide(proposal: Proposal) -> None:
    """Raise CannotDecide for a proposal that was accepted already."""
    if proposal.state != ProposalState.OPEN:
        raise CannotDecide(_("This proposal was accepted already."))
