"""Where the store's day begins: what can leave, and what is on its way."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from common import place
from common.access import requires
from common.permissions import allowed
from crm import selectors_shipments as selectors
from erp import selectors as erp
from masterdata import selectors as masterdata

PAGE_SIZE = 50
UNDER_WAY = "under_way"


@requires("crm.view_order")
@require_safe
def shipment_list(request: HttpRequest) -> HttpResponse:
    """Orders that goods lie ready for; with ``?show=under_way`` shipments that have not arrived."""
    here = place.place_of(request, masterdata.sites())
    text = request.GET.get("q", "").replace("\x00", "").strip()
    show = UNDER_WAY if request.GET.get("show") == UNDER_WAY else ""
    rows = (selectors.under_way if show else selectors.to_ship)(site_id=here.pk, text=text)
    context = {
        "place": here,
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "show": show,
        "q": text,
        "today": erp.today(site_id=here.pk, now=timezone.now()) if here.pk else None,
        "can_ship": allowed(request.user, "crm.ship"),
        "can_deliver": allowed(request.user, "crm.deliver"),
    }
    template = "crm/shipment_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)
