"""Recall drills: start the clock, make the list, sign what came out."""

from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common.access import AuthenticatedRequest, requires
from common.errors import told
from common.permissions import allowed
from crm.enums_trace import Whereabouts
from crm.forms import whole_numbers
from crm.models import DrillResult, RecallDrill
from crm.services import drills
from traceability import selectors as ledger
from traceability.enums import FIRST_KIT_ID

if TYPE_CHECKING:
    from traceability.models import Lot, SerialUnit

PAGE_SIZE = 20


@requires("crm.view_trace")
@require_safe
def drill_list(request: HttpRequest) -> HttpResponse:
    """All drills, the newest first, with how long each took."""
    rows = RecallDrill.objects.select_related(
        "lot__item", "started_by", "outcome__signed_by"
    ).order_by("-started_at", "-pk")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(drill, _outcome(drill)) for drill in page.object_list],
        "can_run": allowed(request.user, "crm.run_drill"),
        "typed": request.GET.get("lot", "")[:60],
    }
    return render(request, "crm/trace/drill_list.html", context)


@requires("crm.run_drill")
@require_POST
def drill_start(request: AuthenticatedRequest) -> HttpResponse:
    """Start the clock for the lot that is typed or scanned."""
    found = _lots(request)
    if len(found) != 1:
        messages.error(
            request,
            _("There is no such lot.")
            if not found
            else _("Several lots have this number; start from the lot's own page."),
        )
        return HttpResponseRedirect(reverse("crm:drill-list"))
    with told(request):
        drill = drills.start(lot_id=found[0].pk, by=request.user, now=timezone.now())
        return HttpResponseRedirect(reverse("crm:drill-detail", args=[drill.pk]))
    return HttpResponseRedirect(reverse("crm:drill-list"))


def _lots(request: HttpRequest) -> "list[Lot | SerialUnit]":
    """The lot of that id; else those that are called so, here or at their supplier."""
    known = whole_numbers([request.POST.get("lot_id", "")])
    if known:
        return list(ledger.lots(known).values())
    typed = ledger.numbers_in(request.POST.get("lot", ""))
    for find in (ledger.things_named, ledger.things_of_supplier_lots):
        if lots := [thing for thing in find(typed) if thing.pk < FIRST_KIT_ID]:
            return lots
    return []


@requires("crm.view_trace")
@require_safe
def drill_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A drill: its clock while it runs, then its signed result."""
    rows = RecallDrill.objects.select_related("lot__item", "started_by", "outcome__signed_by")
    drill = get_object_or_404(rows, pk=pk)
    outcome = _outcome(drill)
    counts = outcome.lists["counts"] if outcome else {}
    context = {
        "drill": drill,
        "outcome": outcome,
        "is_as_signed": drills.is_as_signed(outcome) if outcome else None,
        "lists": [(place, *counts[place.value]) for place in Whereabouts if counts],
        "can_run": allowed(request.user, "crm.run_drill"),
    }
    return render(request, "crm/trace/drill_detail.html", context)


@requires("crm.run_drill")
@require_POST
def drill_finish(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Make the list, compare it, sign it."""
    drill = get_object_or_404(RecallDrill.objects.select_related("lot"), pk=pk)
    with told(request):
        drills.finish(
            drill=drill,
            remark=request.POST.get("remark", ""),
            by=request.user,
            now=timezone.now(),
        )
        messages.success(request, _("The list is made, compared and signed."))
    return HttpResponseRedirect(reverse("crm:drill-detail", args=[pk]))


def _outcome(drill: RecallDrill) -> DrillResult | None:
    return getattr(drill, "outcome", None)
