"""What the pages of one record share: show the form, save it, or say why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib import messages
from django.db import models
from django.forms import ModelForm
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrPromise

from common.access import AuthenticatedRequest
from common.errors import Refused
from common.permissions import allowed
from masterdata.models import (
    Customer,
    ExchangeRate,
    Item,
    Site,
    Skill,
    Supplier,
    SupplierPrice,
    Tool,
    WorkCenter,
    WorkUnit,
)
from masterdata.services import calendar_choices, records

HTTP_UNPROCESSABLE = 422


@dataclass(frozen=True)
class Page:
    """How the form of a kind of record is shown."""

    title: str
    # Who may save; others look.
    permission: str = "masterdata.edit"
    template: str = "masterdata/record_form.html"
    # Where to go once it is saved.
    then: Callable[[Any], str] = str
    extra: dict[str, Any] = field(default_factory=dict)
    # What is typed as planning reads it, to show what it would move; None: it moves nothing.
    proposal: Callable[[ModelForm[Any]], dict[str, Any]] | None = None
    # The list above it in the path, else that of its kind.
    parent: tuple[str, str] | None = None


LISTS: dict[type[models.Model], tuple[str, StrPromise]] = {
    Item: ("masterdata:item-list", gettext_lazy("Items")),
    Customer: ("masterdata:customer-list", gettext_lazy("Customers")),
    Site: ("masterdata:site-list", gettext_lazy("Sites")),
    Skill: ("masterdata:skill-list", gettext_lazy("Skills")),
    Tool: ("masterdata:tool-list", gettext_lazy("Tools")),
    Supplier: ("masterdata:supplier-list", gettext_lazy("Suppliers")),
    ExchangeRate: ("masterdata:exchange-rate-list", gettext_lazy("Exchange rates")),
    SupplierPrice: ("masterdata:supplier-list", gettext_lazy("Suppliers")),
    WorkCenter: ("masterdata:work-center-list", gettext_lazy("Work centers")),
    WorkUnit: ("masterdata:work-unit-list", gettext_lazy("Work units")),
}


def create(request: AuthenticatedRequest, form: ModelForm[Any], page: Page) -> HttpResponse:
    """Show the form of a new record, or write it and go on."""
    if request.method == "POST" and form.is_valid():
        try:
            record = records.create(form.instance, by=request.user, now=timezone.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(code)s is saved.") % {"code": _name(record)})
            return redirect(page.then(record))
    return show(request, form, page)


def edit(request: AuthenticatedRequest, form: ModelForm[Any], page: Page) -> HttpResponse:
    """Show the form of a record, or write what was typed and go on; a refusal is said on top.

    ``act=moves`` answers with what planning needs to show what would move; nothing is saved.
    """
    if page.proposal is not None and request.POST.get("act") == "moves":
        return _moves(request, form, page, page.proposal)
    if request.method == "POST" and form.is_valid():
        values = {k: v for k, v in form.cleaned_data.items() if k != "version"}
        try:
            saved = records.edit(
                form.instance,
                values=values,
                version=form.cleaned_data["version"] or 0,
                by=request.user,
                now=timezone.now(),
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(code)s is saved.") % {"code": _name(saved)})
            return redirect(page.then(saved))
    return show(request, form, page)


def other_calendar(form: ModelForm[Any]) -> dict[str, Any]:
    """What a work unit or work center would be to planning, as that reads it."""
    stored = form._meta.model._default_manager.get(pk=form.instance.pk)
    return {"kind": "own_calendar"} | calendar_choices.written(
        owner=stored,
        calendar=form.cleaned_data["calendar"],
        version=form.cleaned_data["version"] or 0,
        center=form.cleaned_data.get("work_center"),
        is_active=form.cleaned_data.get("is_active"),
    )


def _moves(
    request: AuthenticatedRequest,
    form: ModelForm[Any],
    page: Page,
    proposal: Callable[[ModelForm[Any]], dict[str, Any]],
) -> HttpResponse:
    asked: dict[str, Any] = {"asked": True}
    if form.is_valid():
        asked["proposal"] = json.dumps(proposal(form))
    if request.htmx:  # type: ignore[attr-defined]  # set by its middleware
        return render(request, "masterdata/_moves.html", asked)
    return show(request, form, replace(page, extra=page.extra | asked))


def show(request: AuthenticatedRequest, form: ModelForm[Any], page: Page) -> HttpResponse:
    """The page; 422 where something typed is wrong."""
    list_url, list_label = LISTS[form._meta.model]
    context = {
        "form": form,
        "title": page.title,
        "list_url": list_url,
        "list_label": list_label,
        "parent": page.parent,
        "can_move": page.proposal is not None,
        "can_save": allowed(request.user, page.permission),
        **page.extra,
    }
    status = HTTP_UNPROCESSABLE if form.errors else 200
    return render(request, page.template, context, status=status)


def opened(request: AuthenticatedRequest) -> int:
    """The version that the form was opened with; 0, which is none, for anything else."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _name(record: models.Model) -> str:
    return str(getattr(record, "code", "")) or str(record._meta.verbose_name)
