"""Reports to customers: made in one go, kept as sent, verified by anybody who holds the paper."""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from common import audit, documents, numbers
from common.documents import CannotPrint
from common.models import User
from crm import policies_tickets as policies
from crm import selectors_products as products
from crm.enums import ReportTier
from crm.models import ReportAccess, ReportShare, Ticket, TraceReport
from crm.policies_tickets import CannotReport, CannotShare
from crm.selectors_products import Product
from crm.services import canonical, report_content, ticket_mail, tickets
from crm.services.report_content import Head

__all__ = ["CannotPrint", "CannotReport", "CannotShare", "issue", "open_share", "preview", "share"]

TEMPLATE = "crm/report/trace_report.html"
UrlOf = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Made:
    number: str
    code: str
    content: dict[str, Any]
    pdf: bytes
    product: Product
    customer_id: int


def most_of(customer_id: int) -> ReportTier:
    """How much the customer may be told."""
    found = ReportAccess.objects.filter(customer=customer_id).first()
    return ReportTier(found.tier) if found else ReportTier.STANDARD


def check_can_report(ticket: Ticket) -> Product:
    """The product to report on; raise CannotReport: no customer, no product, or not theirs."""
    if ticket.customer_id is None:
        raise CannotReport(_("Name the customer first."))
    found = products.product(ticket.thing)
    if found is None:
        raise CannotReport(_("Name the product by its serial number first."))
    if not found.is_with(ticket.customer_id):
        raise CannotReport(
            _("%(number)s was not delivered to %(customer)s: they may not read its history.")
            % {
                "number": found.number,
                "customer": ticket.customer.label if ticket.customer else "",
            }
        )
    return found


def usual_text(ticket: Ticket) -> str:
    """The letter that goes with a report, in the customer's language."""
    with translation.override(ticket_mail.language_of(ticket)):
        return _(
            "Good day,\n\n"
            "thank you for your message. We have looked up the history of your product %(serial)s: "
            "materials, process values and inspections are in the attached report.\n\n"
            "We keep you informed of what we find and do about it."
        ) % {"serial": ticket.serial}


def preview(*, ticket: Ticket, tier: ReportTier | None, url_of: UrlOf, now: datetime) -> bytes:
    """The PDF as it would be sent, marked as a draft; raise CannotReport or CannotPrint."""
    return _make(ticket, tier, url_of, now, is_draft=True).pdf


def issue(
    *,
    ticket: Ticket,
    by: User,
    now: datetime,
    url_of: UrlOf,
    tier: ReportTier | None = None,
    text: str = "",
) -> TraceReport:
    """Make the report, keep it and send it with the ticket's next message: the answer.

    ``url_of`` gives the address of the page that verifies a code. Raise CannotReport, CannotPrint
    or CannotWrite.
    """
    made = _make(ticket, tier, url_of, now)
    with transaction.atomic():
        ticket = tickets.locked(ticket.pk)
        is_theirs = ticket.customer_id == made.customer_id
        if check_can_report(ticket).thing != made.product.thing or not is_theirs:
            raise CannotReport(_("The ticket is about another product now; make the report anew."))
        report = _keep(ticket, made, by, now)
        audit.record(
            action="crm.report.issue",
            target=ticket,
            by=by,
            now=now,
            changes={"report": [None, report.number]},
        )
        tickets.reply(
            ticket=ticket,
            body=text.strip() or usual_text(ticket),
            is_answer=True,
            report=report,
            by=by,
            now=now,
        )
    return report


def share(*, report: TraceReport, days: int, by: User, now: datetime) -> tuple[ReportShare, str]:
    """A link to the report for so many days, and its secret, which is never told again.

    Raise CannotShare for no days or too many.
    """
    policies.check_share_days(days)
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        made = ReportShare.objects.create(
            report=report,
            digest=_digest(secret),
            created_at=now,
            created_by=by,
            expires_at=now + timedelta(days=days),
        )
        audit.record(
            action="crm.report.share",
            target=report.ticket,
            by=by,
            now=now,
            changes={"report": [None, report.number]},
        )
    return made, secret


