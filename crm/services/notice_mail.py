"""The words of a delay notice, in the customer's language, and their mail."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.translation import gettext as _

from common.templatetags.ui_format import day
from crm.enums import NoticeState
from crm.models import DelayNotice, DelayNoticeAttempt
from crm.services import customer_reasons
from masterdata import selectors as masterdata

if TYPE_CHECKING:
    from masterdata.models import Customer


@dataclass(frozen=True)
class Letter:
    subject: str
    body: str


def compose(notice: DelayNotice) -> Letter:
    """Subject and body; what sales wrote instead counts. Nothing of ours but the plant's name."""
    line, order = notice.line, notice.line.order
    with translation.override(order.customer.language):
        facts = {
            "order": order.number,
            "reference": order.customer_reference or "–",
            "line": line.position,
            "item": f"{line.item.code} {line.item.label}",
            "old": day(notice.old_date),
            "new": day(notice.new_date),
            "reason": customer_reasons.of_notice(notice),
            "sender": order.site.label,
        }
        if notice.is_later:
            subject = _("Order %(order)s: delivery on %(new)s") % facts
            usual = _(
                "Good day,\n\n"
                "your delivery comes later than we told you, and we are sorry for it.\n\n"
                "Order: %(order)s, line %(line)s (your reference: %(reference)s)\n"
                "Item: %(item)s\n"
                "Day so far: %(old)s\n"
                "New day: %(new)s\n"
                "Reason: %(reason)s\n\n"
                "You can follow your order in our portal at any time.\n\n"
                "%(sender)s"
            )
        else:
            subject = _("Order %(order)s: delivery already on %(new)s") % facts
            usual = _(
                "Good day,\n\n"
                "your delivery comes earlier than we told you last.\n\n"
                "Order: %(order)s, line %(line)s (your reference: %(reference)s)\n"
                "Item: %(item)s\n"
                "Day so far: %(old)s\n"
                "New day: %(new)s\n\n"
                "You can follow your order in our portal at any time.\n\n"
                "%(sender)s"
            )
        return Letter(" ".join(subject.split()), notice.text or usual % facts)


def recipients(customer: "Customer") -> list[str]:
    """Where its mail goes: the customer's address, else those of its portal users."""
    if customer.email:
        return [customer.email]
    users = masterdata.portal_users(customer.pk)
    return sorted({user.email for user in users if user.email})


def mail(*, notice_id: int, job_id: int, now: datetime) -> None:
    """Mail a sent notice, once as far as we know; each attempt is written down.

    Raises what the mail server's library raises: the ledger tries again later. A mail that was
    taken by the server though we did not hear it goes again with the same Message-ID.
    """
    notice = DelayNotice.objects.select_related(
        "line__order__customer", "line__order__site", "line__item"
    ).get(pk=notice_id)
    if notice.state != NoticeState.SENT or notice.mailed_at is not None:
        return
    letter = compose(notice)
    to = recipients(notice.line.order.customer)
    if not to:
        return
    attempt = DelayNoticeAttempt(notice=notice, at=now, recipients=", ".join(to)[:500])
    message = EmailMessage(
        letter.subject,
        letter.body,
        to=to,
        headers={"Message-ID": f"<delay-notice-{notice.pk}-{job_id}@millstream>"},
    )
    try:
        message.send()
    except Exception as error:
        attempt.error = repr(error)[:2000]
        attempt.save()
        raise
    attempt.save()
    DelayNotice.objects.filter(pk=notice.pk).update(mailed_at=now)
