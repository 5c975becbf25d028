"""BOMs and routings, line by line."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import BaseFormSet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from masterdata.forms import BomLineFormSet, OperationFormSet, RevisionForm
from masterdata.models import Bom, Item, Routing
from masterdata.services import boms, routings

HTTP_UNPROCESSABLE = 422


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def bom_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """One revision of the item's BOM, named by ``?revision=``; without it a new one."""
    item = get_object_or_404(Item, code=code)
    bom = _chosen(request, Bom.objects.filter(item=item))
    head = RevisionForm(request.POST or None, initial=_head(bom))
    lines = BomLineFormSet(request.POST or None, initial=_bom_lines(bom))
    if request.method == "POST" and head.is_valid() and lines.is_valid():
        try:
            boms.save(
                item=item,
                **head.cleaned_data,
                lines=[boms.Line(**data) for data in _kept(lines)],
                by=request.user,
                now=timezone.now(),
            )
        except Refused as refusal:
            head.add_error(None, str(refusal))
        else:
            messages.success(request, _("The BOM of %(code)s is saved.") % {"code": code})
            return redirect("masterdata:item-detail", code=code)
    return _render(request, item, head, lines, _("BOM of %(code)s") % {"code": code})


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def routing_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """One revision of the item's routing, named by ``?revision=``; without it a new one."""
    item = get_object_or_404(Item, code=code)
    routing = _chosen(request, Routing.objects.filter(item=item))
    head = RevisionForm(request.POST or None, initial=_head(routing))
    steps = OperationFormSet(request.POST or None, initial=_operations(routing))
    if request.method == "POST" and head.is_valid() and steps.is_valid():
        kept = _stored(routing)
        try:
            routings.save(
                item=item,
                **head.cleaned_data,
                operations=[_operation(data, kept) for data in _kept(steps)],
                by=request.user,
                now=timezone.now(),
            )
        except Refused as refusal:
            head.add_error(None, str(refusal))
        else:
            messages.success(request, _("The routing of %(code)s is saved.") % {"code": code})
            return redirect("masterdata:item-detail", code=code)
    return _render(request, item, head, steps, _("Routing of %(code)s") % {"code": code})


def _chosen(request: AuthenticatedRequest, rows: Any) -> Any:
    revision = request.GET.get("revision", "").replace("\x00", "")
    return get_object_or_404(rows, revision=revision) if revision else None


def _head(revision: Bom | Routing | None) -> dict[str, Any]:
    if revision is None:
        return {"valid_from": timezone.localdate()}
    return {
        "revision": revision.revision,
        "valid_from": revision.valid_from,
        "valid_to": revision.valid_to,
    }


def _bom_lines(bom: Bom | None) -> list[dict[str, Any]]:
    if bom is None:
        return []
    return [
        {
            "position": line.position,
            "component": line.component.code,
            "quantity_per": line.quantity_per.normalize(),
            "uom": line.uom,
            "scrap_rate": line.scrap_rate.normalize(),
            "valid_from": line.valid_from,
            "valid_to": line.valid_to,
        }
        for line in bom.lines.select_related("component").order_by("position")
    ]


def _operations(routing: Routing | None) -> list[dict[str, Any]]:
    return [
        {
            "sequence": step.sequence,
            "name": step.name,
            "name_zh": step.name_zh,
            "work_center": step.work_center,
            "setup_minutes": step.setup_minutes,
            "run_minutes": step.run_minutes,
            "run_basis": step.run_basis,
            "units": " ".join(choice.work_unit for choice in step.alternatives),
        }
        for step in _stored(routing).values()
    ]


def _stored(routing: Routing | None) -> dict[int, routings.Operation]:
    return routings.operations_of(routing) if routing else {}


def _operation(data: dict[str, Any], stored: dict[int, routings.Operation]) -> routings.Operation:
    """The step as typed; what the form does not show stays as it was."""
    units = data.pop("units").split()
    before = stored.get(data["sequence"])
    own = {choice.work_unit: choice for choice in before.alternatives} if before else {}
    chosen = tuple(own.get(unit, routings.Alternative(unit)) for unit in units)
    hidden: dict[str, Any] = {}
    if before:
        hidden = {
            "setup_family": before.setup_family,
            "is_interruptible": before.is_interruptible,
            "subcontractor": before.subcontractor,
            "subcontract_days": before.subcontract_days,
        }
    return routings.Operation(**data, **hidden, alternatives=chosen)


def _kept(rows: BaseFormSet[Any]) -> list[dict[str, Any]]:
    """The filled rows that are not ticked for deletion."""
    return [
        {name: value for name, value in form.cleaned_data.items() if name != "DELETE"}
        for form in rows
        if form.cleaned_data and not form.cleaned_data.get("DELETE")
    ]


def _render(
    request: AuthenticatedRequest,
    item: Item,
    head: RevisionForm,
    rows: BaseFormSet[Any],
    title: str,
) -> HttpResponse:
    is_bad = request.method == "POST"
    context = {"item": item, "head": head, "rows": rows, "title": title}
    return render(
        request,
        "masterdata/revision_form.html",
        context,
        status=HTTP_UNPROCESSABLE if is_bad else 200,
    )
