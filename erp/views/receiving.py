"""Goods that came in: item, quantity, lot or serial numbers, and where they are put."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from common.access import AuthenticatedRequest, requires
from common.templatetags import ui_format
from erp import selectors
from erp.enums import MoveKind
from erp.forms_store import ReceiveForm
from erp.services import stock
from erp.views.once import once
from erp.views.place import place_or_404
from masterdata import selectors as masterdata


@requires("erp.receive_stock")
def stock_receive(request: AuthenticatedRequest) -> HttpResponse:
    """Book goods in; what waits for them gets them, first due first."""
    at, site = place_or_404(request)
    initial = {"item": request.GET.get("item", "")}
    form = ReceiveForm(request.POST or None, site_id=site, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        item, place = data["item"], data["bin"]

        def effect() -> str:
            stock.receive(
                item_id=item.pk,
                site_id=place.warehouse.site_id if place else site,
                quantity=data["quantity"],
                kind=MoveKind.RECEIPT,
                reference=data["reference"],
                by=request.user,
                now=timezone.now(),
                bin_id=place.pk if place else None,
                lot_number=data["lot"],
                serials=data["serials"],
                origin=stock.Origin(data["supplier"], data["supplier_lot"], data["expires_on"]),
            )
            return reverse("erp:stock-detail", kwargs={"code": item.code})

        said = ("reference", "lot", "supplier", "supplier_lot", "expires_on", "serials")
        key = (site, item.pk, data["quantity"].normalize(), *(data[name] for name in said))
        key += (place.pk if place else None,)
        url = once(request, form, "receive", key, effect)
        if url is not None:
            quantity = ui_format.quantity(data["quantity"], item.uom)
            sentence = _("%(quantity)s of %(item)s is in the store.")
            messages.success(request, sentence % {"quantity": quantity, "item": item.code})
            return HttpResponseRedirect(url)
    status = 422 if request.method == "POST" else 200
    context = {
        "place": at,
        "form": form,
        "items": masterdata.items(),
        "bins": selectors.bins(site_id=site),
        "suppliers": masterdata.supplier_ids(),
    }
    return render(request, "erp/stock_receive.html", context, status=status)
