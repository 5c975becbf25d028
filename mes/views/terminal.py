"""The terminal at the machine: sign in, the job in hand, what was scanned."""

from collections.abc import Sequence
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from common.access import AuthenticatedRequest, public, requires
from common.errors import Refused, refusal
from common.models import User
from common.permissions import allowed
from masterdata import selectors as masterdata
from masterdata.selectors import UnitInfo
from mes import device_clock, policies, selectors
from mes.enums import OperationState, ReasonKind
from mes.models import Terminal, WorkOrderOperation
from mes.services import badges, consumption, people, scans, terminals
from traceability import selectors as traceability

_BACKEND = "django.contrib.auth.backends.ModelBackend"
HTTP_UNPROCESSABLE = 422


def device(request: HttpRequest) -> Terminal | None:
    """The registered terminal that the request comes from."""
    return terminals.find(request.COOKIES.get(terminals.COOKIE, ""), now=timezone.now())


@public
def home(request: HttpRequest) -> HttpResponse:
    """The job in hand and the next three; whoever is not signed in is led to where that is done.

    Public, because an anonymous tablet is sent to its own sign-in and not to the office's.
    """
    terminal = device(request)
    if not allowed(request.user, "mes.execute_operation"):
        if request.htmx:  # type: ignore[attr-defined]
            # The session ended under a page that looks again by itself.
            return HttpResponseClientRedirect(reverse("mes:terminal"))
        if terminal is None:
            return render(request, "mes/terminal/unregistered.html")
        return redirect("mes:terminal-sign-in")
    assert isinstance(request.user, User)  # noqa: S101 - who is allowed is one of ours
    units = masterdata.active_units(site_id=terminal.site_id if terminal else None)
    unit = _unit(request, terminal, units)
    if unit is None:
        context: dict[str, Any] = {"terminal": terminal, "units": units}
        return _kept(request, terminal, render(request, "mes/terminal/units.html", context))
    if terminal and terminal.work_unit_id is None:
        terminals.move(terminal=terminal, work_unit_id=unit.id, by=request.user, now=timezone.now())
    context = {"terminal": terminal, "unit": unit, "lock_seconds": settings.FLOOR_LOCK_SECONDS}
    context["texts"] = _texts()
    context["sites"] = [terminal.site_id] if terminal else masterdata.site_ids()
    context |= _work(request.user, unit, request.GET.get("job", ""))
    template = "mes/terminal/job.html" + ("#work" if request.htmx else "")  # type: ignore[attr-defined]
    response = _kept(request, terminal, render(request, template, context))
    if "X-By-Itself" not in request.headers:
        response.set_cookie("unit", unit.code, max_age=90 * 86_400, samesite="Lax", httponly=True)
    return response


def _kept(request: HttpRequest, terminal: Terminal | None, response: HttpResponse) -> HttpResponse:
    """Tell the device's service worker that it may keep this page, and of whom it is.

    Only a badge's session on a registered device: it ends where the worker sees it.
    """
    if terminal is not None and request.session.get("limit") == "floor":
        response["X-Floor-Person"] = str(request.user.pk)
    return response


def _texts() -> dict[str, str]:
    """What the page says by itself; %n and %s are filled in there."""
    return {
        "report": _("Report"),
        "good": _("Good"),
        "scrap": _("Scrap"),
        "rework": _("Rework"),
        "waiting": _("%n waiting"),
        "refused": _("%n refused"),
        "stored": _("No network: kept on this device."),
        "sent": _("Booked: %s"),
        "takenBack": _("Taken back."),
        "finished": _("Finished: %s"),
        "again": _("Try again"),
        "drop": _("Discard"),
        "sure": _("Discard for good?"),
        "todo": _("Nothing was booked. Look at the job and report it again."),
        "noNetwork": _("There is no network; a code can be looked up when it is back."),
        "signIn": _("Sign in again to send what waits."),
        "offline": _("Working offline, as of %s"),
        "lockOffline": _("Without network nobody can sign in again. Press once more to lock."),
        "of": _("of %s"),
        "empty": _("Nothing waits."),
        "checked": _("Noted: %s"),
        "outside": _("%s: measure again, or a supervisor decides"),
        "pass": _("Pass"),
        "fail": _("failed"),
        "tooMany": _("There are only %n to report."),
        "sayWhy": _("Choose why."),
    }


def _unit(
    request: HttpRequest, terminal: Terminal | None, units: Sequence[UnitInfo]
) -> UnitInfo | None:
    """What the address says, else where the device stands, else what it showed last."""
    if "choose" in request.GET:
        return None
    codes = [request.GET.get("unit", "")]
    if terminal and terminal.work_unit:
        codes.append(terminal.work_unit.code)
    codes.append(request.COOKIES.get("unit", ""))
    by_code = {unit.code: unit for unit in units}
    return next((by_code[code] for code in codes if code in by_code), None)


