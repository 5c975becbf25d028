"""Mail of customers becomes tickets, or goes on with one; a mail that comes twice is one."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parseaddr
from hashlib import sha256
from html.parser import HTMLParser

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from crm import selectors_products as products
from crm.enums import TicketChannel
from crm.models import Ticket, TicketMessage
from crm.policies_tickets import CannotAttach, CannotOpen
from crm.selectors_products import Product
from crm.services import ticket_mail, ticket_photos, tickets
from crm.services.ticket_photos import MOST_PHOTOS, Photo
from crm.services.tickets import About, Contact
from masterdata import selectors as masterdata

LARGEST_MAIL = 40_000_000
LONGEST_TEXT = 20_000
_LONGEST_ID = 250
# Of HTML, before its marks are taken off.
_LONGEST_PAGE = 1_000_000
# Parts within parts; people's mail programs nest a handful.
_DEEPEST = 30
_NUMBER = re.compile(r"\b(AS-\d{4}-\d+)\b")
# What may be a serial number in running text.
_WORD = re.compile(r"\b[0-9A-Za-z][0-9A-Za-z./-]{3,39}\b")
_MOST_WORDS = 60


def take(*, raw: bytes, now: datetime) -> Ticket:
    """The ticket that the mail opens or goes on with. Raise CannotOpen for what is no mail.

    It goes on with the ticket that its subject names only where its sender is who the ticket
    belongs to; whoever else names a number opens a ticket of their own.
    """
    mail = _read(raw)
    name, address = parseaddr(_head(mail, "From"))
    own_id = _head(mail, "Message-ID")
    if not own_id or len(own_id) > _LONGEST_ID:
        # Cut off, two of them could be the same.
        own_id = f"<{sha256(own_id.encode() or raw).hexdigest()}>"
    title = _head(mail, "Subject")[:200]
    text = _text(mail)
    with transaction.atomic():
        before = TicketMessage.objects.filter(message_id=own_id).select_related("ticket").first()
        if before is not None:
            return before.ticket
        photos = list(_photos(mail))
        if (known := _answered(title, address)) is not None:
            tickets.hear(
                ticket=known,
                body=text or "–",
                name=name or address,
                photos=photos,
                message_id=own_id,
                now=now,
            )
            return known
        customer = masterdata.customer_by_email(address)
        found = _product(f"{title}\n{text}", customer.pk) if customer else None
        return tickets.create(
            title=title or _("(no subject)"),
            body=text or "–",
            about=About(
                customer_id=customer.pk if customer else None,
                thing=found.thing if found else None,
            ),
            contact=Contact(name or address, address),
            channel=TicketChannel.EMAIL,
            photos=photos,
            message_id=own_id,
            by=None,
            now=now,
        )


def _read(raw: bytes) -> EmailMessage:
    """The mail; raise CannotOpen where no person wrote it."""
    if len(raw) > LARGEST_MAIL:
        raise CannotOpen(_("The mail is too large."))
    try:
        mail = message_from_bytes(raw, policy=policy.default)
        depth = _depth(mail)
    except RecursionError:
        depth = _DEEPEST + 1
    if depth > _DEEPEST:
        raise CannotOpen(_("The mail is too large."))
    assert isinstance(mail, EmailMessage)  # noqa: S101 - the policy makes these
    try:
        # It is written to later: one address, and nothing that ends a header.
        validate_email(parseaddr(_head(mail, "From"))[1])
    except ValidationError as error:
        raise CannotOpen(_("The mail has no sender.")) from error
    if _is_automatic(mail):
        raise CannotOpen(_("A program wrote this mail: an automatic answer, or a report."))
    return mail


def _is_automatic(mail: EmailMessage) -> bool:
    """By RFC 3834, and by what programs said before it: to answer them would go round for ever."""
    return (
        _head(mail, "Auto-Submitted").lower() not in ("", "no")
        or _head(mail, "Precedence").lower() in ("bulk", "junk", "auto_reply")
        or _head(mail, "Return-Path") == "<>"
        or mail.get_content_type() == "multipart/report"
    )


def _head(mail: EmailMessage, name: str) -> str:
    """A header as one line that can be stored; empty where there is none."""
    try:
        said = str(mail.get(name, ""))
    except (ValueError, LookupError, IndexError, AttributeError):
        # Some broken headers break the library's parser.
        return ""
    return " ".join(_storable(said).split())


def _storable(text: str) -> str:
    """Without what no database stores: NUL, and halves of letters."""
    return text.replace("\x00", "").encode(errors="replace").decode()


def _depth(mail: Message, level: int = 1) -> int:
    """How deep its parts lie in each other; as deep as is looked at, at most."""
    if not mail.is_multipart() or level > _DEEPEST:
        return level
    parts = mail.get_payload()
    return max((_depth(part, level + 1) for part in parts if isinstance(part, Message)), default=1)


def _answered(title: str, address: str) -> Ticket | None:
    """The ticket that the subject names, if the sender may speak in it."""
    named = _NUMBER.search(title)
    if named is None:
        return None
    ticket = Ticket.objects.select_related("customer").filter(number=named[1]).first()
    if ticket is None:
        return None
    owner = masterdata.customer_by_email(address)
    mine = {ticket.contact_email.lower(), *(a.lower() for a in ticket_mail.recipients(ticket))}
    is_theirs = owner is not None and owner.pk == ticket.customer_id
    return ticket if is_theirs or address.lower() in mine else None


def _product(text: str, customer_id: int) -> Product | None:
    """The one product of the customer that the text names; None for none, or several."""
    words = list(dict.fromkeys(_WORD.findall(text)))[:_MOST_WORDS]
    found = products.held_among(customer_id, [word.strip(".-/") for word in words])
    return found[0] if len(found) == 1 else None


def _text(mail: EmailMessage) -> str:
    """What was written, without what it answers."""
    part = mail.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        said = str(part.get_content())
    except (LookupError, ValueError):
        return ""
    if part.get_content_type() == "text/html":
        said = _plain(said[:_LONGEST_PAGE])
    lines = _storable(said).replace("\r\n", "\n").split("\n")
    own = [line for line in lines if not line.startswith(">")]
    return "\n".join(own).strip()[:LONGEST_TEXT]


class _Words(HTMLParser):
    """Text of a page, without its scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._silent += tag in ("script", "style", "head")
        if tag in ("p", "br", "div", "tr", "li"):
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "head") and self._silent > 0

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data)


def _plain(html: str) -> str:
    words = _Words()
    # What no browser would read either ends the text there: the library asserts that it is not so.
    with suppress(AssertionError):
        words.feed(html)
    return re.sub(r"\n\s*\n+", "\n\n", "".join(words.found))


def _photos(mail: EmailMessage) -> Iterator[Photo]:
    """The pictures that came with it; what else is attached, or too large, is left out."""
    count = 0
    for part in mail.walk():
        if part.get_content_maintype() != "image" or count == MOST_PHOTOS:
            continue
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        try:
            yield ticket_photos.photo(_storable(part.get_filename() or "photo"), content)
        except CannotAttach:
            continue
        count += 1
