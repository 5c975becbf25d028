"""One item, customer or work unit: look at it, make it, change it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common import audit
from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.permissions import allowed
from masterdata.forms import CustomerForm, ItemForm, WorkUnitForm
from masterdata.models import Customer, Item, WorkUnit
from masterdata.selectors import pages
from masterdata.selectors.structure import StructureCycle
from masterdata.services import records

HTTP_UNPROCESSABLE = 422


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
    return _create(request, ItemForm, _("New item"), "masterdata:item-detail")


@requires("masterdata.edit")
def item_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    return _edit(request, Item, ItemForm, code, "masterdata:item-detail")


@requires({"GET": "masterdata.view", "POST": "masterdata.edit_customer"})
def customer_create(request: AuthenticatedRequest) -> HttpResponse:
    return _create(request, CustomerForm, _("New customer"), "masterdata:customer-edit")


@requires({"GET": "masterdata.view", "POST": "masterdata.edit_customer"})
def customer_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    return _edit(request, Customer, CustomerForm, code, "masterdata:customer-edit")


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def work_unit_create(request: AuthenticatedRequest) -> HttpResponse:
    return _create(request, WorkUnitForm, _("New work unit"), "masterdata:work-unit-edit")


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def work_unit_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    return _edit(request, WorkUnit, WorkUnitForm, code, "masterdata:work-unit-edit")


def _create(
    request: AuthenticatedRequest, form_class: type[ModelForm[Any]], title: str, then: str
) -> HttpResponse:
    form = form_class(request.POST or None)
    if request.method == "POST" and form.is_valid():
        record = records.create(form.instance, by=request.user, now=timezone.now())
        messages.success(request, _("%(code)s is saved.") % {"code": record.code})
        return redirect(then, code=record.code)
    return _form(request, form, title)


def _edit(
    request: AuthenticatedRequest,
    model: type[Any],
    form_class: type[ModelForm[Any]],
    code: str,
    then: str,
) -> HttpResponse:
    record = get_object_or_404(model, code=code)
    form = form_class(request.POST or None, instance=record)
    if request.method == "POST" and form.is_valid():
        values = {k: v for k, v in form.cleaned_data.items() if k != "version"}
        try:
            saved = records.edit(
                record,
                values=values,
                version=form.cleaned_data["version"] or 0,
                by=request.user,
                now=timezone.now(),
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(code)s is saved.") % {"code": saved.code})
            return redirect(then, code=saved.code)
    return _form(request, form, code)


def _form(request: HttpRequest, form: ModelForm[Any], title: str) -> HttpResponse:
    status = HTTP_UNPROCESSABLE if form.errors else 200
    model: type[models.Model] = form._meta.model
    lists: dict[type[models.Model], str] = {
        Item: "masterdata:item-list",
        Customer: "masterdata:customer-list",
        WorkUnit: "masterdata:work-unit-list",
    }
    context = {"form": form, "title": title, "list_url": lists[model]}
    return render(request, "masterdata/record_form.html", context, status=status)
