"""One item, customer or work unit: look at it, make it, change it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common import audit
from common.access import AuthenticatedRequest, requires
from common.permissions import allowed
from masterdata.forms import CustomerForm, ItemForm, WorkUnitForm
from masterdata.models import Customer, Item, WorkCenter, WorkUnit
from masterdata.selectors import pages, sites
from masterdata.selectors.structure import StructureCycle
from masterdata.views import editing


@requires("masterdata.view")
@require_safe
def item_detail(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """BOM levels, routings, where it is used, prices and history of an item."""
    item = get_object_or_404(Item, code=code)
    cycle, was_cut = "", False
    rows: list[pages.TreeRow] = []
    try:
        rows, was_cut = pages.bom_tree(item, on=timezone.localdate())
    except StructureCycle as refusal:
        cycle = str(refusal)
    context = {
        "item": item,
        # What an item costs and is sold for is in the money of the first site.
        "currency": next((site.currency for site in sites()), ""),
        "tree": rows,
        "was_cut": was_cut,
        "cycle": cycle,
        "boms": pages.boms_of(item),
        "routings": pages.routings_of(item),
        "used": pages.where_used(item)[:200],
        "prices": pages.prices_of(item) if allowed(request.user, "erp.view_cost") else [],
        "history": audit.history(item)[:10],
        "can_edit": allowed(request.user, "masterdata.edit"),
    }
    return render(request, "masterdata/item_detail.html", context)


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def item_create(request: AuthenticatedRequest) -> HttpResponse:
    page = editing.Page(_("New item"), then=_item_url)
    return editing.create(request, ItemForm(request.POST or None), page)


@requires("masterdata.edit")
def item_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    form = ItemForm(request.POST or None, instance=get_object_or_404(Item, code=code))
    return editing.edit(request, form, editing.Page(code, then=_item_url))


@requires({"GET": "masterdata.view", "POST": "masterdata.edit_customer"})
def customer_create(request: AuthenticatedRequest) -> HttpResponse:
    page = editing.Page(_("New customer"), "masterdata.edit_customer", then=_customer_url)
    return editing.create(request, CustomerForm(request.POST or None), page)


@requires({"GET": "masterdata.view", "POST": "masterdata.edit_customer"})
def customer_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    form = CustomerForm(request.POST or None, instance=get_object_or_404(Customer, code=code))
    page = editing.Page(code, "masterdata.edit_customer", then=_customer_url)
    return editing.edit(request, form, page)


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def work_unit_create(request: AuthenticatedRequest) -> HttpResponse:
    """A new work unit; ``?work_center=`` says of which center."""
    asked = request.GET.get("work_center", "").replace("\x00", "")
    center = WorkCenter.objects.filter(code=asked).first() if asked else None
    form = WorkUnitForm(request.POST or None, initial={"work_center": center})
    return editing.create(request, form, editing.Page(_("New work unit"), then=_unit_url))


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def work_unit_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    form = WorkUnitForm(request.POST or None, instance=get_object_or_404(WorkUnit, code=code))
    page = editing.Page(code, then=_unit_url, proposal=editing.other_calendar)
    return editing.edit(request, form, page)


def _item_url(item: Item) -> str:
    return reverse("masterdata:item-detail", args=[item.code])


def _customer_url(customer: Customer) -> str:
    return reverse("masterdata:customer-edit", args=[customer.code])


def _unit_url(unit: WorkUnit) -> str:
    return reverse("masterdata:work-unit-edit", args=[unit.code])