def revoke(*, share: ReportShare, by: User, now: datetime) -> None:
    """The link leads nowhere from now on; raise CannotShare where it is over already."""
    with transaction.atomic():
        locked = ReportShare.objects.select_for_update(no_key=True).get(pk=share.pk)
        if policies.is_over(locked, now=now):
            raise CannotShare(_("This link is over already."))
        locked.revoked_at = now
        locked.save(update_fields=["revoked_at"])
        audit.record(action="crm.report.revoke", target=share.report.ticket, by=by, now=now)


def open_share(*, secret: str, now: datetime) -> TraceReport | None:
    """The report behind a link that still leads somewhere; each opening is counted."""
    found = ReportShare.objects.select_related("report").filter(digest=_digest(secret)).first()
    if found is None or policies.is_over(found, now=now):
        return None
    ReportShare.objects.filter(pk=found.pk).update(openings=F("openings") + 1, opened_at=now)
    return found.report


def is_as_issued(report: TraceReport) -> bool:
    """Whether content and paper still have the hashes that they were issued with."""
    return (
        canonical.digest(report.content) == report.content_digest
        and hashlib.sha256(bytes(report.pdf)).hexdigest() == report.pdf_digest
    )


def _keep(ticket: Ticket, made: _Made, by: User, now: datetime) -> TraceReport:
    assert ticket.customer_id is not None  # noqa: S101 - checked
    return TraceReport.objects.create(
        number=made.number,
        ticket=ticket,
        customer_id=ticket.customer_id,
        thing=made.product.thing,
        serial=made.product.number,
        language=ticket_mail.language_of(ticket),
        tier=made.content["tier"],
        content=made.content,
        content_digest=canonical.digest(made.content),
        pdf=made.pdf,
        pdf_digest=hashlib.sha256(made.pdf).hexdigest(),
        verify_code=made.code,
        issued_at=now,
        issued_by=by,
    )


def _make(
    ticket: Ticket, tier: ReportTier | None, url_of: UrlOf, now: datetime, is_draft: bool = False
) -> _Made:
    """Content and paper, with no transaction open: it takes a second."""
    product = check_can_report(ticket)
    assert ticket.customer_id is not None  # noqa: S101 - checked
    most = most_of(ticket.customer_id)
    policies.check_tier(tier or most, most)
    language = ticket_mail.language_of(ticket)
    number = _("Draft") if is_draft else numbers.take("RP", now=now)
    code = secrets.token_urlsafe(18)
    head = Head(number, now, language, tier or most)
    content = report_content.content(ticket=ticket, product=product, head=head)
    pdf = documents.pdf(
        template=TEMPLATE,
        context={
            **_page(content, head.tier),
            "digest": canonical.digest(content),
            "verify_url": "" if is_draft else url_of(code),
            "qr": "" if is_draft else documents.qr(url_of(code)),
            "site": ticket.site,
            "zone": ticket.site.time_zone,
            "is_draft": is_draft,
        },
        language=language,
    )
    return _Made(number, code, content, pdf, product, ticket.customer_id)


def _page(content: Mapping[str, Any], tier: ReportTier) -> dict[str, Any]:
    """The content as the template prints it: moments as moments, and which columns there are."""
    product = content["product"]
    fields = {
        name: least for table in report_content.TIERS.values() for name, least in table.items()
    }
    return {
        "report": content,
        "issued_at": datetime.fromisoformat(content["issued_at"]),
        "made_at": datetime.fromisoformat(product["made_at"]),
        "shipped_at": product["shipped_at"] and datetime.fromisoformat(product["shipped_at"]),
        "warranty_until": product["warranty_until"]
        and date.fromisoformat(product["warranty_until"]),
        "readings": [
            {**row, "moment": datetime.fromisoformat(row["at"])} for row in content["readings"]
        ],
        "shows": {name: tier.reaches(least) for name, least in fields.items()},
    }


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
