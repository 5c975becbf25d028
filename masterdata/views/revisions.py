"""BOMs and routings, line by line."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.permissions import allowed
from masterdata.forms import BomLineFormSet, OperationFormSet, RevisionForm, Rows
from masterdata.models import Bom, Item, Routing
from masterdata.selectors import pages
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
                **_validity(head),
                lines=[boms.Line(**data) for data in lines.kept()],
                by=request.user,
                now=timezone.now(),
                opened=_opened(head, bom),
            )
        except Refused as refusal:
            head.add_error(None, str(refusal))
        else:
            messages.success(request, _("The BOM of %(code)s is saved.") % {"code": code})
            return redirect("masterdata:item-detail", code=code)
    title = _("BOM of %(code)s") % {"code": code}
    names = pages.names_of(form["component"].value() for form in lines)
    for form in lines:
        form.component_name = names.get(form["component"].value(), "")
    extra = {"title": title, "template": "masterdata/bom_form.html"}
    return _render(request, item, head, lines, extra)


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
                **_validity(head),
                operations=[_operation(data, kept) for data in steps.kept()],
                by=request.user,
                now=timezone.now(),
                opened=_opened(head, routing),
            )
        except Refused as refusal:
            head.add_error(None, str(refusal))
        else:
            messages.success(request, _("The routing of %(code)s is saved.") % {"code": code})
            return redirect("masterdata:item-detail", code=code)
    title = _("Routing of %(code)s") % {"code": code}
    centers = pages.work_centers()
    extra = {
        "title": title,
        "centers": centers,
        "skills": pages.skills(),
        "tools": pages.tools(),
        "template": "masterdata/routing_form.html",
    }
    return _render(request, item, head, steps, extra)


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
        "version": revision.version,
    }


def _validity(head: RevisionForm) -> dict[str, Any]:
    return {name: head.cleaned_data[name] for name in ("revision", "valid_from", "valid_to")}


def _opened(head: RevisionForm, chosen: Bom | Routing | None) -> int:
    """The version that was opened; 0 where the typed revision is not the one that was opened."""
    if chosen is None or head.cleaned_data["revision"] != chosen.revision:
        return 0
    return head.cleaned_data["version"] or -1


def _bom_lines(bom: Bom | None) -> list[dict[str, Any]]:
    if bom is None:
        return []
    return [
        {
            "position": line.position,
            "component": line.component.code,
            "quantity_per": f"{line.quantity_per.normalize():f}",
            "uom": line.uom,
            "scrap_rate": f"{line.scrap_rate.normalize():f}",
            "issue_method": line.issue_method,
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
            "setup_minutes": f"{step.setup_minutes.normalize():f}",
            "run_minutes": f"{step.run_minutes.normalize():f}",
            "run_basis": step.run_basis,
            "setup_family": step.setup_family,
            "skill": step.skill,
            "people": step.people,
            "tool": step.tool,
            "wait_minutes": step.wait_minutes or "",
            "max_wait_minutes": "" if step.max_wait_minutes is None else step.max_wait_minutes,
            "transfer_quantity": (
                "" if step.transfer_quantity is None else f"{step.transfer_quantity.normalize():f}"
            ),
            "units": " ".join(choice.work_unit for choice in step.alternatives),
        }
        for step in _stored(routing).values()
    ]


def _stored(routing: Routing | None) -> dict[int, routings.Operation]:
    return routings.operations_of(routing) if routing else {}


def _operation(data: dict[str, Any], stored: dict[int, routings.Operation]) -> routings.Operation:
    """The step as typed; what the form does not show stays as it was."""
    units = data.pop("units").split()
    data["people"] = data.get("people") or 1
    data["wait_minutes"] = data.get("wait_minutes") or 0
    before = stored.get(data["sequence"])
    own = {choice.work_unit: choice for choice in before.alternatives} if before else {}
    chosen = tuple(own.get(unit, routings.Alternative(unit)) for unit in units)
    hidden: dict[str, Any] = {}
    if before:
        hidden = {
            "is_interruptible": before.is_interruptible,
            "subcontractor": before.subcontractor,
            "subcontract_days": before.subcontract_days,
        }
    return routings.Operation(**data, **hidden, alternatives=chosen)


def _render(
    request: AuthenticatedRequest,
    item: Item,
    head: RevisionForm,
    rows: Rows,
    extra: dict[str, Any],
) -> HttpResponse:
    is_bad = request.method == "POST"
    # More rows than the page takes: shown, and sent to the import.
    is_too_long = not is_bad and rows.initial_form_count() > rows.absolute_max
    can_save = allowed(request.user, "masterdata.edit") and not is_too_long
    context = {"item": item, "head": head, "rows": rows, "can_save": can_save, **extra}
    context["is_too_long"] = is_too_long
    status = HTTP_UNPROCESSABLE if is_bad else 200
    return render(request, extra["template"], context, status=status)
