"""Who is told of calls from the floor, and the tree of reasons why machines stand."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.access import AuthenticatedRequest, requires
from common.enums import Role
from common.errors import Refused, told
from common.models import User
from masterdata import selectors as masterdata
from mes.andon_forms import DowntimeReasonForm, StepForms
from mes.enums import AndonKind
from mes.models import DowntimeReason
from mes.services import andon_rules, reasons
from mes.services.andon_rules import Rules, Step
from mes.views.andon import ICONS

HTTP_UNPROCESSABLE = 422


@requires("mes.manage_andon")
@require_safe
def rule_list(request: AuthenticatedRequest) -> HttpResponse:
    """Each kind of call with its steps, everywhere and at work centers with rules of their own."""
    nobody = _roles_without_people()
    rules = andon_rules.all_rules()
    kinds = [
        {
            "kind": kind,
            "icon": ICONS[kind],
            "rules": [_shown(row, nobody) for row in rules if row.kind == kind],
            "free": _centers({row.work_center_id for row in rules if row.kind == kind}),
        }
        for kind in AndonKind
    ]
    return render(request, "mes/andon_rules.html", {"kinds": kinds})


@requires("mes.manage_andon")
def rule_edit(request: AuthenticatedRequest, kind: str) -> HttpResponse:
    """The steps of a kind of call; ``?center=MILL`` those of one work center."""
    if kind not in AndonKind.values:
        raise Http404
    call = AndonKind(kind)
    code = request.GET.get("center", "")
    center = next((row for row in _centers(set()) if row.code == code), None)
    if code and center is None:
        raise Http404
    center_id = center.pk if center else None
    rules = andon_rules.rules_of(kind=call, work_center_id=center_id)
    opened = andon_rules.said(rules.steps) if rules else ""
    begin = rules or andon_rules.rules_of(kind=call, work_center_id=None)
    forms = StepForms(request.POST or None, begin.steps if begin else ())
    refusal = ""
    if request.method == "POST":
        refusal = _saved(request, call, center_id, forms)
        if not refusal and (forms.is_valid() or _is_reset(request)):
            messages.success(request, _("This counts from now on."))
            return redirect("andon:rule-list")
        if request.POST.get("opened", "") != opened:
            forms = StepForms(None, begin.steps if begin else ())
    context = {
        "kind": call,
        "icon": ICONS[call],
        "center": center,
        "rules": rules,
        "forms": forms,
        "opened": opened,
        "refusal": refusal,
        "can_reset": rules is not None and not rules.is_usual,
    }
    status = HTTP_UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "mes/andon_rule_form.html", context, status=status)


@requires("mes.manage_reasons")
def downtime_reasons(request: AuthenticatedRequest) -> HttpResponse:
    """The tree; one form adds, the same form changes the one named by ``?edit=CODE``."""
    chosen = DowntimeReason.objects.filter(code=request.GET.get("edit", "")).first()
    form = DowntimeReasonForm(request.POST or None, instance=chosen)
    if request.method == "POST" and form.is_valid():
        with told(request):
            reasons.save(reason=form.save(commit=False), by=request.user, now=timezone.now())
            messages.success(request, _("The reason is saved."))
        return redirect("mes:downtime-reasons")
    context = {"branches": reasons.tree(with_retired=True), "form": form, "chosen": chosen}
    status = HTTP_UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "mes/floor/downtime_reasons.html", context, status=status)


def _saved(
    request: AuthenticatedRequest, kind: AndonKind, center_id: int | None, forms: StepForms
) -> str:
    """Do what was posted; why not, "" where it is done or the forms say it themselves."""
    facts: dict[str, Any] = {
        "kind": kind,
        "work_center_id": center_id,
        "opened": request.POST.get("opened", ""),
        "by": request.user,
        "now": timezone.now(),
    }
    try:
        if _is_reset(request):
            andon_rules.reset(**facts)
        elif forms.is_valid():
            andon_rules.save(steps=forms.steps, **facts)
    except Refused as refused:
        return str(refused)
    return ""


def _is_reset(request: AuthenticatedRequest) -> bool:
    return request.POST.get("action") == "reset"


def _centers(without: set[int | None]) -> list[Any]:
    found = (row for pk in masterdata.site_ids() for row in masterdata.work_centers(site_id=pk))
    return [row for row in found if row.pk not in without]


def _roles_without_people() -> set[str]:
    held = User.objects.filter(is_active=True).values_list("roles", flat=True)
    return set(Role.values) - {role for roles in held for role in roles}


def _shown(rules: Rules, nobody: set[str]) -> dict[str, Any]:
    return {"rules": rules, "steps": [_step(step, nobody) for step in rules.steps]}


def _step(step: Step, nobody: set[str]) -> dict[str, Any]:
    return {
        "minutes": int(step.after.total_seconds() // 60),
        "roles": [role.label for role in step.roles],
        # Nobody would hear of it.
        "is_deaf": all(role.value in nobody for role in step.roles),
    }
