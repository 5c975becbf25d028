"""A request for corrective action goes to its supplier by mail, once per revision."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from common import audit, notifications
from common.enums import Level, Role
from common.jobs import enqueue
from common.models import User
from common.templatetags.ui_format import day
from mes import problem_policies as policies
from mes.models import SupplierRequest, SupplierRequestMail
from mes.problem_policies import CannotAct
from mes.services import supplier_requests

__all__ = ["CannotAct", "compose", "mail", "send"]


def send(*, request: SupplierRequest, by: User, now: datetime) -> SupplierRequestMail:
    """Ask for the job that mails this revision; raise CannotAct with the reason.

    What failed may be sent once more, to the address that the supplier has by now.
    """
    with transaction.atomic():
        held = supplier_requests.locked(request)
        row = held.mails.select_related("by").filter(revision=held.revision).first()
        policies.check_can_mail(held, row)
        if row is None:
            row = SupplierRequestMail(request=held, revision=held.revision)
        else:
            row.asked += 1
        row.to, row.by, row.asked_at, row.error = held.supplier.email, by, now, ""
        row.save()
        audit.record(
            action="mes.supplier_request.mail",
            target=held.nonconformance,
            by=by,
            now=now,
            reason=f"{held.number}: {row.to}",
        )
        enqueue(
            "mes.mail_supplier_request",
            key=f"supplier-request:{held.pk}:{row.revision}:{row.asked}",
            group_key=f"supplier-request:{held.pk}",
            now=now,
            by=by,
            mail_id=row.pk,
        )
    return row


def compose(row: SupplierRequestMail) -> EmailMessage:
    """The mail in the supplier's language with the PDF; raise documents.CannotPrint."""
    request = row.request
    found, language = request.nonconformance, request.supplier.language
    with translation.override(language):
        facts = {
            "number": request.number,
            "item": f"{found.item.code} {found.item.label}",
            "day": day(request.answer_due_on),
            "sender": found.site.label,
        }
        subject = _("Request for corrective action %(number)s: %(item)s") % facts
        body = (
            _(
                "Good day,\n\n"
                "we found something wrong with goods that you delivered, and ask you for the "
                "cause and for corrective action.\n\n"
                "Request: %(number)s\n"
                "Item: %(item)s\n"
                "Please answer by: %(day)s\n\n"
                "What happened and what we ask is in the attached document. Please keep the "
                "number in the subject when you answer.\n\n"
                "%(sender)s"
            )
            % facts
        )
    # An item's name may hold a line break, which a subject must not.
    letter = EmailMessage(
        " ".join(subject.split()), body, to=[row.to], reply_to=_answers_to(row.by)
    )
    pdf = supplier_requests.document(request, language=language)
    letter.attach(supplier_requests.file_name(request), pdf, "application/pdf")
    return letter


def mail(*, mail_id: int, job_id: int, now: datetime) -> None:
    """Mail a request, once as far as we know; why an attempt failed stays with it.

    Raises what failed: the ledger tries again later, with the same Message-ID.
    """
    row = SupplierRequestMail.objects.select_related(
        "by",
        "request__supplier",
        "request__nonconformance__item",
        "request__nonconformance__site",
    ).get(pk=mail_id)
    # An earlier revision that never went is answered: the document asks for the next by now.
    if row.mailed_at is not None or row.revision != row.request.revision:
        return
    try:
        letter = compose(row)
        letter.extra_headers["Message-ID"] = f"<supplier-request-{row.pk}-{job_id}@millstream>"
        letter.send()
    except Exception as error:
        _note_failure(row, repr(error)[:2000], now)
        raise
    SupplierRequestMail.objects.filter(pk=row.pk).update(mailed_at=now, error="")


def _note_failure(row: SupplierRequestMail, error: str, now: datetime) -> None:
    """Keep why it failed; the first time since it was sent, tell who sent it and quality."""
    with transaction.atomic():
        rows = SupplierRequestMail.objects.filter(pk=row.pk, mailed_at__isnull=True)
        is_first = rows.filter(error="").update(error=error) == 1
        if not is_first:
            rows.update(error=error)
            return
        found = row.request.nonconformance
        notifications.notify(
            kind="mes.supplier_mail_failed",
            parameters={"number": row.request.number, "to": row.to, "error": error[:200]},
            users=[row.by],
            roles=[Role.QUALITY],
            level=Level.WARNING,
            url=reverse("mes:nonconformance", kwargs={"number": found.number}),
            now=now,
        )


def _answers_to(user: User) -> list[str]:
    """The address of who sent it, so that the answer comes to a person; none that is not one."""
    try:
        validate_email(user.email)
    except ValidationError:
        return []
    return [user.email]
