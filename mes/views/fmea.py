"""The FMEA: how steps may fail, the highest risk first."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from common.access import AuthenticatedRequest, requires
from common.errors import told
from common.permissions import allowed
from mes import selectors
from mes.models import FmeaRow
from mes.services import effects

PAGE_SIZE = 50


@requires("mes.view_quality")
@require_safe
def fmea_list(request: HttpRequest) -> HttpResponse:
    """Lines of the FMEA with what their ratings were reckoned from."""
    text = request.GET.get("q", "").replace("\x00", "")[:60]
    page = Paginator(selectors.fmea_rows(text=text), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "q": text,
        "can_manage": allowed(request.user, "mes.manage_quality"),
    }
    return render(request, "mes/quality/fmea.html", context)


@requires("mes.manage_quality")
@require_POST
def fmea_rate(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Rate how often and how hidden it is by what was found."""
    row = get_object_or_404(FmeaRow, pk=pk)
    with told(request):
        effects.rate_by_data(row=row, by=request.user, now=timezone.now())
    return redirect("mes:fmea")