def _work(user: User, unit: UnitInfo, chosen: str) -> dict[str, Any]:
    pk = int(chosen) if chosen.isdecimal() and len(chosen) < 18 else None
    work = selectors.unit_work(work_unit_id=unit.id, chosen=pk)
    is_other = pk is not None and (work.job is None or work.job.operation.pk != pk)
    elsewhere = [row for row in selectors.worked_on(user) if row.work_unit_id != unit.id]
    context: dict[str, Any] = {"work": work, "job": work.job, "elsewhere": elsewhere}
    if is_other:
        context["note"] = _(
            "That job is done, or planned at another machine; here is what is next."
        )
    if work.job is None:
        return context
    return context | _job(user, unit, work.job)


def _job(user: User, unit: UnitInfo, job: selectors.Job) -> dict[str, Any]:
    """What the screens of the job in hand show, and which of them comes first."""
    operation = job.operation
    why = _why_not(operation, unit.id)
    is_too_late = not why and bool(why := _too_late(operation))
    phase = "blocked" if why else ("ready" if not job.is_open else job.phase)
    standings = selectors.check_standings(operation)
    if phase == "full" and any(row.is_open for row in standings):
        phase = "checks"
    return {
        "checks": standings,
        "parts": selectors.scan_lines(operation.work_order),
        "takes_serials": selectors.takes_serials(operation),
        "open_checks": sum(row.is_open for row in standings),
        "can_decide": allowed(user, "mes.decide_check"),
        "can_overrule": is_too_late and allowed(user, "mes.overrule_wait"),
        "figures": {
            "left": policies.plain(job.left),
            "good": policies.plain(operation.good),
            "scrap": policies.plain(operation.scrap),
            "rework": policies.plain(operation.rework),
        },
        "pad_kinds": [("good", _("Good")), ("scrap", _("Scrap")), ("rework", _("Rework"))],
        "why": why,
        "phase": phase,
        "states": _states(operation),
        "is_here": any(person.pk == user.pk for person in job.people),
        "can_undo": job.last_report is not None and allowed(user, "mes.undo_report"),
        "reasons": selectors.reasons(*ReasonKind),
        "api": reverse("api-work-order", args=[operation.work_order.number])
        + f"operations/{operation.sequence}/",
    } | (_once_free(operation, unit.id) if why else {})


def _why_not(operation: WorkOrderOperation, unit_id: int, *, if_free: bool = False) -> str:
    """Why it cannot start or go on here, empty where it can."""
    if operation.state in (OperationState.WAITING, OperationState.READY):
        return refusal(policies.check_can_start, operation, unit_id, if_free=if_free)
    if operation.state == OperationState.INTERRUPTED:
        return refusal(policies.check_can_resume, operation, unit_id, if_free=if_free)
    return ""


def _too_late(operation: WorkOrderOperation) -> str:
    """That it had to start by now, where only a supervisor can still let it; else empty."""
    if operation.state not in (OperationState.WAITING, OperationState.READY):
        return ""
    return refusal(policies.check_longest_wait, operation, timezone.now())


def _once_free(operation: WorkOrderOperation, unit_id: int) -> dict[str, Any]:
    """What the work unit is busy with and what could be done without that: a device that has
    finished the other job without network knows more than the server."""
    busy = selectors.running_on(unit_id)
    if busy is None or busy.pk == operation.pk or _why_not(operation, unit_id, if_free=True):
        return {}
    is_open = operation.state == OperationState.INTERRUPTED
    return {"busy": busy, "free_phase": "interrupted" if is_open else "ready"}


def _states(operation: WorkOrderOperation) -> list[tuple[str, str, str]]:
    """The state as each phase of the page shows it: what was done here shows at once."""
    state = OperationState
    shown = {
        state.READY: "ready",
        state.SETUP: "setup",
        state.RUNNING: "running rework full checks",
        state.INTERRUPTED: "interrupted",
        state.DONE: "done",
    }
    rows = [(str(one), str(one.label), when) for one, when in shown.items()]
    real = state(operation.state)
    return [*rows, (str(real), str(real.label), "blocked")]


@public
def sign_in(request: HttpRequest) -> HttpResponse:
    """By a scanned badge, or number and PIN; only on a registered device."""
    terminal = device(request)
    if terminal is None:
        status = HTTP_UNPROCESSABLE if request.method == "POST" else 200
        return render(request, "mes/terminal/unregistered.html", status=status)
    error = ""
    if request.method == "POST":
        try:
            person = badges.sign_in(
                terminal=terminal,
                code=request.POST.get("code", ""),
                number=request.POST.get("number", ""),
                pin=request.POST.get("pin", ""),
                now=timezone.now(),
            )
        except badges.CannotSignIn as refused:
            error = str(refused)
        else:
            return _enter(request, person, terminal)
    context = {
        "terminal": terminal,
        "error": error,
        "number": request.POST.get("number", "")[:12],
        "people": selectors.recent_people(terminal, now=timezone.now()),
    }
    status = HTTP_UNPROCESSABLE if error else 200
    return render(request, "mes/terminal/sign_in.html", context, status=status)


