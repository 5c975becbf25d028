"""The page of one nonconformance: its goods, its 8D step by step, its actions, its effect."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from common import audit
from common.access import AuthenticatedRequest
from common.audit_words import said
from common.errors import Refused, refusal
from common.permissions import allowed
from erp import selectors as erp
from mes import nonconformance_policies, problem_policies, selectors
from mes.enums import (
    ActionState,
    Chain,
    ChangeKind,
    ContainmentState,
    Discipline,
    DispositionState,
    NonconformanceState,
    SupplierRequestState,
)
from mes.models import EightD, Nonconformance, QualityAction, SupplierRequest
from mes.problem_forms import (
    ASPECTS,
    ActionForm,
    CheckForm,
    ClosingForm,
    CustomerForm,
    EffectForm,
    EmergencyForm,
    FmeaForm,
    InstructionForm,
    LeaderForm,
    MaintenanceForm,
    PostponeForm,
    PreventionForm,
    ProblemForm,
    ResultForm,
    SupplierForm,
    TeamForm,
    WhyForm,
    initial_of,
)
from mes.quality_forms import (
    ConcessionForm,
    CountForm,
    ExecuteForm,
    LinkForm,
    PartsForm,
    PlaceForm,
)
from mes.services import effects

HTTP_UNPROCESSABLE = 422
Bound = Mapping[str, forms.Form]


def render_page(
    request: AuthenticatedRequest, found: Nonconformance, bound: Bound | None = None
) -> HttpResponse:
    """The page; ``bound`` are forms with errors, by the name of their dialog, which is open."""
    rights = {
        name: allowed(request.user, f"mes.{code}")
        for name, code in (
            ("can_manage", "manage_quality"),
            ("can_verify", "verify_quality"),
            ("can_concede", "approve_concession"),
            ("can_answer", "answer_supplier_request"),
        )
    }
    is_closed = found.state == NonconformanceState.CLOSED
    eight_d = found.eight_d if hasattr(found, "eight_d") else None
    decided = list(found.dispositions.all())
    context: dict[str, Any] = {
        "found": found,
        "eight_d": eight_d,
        "concerned": selectors.concerned(found),
        "left": found.quantity - sum(row.quantity for row in decided),
        "is_closed": is_closed,
        "can_trace": allowed(request.user, "crm.view_trace"),
        "today": erp.today(site_id=found.site_id, now=timezone.now()),
        "close_refusal": refusal(nonconformance_policies.check_can_close, found, request.user),
        "history": [
            {"at": row.at, "who": row.actor_label, "what": said(row.action), "why": row.reason}
            for row in audit.history(found)[:15]
        ],
        **rights,
    }
    context |= _actions(request, found, rights)
    if eight_d is not None:
        context |= _problem(request, eight_d)
    dialogs = {} if is_closed else _forms(found, eight_d, rights, bound or {})
    _attach(context, dialogs)
    status = HTTP_UNPROCESSABLE if bound else 200
    return render(request, "mes/quality/nonconformance_detail.html", context, status=status)


def _attach(context: dict[str, Any], dialogs: Mapping[str, forms.Form]) -> None:
    """Give the rows of the page their dialogs."""
    found: Nonconformance = context["found"]
    context["forms"] = dialogs
    context["places"] = [
        {"row": row, **_dialogs(dialogs, row.pk, "count")} for row in found.containment.all()
    ]
    context["dispositions"] = [
        {
            "row": row,
            "concession": getattr(row, "concession", None),
            **_dialogs(dialogs, row.pk, "execute", "concede"),
        }
        for row in found.dispositions.all()
    ]
    for line in context["actions"]:
        line.update(_dialogs(dialogs, line["action"].pk, "finish", "postpone", "change"))


def _dialogs(dialogs: Mapping[str, forms.Form], pk: int, *names: str) -> dict[str, Any]:
    """The forms of a row and the names of their dialogs, for the template."""
    found: dict[str, Any] = {}
    for name in names:
        found[name] = dialogs.get(f"{name}-{pk}")
        found[f"{name}_name"] = f"{name}-{pk}"
    return found


def _problem(request: AuthenticatedRequest, eight_d: EightD) -> dict[str, Any]:
    """The steps, the chains of whys, and the figures of this moment."""
    return {
        "steps": _steps(request, eight_d),
        "aspects": [
            (label, eight_d.is_is_not.get(name, {}))
            for name, label in ASPECTS.items()
            if any(eight_d.is_is_not.get(name, {}).values())
        ],
        "chains": [
            {
                "chain": chain,
                "whys": [why for why in eight_d.whys.all() if why.chain == chain],
                "cause": getattr(eight_d, f"{chain.value}_cause"),
                "category": getattr(eight_d, f"get_{chain.value}_category_display")(),
            }
            for chain in Chain
        ],
        "figures": _figures(eight_d),
        "last_result": next(iter(eight_d.results.all()), None),
        "share_refusal": refusal(problem_policies.check_can_share, eight_d),
    }


def _steps(request: AuthenticatedRequest, eight_d: EightD) -> list[dict[str, Any]]:
    """Each step with what it lacks; the first that is not done is the current one."""
    today = erp.today(site_id=eight_d.nonconformance.site_id, now=timezone.now())
    steps = []
    is_current = False
    for step in eight_d.steps.all():
        discipline = Discipline(step.discipline)
        lacking = [] if step.done_at else problem_policies.missing(eight_d, discipline)
        is_late = step.done_at is None and step.due_on < today
        state = "done" if step.done_at else "problem" if is_late else "upcoming"
        is_next = not step.done_at and not is_current
        if is_next:
            is_current, state = True, state if is_late else "current"
        steps.append(
            {
                "number": step.discipline,
                "label": f"D{step.discipline}",
                "mark": str(step.discipline),
                "note": discipline.label,
                "title": f"D{step.discipline} · {discipline.label}",
                "row": step,
                "state": state,
                "is_next": is_next,
                "is_late": is_late,
                "missing": lacking,
                "complete_refusal": refusal(
                    problem_policies.check_can_complete, eight_d, discipline, request.user
                ),
                "can_reopen": not refusal(problem_policies.check_can_reopen, eight_d, discipline),
            }
        )
    return steps


def _figures(eight_d: EightD) -> dict[str, Any] | None:
    """What the counts say by now, as a sentence that promises nothing they do not hold."""
    try:
        counts = effects.figures(eight_d, now=timezone.now())
    except Refused:
        return None
    return {
        "counts": counts,
        "said": effect_sentence(counts),
        "before": _share(counts.before_share),
        "after": _share(counts.after_share),
    }


def _share(share: float | None) -> str:
    """A share as people read it: "2.5 %"."""
    return "–" if share is None else f"{float(f'{share * 100:.2g}'):g} %"


def effect_sentence(counts: effects.Figures) -> str:
    """What may be concluded, and what not."""
    if not counts.before_bad:
        return _("Before the fix no fault was counted: these figures cannot show an effect.")
    if not counts.after_total:
        return _("Nothing that was made with the fix can be judged yet.")
    facts = {
        "most": f"{float(f'{counts.after_most * 100:.2g}'):g}",
        "chance": f"{float(f'{counts.chance * 100:.2g}'):g}",
        "needed": counts.needed or "–",
    }
    if counts.effect == "shown":
        return (
            _(
                "Were nothing changed, so few faults would come up in %(chance)s %% of all cases. "
                "Up to %(most)s %% may still be faulty (95 %% confidence)."
            )
            % facts
        )
    return (
        _(
            "This may be chance: were nothing changed, it would come up in %(chance)s %% of all "
            "cases. Up to %(most)s %% may be faulty (95 %% confidence). It takes %(needed)s "
            "without a fault to show an effect."
        )
        % facts
    )


def _actions(
    request: AuthenticatedRequest, found: Nonconformance, rights: Mapping[str, bool]
) -> dict[str, Any]:
    """The actions, each with what may be done with it now."""
    today = erp.today(site_id=found.site_id, now=timezone.now())
    rows = []
    for action in found.actions.all():
        is_planned = action.state == ActionState.PLANNED
        may_finish = action.owner_id == request.user.pk or rights["can_manage"]
        rows.append(
            {
                "action": action,
                "changed_url": changed_url(action),
                "is_late": is_planned and action.due_on < today,
                "can_finish": is_planned and may_finish,
                "needs_change": is_planned
                and action.change != ChangeKind.NOTHING
                and not action.changed,
                "can_verify": rights["can_verify"]
                and not refusal(problem_policies.check_can_verify, action, request.user),
                **_asked(action, found),
            }
        )
    return {"actions": rows, "fmea": list(found.fmea_rows.all())}


def _asked(action: QualityAction, found: Nonconformance) -> dict[str, Any]:
    """The request to a supplier that the action made, and whether it may be mailed."""
    asked: SupplierRequest | None = getattr(action, "supplier_request", None)
    if asked is None:
        return {}
    asked.nonconformance = found  # Else it is read again for each.
    sent = {row.revision: row for row in asked.mails.all()}.get(asked.revision)
    return {
        "request": asked,
        "can_mail": asked.state == SupplierRequestState.SENT and (sent is None or bool(sent.error)),
        "mail_refusal": refusal(problem_policies.check_can_mail, asked, sent),
    }


# As ``mes.services.improvements`` notes a place in a routing: "FLANGE-DN50 A / 20: Torque".
_PLACE = re.compile(r"(?P<item>.+) (?P<revision>\S+) / (?P<sequence>\d+): ")


def changed_url(action: QualityAction) -> str:
    """The checks of the operation that the action changed, or the maintenance; else nothing."""
    if action.change == ChangeKind.MAINTENANCE and action.changed.startswith("MT-"):
        return reverse("mes:maintenance", args=[action.changed.split()[0]])
    is_routing = action.change in (ChangeKind.CHECK, ChangeKind.INSTRUCTION)
    found = _PLACE.match(action.changed) if is_routing else None
    if found is None:
        return ""
    page = reverse("masterdata:operation-checks", args=[found["item"]])
    query = urlencode({"revision": found["revision"], "sequence": found["sequence"]})
    return f"{page}?{query}"


_CHANGES: dict[str, tuple[Any, bool]] = {
    ChangeKind.CHECK: (CheckForm, True),
    ChangeKind.INSTRUCTION: (InstructionForm, True),
    ChangeKind.SUPPLIER: (SupplierForm, False),
    ChangeKind.MAINTENANCE: (MaintenanceForm, False),
    ChangeKind.FMEA: (FmeaForm, False),
}


def change_form(action: QualityAction, data: Any = None, *, found: Nonconformance) -> forms.Form:
    """The form by which an action changes what it is to change."""
    kind, needs_day = _CHANGES[action.change]
    more: dict[str, Any] = {"nonconformance": found, "initial": {"row": action.pk}}
    if needs_day:
        more["today"] = erp.today(site_id=found.site_id, now=timezone.now())
    made: forms.Form = kind(data, auto_id=f"id_change_{action.pk}_%s", **more)
    return made


def _forms(
    found: Nonconformance, eight_d: EightD | None, rights: Mapping[str, bool], bound: Bound
) -> dict[str, forms.Form]:
    """The dialogs that this reader may open, by name; those with errors as they were sent."""
    made: dict[str, Callable[[str], forms.Form]] = {}
    for action in found.actions.all():
        if action.state == ActionState.PLANNED:
            made[f"finish-{action.pk}"] = _one(ResultForm, {"row": action.pk})
    if rights["can_manage"]:
        made |= _goods_forms(found)
        for action in found.actions.all():
            if action.state != ActionState.PLANNED:
                continue
            made[f"postpone-{action.pk}"] = _one(
                PostponeForm, {"row": action.pk, "due_on": action.due_on}
            )
            if action.change != ChangeKind.NOTHING and not action.changed:
                made[f"change-{action.pk}"] = _change(action, found)
        if eight_d is None:
            made["begin"] = _one(LeaderForm, {})
        else:
            made |= _problem_forms(eight_d)
        if found.state != NonconformanceState.OPEN:
            made["plan"] = _one(ActionForm, {})
    return {name: bound.get(name) or form(f"id_{name}_%s") for name, form in made.items()}


def _one(kind: type[forms.Form], initial: Mapping[str, Any]) -> Callable[[str], forms.Form]:
    return lambda auto_id: kind(initial=dict(initial), auto_id=auto_id)


def _change(action: QualityAction, found: Nonconformance) -> Callable[[str], forms.Form]:
    return lambda _auto_id: change_form(action, found=found)


def _goods_forms(found: Nonconformance) -> dict[str, Callable[[str], forms.Form]]:
    made: dict[str, Callable[[str], forms.Form]] = {
        "contain": _one(PlaceForm, {}),
        "link": _one(LinkForm, {}),
    }
    for row in found.containment.all():
        if row.state == ContainmentState.IN_PLACE:
            counts = {
                name: f"{getattr(row, name).normalize():f}"
                for name in ("found", "cleared", "shipped", "missing")
            }
            made[f"count-{row.pk}"] = _one(CountForm, {"row": row.pk, **counts})
    if found.state != NonconformanceState.OPEN and found.quantity:
        made["dispose"] = lambda auto_id: PartsForm(nonconformance=found, auto_id=auto_id)
    for part in found.dispositions.all():
        if part.state == DispositionState.DECIDED:
            made[f"execute-{part.pk}"] = _one(ExecuteForm, {"row": part.pk})
            if part.needs_concession:
                made[f"concede-{part.pk}"] = _one(ConcessionForm, {"row": part.pk})
    return made


def _problem_forms(eight_d: EightD) -> dict[str, Callable[[str], forms.Form]]:
    begin = initial_of(eight_d)
    kinds: dict[str, type[forms.Form]] = {
        "team": TeamForm,
        "emergency": EmergencyForm,
        "problem": ProblemForm,
        "prevention": PreventionForm,
        "closing": ClosingForm,
        "effect": EffectForm,
        "customer": CustomerForm,
        "why_occurrence": WhyForm,
        "why_escape": WhyForm,
    }
    return {name: _one(kind, begin[name]) for name, kind in kinds.items()}
