"""The stock list, and one item: where it lies, for whom, how it moved."""

from decimal import Decimal
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common.access import AuthenticatedRequest, requires
from common.permissions import allowed
from erp import selectors
from erp.forms import AdjustForm, StockFilter
from erp.models import StockBalance
from erp.services import stock
from erp.views.once import once
from erp.views.place import Place, place_of
from masterdata import selectors as masterdata
from masterdata.enums import Tracking

PAGE_SIZE = 50
# An item with serial numbers may lie in thousands of places.
PLACES = 100
# A screw may be waited for by thousands.
NEEDS = 20


@requires("erp.view_stock")
@require_safe
def stock_list(request: HttpRequest) -> HttpResponse:
    """On hand, reserved, free and on order by item; narrowed by the URL."""
    form = StockFilter(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    place = place_of(request)
    found = selectors.balances(site_id=place.pk, text=text.replace("\x00", ""))
    context = {
        "place": place,
        "filter": form,
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "can_receive": allowed(request.user, "erp.receive_stock"),
    }
    template = "erp/stock_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


@requires("erp.view_stock")
@require_safe
def stock_detail(request: HttpRequest, code: str) -> HttpResponse:
    """One item's stock: how much, for whom it waits, and how it moved."""
    return _detail(request, code, AdjustForm())


@requires("erp.adjust_stock")
@require_POST
def stock_adjust(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """Bring the stock to what was counted, with the reason."""
    form = AdjustForm(request.POST)
    place = place_of(request)
    balance = _balance(code, place)
    if not form.is_valid():
        return _detail(request, code, form, status=422)
    data = form.cleaned_data

    def effect() -> str:
        stock.correct(
            item_id=balance.item_id,
            site_id=balance.site_id,
            counted=data["counted"],
            reason=data["reason"],
            by=request.user,
            now=timezone.now(),
        )
        return _url(balance.item.code, place)

    key = (balance.item_id, balance.site_id, data["counted"].normalize(), data["reason"])
    url = once(request, form, "adjust", key, effect)
    if url is None:
        return _detail(request, code, form, status=422)
    messages.success(request, _("The stock is corrected."))
    return HttpResponseRedirect(url)


def _detail(
    request: HttpRequest, code: str, form: AdjustForm, *, status: int = 200
) -> HttpResponse:
    place = place_of(request)
    balance = _balance(code, place)
    site = balance.site_id
    moves = selectors.moves_of(item_id=balance.item_id, site_id=site)
    now = timezone.now()
    needs = selectors.waiting_rows(site_id=site, item_ids=[balance.item_id])
    places = list(selectors.quants(site_id=site, item_id=balance.item_id)[: PLACES + 1])
    is_tracked = balance.item.tracking != Tracking.NONE
    context = {
        "balance": balance,
        "place": place,
        "places": places[:PLACES],
        "has_more": len(places) > PLACES,
        "without_identity": not is_tracked,
        "with_identity": is_tracked,
        "page": Paginator(moves, PAGE_SIZE).get_page(request.GET.get("page")),
        "waiting": Paginator(needs, NEEDS).get_page(request.GET.get("needs")),
        "incoming": selectors.incoming(site_id=site, now=now, item_ids=[balance.item_id]),
        "form": form,
        "can_receive": allowed(request.user, "erp.receive_stock"),
        "can_move": allowed(request.user, "erp.relocate_stock"),
        "can_adjust": allowed(request.user, "erp.adjust_stock"),
        "can_count": allowed(request.user, "erp.count_stock"),
        "counts_url": reverse("erp:count-list"),
    }
    return render(request, "erp/stock_detail.html", context, status=status)


def _url(code: str, place: Place) -> str:
    url = reverse("erp:stock-detail", kwargs={"code": code})
    return f"{url}?{urlencode({'site': place.code})}" if place.code else url


def _balance(code: str, place: Place) -> StockBalance:
    """The item's balance with ``free`` and ``on_order``; empty where it never moved."""
    site = place.pk
    if site is None:
        raise Http404
    item = masterdata.item_by_code(code)
    if item is None:
        raise Http404
    found = selectors.balances(site_id=site).filter(item=item.pk).first()
    if found is None:
        found = StockBalance(item=item, site_id=site)
        found.free = found.on_order = Decimal(0)  # type: ignore[attr-defined]
        found.in_transit = selectors.in_transit(item_id=item.pk, site_id=site)  # type: ignore[attr-defined]
    return found
