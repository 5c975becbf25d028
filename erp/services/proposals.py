"""Proposals: a person's override beside the system's figures, and how they become orders."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit, concurrency, events, transitions
from common.concurrency import Lock, lock
from common.errors import Refused
from common.models import User
from erp import policies_purchasing as policies
from erp.enums import (
    PROPOSAL_TRANSITIONS,
    ProposalAction,
    ProposalState,
    PurchaseOrderState,
    SupplyKind,
)
from erp.events import ProposalsAccepted
from erp.models import Proposal, PurchaseOrder, PurchaseOrderLine
from erp.policies_days import check_day
from erp.policies_purchasing import CannotDecide
from erp.services import purchase_orders
from masterdata import selectors as masterdata

__all__ = [
    "Accepted",
    "CannotDecide",
    "accept",
    "carried_out",
    "not_carried_out",
    "override",
    "reset",
]

ZERO = Decimal(0)


@dataclass(slots=True)
class Accepted:
    """What accepting did: orders written, proposals handed to the floor, and refusals."""

    orders: list[PurchaseOrder] = field(default_factory=list)
    handed_over: int = 0
    changed: int = 0
    # Accepted before; nothing happened to them now.
    already: int = 0
    refused: list[tuple[Proposal, str]] = field(default_factory=list)
    # By proposal: the rule that decided, where no person did.
    why: Mapping[int, str] = field(default_factory=dict)


def override(
    *,
    proposal: Proposal,
    quantity: Decimal | None,
    due_date: date | None,
    supplier_id: int | None,
    reason: str,
    version: int,
    by: User | None,
    now: datetime,
) -> Proposal:
    """Keep a person's figures beside the system's; None: the system's stand.

    Raise CannotDecide for an accepted one or without a reason, and StaleWrite.
    """
    with transaction.atomic():
        held = _locked([proposal.pk])[0]
        concurrency.check_version(held, opened=version)
        policies.check_can_decide(held)
        check_day(due_date, CannotDecide)
        before = _overrides(held)
        held.override_quantity = quantity if quantity != held.system_quantity else None
        held.override_due_date = due_date if due_date != held.system_due_date else None
        held.override_supplier_id = supplier_id if supplier_id != held.system_supplier_id else None
        if held.is_overridden and not reason.strip():
            raise CannotDecide(_("Say why you differ from the system: others will read it."))
        held.override_reason = reason.strip()[:200] if held.is_overridden else ""
        held.overridden_by = by if held.is_overridden else None
        _price(held, now.date())
        held.version += 1
        held.save()
        changes = audit.difference(before, _overrides(held))
        audit.record(
            action="erp.proposal.override",
            target=held,
            by=by,
            now=now,
            reason=reason,
            changes=changes,
        )
    return held


def reset(*, proposal: Proposal, version: int, by: User | None, now: datetime) -> Proposal:
    """Take the system's figures again; raise CannotDecide and StaleWrite."""
    return override(
        proposal=proposal,
        quantity=None,
        due_date=None,
        supplier_id=None,
        reason="",
        version=version,
        by=by,
        now=now,
    )


def accept(
    *,
    site_id: int,
    proposal_ids: Collection[int],
    by: User | None,
    now: datetime,
    why: Mapping[int, str] | None = None,
) -> Accepted:
    """Carry proposals out, as they are overridden; those accepted before stay as they are.

    What is to be bought becomes one draft order per supplier and currency; what is to be made or
    changed on the floor is handed to it; changes of purchase orders that were sent are refused
    where the supplier has to be asked. ``why`` (by id) says by which rule, where nobody decided.
    """
    done = Accepted(why=why or {})
    with transaction.atomic():
        lock(Lock.SUPPLY, site_id)
        held = [p for p in _locked(proposal_ids) if p.site_id == site_id]
        open_ones = [p for p in held if p.state == ProposalState.OPEN]
        done.already = len(held) - len(open_ones)
        buy = [p for p in open_ones if p.action == ProposalAction.BUY]
        _order(buy, done, by, now)
        for proposal in open_ones:
            if proposal.action == ProposalAction.BUY:
                continue
            if proposal.supply_kind == SupplyKind.PURCHASE_ORDER:
                _change_purchase(proposal, done, by, now)
            else:
                _hand_over(proposal, done, by, now)
        if done.handed_over:
            events.publish(ProposalsAccepted(site_id=site_id), by=by, now=now)
    return done


def carried_out(*, proposal_id: int, reference: str, by: User | None, now: datetime) -> None:
    """The floor did what was accepted; ``reference`` names the work order."""
    held = _locked([proposal_id])[0]
    _close(held, reference, by, now)


def not_carried_out(*, proposal_id: int, sentence: str, by: User | None, now: datetime) -> None:
    """The floor cannot do it: the proposal is open again and says why."""
    held = _locked([proposal_id])[0]
    _move(held, ProposalState.OPEN)
    held.refusal = sentence[:300]
    held.version += 1
    held.save()
    audit.record(action="erp.proposal.refuse", target=held, by=by, now=now, reason=sentence)


