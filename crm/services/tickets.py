"""Tickets: opened, looked into, answered, resolved, closed, and opened again.

Callers hold nothing; each action locks the ticket's row first.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from common import audit, events, numbers
from common.enums import Level, Role
from common.models import User
from common.notifications import notify
from crm import policies_tickets as policies
from crm import selectors_products as products
from crm.enums import (
    MessageKind,
    TicketChannel,
    TicketPriority,
    TicketState,
    TraitKind,
)
from crm.events import TicketDescribed
from crm.models import Ticket, TicketMessage, TicketTrait, TraceReport
from crm.policies_tickets import (
    CannotEdit,
    CannotMove,
    CannotOpen,
    CannotWrite,
)
from crm.services import ticket_clock, ticket_mail, ticket_photos
from crm.services.ticket_about import About, Contact, product_of, site_for, site_of
from crm.services.ticket_photos import Photo
from masterdata import selectors as masterdata
from traceability.services import complaints

__all__ = [
    "About", "CannotEdit", "CannotMove", "CannotOpen", "CannotWrite", "Contact",
    "assign", "close", "create", "describe", "hear", "note", "reopen", "reply",
    "resolve", "site_for", "wait",
]  # fmt: skip

# What the ledger is told of a complaint whose symptom nobody has named yet.
UNKNOWN_SYMPTOM = "UNKNOWN"


def create(
    *,
    title: str,
    body: str,
    about: About,
    by: User | None,
    now: datetime,
    contact: Contact | None = None,
    channel: TicketChannel = TicketChannel.AGENT,
    site_id: int | None = None,
    photos: Sequence[Photo] = (),
    message_id: str = "",
    number: str = "",
) -> Ticket:
    """Open a ticket; raise CannotOpen without a text. It may have a number and a site already."""
    policies.check_can_open(title, body)
    contact = contact or Contact()
    with transaction.atomic():
        ticket = Ticket(
            number=number or numbers.take("AS", now=now),
            contact_name=contact.name[:120],
            contact_email=contact.email[:254],
            title=" ".join(title.split())[:200],
            channel=channel,
            opened_at=now,
            opened_by=by,
        )
        _set(ticket, about)
        ticket.site = site_of(ticket.item_id, now, site_id=site_id)
        ticket_clock.reckon(ticket)
        ticket.save()
        _note_facts(ticket, by=by, now=now)
        said = TicketMessage.objects.create(
            ticket=ticket,
            kind=MessageKind.FROM_CUSTOMER,
            body=body.strip(),
            at=now,
            author=by if channel == TicketChannel.PORTAL else None,
            author_name=contact.name[:150],
            message_id=message_id[:250],
        )
        ticket_photos.keep(said, photos)
        audit.record(action="crm.ticket.open", target=ticket, by=by, now=now)
        if channel != TicketChannel.AGENT:
            _tell_us(ticket, "crm.ticket_opened", now)
    return ticket


def describe(
    *, ticket: Ticket, about: About, version: int, by: User | None, now: datetime
) -> Ticket:
    """Say anew what the ticket is about; raise CannotEdit: closed, or changed meanwhile."""
    with transaction.atomic():
        ticket = locked(ticket.pk)
        policies.check_can_edit(ticket)
        if ticket.version != version:
            raise CannotEdit(_("Somebody changed the ticket meanwhile: look at it once more."))
        policies.check_can_give_to(ticket, about.customer_id)
        before = _facts(ticket)
        _set(ticket, about)
        changes = audit.difference(before, _facts(ticket))
        if not changes:
            return ticket
        ticket.version += 1
        ticket_clock.reckon(ticket)
        ticket.save()
        _note_facts(ticket, by=by, now=now)
        audit.record(action="crm.ticket.describe", target=ticket, by=by, now=now, changes=changes)
    return ticket


def reply(
    *,
    ticket: Ticket,
    body: str,
    by: User | None,
    now: datetime,
    is_answer: bool = False,
    waits: bool = False,
    report: TraceReport | None = None,
    photos: Sequence[Photo] = (),
) -> TicketMessage:
    """Write to the customer, in the portal and by mail; raise CannotWrite.

    ``is_answer`` stops the stopwatch, ``waits`` the clock until the customer writes again.
    """
    with transaction.atomic():
        ticket = locked(ticket.pk)
        policies.check_can_write(ticket, body)
        said = TicketMessage.objects.create(
            ticket=ticket,
            kind=MessageKind.TO_CUSTOMER,
            body=body.strip(),
            at=now,
            author=by,
            is_answer=is_answer,
            report=report,
            mail_to=", ".join(ticket_mail.recipients(ticket, is_report=bool(report)))[:500],
        )
        ticket_photos.keep(said, photos)
        ticket.first_response_at = ticket.first_response_at or now
        if is_answer:
            ticket.answered_at = ticket.answered_at or now
        if waits and ticket.state == TicketState.OPEN:
            _move(ticket, TicketState.WAITING, now)
        ticket.save()
        audit.record(
            action="crm.ticket.answer" if is_answer else "crm.ticket.reply",
            target=ticket,
            by=by,
            now=now,
        )
        ticket_mail.ask(said, by=by, now=now)
        _tell_customer(ticket, now)
    return said


def note(
    *, ticket: Ticket, body: str, by: User, now: datetime, photos: Sequence[Photo] = ()
) -> TicketMessage:
    """Write something that only we read; raise CannotWrite."""
    with transaction.atomic():
        ticket = locked(ticket.pk)
        policies.check_can_write(ticket, body)
        said = TicketMessage.objects.create(
            ticket=ticket, kind=MessageKind.NOTE, body=body.strip(), at=now, author=by
        )
        ticket_photos.keep(said, photos)
        audit.record(action="crm.ticket.note", target=ticket, by=by, now=now)
    return said


def hear(
    *,
    ticket: Ticket,
    body: str,
    now: datetime,
    by: User | None = None,
    name: str = "",
    photos: Sequence[Photo] = (),
    message_id: str = "",
) -> TicketMessage:
    """The customer writes: whatever the ticket's state, it is open again. Raise CannotWrite."""
    with transaction.atomic():
        ticket = locked(ticket.pk)
        if not body.strip():
            raise CannotWrite(_("Write what you want to say."))
        said = TicketMessage.objects.create(
            ticket=ticket,
            kind=MessageKind.FROM_CUSTOMER,
            body=body.strip(),
            at=now,
            author=by,
            author_name=name[:150],
            message_id=message_id[:250],
        )
        ticket_photos.keep(said, photos)
        if ticket.state != TicketState.OPEN:
            _move(ticket, TicketState.OPEN, now)
            ticket.save()
        audit.record(action="crm.ticket.hear", target=ticket, by=by, now=now)
        _tell_us(ticket, "crm.ticket_message", now)
    return said