def _enter(request: HttpRequest, person: User, terminal: Terminal) -> HttpResponseRedirect:
    """A session with the rights of the floor, whatever else the person may do elsewhere."""
    if request.user.is_authenticated:
        logout(request)
    login(request, person, backend=_BACKEND)
    request.session["limit"] = "floor"
    request.session[terminals.SESSION_KEY] = terminal.pk
    request.session["limit_seen"] = timezone.now().timestamp()
    # The page locks by itself; this is for a page that was closed.
    request.session["limit_seconds"] = settings.FLOOR_LOCK_SECONDS + 60
    unit = request.GET.get("unit", "")
    query = "?" + urlencode({"unit": unit}) if unit else ""
    return HttpResponseRedirect(reverse("mes:terminal") + query)


@public
@require_POST
def lock(request: HttpRequest) -> HttpResponse:
    """Sign out and wait for the next; what runs goes on."""
    if request.user.is_authenticated:
        logout(request)
    return redirect("mes:terminal")


@requires("mes.execute_operation")
@require_POST
def go_home(request: AuthenticatedRequest) -> HttpResponse:
    """End of shift: leave whatever one works on, then sign out.

    A device that was without network says how long ago that was.
    """
    now = device_clock.happened_at(request.headers, now=timezone.now())
    people.go_home(by=request.user, now=now)
    return lock(request)


@requires("mes.execute_operation")
@require_POST
def scan(request: AuthenticatedRequest) -> HttpResponse:
    """What a scanned code means here: another person, a job, a part; or why it is refused."""
    terminal = device(request)
    code = request.POST.get("code", "").strip()[:300]
    badge = badges.find(code) if terminal and badges.may_switch(request.user) else None
    if terminal and badge:
        try:
            person = badges.sign_in(terminal=terminal, code=code, now=timezone.now())
        except badges.CannotSignIn as refused:
            return JsonResponse({"refused": str(refused), "todo": ""})
        if person.pk != request.user.pk:
            _enter(request, person, terminal)
        return JsonResponse({"go": reverse("mes:terminal")})
    pk = request.POST.get("operation", "")
    operation = WorkOrderOperation.objects.select_related("work_order__item").filter(
        pk=int(pk) if pk.isdecimal() and len(pk) < 18 else 0
    )
    job = operation.first()
    found = scans.read(code, at=job)
    if found.operation_id is None and job is not None and not code.startswith(f"{scans.PREFIX}:"):
        return _scanned_part(request, job, code)
    if found.operation_id is None:
        badges.note_unknown(request.user)
    if found.operation_id is not None:
        facts = {"job": str(found.operation_id), "unit": str(request.POST.get("unit", ""))}
        query = urlencode(facts)
        return JsonResponse({"go": f"{reverse('mes:terminal')}?{query}"})
    return JsonResponse({"refused": found.refusal, "todo": found.todo})


def _scanned_part(
    request: AuthenticatedRequest, job: WorkOrderOperation, code: str
) -> HttpResponse:
    """A component's lot or piece; else the serial number of the piece that was just made."""
    try:
        said = consumption.scan(operation=job, code=code, by=request.user, now=timezone.now())
    except consumption.CannotScan as refused:
        if not refused.is_known:
            badges.note_unknown(request.user)
        if selectors.takes_serials(job) and not refused.is_known:
            return JsonResponse({"serial": traceability.number_of(code)})
        return JsonResponse({"refused": str(refused), "todo": refused.todo})
    except Refused as refused:
        todo = _("Put it aside, take another one and tell your supervisor.")
        return JsonResponse({"refused": str(refused), "todo": todo})
    return JsonResponse({"said": said})


# The reader of codes is compiled code; no other page may run any.
@csp_update({"script-src": ["'wasm-unsafe-eval'"]})  # type: ignore[arg-type]
@requires("mes.execute_operation")
def camera(request: AuthenticatedRequest) -> HttpResponse:
    """Scan with the device's camera; each code is read as one from a scanner."""
    operation = request.GET.get("operation", "")
    context = {
        "terminal": device(request),
        "operation": operation if operation.isdecimal() else "",
        "unit": request.GET.get("unit", "")[:40],
        "texts": {
            "none": _("This device lets no page use its camera. Type the code instead."),
            "noNetwork": _("There is no network; a code can be looked up when it is back."),
        },
    }
    return render(request, "mes/terminal/camera.html", context)