def _order(buy: list[Proposal], done: Accepted, by: User | None, now: datetime) -> None:
    groups: dict[tuple[int, str], list[Proposal]] = defaultdict(list)
    for proposal in buy:
        if proposal.supplier_id_chosen is None:
            done.refused.append((proposal, _("No supplier: choose one.")))
        elif proposal.quantity <= 0:
            done.refused.append((proposal, _("The quantity is zero: there is nothing to order.")))
        else:
            groups[proposal.supplier_id_chosen, proposal.currency].append(proposal)
    terms = masterdata.supplier_terms(on=now.date(), item_ids={p.item_id for p in buy})
    for (supplier_id, currency), gathered in sorted(groups.items()):
        gathered.sort(key=lambda p: (p.due_date, p.pk))
        site = masterdata.site(gathered[0].site_id)
        placed = purchase_orders.draft(
            supplier_id=supplier_id,
            site_id=site.pk,
            lines=[_line(p, terms.get(p.item_id, []), now.date()) for p in gathered],
            currency=currency or site.currency,
            by=by,
            now=now,
            rule="; ".join(done.why[p.pk] for p in gathered if p.pk in done.why),
        )
        for proposal in gathered:
            if proposal.pk in done.why:
                _say_rule(proposal, done.why[proposal.pk], now)
            _close(proposal, placed.number, by, now)
        done.orders.append(placed)


def _line(
    proposal: Proposal, terms: list[masterdata.Terms], today: date
) -> purchase_orders.DraftLine:
    """Due when it is needed; where that is too early, when the supplier can."""
    mine = [one for one in terms if one.supplier_id == proposal.supplier_id_chosen]
    days = mine[0].lead_time_days if mine else 0
    possible = today + timedelta(days=days)
    return purchase_orders.DraftLine(
        item_id=proposal.item_id,
        quantity=proposal.quantity,
        due_date=max(proposal.due_date, possible),
        unit_price=proposal.price,
        wished_date=proposal.due_date,
    )


def _change_purchase(proposal: Proposal, done: Accepted, by: User | None, now: datetime) -> None:
    line = (
        PurchaseOrderLine.objects.select_related("order")
        .filter(pk=proposal.supply_source_id or 0)
        .first()
    )
    if line is None:
        done.refused.append((proposal, _("The order line is gone.")))
        return
    try:
        with transaction.atomic():
            if proposal.action in (ProposalAction.EXPEDITE, ProposalAction.DEFER):
                purchase_orders.wish(line=line, wished_date=proposal.due_date, by=by, now=now)
            else:
                _lessen(line, proposal.quantity, by, now)
    except Refused as refusal:
        done.refused.append((proposal, str(refusal)))
        return
    _close(proposal, line.order.number, by, now)
    done.changed += 1


def _lessen(line: PurchaseOrderLine, quantity: Decimal, by: User | None, now: datetime) -> None:
    order = line.order
    if order.state != PurchaseOrderState.DRAFT:
        raise CannotDecide(
            _("%(order)s was sent: agree on it with the supplier, then change the order.")
            % {"order": order.number}
        )
    if quantity > 0:
        purchase_orders.change_line(
            line=line,
            quantity=quantity,
            unit_price=None,
            due_date=line.due_date,
            version=order.version,
            by=by,
            now=now,
        )
    elif order.lines.count() > 1:
        purchase_orders.remove_line(line=line, version=order.version, by=by, now=now)
    else:
        purchase_orders.cancel(order=order, reason=_("Not needed any more"), by=by, now=now)


def _hand_over(proposal: Proposal, done: Accepted, by: User | None, now: datetime) -> None:
    if proposal.action == ProposalAction.MAKE and proposal.quantity <= 0:
        done.refused.append((proposal, _("The quantity is zero: there is nothing to order.")))
        return
    _move(proposal, ProposalState.ACCEPTED)
    proposal.decided_by, proposal.decided_at, proposal.refusal = by, now, ""
    proposal.version += 1
    proposal.save()
    audit.record(action="erp.proposal.accept", target=proposal, by=by, now=now)
    done.handed_over += 1


def _close(proposal: Proposal, reference: str, by: User | None, now: datetime) -> None:
    _move(proposal, ProposalState.DONE)
    proposal.reference = reference
    proposal.refusal = ""
    if proposal.decided_at is None:
        proposal.decided_by, proposal.decided_at = by, now
    proposal.version += 1
    proposal.save()
    audit.record(action="erp.proposal.carry_out", target=proposal, by=by, now=now, reason=reference)


def _say_rule(proposal: Proposal, rule: str, now: datetime) -> None:
    proposal.decided_rule = rule[:300]
    audit.record(
        action="erp.proposal.order_by_rule", target=proposal, by=None, now=now, reason=rule
    )


def _price(proposal: Proposal, today: date) -> None:
    """The chosen supplier's price; another quantity is no other supplier by itself."""
    if proposal.action != ProposalAction.BUY or proposal.supplier_id_chosen is None:
        return
    terms = masterdata.supplier_terms(on=today, item_ids=[proposal.item_id])
    for one in terms.get(proposal.item_id, []):
        if one.supplier_id == proposal.supplier_id_chosen:
            proposal.price, proposal.currency = one.price, one.currency
            return
    proposal.price = ZERO


def _overrides(proposal: Proposal) -> dict[str, str | None]:
    return {
        "quantity": _text(proposal.override_quantity),
        "due_date": _text(proposal.override_due_date),
        "supplier": _text(proposal.override_supplier_id),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _locked(ids: Collection[int]) -> list[Proposal]:
    rows = Proposal.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=list(ids))
    return list(rows.select_related("item").order_by("pk"))


def _move(proposal: Proposal, new: ProposalState) -> None:
    transitions.check(PROPOSAL_TRANSITIONS, old=ProposalState(proposal.state), new=new)
    proposal.state = new
