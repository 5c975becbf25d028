"""What is written to a customer about a ticket goes out by mail, with its report."""

from datetime import datetime

from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.translation import gettext as _

from common.jobs import enqueue
from common.models import User
from crm.enums import MessageKind, TicketChannel
from crm.models import Ticket, TicketMailAttempt, TicketMessage
from crm.services import notice_mail
from masterdata import selectors as masterdata


def language_of(ticket: Ticket) -> str:
    """In which language its customer is written to."""
    return ticket.customer.language if ticket.customer else "en"


def recipients(ticket: Ticket, *, is_report: bool = False) -> list[str]:
    """Where mail about a ticket goes: to who wrote, else to the customer's addresses.

    A report goes to an address that mailed us only where that is the customer's own: who writes a
    mail may say that they are anybody.
    """
    theirs = notice_mail.recipients(ticket.customer) if ticket.customer else []
    if not ticket.contact_email:
        return theirs
    if is_report and ticket.channel == TicketChannel.EMAIL:
        owner = masterdata.customer_by_email(ticket.contact_email)
        if owner is None or owner.pk != ticket.customer_id:
            return theirs
    return [ticket.contact_email]


def ask(message: TicketMessage, *, by: User | None, now: datetime) -> None:
    """Ask for the job that mails the message; nothing where there is no address."""
    if message.mail_to:
        enqueue(
            "crm.mail_ticket_message",
            key=f"ticket-message:{message.pk}",
            group_key=f"ticket-mail:{message.ticket_id}",
            now=now,
            by=by,
            message_id=message.pk,
        )


def compose(message: TicketMessage) -> EmailMessage:
    """The mail in the customer's language; its subject carries the ticket's number."""
    ticket = message.ticket
    with translation.override(language_of(ticket)):
        body = _(
            "%(text)s\n\n"
            "%(sender)s\n"
            "Ticket %(ticket)s – please keep the number in the subject when you answer."
        ) % {"text": message.body, "sender": ticket.site.label, "ticket": ticket.number}
    mail = EmailMessage(f"[{ticket.number}] {ticket.title}", body, to=message.mail_to.split(", "))
    report = message.report
    if report is not None:
        mail.attach(f"{report.number}.pdf", bytes(report.pdf), "application/pdf")
    return mail


def mail(*, message_id: int, job_id: int, now: datetime) -> None:
    """Mail a message, once as far as we know; each attempt is written down.

    Raises what the mail server's library raises: the ledger tries again later, with the same
    Message-ID.
    """
    message = TicketMessage.objects.select_related(
        "ticket__customer", "ticket__site", "report"
    ).get(pk=message_id)
    is_out = message.kind == MessageKind.TO_CUSTOMER
    if not is_out or not message.mail_to or message.mailed_at is not None:
        return
    letter = compose(message)
    letter.extra_headers["Message-ID"] = f"<ticket-message-{message.pk}-{job_id}@millstream>"
    attempt = TicketMailAttempt(message=message, at=now)
    try:
        letter.send()
    except Exception as error:
        attempt.error = repr(error)[:2000]
        attempt.save()
        raise
    attempt.save()
    TicketMessage.objects.filter(pk=message.pk).update(mailed_at=now)
