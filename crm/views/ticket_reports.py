"""Reports to customers: looked at, sent by one click, shared by a link, verified by anybody."""

import hashlib

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common import documents, idempotency
from common.access import AuthenticatedRequest, public, requires
from common.errors import told
from crm.enums import ReportTier
from crm.forms_tickets import ReportForm
from crm.models import ReportShare, Ticket, TraceReport
from crm.services import trace_reports
from crm.services.trace_reports import UrlOf
from crm.views.ticket_actions import page

SHARE_DAYS = 14
# A paper that somebody compares with ours.
LARGEST_PAPER = 20_000_000


def url_of(request: HttpRequest) -> UrlOf:
    """The address of the page that verifies a code."""

    def build(code: str) -> str:
        return request.build_absolute_uri(reverse("crm:report-verify", args=[code]))

    return build


def _ticket(number: str) -> Ticket:
    return get_object_or_404(Ticket.objects.select_related("customer", "site"), number=number)


def _tier(asked: str) -> ReportTier | None:
    return ReportTier(asked) if asked in ReportTier.values else None


@requires("crm.answer_ticket")
@require_POST
def report_send(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Make the report and send it: the answer to the complaint."""
    ticket = _ticket(number)
    form = ReportForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Open the ticket again and send the report once more."))
        return page(number)
    now = timezone.now()

    def effect() -> str:
        return trace_reports.issue(
            ticket=ticket,
            tier=_tier(form.cleaned_data["tier"]),
            text=form.cleaned_data["text"],
            url_of=url_of(request),
            by=request.user,
            now=now,
        ).number

    with told(request):
        made = idempotency.once(
            user=request.user,
            key=form.cleaned_data["idempotency_key"],
            fingerprint=idempotency.fingerprint(number, request.POST),
            now=now,
            effect=effect,
        )
        messages.success(request, _("Report %(report)s is sent.") % {"report": made})
    return page(number)


@requires("crm.view_ticket")
@require_safe
def report_preview(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """The report as it would be sent."""
    ticket = _ticket(number)
    with told(request):
        made = trace_reports.preview(
            ticket=ticket,
            tier=_tier(request.GET.get("tier", "")),
            url_of=url_of(request),
            now=timezone.now(),
        )
        return documents.answer(name=f"{number}.pdf", content=made)
    return page(number)


@requires("crm.view_ticket")
@require_safe
def report_pdf(request: HttpRequest, number: str, report: str) -> HttpResponse:
    """A report as it was sent."""
    found = get_object_or_404(TraceReport, number=report, ticket__number=number)
    return documents.answer(name=f"{found.number}.pdf", content=bytes(found.pdf))


@requires("crm.answer_ticket")
@require_POST
def report_share(request: AuthenticatedRequest, number: str, report: str) -> HttpResponse:
    """A link for some days; it is shown once."""
    found = get_object_or_404(TraceReport, number=report, ticket__number=number)
    days = request.POST.get("days", "")
    wanted = int(days) if days.isascii() and days.isdigit() and len(days) < 4 else SHARE_DAYS
    with told(request):
        share, secret = trace_reports.share(
            report=found, days=wanted, by=request.user, now=timezone.now()
        )
        url = request.build_absolute_uri(reverse("crm:report-shared", args=[secret]))
        return render(
            request,
            "crm/report/shared_link.html",
            {"ticket": found.ticket, "report": found, "share": share, "url": url},
        )
    return page(number)


@requires("crm.answer_ticket")
@require_POST
def share_revoke(request: AuthenticatedRequest, number: str, pk: int) -> HttpResponse:
    """Take a link back."""
    found = get_object_or_404(
        ReportShare.objects.select_related("report__ticket"), pk=pk, report__ticket__number=number
    )
    with told(request):
        trace_reports.revoke(share=found, by=request.user, now=timezone.now())
        messages.success(request, _("The link leads nowhere any more."))
    return page(number)


@public
@require_safe
def report_shared(request: HttpRequest, secret: str) -> HttpResponse:
    """The report behind a link, to whoever has it, until it is over."""
    found = trace_reports.open_share(secret=secret, now=timezone.now())
    if found is None:
        return render(request, "crm/report/link_over.html", status=404)
    answer = documents.answer(name=f"{found.number}.pdf", content=bytes(found.pdf))
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex"
    return answer


@public
@require_http_methods(["GET", "HEAD", "POST"])
def report_verify(request: HttpRequest, code: str) -> HttpResponse:
    """Whether a paper is ours: what we sent under this code, and the hash of a file to compare."""
    found = TraceReport.objects.filter(verify_code=code).first()
    if found is None:
        raise Http404
    compared = None
    file = request.FILES.get("paper")
    if file is not None and (file.size or 0) <= LARGEST_PAPER:
        compared = hashlib.sha256(file.read()).hexdigest() == found.pdf_digest
    answer = render(
        request,
        "crm/report/verify.html",
        {
            "report": found,
            "is_intact": trace_reports.is_as_issued(found),
            "compared": compared,
            "is_too_large": file is not None and compared is None,
        },
    )
    answer["X-Robots-Tag"] = "noindex"
    return answer
