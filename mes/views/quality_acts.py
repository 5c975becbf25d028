"""The acts on a nonconformance: each a dialog of its page, a form, and one call of a service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from common.access import AuthenticatedRequest, requires
from common.errors import Refused, told
from masterdata import selectors as masterdata
from mes.enums import ActionKind, Chain, ChangeKind, Discipline
from mes.models import ContainmentCount, Disposition, EightD, Nonconformance, QualityAction
from mes.problem_forms import (
    ActionForm,
    ClosingForm,
    CustomerForm,
    EffectForm,
    EmergencyForm,
    LeaderForm,
    PostponeForm,
    PreventionForm,
    ProblemForm,
    ResultForm,
    TeamForm,
    WhyForm,
)
from mes.quality_forms import (
    ConcessionForm,
    CountForm,
    ExecuteForm,
    LinkForm,
    PartsForm,
    PlaceForm,
    RowForm,
)
from mes.services import (
    containment,
    dispositions,
    effects,
    eight_d,
    improvements,
    nonconformances,
    quality_actions,
    supplier_requests,
)
from mes.views import problem_page
from mes.views.nonconformances import found

Run = Callable[[AuthenticatedRequest, Nonconformance, Any], Any]


@dataclass(frozen=True, slots=True)
class Act:
    """A form, None where nothing is typed, and what is done with it."""

    form: type[forms.Form] | None
    run: Run
    # The dialog's name is followed by the row it is about.
    of_row: bool = False


@requires("mes.manage_quality")
@require_POST
def do(request: AuthenticatedRequest, number: str, act: str) -> HttpResponse:
    """Whoever works on quality: contain, decide, analyse, plan, change."""
    row = found(number)
    if act == "change":
        return _change(request, row)
    return _run(request, row, act, _ACTS.get(act))


@requires("mes.verify_quality")
@require_POST
def verify(request: AuthenticatedRequest, number: str, act: str) -> HttpResponse:
    """Another person says that it is well: counts, actions, the closure."""
    return _run(request, found(number), act, _VERIFYING.get(act))


@requires("mes.approve_concession")
@require_POST
def decide_concession(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Allow or refuse a concession."""
    return _run(request, found(number), "concession", Act(RowForm, _decide_concession))


