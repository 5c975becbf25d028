"""Returns: authorised, received, evaluated, and repaired, replaced, refunded or rejected.

Each step that moves goods is booked in the store, which writes the genealogy, in its own
transaction. What comes back lies in quarantine until it is settled.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common import audit, numbers
from common.concurrency import Lock, lock
from common.models import User
from crm import policies_tickets as policies
from crm import selectors_products as products
from crm.enums import RmaDisposition, RmaFinding, RmaState, WarrantyDecision
from crm.models import Rma, Ticket
from crm.policies_tickets import CannotReturn
from crm.selectors_products import Product
from crm.services import tickets
from erp.enums import MoveKind, RequirementKind
from erp.services import requirements, reservations, returns, stock
from traceability.enums import EventKind, IdentityState, NodeKind
from traceability.services import genealogy
from traceability.services.genealogy import Fact

__all__ = [
    "CannotReturn", "Evaluation", "authorise", "cancel", "close", "evaluate", "receive",
    "replace_part", "request", "start_repair",
]  # fmt: skip

ONE = Decimal(1)
_ONE_OPEN = "crm_rma_one_open_per_unit"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the look at it says, and what the customer gets."""

    finding: RmaFinding
    note: str
    disposition: RmaDisposition


def request(*, ticket: Ticket, reason: str, by: User, now: datetime) -> Rma:
    """Ask for the ticket's product back; raise CannotReturn: no unit, not theirs, under way."""
    with transaction.atomic():
        # Of two tickets about one product at once, the second one waits here, or if they are of
        # two sites, at the constraint (_open).
        lock(Lock.SUPPLY, ticket.site_id)
        ticket = tickets.locked(ticket.pk)
        policies.check_can_edit(ticket)
        found = products.product(ticket.thing)
        if found is None or found.kind != NodeKind.UNIT:
            raise CannotReturn(_("Name the product by its serial number first."))
        if ticket.customer_id is None or not found.is_with(ticket.customer_id):
            raise CannotReturn(
                _("%(number)s is not with this customer.") % {"number": found.number}
            )
        if not reason.strip():
            raise CannotReturn(_("Say why it is to come back."))
        policies.check_not_under_way(found)
        rma = _open(ticket, found, reason.strip()[:300], by, now)
        _record(rma, action="crm.rma.request", by=by, now=now, reason=rma.reason)
    return rma


def authorise(*, rma: Rma, by: User, now: datetime) -> Rma:
    """The customer may send it; raise CannotReturn while nobody decided about the warranty."""
    with transaction.atomic():
        rma = _locked(rma)
        policies.check_can_move_rma(rma, RmaState.AUTHORISED)
        if rma.ticket.warranty == WarrantyDecision.UNDECIDED:
            raise CannotReturn(_("Decide about the warranty first."))
        _move(rma, RmaState.AUTHORISED)
        _record(rma, action="crm.rma.authorise", by=by, now=now)
        return rma


def receive(*, rma: Rma, by: User, now: datetime) -> Rma:
    """It is here; the ledger knows that the unit came back from the customer."""
    with transaction.atomic():
        rma = _locked(rma)
        policies.check_can_move_rma(rma, RmaState.RECEIVED)
        returns.from_customer(
            item_id=_item_id(rma),
            site_id=rma.ticket.site_id,
            quantity=ONE,
            reference=rma.number,
            customer_id=_customer_id(rma),
            unit_ids=[rma.thing],
            by=by,
            now=now,
        )
        rma.received_at = now
        _move(rma, RmaState.RECEIVED)
        _record(rma, action="crm.rma.receive", by=by, now=now)
        return rma


def evaluate(*, rma: Rma, evaluation: Evaluation, by: User, now: datetime) -> Rma:
    """Say what was found and what the customer gets; raise CannotReturn."""
    with transaction.atomic():
        rma = _locked(rma)
        policies.check_can_move_rma(rma, RmaState.EVALUATED)
        if not evaluation.note.strip():
            raise CannotReturn(_("Say what was found."))
        rma.finding = evaluation.finding
        rma.finding_note = evaluation.note.strip()[:500]
        rma.disposition = evaluation.disposition
        _move(rma, RmaState.EVALUATED)
        _record(rma, action="crm.rma.evaluate", by=by, now=now, reason=rma.finding_note)
        return rma