def assign(*, ticket: Ticket, to: User | None, by: User, now: datetime) -> Ticket:
    """Give the ticket to somebody, or to nobody; raise CannotEdit."""
    with transaction.atomic():
        ticket = locked(ticket.pk)
        policies.check_can_edit(ticket)
        before, ticket.assigned_to = ticket.assigned_to, to
        ticket.save(update_fields=["assigned_to"])
        audit.record(
            action="crm.ticket.assign",
            target=ticket,
            by=by,
            now=now,
            changes={"assigned_to": [str(before or ""), str(to or "")]},
        )
    return ticket


def wait(*, ticket: Ticket, by: User, now: datetime) -> Ticket:
    """We wait for the customer: the clock stands. Raise CannotMove."""
    with transaction.atomic():
        ticket = _to(ticket, TicketState.WAITING, now)
        audit.record(action="crm.ticket.wait", target=ticket, by=by, now=now)
    return ticket


def resolve(*, ticket: Ticket, reason: str, by: User, now: datetime) -> Ticket:
    """It is answered and settled, as far as we know; raise CannotMove."""
    with transaction.atomic():
        ticket = locked(ticket.pk)
        policies.check_can_resolve(ticket)
        ticket = _to(ticket, TicketState.RESOLVED, now)
        audit.record(
            action="crm.ticket.resolve", target=ticket, by=by, now=now, reason=reason.strip()[:300]
        )
    return ticket


def close(*, ticket: Ticket, by: User | None, now: datetime) -> Ticket:
    """It is over; raise CannotMove unless it is resolved."""
    with transaction.atomic():
        ticket = _to(ticket, TicketState.CLOSED, now)
        audit.record(action="crm.ticket.close", target=ticket, by=by, now=now)
    return ticket


