"""Suppliers and what they charge."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from common import audit
from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.permissions import allowed
from masterdata.forms import PriceForm, SupplierForm
from masterdata.models import Supplier, SupplierPrice
from masterdata.selectors import pages
from masterdata.services import records
from masterdata.views import editing

PRICES_PER_PAGE = 50
EDIT = "masterdata.edit_supplier"


@requires({"GET": "masterdata.view", "POST": "masterdata.edit_supplier"})
def supplier_create(request: AuthenticatedRequest) -> HttpResponse:
    page = editing.Page(_("New supplier"), EDIT, then=_supplier_url)
    return editing.create(request, SupplierForm(request.POST or None), page)


@requires({"GET": "masterdata.view", "POST": "masterdata.edit_supplier"})
def supplier_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """The supplier and, for who may see costs, its prices."""
    supplier = get_object_or_404(Supplier, code=code)
    sees_costs = allowed(request.user, "erp.view_cost")
    extra: dict[str, object] = {
        "supplier_code": code,
        "sees_costs": sees_costs,
        "sees_purchasing": allowed(request.user, "erp.view_purchasing"),
        "history": audit.history(supplier)[:10],
    }
    if sees_costs:
        prices = Paginator(pages.prices_at(supplier), PRICES_PER_PAGE)
        extra["prices"] = prices.get_page(request.GET.get("page"))
    page = editing.Page(
        code, EDIT, template="masterdata/supplier_form.html", then=_supplier_url, extra=extra
    )
    form = SupplierForm(request.POST or None, instance=supplier)
    return editing.edit(request, form, page)


@requires({"GET": "erp.view_cost", "POST": "masterdata.edit_supplier"})
def price_create(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """A new price of the supplier."""
    supplier = get_object_or_404(Supplier, code=code)
    price = SupplierPrice(supplier=supplier)
    initial = {"valid_from": timezone.localdate()}
    form = PriceForm(request.POST or None, instance=price, initial=initial)
    page = editing.Page(_("New price"), EDIT, then=_price_page, parent=_parent(supplier))
    return editing.create(request, form, page)


@requires({"GET": "erp.view_cost", "POST": "masterdata.edit_supplier"})
def price_edit(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """A price; ``remove`` deletes it."""
    price = get_object_or_404(SupplierPrice.objects.select_related("supplier", "item"), pk=pk)
    if request.method == "POST" and request.POST.get("act") == "remove":
        return _remove(request, price)
    title = f"{price.supplier.code} · {price.item.code}"
    page = editing.Page(
        title,
        EDIT,
        template="masterdata/price_form.html",
        then=_price_page,
        parent=_parent(price.supplier),
        extra={"price_pk": pk, "opened": price.version},
    )
    return editing.edit(request, PriceForm(request.POST or None, instance=price), page)


def _remove(request: AuthenticatedRequest, price: SupplierPrice) -> HttpResponse:
    text = request.POST.get("version", "")
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    try:
        records.remove_price(price, version=version, by=request.user, now=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("masterdata:price-edit", pk=price.pk)
    messages.success(request, _("The price is removed."))
    return redirect("masterdata:supplier-edit", code=price.supplier.code)


def _parent(supplier: Supplier) -> tuple[str, str]:
    return _supplier_url(supplier), supplier.code


def _supplier_url(supplier: Supplier) -> str:
    return reverse("masterdata:supplier-edit", args=[supplier.code])


def _price_page(price: SupplierPrice) -> str:
    return _supplier_url(price.supplier)
