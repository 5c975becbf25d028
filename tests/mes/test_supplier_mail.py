"""A request for corrective action is mailed to the supplier: once, to one address, and said so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import IntegrityError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from common import documents
from common.jobs import run_due
from common.models import AuditEntry, Job, Notification
from mes.enums import ChangeKind
from mes.models import SupplierRequestMail
from mes.services import supplier_mail, supplier_requests
from tests.masterdata.factories import SupplierFactory
from tests.mes.factories import NOW
from tests.mes.quality import Quality
from tests.shared import shared
from traceability.models import Lot

pytestmark = pytest.mark.django_db


@shared()
def quality() -> Quality:
    return Quality()


@pytest.fixture
def ask(quality):
    def made(**supplier):
        found = quality.report()
        quality.contain(found)
        action = quality.plan(found, change=ChangeKind.SUPPLIER)
        return supplier_requests.ask(
            action=action,
            supplier=SupplierFactory(code="FOUNDRY", **supplier),
            text="Why are there pores?",
            answer_due_on=(NOW + timedelta(days=10)).date(),
            by=quality.anna,
            now=NOW,
        )

    return made


def said() -> list[str]:
    """Who was told that a mail failed."""
    rows = Notification.objects.filter(kind="mes.supplier_mail_failed")
    assert all("550" in row.parameters["error"] for row in rows)
    return sorted(row.user.username for row in rows)


def run_jobs(now=NOW) -> None:
    Job.objects.exclude(name="mes.mail_supplier_request").delete()
    run_due(now=now)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Request for corrective action"), ("zh-hans", "纠正措施")]
)
def test_it_goes_once_per_revision_in_the_suppliers_language(quality, ask, language, words):
    asked = ask(email="qa@foundry.example", language=language)
    quality.anna.email = "anna@example.com"
    quality.anna.save()
    who = {"by": quality.anna, "now": NOW}
    supplier_mail.send(request=asked, **who)
    assert not mail.outbox, "nothing leaves before the commit"
    with pytest.raises(supplier_mail.CannotAct, match="on its way to qa@foundry.example"):
        supplier_mail.send(request=asked, **who)
    run_jobs()
    (letter,) = mail.outbox
    assert (letter.to, letter.reply_to) == (["qa@foundry.example"], ["anna@example.com"])
    assert words in letter.subject
    assert asked.number in letter.subject
    assert asked.number in letter.body
    ((name, content, kind),) = letter.attachments
    assert (name, kind) == (f"{asked.number}.pdf", "application/pdf")
    assert content.startswith(b"%PDF-")
    # As the document tells it in that language.
    assert content == supplier_requests.document(asked, language=language)
    row = SupplierRequestMail.objects.get()
    assert (row.mailed_at, row.by, row.error) == (NOW, quality.anna, "")
    assert AuditEntry.objects.get(action="mes.supplier_request.mail").reason.endswith(row.to)
    with pytest.raises(supplier_mail.CannotAct, match="was sent to qa@foundry.example by"):
        supplier_mail.send(request=asked, **who)
    supplier_mail.mail(mail_id=row.pk, job_id=1, now=NOW)
    assert len(mail.outbox) == 1, "a job that runs again mails nothing again"

    supplier_requests.answer(request=asked, text="Wet moulds", **who)
    with pytest.raises(supplier_mail.CannotAct, match="answered already"):
        supplier_mail.send(request=asked, **who)
    supplier_requests.accept(request=asked, is_enough=False, **who)
    supplier_mail.send(request=asked, **who)
    run_jobs()
    assert [row.revision for row in SupplierRequestMail.objects.all()] == [1, 2]
    assert mail.outbox[1].attachments[0][0] == f"{asked.number}-2.pdf"


def test_the_document_says_which_revision_it_is(quality, ask, monkeypatch):
    asked = ask(email="qa@foundry.example")
    pages = []

    def printed(*, template, context, language):
        with translation.override(language):
            pages.append(render_to_string(template, context))
        return b"%PDF-"

    monkeypatch.setattr(documents, "pdf", printed)
    supplier_requests.document(asked, language="en")
    who = {"by": quality.anna, "now": NOW}
    supplier_requests.answer(request=asked, text="Wet moulds", **who)
    again = supplier_requests.accept(request=asked, is_enough=False, **who)
    supplier_requests.document(again, language="en")
    supplier_requests.document(again, language="zh-hans")
    assert ["Revision 2" in page for page in pages] == [False, True, False]
    assert "第 2 版" in pages[2]
    assert supplier_requests.file_name(again) == f"{asked.number}-2.pdf"
    # Which goods are meant is said by the supplier's own number, and of that supplier's alone.
    assert "H-88" not in pages[0]
    Lot.objects.filter(pk=quality.lot.pk).update(supplier=asked.supplier, supplier_lot="H-88")
    supplier_requests.document(asked, language="en")
    assert "H-88" in pages[3]


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("", "has no e-mail address"),
        ("qa@foundry.example\nBcc: all@example.com", "is not valid"),
        ("qa@foundry.example, all@example.com", "is not valid"),
    ],
)
def test_it_is_refused_where_there_is_no_good_address(quality, ask, email, said):
    asked = ask(email=email)
    with pytest.raises(supplier_mail.CannotAct, match=said):
        supplier_mail.send(request=asked, by=quality.anna, now=NOW)
    assert not SupplierRequestMail.objects.exists()
    assert not Job.objects.filter(name="mes.mail_supplier_request").exists()


def test_a_line_break_in_an_items_name_adds_no_header(quality, ask):
    asked = ask(email="qa@foundry.example")
    quality.item.name = "Casting\nBcc: all@example.com"
    quality.item.save()
    quality.anna.email = "anna@example.com\nBcc: all@example.com"
    quality.anna.save()
    supplier_mail.send(request=asked, by=quality.anna, now=NOW)
    run_jobs()
    (letter,) = mail.outbox
    assert "\n" not in letter.subject
    assert "Bcc" in letter.subject
    assert letter.reply_to == []
    assert letter.message()["Bcc"] is None
    assert letter.recipients() == ["qa@foundry.example"]


def test_a_mail_that_failed_is_shown_and_goes_again_to_the_new_address(
    quality, ask, client_for, monkeypatch
):
    asked = ask(email="qa@foundry.example")
    me = client_for("purchasing")
    page = reverse("mes:nonconformance", args=[asked.nonconformance.number])
    press = reverse("mes:supplier-mail", args=[asked.number])
    assert "Not mailed" in client_for("operator").get(page).content.decode()
    assert press in me.get(page).content.decode()
    assert client_for("operator").post(press).status_code == 403
    right = EmailMessage.send

    def refused(self):
        raise ConnectionError("550 no such box")

    monkeypatch.setattr(EmailMessage, "send", refused)
    supplier_mail.send(request=asked, by=quality.anna, now=NOW)
    Notification.objects.all().delete()
    run_jobs()
    assert "550" in SupplierRequestMail.objects.get().error
    # The job tries again by itself, and says it once.
    run_jobs(NOW + timedelta(hours=1))
    assert said() == ["anna", "ben"]
    assert "Mail failed" in me.get(page).content.decode()
    monkeypatch.setattr(EmailMessage, "send", right)
    asked.supplier.email = "new@foundry.example"
    asked.supplier.save()
    assert me.post(press).status_code == 302
    Job.objects.exclude(name="mes.mail_supplier_request").delete()
    # Both presses' jobs run, the first one again.
    run_due(now=max(NOW, timezone.now()) + timedelta(days=1))
    run_due(now=max(NOW, timezone.now()) + timedelta(days=2))
    assert [letter.to for letter in mail.outbox] == [["new@foundry.example"]], "once, not twice"
    shown = me.get(page).content.decode()
    assert "Mailed to new@foundry.example" in shown
    assert "Mail failed" not in shown
    assert press not in shown
    assert said() == ["anna", "ben"]


def test_a_revision_that_was_answered_before_it_went_is_not_mailed_any_more(quality, ask):
    asked = ask(email="qa@foundry.example")
    who = {"by": quality.anna, "now": NOW}
    row = supplier_mail.send(request=asked, **who)
    supplier_requests.answer(request=asked, text="Heard of it by phone", **who)
    supplier_requests.accept(request=asked, is_enough=False, **who)
    supplier_mail.mail(mail_id=row.pk, job_id=1, now=NOW)
    assert not mail.outbox


def test_a_revision_is_mailed_by_one_row(quality, ask):
    asked = ask(email="qa@foundry.example")
    row = supplier_mail.send(request=asked, by=quality.anna, now=NOW)
    row.pk = None
    with pytest.raises(IntegrityError, match="mes_supplierrequestmail_once_per_revision"):
        row.save(force_insert=True)