def reopen(*, ticket: Ticket, reason: str, by: User, now: datetime) -> Ticket:
    """Work on it again; raise CannotMove."""
    with transaction.atomic():
        ticket = _to(ticket, TicketState.OPEN, now)
        audit.record(
            action="crm.ticket.reopen", target=ticket, by=by, now=now, reason=reason.strip()[:300]
        )
    return ticket


def _set(ticket: Ticket, about: About) -> None:
    """What it is about."""
    ticket.customer_id = about.customer_id
    ticket.serial = products.typed_number(about.serial)
    ticket.symptom_id = about.symptom_id
    ticket.priority = about.priority
    found = product_of(about)
    ticket.thing = found.thing if found else None
    ticket.item_id = found.item_id if found else about.item_id
    if found:
        ticket.serial = found.number


def _note_facts(ticket: Ticket, *, by: User | None, now: datetime) -> None:
    """What follows from it: its traits, the ledger's complaint, the look for others like it."""
    ticket.traits.all().delete()
    lots, units = products.traits(ticket.thing) if ticket.thing else (set[int](), set[int]())
    found = [(TraitKind.LOT, pk) for pk in lots] + [(TraitKind.WORK_UNIT, pk) for pk in units]
    if ticket.symptom_id:
        found.append((TraitKind.SYMPTOM, ticket.symptom_id))
    TicketTrait.objects.bulk_create(
        TicketTrait(ticket=ticket, kind=kind, ref=ref) for kind, ref in found
    )
    if ticket.item_id is None:
        return
    complaints.note(
        reference=ticket.number,
        item_id=ticket.item_id,
        thing=ticket.thing,
        symptom=ticket.symptom.code if ticket.symptom else UNKNOWN_SYMPTOM,
        at=ticket.opened_at,
    )
    events.publish(TicketDescribed(ticket_id=ticket.pk, item_id=ticket.item_id), by=by, now=now)


def _facts(ticket: Ticket) -> dict[str, object]:
    return {
        "customer": ticket.customer.code if ticket.customer else "",
        "item": ticket.item.code if ticket.item else "",
        "serial": ticket.serial,
        "symptom": ticket.symptom.code if ticket.symptom else "",
        "priority": str(ticket.priority),
    }


def _to(ticket: Ticket, new: TicketState, now: datetime) -> Ticket:
    """Move the ticket, in the caller's transaction; raise CannotMove."""
    ticket = locked(ticket.pk)
    _move(ticket, new, now)
    ticket.save()
    return ticket


def _move(ticket: Ticket, new: TicketState, now: datetime) -> None:
    policies.check_can_move(ticket, new)
    ticket.state = new
    ticket.closed_at = now if new == TicketState.CLOSED else None
    if new == TicketState.OPEN:
        ticket_clock.go_on(ticket, now=now)
        ticket.reminded_at = None
    else:
        ticket_clock.stop(ticket, now=now)


def _tell_us(ticket: Ticket, kind: str, now: datetime) -> None:
    """Whoever works on it, or everybody of after-sales while nobody does."""
    notify(
        kind=kind,
        parameters={"ticket": ticket.number, "title": ticket.title},
        users=[ticket.assigned_to] if ticket.assigned_to else [],
        roles=[] if ticket.assigned_to else [Role.AFTER_SALES],
        level=Level.WARNING if ticket.priority == TicketPriority.URGENT else Level.INFO,
        url=reverse("crm:ticket", args=[ticket.number]),
        now=now,
    )


def _tell_customer(ticket: Ticket, now: datetime) -> None:
    if ticket.customer_id is None:
        return
    notify(
        kind="crm.ticket_answered",
        parameters={"ticket": ticket.number, "title": ticket.title},
        users=masterdata.portal_users(ticket.customer_id),
        url=reverse("portal:ticket", args=[ticket.number]),
        now=now,
    )


def locked(pk: int) -> Ticket:
    """The ticket, locked until the transaction ends, with what its facts name."""
    return (
        Ticket.objects.select_for_update(no_key=True, of=("self",))
        .select_related("site", "customer", "item", "symptom", "assigned_to")
        .get(pk=pk)
    )
