"""Where supervisors prepare the floor: terminals, badges, the tiles of reasons."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from common.access import AuthenticatedRequest, requires
from common.errors import Refused, told
from common.models import User
from mes import selectors
from mes.forms import BadgeForm, ReasonForm, TerminalForm
from mes.models import Badge, FloorReason, MachineSource, Terminal
from mes.services import badges, floor_reasons, machine_sources, terminals
from mes.views.terminal import device

HTTP_UNPROCESSABLE = 422
_TEN_YEARS = 10 * 365 * 86_400


@requires("mes.manage_floor")
def terminal_list(request: AuthenticatedRequest) -> HttpResponse:
    """Registered devices, and this one if it is none yet."""
    return _terminals(request, TerminalForm())


def _terminals(
    request: AuthenticatedRequest, form: TerminalForm, *, status: int = 200
) -> HttpResponse:
    rows = Terminal.objects.select_related("site", "work_unit", "registered_by")
    context = {
        "terminals": rows.order_by("-is_active", "name"),
        "sources": MachineSource.objects.select_related("account").order_by("name"),
        "here": device(request),
        "form": form,
    }
    return render(request, "mes/floor/terminal_list.html", context, status=status)


@requires("mes.manage_floor")
@require_POST
def source_free(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Let the name of a source of machine events belong to whoever sends under it next."""
    source = get_object_or_404(MachineSource, pk=pk)
    machine_sources.free(source=source, by=request.user, now=timezone.now())
    return redirect("mes:terminal-list")


@requires("mes.manage_floor")
@require_POST
def terminal_register(request: AuthenticatedRequest) -> HttpResponse:
    """Make the device that asks a terminal. The supervisor is signed out: it stays on the floor."""
    form = TerminalForm(request.POST)
    if not form.is_valid():
        return _terminals(request, form, status=HTTP_UNPROCESSABLE)
    unit = form.cleaned_data["work_unit"]
    try:
        _terminal, token = terminals.register(
            name=form.cleaned_data["name"],
            site_id=form.cleaned_data["site"].pk,
            work_unit_id=unit.pk if unit else None,
            by=request.user,
            now=timezone.now(),
        )
    except terminals.CannotRegister as refused:
        form.add_error("work_unit", str(refused))
        return _terminals(request, form, status=HTTP_UNPROCESSABLE)
    logout(request)
    response = redirect("mes:terminal-sign-in")
    response.set_cookie(
        terminals.COOKIE,
        token,
        max_age=_TEN_YEARS,
        httponly=True,
        samesite="Strict",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@requires("mes.manage_floor")
@require_POST
def terminal_revoke(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    terminal = get_object_or_404(Terminal, pk=pk, is_active=True)
    terminals.revoke(terminal=terminal, by=request.user, now=timezone.now())
    messages.success(request, _("%(name)s is a terminal no longer.") % {"name": terminal.name})
    return redirect("mes:terminal-list")


@requires("mes.manage_floor")
def badge_list(request: AuthenticatedRequest) -> HttpResponse:
    """Everybody who may work at terminals, and what they sign in with."""
    return render(request, "mes/floor/badge_list.html", {"rows": selectors.floor_people()})


@requires("mes.manage_floor")
def badge_edit(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Number, badge and PIN of one person; saving unlocks."""
    person = get_object_or_404(User, pk=pk, is_active=True)
    badge = Badge.objects.filter(person=person).first()
    initial = {"number": badge.number, "is_active": badge.is_active} if badge else {}
    form = BadgeForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            badges.issue(person=person, by=request.user, now=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(person)s can sign in.") % {"person": person})
            return redirect("mes:badge-list")
    context: dict[str, Any] = {"person": person, "badge": badge, "form": form}
    status = HTTP_UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "mes/floor/badge_form.html", context, status=status)


@requires("mes.manage_reasons")
def reason_list(request: AuthenticatedRequest) -> HttpResponse:
    """The tiles of reasons; one form adds, the same form changes the one named by ``?edit=``."""
    edit = request.GET.get("edit", "")
    chosen = FloorReason.objects.filter(pk=int(edit) if edit.isdecimal() else 0).first()
    form = ReasonForm(request.POST or None, instance=chosen)
    if request.method == "POST" and form.is_valid():
        with told(request):
            floor_reasons.save(reason=form.save(commit=False), by=request.user, now=timezone.now())
            messages.success(request, _("The reason is saved."))
        return redirect("mes:reason-list")
    context = {
        "rows": FloorReason.objects.order_by("kind", "position", "code"),
        "form": form,
        "chosen": chosen,
    }
    status = HTTP_UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "mes/floor/reason_list.html", context, status=status)
