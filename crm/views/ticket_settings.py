"""Settings of after-sales, and alerts of complaints that have something in common."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.access import AuthenticatedRequest, requires
from common.errors import told
from common.permissions import allowed
from crm import selectors_tickets as selectors
from crm.enums import ReportTier, TicketPriority
from crm.forms import ReasonForm
from crm.forms_tickets import MacroForm, SymptomForm
from crm.models import TicketCluster, TicketMacro, TicketSymptom
from crm.services import ticket_clock, ticket_clusters, ticket_settings

PAGE_SIZE = 20
_FORMS: dict[str, tuple[type[Any], type[Any]]] = {
    "symptom": (TicketSymptom, SymptomForm),
    "macro": (TicketMacro, MacroForm),
}


@requires("crm.manage_tickets")
@require_safe
def settings_page(request: HttpRequest) -> HttpResponse:
    """All lists on one page."""
    targets = ticket_clock.targets()
    return render(
        request,
        "crm/ticket/settings.html",
        {
            "symptoms": selectors.symptoms(active=False),
            "macros": selectors.macros(active=False),
            "targets": [
                {"priority": priority, "response": minutes[0], "answer": minutes[1]}
                for priority, minutes in targets.items()
            ],
            "access": selectors.report_access(),
            "tiers": ReportTier.choices,
        },
    )


@requires("crm.manage_tickets")
@require_http_methods(["GET", "HEAD", "POST"])
def row_edit(request: AuthenticatedRequest, kind: str, pk: int = 0) -> HttpResponse:
    """A symptom or a text, new or changed."""
    model, form_class = _FORMS[kind]
    row = get_object_or_404(model, pk=pk) if pk else None
    form = form_class(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        ticket_settings.save(form.save(commit=False), by=request.user, now=timezone.now())
        messages.success(request, _("Saved."))
        return HttpResponseRedirect(reverse("crm:ticket-settings"))
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "row": row, "kind": kind}
    return render(request, "crm/ticket/setting_form.html", context, status=status)


@requires("crm.manage_tickets")
@require_POST
def target_set(request: AuthenticatedRequest) -> HttpResponse:
    """The times of one priority."""
    priority = request.POST.get("priority", "")
    numbers = [_number(request.POST.get(name, "")) for name in ("response", "answer")]
    if priority in TicketPriority.values:
        with told(request):
            ticket_settings.set_target(
                priority=TicketPriority(priority),
                response=numbers[0],
                answer=numbers[1],
                by=request.user,
                now=timezone.now(),
            )
            messages.success(request, _("Saved."))
    return HttpResponseRedirect(reverse("crm:ticket-settings"))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


@requires("crm.manage_tickets")
@require_POST
def access_set(request: AuthenticatedRequest) -> HttpResponse:
    """How much a customer is told, or as everybody again."""
    tier = request.POST.get("tier", "")
    with told(request):
        ticket_settings.set_access(
            customer_code=request.POST.get("customer", "")[:40],
            tier=ReportTier(tier) if tier in ReportTier.values else None,
            by=request.user,
            now=timezone.now(),
        )
        messages.success(request, _("Saved."))
    return HttpResponseRedirect(reverse("crm:ticket-settings"))


@requires("crm.view_ticket")
@require_safe
def cluster_list(request: HttpRequest) -> HttpResponse:
    """What complaints have in common, with the tickets; or what was settled."""
    is_settled = request.GET.get("state") == "settled"
    page = Paginator(selectors.clusters(settled=is_settled), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    return render(
        request,
        "crm/ticket/cluster_list.html",
        {
            "page": page,
            "alerts": selectors.alerts(page.object_list),
            "is_settled": is_settled,
            "can_settle": allowed(request.user, "crm.edit_ticket"),
        },
    )


@requires("crm.view_ticket")
@require_safe
def cluster_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The tickets behind an alert."""
    cluster = get_object_or_404(TicketCluster.objects.select_related("item"), pk=pk)
    found = selectors.in_cluster(cluster)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "crm/ticket/cluster_detail.html",
        {
            "alert": selectors.alerts([cluster])[0],
            "page": page,
            "can_settle": allowed(request.user, "crm.edit_ticket"),
        },
    )


@requires("crm.edit_ticket")
@require_POST
def cluster_settle(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Somebody took care of it, and says how."""
    cluster = get_object_or_404(TicketCluster, pk=pk)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    with told(request):
        ticket_clusters.settle(cluster=cluster, reason=reason, by=request.user, now=timezone.now())
        messages.success(request, _("The alert is settled; later complaints raise it again."))
    return HttpResponseRedirect(reverse("crm:ticket-clusters"))