def start_repair(*, rma: Rma, task: str, by: User, now: datetime) -> Rma:
    """Open the order to repair it; raise CannotReturn for another disposition or no task."""
    with transaction.atomic():
        rma = _locked(rma)
        policies.check_can_move_rma(rma, RmaState.IN_REPAIR)
        if rma.disposition != RmaDisposition.REPAIR:
            raise CannotReturn(_("This return is not to be repaired."))
        if not task.strip():
            raise CannotReturn(_("Say what is to be repaired."))
        rma.repair_number = numbers.take("RO", now=now)
        rma.repair_task = task.strip()[:500]
        _move(rma, RmaState.IN_REPAIR)
        _record(rma, action="crm.rma.repair", by=by, now=now, reason=rma.repair_task)
        return rma


def replace_part(*, rma: Rma, removed: str, installed: str, by: User, now: datetime) -> int:
    """A part of the unit in repair was replaced: as maintained it differs from as built.

    Serial numbers of units; an empty ``installed`` only takes out. The event's id; raise
    CannotReturn or the ledger's CannotLink.
    """
    with transaction.atomic():
        rma = _locked(rma)
        if rma.state != RmaState.IN_REPAIR:
            raise CannotReturn(_("Open the repair order first."))
        old, new = _unit(removed), _unit(installed) if installed.strip() else None
        if new is not None:
            _take_from_store(rma, new, MoveKind.ISSUE, by, now)
        event = genealogy.replace_part(
            fact=_fact(rma, EventKind.REPLACEMENT, by, now, rma.repair_number),
            unit=rma.thing,
            removed=old.thing,
            installed=new.thing if new else None,
        )
        _record(
            rma,
            action="crm.rma.replace_part",
            by=by,
            now=now,
            reason=f"{old.number} → {new.number if new else '–'}",
        )
    return event


def close(*, rma: Rma, note: str, by: User, now: datetime, replacement: str = "") -> Rma:
    """Settle it: the repaired or rejected unit, or the replacement, goes to the customer.

    ``replacement`` is the serial number of the unit that they get instead. Raise CannotReturn.
    """
    with transaction.atomic():
        rma = _locked(rma)
        policies.check_can_close_rma(rma)
        if not note.strip():
            raise CannotReturn(_("Say how it was settled."))
        if rma.disposition == RmaDisposition.REPLACE:
            _replace(rma, replacement, by, now)
        elif rma.disposition in (RmaDisposition.REPAIR, RmaDisposition.REJECT):
            _send_back(rma, by, now)
        if rma.disposition == RmaDisposition.REPAIR:
            rma.repair_note = note.strip()[:500]
        rma.closing_note = note.strip()[:300]
        rma.closed_at = now
        _move(rma, RmaState.CLOSED)
        _record(rma, action="crm.rma.close", by=by, now=now, reason=rma.closing_note)
        return rma


def cancel(*, rma: Rma, reason: str, by: User, now: datetime) -> Rma:
    """It does not come; raise CannotReturn once it is here, or without a reason."""
    with transaction.atomic():
        rma = _locked(rma)
        policies.check_can_move_rma(rma, RmaState.CANCELLED)
        if not reason.strip():
            raise CannotReturn(_("Say why."))
        rma.closing_note = reason.strip()[:300]
        rma.closed_at = now
        _move(rma, RmaState.CANCELLED)
        _record(rma, action="crm.rma.cancel", by=by, now=now, reason=rma.closing_note)
        return rma


