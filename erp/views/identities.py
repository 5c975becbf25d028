"""A lot or a serial unit: what it is, where it lies, how it moved, and what keeps it."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common.access import AuthenticatedRequest, requires
from common.errors import told
from common.permissions import allowed
from erp import selectors
from erp.forms_store import ReasonForm
from erp.services import holds
from erp.views.place import keep, place_or_404
from traceability import selectors as traceability

PAGE_SIZE = 50


@requires("erp.view_stock")
@require_safe
def lot_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A lot."""
    lot = traceability.lots([pk]).get(pk)
    if lot is None:
        raise Http404
    url = reverse("erp:lot-hold", kwargs={"pk": pk})
    extra = {"thing": lot, "lot": lot, "hold_url": url, "balance": selectors.lot_balance(pk)}
    return _detail(request, extra, lot_id=pk)


@requires("erp.view_stock")
@require_safe
def unit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A serial unit."""
    unit = traceability.units([pk]).get(pk)
    if unit is None:
        raise Http404
    url = reverse("erp:unit-hold", kwargs={"pk": pk})
    return _detail(request, {"thing": unit, "unit": unit, "hold_url": url}, unit_id=pk)


def _detail(
    request: HttpRequest,
    extra: dict[str, object],
    lot_id: int | None = None,
    unit_id: int | None = None,
) -> HttpResponse:
    moves = selectors.moves_of_identity(lot_id=lot_id, unit_id=unit_id)
    context = {
        **extra,
        "places": list(selectors.quants(lot_id=lot_id, unit_id=unit_id)),
        "holds": list(traceability.holds_of(lot_id=lot_id, unit_id=unit_id)),
        "page": Paginator(moves, PAGE_SIZE).get_page(request.GET.get("page")),
        "can_hold": allowed(request.user, "erp.hold_stock"),
        "can_release": allowed(request.user, "erp.release_hold"),
        "can_trace": allowed(request.user, "crm.view_trace"),
        "can_move": allowed(request.user, "erp.relocate_stock"),
    }
    return render(request, "erp/identity_detail.html", context)


@requires("erp.view_stock")
@require_safe
def stock_find(request: HttpRequest) -> HttpResponse:
    """What a label says: one thing is opened at once, of several one chooses."""
    text = request.GET.get("q", "").replace("\x00", "").strip()
    place, site = place_or_404(request)
    found = selectors.scanned(text=text, site_id=site)
    if place.has_choice and not found:
        found = [selectors.Scanned(bin=row) for row in selectors.bins_anywhere(text)]
    if len(found) == 1:
        if found[0].bin:
            # Who scans a bin stands before it.
            keep(request, found[0].bin.warehouse.site)
        return HttpResponseRedirect(_address(found[0]))
    rows = [(row, _address(row)) for row in found]
    return render(request, "erp/stock_find.html", {"rows": rows, "q": text, "place": place})


def _address(row: selectors.Scanned) -> str:
    if row.unit:
        return reverse("erp:unit-detail", kwargs={"pk": row.unit.pk})
    if row.lot:
        return reverse("erp:lot-detail", kwargs={"pk": row.lot.pk})
    if row.bin:
        return reverse("erp:bin-detail", kwargs={"pk": row.bin.pk})
    assert row.item is not None  # noqa: S101 - a scan names something
    return reverse("erp:stock-detail", kwargs={"code": row.item.code})


@requires("erp.view_stock")
@require_safe
def hold_list(request: HttpRequest) -> HttpResponse:
    """What is on hold, and why."""
    page = Paginator(traceability.open_holds(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "can_release": allowed(request.user, "erp.release_hold")}
    return render(request, "erp/hold_list.html", context)


@requires("erp.hold_stock")
@require_POST
def lot_hold(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Keep a lot from everybody."""
    if not traceability.lots([pk]):
        raise Http404
    with told(request):
        holds.hold(lot_ids=[pk], reason=_reason(request), by=request.user, now=timezone.now())
        messages.success(request, _("It is on hold: nobody picks, issues or ships it."))
    return HttpResponseRedirect(reverse("erp:lot-detail", kwargs={"pk": pk}))


@requires("erp.hold_stock")
@require_POST
def unit_hold(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Keep a serial unit from everybody."""
    if not traceability.units([pk]):
        raise Http404
    with told(request):
        holds.hold(unit_ids=[pk], reason=_reason(request), by=request.user, now=timezone.now())
        messages.success(request, _("It is on hold: nobody picks, issues or ships it."))
    return HttpResponseRedirect(reverse("erp:unit-detail", kwargs={"pk": pk}))


@requires("erp.release_hold")
@require_POST
def hold_release(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Lift a hold, with the reason."""
    found = traceability.holds([pk])
    if not found:
        raise Http404
    with told(request):
        holds.release(hold_ids=[pk], reason=_reason(request), by=request.user, now=timezone.now())
        messages.success(request, _("The hold is lifted."))
    row = found[0]
    if row.lot_id:
        return HttpResponseRedirect(reverse("erp:lot-detail", kwargs={"pk": row.lot_id}))
    return HttpResponseRedirect(reverse("erp:unit-detail", kwargs={"pk": row.unit_id}))


def _reason(request: HttpRequest) -> str:
    form = ReasonForm(request.POST)
    return str(form.cleaned_data["reason"]) if form.is_valid() else ""
