"""The board of alarms, and the buttons that a terminal includes for its work unit."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.live import answer_if_changed
from common.permissions import allowed
from masterdata import selectors as masterdata
from mes import selectors
from mes.andon_forms import SPANS, CallForm, DownForm
from mes.enums import AndonKind
from mes.models import AndonCall, Incident
from mes.services import andon, breakdowns, reasons


@requires("mes.view_andon")
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """All calls that wait or are worked on; ``?kiosk=1`` fills a big screen."""
    context = {
        "calls": list(selectors.open_calls()),
        "sites": masterdata.site_ids(),
        "is_kiosk": request.GET.get("kiosk") == "1",
        "can_answer": allowed(request.user, "mes.answer_andon"),
        "can_rule": allowed(request.user, "mes.manage_andon"),
        **_down_context(request),
    }
    template = "mes/andon_board.html" + ("#calls" if _is_part(request) else "")
    return answer_if_changed(request, render(request, template, context))


@requires("mes.view_andon")
@require_safe
def buttons(request: HttpRequest) -> HttpResponse:
    """The buttons of one work unit as a fragment: ``?unit=MILL-01``, ``&next=/floor/``."""
    return answer_if_changed(request, _buttons(request, request.GET.get("unit", "")))


@requires("mes.raise_andon")
@require_POST
def call_raise(request: AuthenticatedRequest) -> HttpResponse:
    """One tap: call for material, quality or help, or say that the machine is down."""
    form = CallForm(request.POST)
    if not form.is_valid():
        return _refused(request, _("Choose a work unit first."))
    data = form.cleaned_data
    unit = masterdata.work_unit_by_code(data["unit"])
    if unit is None:
        return _refused(request, _("Choose a work unit first."))
    kind = AndonKind(data["kind"])
    facts: dict[str, Any] = {"work_unit_id": unit.pk, "note": data["note"]}
    if kind is AndonKind.MACHINE_DOWN:
        if not allowed(request.user, "mes.report_breakdown"):
            return _act(request, lambda **k: andon.raise_call(kind=kind, **facts, **k))
        return _act(request, lambda **k: breakdowns.report(estimated_ends_at=None, **facts, **k))
    return _act(request, lambda **k: andon.raise_call(kind=kind, **facts, **k))


@requires("mes.answer_andon")
@require_POST
def call_acknowledge(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    call = get_object_or_404(AndonCall, pk=pk)
    return _act(request, lambda **k: andon.acknowledge(call=call, **k))


@requires("mes.answer_andon")
@require_POST
def call_resolve(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    call = get_object_or_404(AndonCall, pk=pk)
    return _act(request, lambda **k: andon.resolve(call=call, **k))


@requires("mes.report_breakdown")
@require_POST
def down(request: AuthenticatedRequest) -> HttpResponse:
    """The machine stands, until a moment where one is said, and why where that is known."""
    unit = masterdata.work_unit_by_code(request.POST.get("unit", ""))
    form = DownForm(request.POST)
    if unit is None or not form.is_valid():
        return _refused(request, _("Choose a work unit, and a time that is still to come."))
    return _act(
        request,
        lambda now, by: breakdowns.report(
            work_unit_id=unit.pk,
            estimated_ends_at=form.moment(now),
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["note"],
            by=by,
            now=now,
        ),
    )


@requires("mes.report_breakdown")
@require_POST
def incident_estimate(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Until when it stands, as known now."""
    incident = get_object_or_404(Incident, number=number)
    form = DownForm(request.POST)
    now = timezone.now()
    until = form.moment(now) if form.is_valid() else None
    if until is None:
        return _refused(request, _("Say until when, in a time that is still to come."))
    return _act(
        request,
        lambda now, by: breakdowns.estimate(
            incident=incident,
            estimated_ends_at=until,
            reason=form.cleaned_data["reason"],
            by=by,
            now=now,
        ),
    )


@requires("mes.report_breakdown")
@require_POST
def incident_recover(request: AuthenticatedRequest, number: str) -> HttpResponse:
    incident = get_object_or_404(Incident, number=number)
    return _act(request, lambda **k: breakdowns.recover(incident=incident, **k))


def _act(request: AuthenticatedRequest, act: Callable[..., object]) -> HttpResponse:
    """Do it, or say why not; then the page it came from, or the buttons anew for htmx."""
    try:
        act(by=request.user, now=timezone.now())
    except Refused as refused:
        return _refused(request, str(refused))
    return _answer(request)


def _refused(request: AuthenticatedRequest, sentence: str) -> HttpResponse:
    if _is_part(request):
        return _answer(request, sentence)
    messages.error(request, sentence)
    return _answer(request)


def _answer(request: AuthenticatedRequest, sentence: str = "") -> HttpResponse:
    unit = request.POST.get("unit", "")
    if _is_part(request):
        return _buttons(request, unit, sentence)
    url = request.POST.get("next", "")
    hosts = {request.get_host()}
    if not url_has_allowed_host_and_scheme(url, hosts, require_https=request.is_secure()):
        url = reverse("andon:board")
    return HttpResponseRedirect(url)


def _buttons(request: HttpRequest, code: str, sentence: str = "") -> HttpResponse:
    unit = masterdata.work_unit_by_code(code)
    if unit is None:
        raise Http404
    calls = list(selectors.open_calls().filter(work_unit=unit))
    standing = next((row for call in calls for row in call.incident.standing), None)  # type: ignore[attr-defined]
    waiting = {call.kind for call in calls}
    context = {
        "unit": unit,
        "calls": calls,
        "standing": standing,
        "sentence": sentence,
        "kinds": [(kind, ICONS[kind]) for kind in AndonKind if kind.value not in waiting],
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "can_raise": allowed(request.user, "mes.raise_andon"),
        "site_id": masterdata.work_unit(unit.pk).work_center.site_id,
        **_down_context(request),
    }
    return render(request, "mes/_andon_buttons.html", context)


ICONS = {
    AndonKind.MACHINE_DOWN: "tool",
    AndonKind.MATERIAL: "package-off",
    AndonKind.QUALITY: "ruler-measure",
    AndonKind.HELP: "hand-stop",
}


def _down_context(request: HttpRequest) -> dict[str, object]:
    return {
        "can_report": allowed(request.user, "mes.report_breakdown"),
        "branches": reasons.tree(),
        "spans": SPANS,
    }


def _is_part(request: HttpRequest) -> bool:
    with suppress(AttributeError):
        return bool(request.htmx)  # type: ignore[attr-defined]
    return False
