"""What a customer may know of their complaints: every function takes the customer.

No internal notes, no names of our people, nothing of other customers.
"""

from dataclasses import dataclass
from datetime import date, datetime

from crm.enums import MessageKind, RmaState, TicketState, WarrantyDecision
from crm.services import ticket_portal as crm
from crm.services.ticket_portal import Product
from mes import selectors as mes
from mes.selectors import CustomerPart


@dataclass(frozen=True, slots=True)
class Photo:
    pk: int
    name: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the conversation; ``is_mine`` is the customer's own."""

    at: datetime
    is_mine: bool
    author: str
    text: str
    photos: tuple[Photo, ...]
    # Number of the report that came with it.
    report: str


@dataclass(frozen=True, slots=True)
class Report:
    number: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Return:
    number: str
    state: str
    state_label: str
    disposition: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A complaint as its customer sees it."""

    number: str
    title: str
    state: str
    state_label: str
    opened_at: datetime
    item_code: str
    item_name: str
    serial: str
    warranty: str
    messages: tuple[Said, ...] = ()
    reports: tuple[Report, ...] = ()
    returns: tuple[Return, ...] = ()
    # What we found and do about it, where quality wrote that down for customers and shared it.
    finding: CustomerPart | None = None

    @property
    def is_over(self) -> bool:
        return self.state in (TicketState.RESOLVED, TicketState.CLOSED)


@dataclass(frozen=True, slots=True)
class Bought:
    """A product of the customer's, as they may see it."""

    number: str
    item_code: str
    item_name: str
    shipped_at: datetime | None
    warranty_until: date | None


class TicketsOf:
    """The customer's tickets, newest first, for a paginator; two queries."""

    def __init__(self, customer_id: int) -> None:
        self._found = crm.tickets_of(customer_id)

    def count(self) -> int:
        return self._found.count()

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, place: slice) -> list[Ticket]:
        return [_ticket(row) for row in self._found[place]]


def tickets(*, customer_id: int) -> TicketsOf:
    """The customer's tickets, newest first."""
    return TicketsOf(customer_id)


def ticket(*, customer_id: int, number: str) -> Ticket | None:
    """One ticket with its conversation; None where it is not theirs or does not exist."""
    row = crm.ticket_of(customer_id, number)
    if row is None:
        return None
    return _ticket(
        row,
        messages=tuple(_said(message) for message in row.messages.all()),
        reports=tuple(Report(report.number, report.issued_at) for report in row.reports.all()),
        returns=tuple(_return(rma) for rma in row.rmas.all()),
        finding=mes.customer_part(row.number),
    )


def bought(*, customer_id: int, number: str) -> Bought | None:
    """The customer's product of that number; None for a number we do not know and for another's
    alike, so that nobody learns of what is not theirs."""
    found = crm.held_by(customer_id, number)
    return _bought(found) if found else None


def _bought(found: Product) -> Bought:
    return Bought(
        found.number, found.item_code, found.item_label, found.shipped_at, found.warranty_until
    )


def _ticket(row, **more) -> Ticket:  # type: ignore[no-untyped-def]
    decided = row.warranty != WarrantyDecision.UNDECIDED
    return Ticket(
        number=row.number,
        title=row.title,
        state=row.state,
        state_label=str(TicketState(row.state).label),
        opened_at=row.opened_at,
        item_code=row.item.code if row.item else "",
        item_name=row.item.label if row.item else "",
        serial=row.serial,
        warranty=str(WarrantyDecision(row.warranty).label) if decided else "",
        **more,
    )


def _said(message) -> Said:  # type: ignore[no-untyped-def]
    is_mine = message.kind == MessageKind.FROM_CUSTOMER
    return Said(
        at=message.at,
        is_mine=is_mine,
        author=message.author_name if is_mine else "",
        text=message.body,
        photos=tuple(Photo(photo.pk, photo.name) for photo in message.photos.all()),
        report=message.report.number if message.report else "",
    )


def _return(rma) -> Return:  # type: ignore[no-untyped-def]
    return Return(
        number=rma.number,
        state=rma.state,
        state_label=str(RmaState(rma.state).label),
        disposition=str(rma.get_disposition_display()) if rma.disposition else "",
    )
