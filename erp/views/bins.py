"""Warehouses and bins of a site, and what lies in them."""

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common import idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import told
from common.forms import OnceForm
from common.permissions import allowed
from erp import selectors
from erp.enums import BinKind
from erp.forms_store import BinForm, WarehouseForm
from erp.models import Bin, Warehouse
from erp.services import warehouses
from erp.views.once import once
from erp.views.place import place_of, place_or_404

PAGE_SIZE = 50


@requires("erp.view_stock")
@require_safe
def bin_list(request: HttpRequest) -> HttpResponse:
    """Where things lie at the chosen site."""
    return _list(request)


def _list(
    request: HttpRequest, *, status: int = 200, failed_warehouse: int = 0, **forms: OnceForm
) -> HttpResponse:
    place = place_of(request)
    found = selectors.warehouses_with_contents(site_id=place.pk) if place.pk else []
    context = {
        "place": place,
        "warehouses": found,
        "can_edit": allowed(request.user, "erp.move_stock"),
        "bin_form": BinForm(),
        "warehouse_form": WarehouseForm(),
        "key": idempotency.new_key(),
        "kinds": BinKind.choices,
        "failed_warehouse": failed_warehouse,
        **forms,
    }
    return render(request, "erp/bin_list.html", context, status=status)


@requires("erp.view_stock")
@require_safe
def bin_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What lies in a bin."""
    try:
        place = selectors.bin_by_id(pk)
    except ObjectDoesNotExist:
        raise Http404 from None
    rows = selectors.quants(bin_id=pk)
    context = {
        "bin": place,
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "can_edit": allowed(request.user, "erp.move_stock"),
        "can_move": allowed(request.user, "erp.relocate_stock"),
    }
    return render(request, "erp/bin_detail.html", context)


@requires("erp.move_stock")
@require_POST
def bin_add(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Another bin in a warehouse."""
    warehouse = get_object_or_404(Warehouse, pk=pk)
    form = BinForm(request.POST)
    if form.is_valid():
        code, kind = form.cleaned_data["code"], BinKind(form.cleaned_data["kind"])

        def effect() -> str:
            warehouses.add_bin(
                warehouse=warehouse, code=code, kind=kind, by=request.user, now=timezone.now()
            )
            return reverse("erp:bin-list")

        url = once(request, form, "bin", (pk, code, kind), effect)
        if url is not None:
            messages.success(request, _("Bin %(code)s is there.") % {"code": code.upper()})
            return HttpResponseRedirect(url)
    return _list(request, status=422, failed_warehouse=pk, bin_form=form)


@requires("erp.move_stock")
@require_POST
def bin_retire(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Nothing is put there any more."""
    place = get_object_or_404(Bin, pk=pk)
    with told(request):
        warehouses.retire_bin(bin_id=place.pk, by=request.user, now=timezone.now())
        messages.success(request, _("Bin %(code)s is out of use.") % {"code": place.code})
    return HttpResponseRedirect(reverse("erp:bin-list"))


@requires("erp.move_stock")
@require_POST
def warehouse_add(request: AuthenticatedRequest) -> HttpResponse:
    """Another warehouse of the chosen site."""
    _place, site = place_or_404(request)
    form = WarehouseForm(request.POST)
    if form.is_valid():
        data = {name: form.cleaned_data[name] for name in ("code", "name", "name_zh")}

        def effect() -> str:
            warehouses.add_warehouse(site_id=site, **data, by=request.user, now=timezone.now())
            return reverse("erp:bin-list")

        url = once(request, form, "warehouse", (site, *data.values()), effect)
        if url is not None:
            messages.success(request, _("The warehouse is there; give it bins."))
            return HttpResponseRedirect(url)
    return _list(request, status=422, warehouse_form=form)
