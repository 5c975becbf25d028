"""Delay notices: the drafts that sales sends, changes or dismisses, and what was sent."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common.access import AuthenticatedRequest, requires
from common.errors import told
from common.permissions import allowed
from crm import selectors
from crm.enums import NoticeState
from crm.forms import ReasonForm
from crm.models import DelayNotice
from crm.services import customer_reasons, delay_notices, notice_mail
from masterdata import selectors as masterdata

PAGE_SIZE = 20
LONGEST_TEXT = 5000
SHOWN = {
    "draft": [NoticeState.DRAFT],
    "sent": [NoticeState.SENT],
    "other": [NoticeState.DISMISSED, NoticeState.WITHDRAWN],
}


@requires("crm.view_notice")
@require_safe
def delay_list(request: HttpRequest) -> HttpResponse:
    """What waits to be sent, with the letter as the customer would read it; or what was sent."""
    chosen = request.GET.get("state", "draft")
    chosen = chosen if chosen in SHOWN else "draft"
    found = selectors.delay_notices().filter(state__in=SHOWN[chosen])
    page = Paginator(_sorted(found, chosen), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [_row(notice) for notice in page.object_list]
    return render(
        request,
        "crm/delay_list.html",
        {
            "page": page,
            "rows": rows,
            "chosen": chosen,
            "waiting": DelayNotice.objects.filter(state=NoticeState.DRAFT).count(),
            "can_send": allowed(request.user, "crm.send_notice"),
            "rules": selectors.notice_rules(),
            "customers": masterdata.customer_labels(),
        },
    )


def _sorted(found: QuerySet[DelayNotice], chosen: str) -> QuerySet[DelayNotice]:
    return found.order_by("new_date", "pk") if chosen == "draft" else found.order_by("-decided_at")


def _row(notice: DelayNotice) -> dict[str, Any]:
    return {
        "notice": notice,
        "letter": notice_mail.compose(notice),
        # As the customer reads it, in the reader's language.
        "why": customer_reasons.of_notice(notice),
        "to": notice.line.order.customer.email,
        "failed": next((a for a in reversed(notice.attempts.all()) if a.error), None)
        if notice.mailed_at is None
        else None,
    }


@requires("crm.send_notice")
@require_POST
def delay_send(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Send with the text as it was edited; ``action=save`` only keeps the text."""
    notice = get_object_or_404(selectors.delay_notices(), pk=pk)
    text = request.POST.get("text", "")[:LONGEST_TEXT]
    now = timezone.now()
    with told(request):
        if _is_changed(notice, text):
            delay_notices.edit(notice=notice, text=text, by=request.user, now=now)
        if request.POST.get("action") == "save":
            messages.success(request, _("The text is kept."))
        else:
            delay_notices.send(notice=notice, by=request.user, now=now, seen=_seen(request))
            messages.success(request, _("The customer is told."))
    return HttpResponseRedirect(reverse("crm:delay-list"))


def _is_changed(notice: DelayNotice, text: str) -> bool:
    return text.replace("\r\n", "\n").strip() != notice_mail.compose(notice).body.strip()


def _seen(request: HttpRequest) -> date | None:
    try:
        return parse_date(request.POST.get("new_date", ""))
    except ValueError:
        return None


@requires("crm.send_notice")
@require_POST
def delay_dismiss(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Say nothing of this move, with the reason."""
    notice = get_object_or_404(DelayNotice, pk=pk)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    with told(request):
        delay_notices.dismiss(notice=notice, reason=reason, by=request.user, now=timezone.now())
        messages.success(request, _("The notice is dismissed; a later day is drafted anew."))
    return HttpResponseRedirect(reverse("crm:delay-list"))


@requires("crm.send_notice")
@require_POST
def rule_set(request: AuthenticatedRequest) -> HttpResponse:
    """Let a customer's notices be sent by themselves, or by a person again."""
    with told(request):
        delay_notices.set_rule(
            customer_code=request.POST.get("customer", "")[:40],
            is_automatic=request.POST.get("action") != "remove",
            by=request.user,
            now=timezone.now(),
        )
    return HttpResponseRedirect(reverse("crm:delay-list"))