def _open(ticket: Ticket, found: Product, reason: str, by: User, now: datetime) -> Rma:
    """Of two at once at two sites, whose locks differ, the database lets one through."""
    try:
        with transaction.atomic():
            return Rma.objects.create(
                number=numbers.take("RMA", now=now),
                ticket=ticket,
                thing=found.thing,
                reason=reason,
                requested_at=now,
                requested_by=by,
            )
    except IntegrityError as conflict:
        if _ONE_OPEN not in str(conflict):
            raise
        policies.check_not_under_way(found)
        raise


def _replace(rma: Rma, number: str, by: User, now: datetime) -> None:
    """Another unit of the item leaves the store for the customer, in the place of the old one."""
    new = _unit(number)
    old = products.product(rma.thing)
    if old is None or new.item_id != old.item_id or new.thing == rma.thing:
        raise CannotReturn(
            _("%(number)s is no other unit of the same item.") % {"number": new.number}
        )
    _take_from_store(rma, new, MoveKind.SHIPMENT, by, now)
    rma.replacement = new.thing


def _send_back(rma: Rma, by: User, now: datetime) -> None:
    """The unit itself leaves quarantine for its customer."""
    returns.back_to_customer(
        item_id=_item_id(rma),
        site_id=rma.ticket.site_id,
        unit_ids=[rma.thing],
        reference=rma.number,
        customer_id=_customer_id(rma),
        by=by,
        now=now,
    )


def _take_from_store(rma: Rma, unit: Product, kind: MoveKind, by: User, now: datetime) -> None:
    """Issue the unit for the return, as anything else is issued; raise CannotReturn."""
    site_id = rma.ticket.site_id
    if unit.state != IdentityState.AVAILABLE:
        raise CannotReturn(
            _("%(number)s is not free in the store: %(state)s.")
            % {"number": unit.number, "state": unit.state.label}
        )
    is_shipped = kind == MoveKind.SHIPMENT
    need = requirements.NewRequirement(
        item_id=unit.item_id,
        site_id=site_id,
        kind=RequirementKind.SALES if is_shipped else RequirementKind.COMPONENT,
        quantity=ONE,
        due_at=now,
        reference=rma.number,
        customer_id=rma.ticket.customer_id,
    )
    [opened] = requirements.open_many([need])
    reservations.reserve({opened.pk: ONE})
    stock.issue(
        requirement_id=opened.pk,
        quantity=ONE,
        reference=rma.number if is_shipped else rma.repair_number,
        kind=kind,
        unit_ids=[unit.thing],
        paper=stock.Paper(customer_id=rma.ticket.customer_id) if is_shipped else None,
        by=by,
        now=now,
    )


def _item_id(rma: Rma) -> int:
    found = products.product(rma.thing)
    assert found is not None  # noqa: S101 - a unit never goes from the ledger
    return found.item_id


def _customer_id(rma: Rma) -> int:
    assert rma.ticket.customer_id is not None  # noqa: S101 - asked when it was requested
    return rma.ticket.customer_id


def _fact(rma: Rma, kind: EventKind, by: User, now: datetime, reference: str) -> Fact:
    return Fact(kind=kind, at=now, site_id=rma.ticket.site_id, by_id=by.pk, reference=reference)


def _unit(number: str) -> Product:
    """The one unit of a serial number; raise CannotReturn."""
    found = [one for one in products.named(number) if one.kind == NodeKind.UNIT]
    if len(found) != 1:
        raise CannotReturn(_("There is no unit “%(number)s”.") % {"number": number.strip()[:60]})
    return found[0]


def _record(rma: Rma, *, action: str, by: User, now: datetime, reason: str = "") -> None:
    """In the history of the return, and in its ticket's."""
    targets = [rma, rma.ticket]
    audit.record_many(action=action, targets=targets, by=by, now=now, reason=reason)


def _move(rma: Rma, new: RmaState) -> None:
    rma.state = new
    rma.save()


def _locked(rma: Rma) -> Rma:
    """The return and its ticket, in this order: the site's supply, ticket, return."""
    lock(Lock.SUPPLY, rma.ticket.site_id)
    ticket = tickets.locked(rma.ticket_id)
    found = Rma.objects.select_for_update(no_key=True).get(pk=rma.pk)
    found.ticket = ticket
    return found