@requires("mes.view_quality")
@require_POST
def finish_action(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """The owner of an action says what was done."""
    return _run(request, found(number), "finish", Act(ResultForm, _finish, of_row=True))


def _run(
    request: AuthenticatedRequest, row: Nonconformance, name: str, act: Act | None
) -> HttpResponse:
    """Do it; what was typed wrongly comes back in its dialog, a refusal as a message."""
    if act is None:
        raise Http404
    form = None
    if act.form is not None:
        form = _bound(request, row, name, act)
        if not form.is_valid():
            return _again(request, row, name, act, form)
    with told(request):
        act.run(request, row, form)
    return _back(row)


def _bound(request: AuthenticatedRequest, row: Nonconformance, name: str, act: Act) -> forms.Form:
    assert act.form is not None  # noqa: S101 - the caller looked
    more: dict[str, Any] = {"nonconformance": row} if act.form is PartsForm else {}
    return act.form(request.POST, auto_id=f"id_{name}_%s", **more)


def _again(
    request: AuthenticatedRequest, row: Nonconformance, name: str, act: Act, form: forms.Form
) -> HttpResponse:
    dialog = f"{name}-{request.POST.get('row', '')}" if act.of_row else name
    if name == "why":
        dialog = f"why_{request.POST.get('chain', '')}"
    return problem_page.render_page(request, row, {dialog: form})


def _back(row: Nonconformance) -> HttpResponse:
    return HttpResponseRedirect(reverse("mes:nonconformance", kwargs={"number": row.number}))


def _who(request: AuthenticatedRequest) -> dict[str, Any]:
    return {"by": request.user, "now": timezone.now()}


# -- the goods --------------------------------------------------------------------------------


def _place(row: Nonconformance, form: Any) -> ContainmentCount:
    place = row.containment.filter(pk=form.cleaned_data["row"]).first()
    if place is None:
        raise Http404
    return place


def _part(row: Nonconformance, form: Any) -> Disposition:
    part = row.dispositions.filter(pk=form.cleaned_data["row"]).first()
    if part is None:
        raise Http404
    return part


def _contain(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    data = form.cleaned_data
    containment.suspect(
        nonconformance=row, place=data["place"], quantity=data["quantity"], **_who(request)
    )


def _count(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    containment.count(row=_place(row, form), found=form.counts(), **_who(request))


def _recount(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    containment.count_again(row=_place(row, form), **_who(request))


def _verify_count(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    containment.verify(row=_place(row, form), **_who(request))


def _dispose(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    dispositions.decide(nonconformance=row, parts=form.cleaned_data["parts"], **_who(request))


def _execute(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    result = form.cleaned_data["result"]
    dispositions.execute(disposition=_part(row, form), result=result, **_who(request))


def _concede(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    dispositions.concede(
        disposition=_part(row, form),
        valid_until=form.day(),
        reason=form.cleaned_data["reason"],
        **_who(request),
    )


def _decide_concession(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    concession = getattr(_part(row, form), "concession", None)
    if concession is None:
        raise Http404
    dispositions.decide_concession(
        concession=concession,
        is_approved=request.POST.get("action") == "approve",
        reason=form.cleaned_data["reason"],
        **_who(request),
    )


def _link(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    reference = form.cleaned_data["reference"]
    nonconformances.link(nonconformance=row, reference=reference, **_who(request))


def _close(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    nonconformances.close(nonconformance=row, **_who(request))


# -- the 8D -----------------------------------------------------------------------------------


def _eight_d(row: Nonconformance) -> EightD:
    if not hasattr(row, "eight_d"):
        raise Http404
    return row.eight_d


def _discipline(request: AuthenticatedRequest) -> Discipline:
    try:
        return Discipline(int(request.POST.get("action", "")))
    except ValueError as error:
        raise Http404 from error


def _begin(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    eight_d.begin(nonconformance=row, leader=form.cleaned_data["leader"], **_who(request))


def _team(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    data = form.cleaned_data
    eight_d.set_team(
        eight_d=_eight_d(row), leader=data["leader"], members=data["members"], **_who(request)
    )


def _write(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    eight_d.write(eight_d=_eight_d(row), values=form.cleaned_data, **_who(request))


def _problem(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    eight_d.write(eight_d=_eight_d(row), values=form.values(), **_who(request))


def _why(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    problem, who = _eight_d(row), _who(request)
    chain = Chain(form.cleaned_data["chain"])
    eight_d.explain(eight_d=problem, chain=chain, whys=form.whys(), **who)
    eight_d.write(eight_d=problem, values=form.values(), **who)


def _complete(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    discipline = _discipline(request)
    if discipline == Discipline.D8:
        raise Http404  # Closing is for who verifies.
    eight_d.complete(eight_d=_eight_d(row), discipline=discipline, **_who(request))


def _finish_8d(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    eight_d.complete(eight_d=_eight_d(row), discipline=Discipline.D8, **_who(request))


def _reopen(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    eight_d.reopen(eight_d=_eight_d(row), discipline=_discipline(request), **_who(request))


def _look(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    effects.look(eight_d=_eight_d(row), **_who(request))


def _share(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    is_shared = request.POST.get("action") == "share"
    eight_d.share(eight_d=_eight_d(row), is_shared=is_shared, **_who(request))


# -- actions ----------------------------------------------------------------------------------


def _action(row: Nonconformance, form: Any) -> QualityAction:
    action = row.actions.filter(pk=form.cleaned_data["row"]).first()
    if action is None:
        raise Http404
    return action


def _plan(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    data = form.cleaned_data
    new = quality_actions.Plan(
        kind=ActionKind(data["kind"]),
        title=data["title"],
        owner=data["owner"],
        due_on=data["due_on"],
        change=ChangeKind(data["change"]),
    )
    quality_actions.plan(nonconformance=row, new=new, **_who(request))


def _postpone(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    data = form.cleaned_data
    quality_actions.postpone(
        action=_action(row, form), due_on=data["due_on"], reason=data["reason"], **_who(request)
    )


def _finish(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    result = form.cleaned_data["result"]
    quality_actions.finish(action=_action(row, form), result=result, **_who(request))


def _verify_action(request: AuthenticatedRequest, row: Nonconformance, form: Any) -> None:
    quality_actions.verify(
        action=_action(row, form),
        has_helped=request.POST.get("action") == "verify",
        reason=form.cleaned_data["reason"],
        **_who(request),
    )


def _change(request: AuthenticatedRequest, row: Nonconformance) -> HttpResponse:
    """Make the change that an action is for; its form is that of its kind."""
    text = request.POST.get("row", "")
    action = row.actions.filter(pk=int(text) if text.isdecimal() and len(text) < 18 else 0).first()
    if action is None or action.change == ChangeKind.NOTHING:
        raise Http404
    form = problem_page.change_form(action, request.POST, found=row)
    if not form.is_valid():
        return problem_page.render_page(request, row, {f"change-{action.pk}": form})
    try:
        _CHANGES[action.change](request, action, form)
    except Refused as refused:
        form.add_error(None, str(refused))
        return problem_page.render_page(request, row, {f"change-{action.pk}": form})
    return _back(row)


def _to_check(request: AuthenticatedRequest, action: QualityAction, form: Any) -> None:
    improvements.add_check(
        action=action, operation=form.step(), check=form.check(), **_who(request)
    )


def _to_instruction(request: AuthenticatedRequest, action: QualityAction, form: Any) -> None:
    data = form.cleaned_data
    improvements.instruct(
        action=action,
        operation=form.step(),
        text=data["text"],
        text_zh=data["text_zh"],
        **_who(request),
    )


def _to_supplier(request: AuthenticatedRequest, action: QualityAction, form: Any) -> None:
    data = form.cleaned_data
    supplier_requests.ask(
        action=action,
        supplier=masterdata.supplier_by_code(data["supplier"]),
        text=data["text"],
        answer_due_on=data["answer_due_on"],
        **_who(request),
    )


def _to_machine(request: AuthenticatedRequest, action: QualityAction, form: Any) -> None:
    data = form.cleaned_data
    improvements.maintain(
        action=action,
        work_unit_id=int(data["unit"]),
        starts_at=data["starts_at"],
        ends_at=data["ends_at"],
        **_who(request),
    )


def _to_fmea(request: AuthenticatedRequest, action: QualityAction, form: Any) -> None:
    improvements.rate(action=action, rating=form.rating(), **_who(request))


_CHANGES: dict[str, Callable[[AuthenticatedRequest, QualityAction, Any], None]] = {
    ChangeKind.CHECK: _to_check,
    ChangeKind.INSTRUCTION: _to_instruction,
    ChangeKind.SUPPLIER: _to_supplier,
    ChangeKind.MAINTENANCE: _to_machine,
    ChangeKind.FMEA: _to_fmea,
}
_ACTS: dict[str, Act] = {
    "contain": Act(PlaceForm, _contain),
    "count": Act(CountForm, _count, of_row=True),
    "recount": Act(RowForm, _recount),
    "dispose": Act(PartsForm, _dispose),
    "execute": Act(ExecuteForm, _execute, of_row=True),
    "concede": Act(ConcessionForm, _concede, of_row=True),
    "link": Act(LinkForm, _link),
    "begin": Act(LeaderForm, _begin),
    "team": Act(TeamForm, _team),
    "emergency": Act(EmergencyForm, _write),
    "problem": Act(ProblemForm, _problem),
    "why": Act(WhyForm, _why),
    "prevention": Act(PreventionForm, _write),
    "closing": Act(ClosingForm, _write),
    "effect": Act(EffectForm, _write),
    "customer": Act(CustomerForm, _write),
    "complete": Act(None, _complete),
    "reopen": Act(None, _reopen),
    "look": Act(None, _look),
    "share": Act(None, _share),
    "plan": Act(ActionForm, _plan),
    "postpone": Act(PostponeForm, _postpone, of_row=True),
}
_VERIFYING: dict[str, Act] = {
    "count": Act(RowForm, _verify_count),
    "action": Act(RowForm, _verify_action),
    "close-8d": Act(None, _finish_8d),
    "close": Act(None, _close),
}
