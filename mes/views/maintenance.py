"""Maintenance orders: the list, a new one, and one with its parts and time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from common import audit, idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import Refused, told
from common.permissions import allowed
from masterdata import selectors as masterdata
from mes import maintenance_forms as typed
from mes import selectors
from mes.enums import MaintenanceKind, MaintenanceState
from mes.models import MaintenanceOrder
from mes.services import maintenance

PAGE_SIZE = 50


@requires("mes.view_maintenance")
@require_safe
def maintenance_list(request: HttpRequest) -> HttpResponse:
    """Maintenance orders, narrowed by the URL; at first all that are open."""
    given = request.GET.copy()
    given.setdefault("state", "all_open")
    form = typed.MaintenanceFilter(given)
    data = form.cleaned_data if form.is_valid() else {}
    found = selectors.maintenance_orders(text=data.get("q", ""), state=data.get("state", ""))
    context = {
        "filter": form,
        "narrowed": bool(data.get("q") or data.get("state") != "all_open"),
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "can_plan": allowed(request.user, "mes.plan_maintenance"),
        "now": timezone.now(),
    }
    template = "mes/maintenance/list.html" + ("#rows" if "HX-Request" in request.headers else "")
    return render(request, template, context)


@requires("mes.plan_maintenance")
def maintenance_new(request: AuthenticatedRequest) -> HttpResponse:
    """Order maintenance; the address may say the work unit."""
    start = timezone.localtime().replace(minute=0, second=0, microsecond=0)
    begin = start + timedelta(hours=1)
    initial = {"starts_at": begin, "ends_at": begin + timedelta(hours=2)}
    form = typed.OrderForm(request.POST or None, initial=initial | _unit(request))
    if request.method == "POST" and form.is_valid():
        try:
            return HttpResponseRedirect(
                _once(request, "order", form, lambda: _ordered(request, form))
            )
        except (Refused, idempotency.KeyReused) as refused:
            form.add_error(None, str(refused))
    status = 422 if request.method == "POST" else 200
    return render(request, "mes/maintenance/new.html", {"form": form}, status=status)


def _unit(request: HttpRequest) -> dict[str, Any]:
    found = masterdata.work_unit_by_code(request.GET.get("unit", ""))
    return {"unit": str(found.pk)} if found else {}


def _once(
    request: AuthenticatedRequest, what: str, form: forms.Form, effect: Callable[[], str]
) -> str:
    """Do it once, however often the same form is sent; the address to go to."""
    said = sorted((name, str(value)) for name, value in form.data.items())
    return idempotency.once(
        user=request.user,
        key=form.cleaned_data["idempotency_key"],
        fingerprint=idempotency.fingerprint(what, said),
        now=timezone.now(),
        effect=effect,
    )


def _ordered(request: AuthenticatedRequest, form: forms.Form) -> str:
    data = form.cleaned_data
    new = maintenance.NewOrder(
        work_unit_id=int(data["unit"]),
        kind=MaintenanceKind(data["kind"]),
        title=data["title"],
        task=data["task"],
        starts_at=data["starts_at"],
        ends_at=data["ends_at"],
        owner=data["owner"],
    )

    made = maintenance.create(new=new, by=request.user, now=timezone.now())
    return reverse("mes:maintenance", args=[made.number])


@requires("mes.view_maintenance")
@require_safe
def maintenance_detail(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """One: the machine, its span, the parts, the time, and what was done."""
    return _page(request, _found(number))


@dataclass(frozen=True, slots=True)
class Act:
    """A button of the page: what it reads and what it does."""

    form: type[forms.Form] | None
    run: Callable[[MaintenanceOrder, dict[str, Any], dict[str, Any]], object]


def _add_part(row: MaintenanceOrder, said: dict[str, Any], who: dict[str, Any]) -> None:
    part = maintenance.NewPart(said["item"].pk, said["quantity"])
    maintenance.add_part(order=row, part=part, **who)


def _issue(row: MaintenanceOrder, said: dict[str, Any], who: dict[str, Any]) -> None:
    part = get_object_or_404(row.parts.select_related("order"), pk=said["row"])
    maintenance.issue_part(part=part, quantity=said["quantity"], **who)


_PLAN: dict[str, Act] = {
    "assign": Act(
        typed.OwnerForm,
        lambda row, said, who: maintenance.assign(order=row, owner=said["owner"], **who),
    ),
    "move": Act(typed.SpanForm, lambda row, said, who: maintenance.move(order=row, **said, **who)),
    "cancel": Act(
        typed.WhyForm, lambda row, said, who: maintenance.cancel(order=row, **said, **who)
    ),
}
_DO: dict[str, Act] = {
    "part": Act(typed.PartForm, _add_part),
    "start": Act(None, lambda row, said, who: maintenance.start(order=row, **who)),
    "issue": Act(typed.IssueForm, _issue),
    "time": Act(
        typed.TimeForm, lambda row, said, who: maintenance.book_time(order=row, **said, **who)
    ),
    "complete": Act(
        typed.DoneForm, lambda row, said, who: maintenance.complete(order=row, **said, **who)
    ),
}


@requires("mes.plan_maintenance")
@require_POST
def plan(request: AuthenticatedRequest, number: str, act: str) -> HttpResponse:
    """assign, move, cancel."""
    return _run(request, number, act, _PLAN)


@requires("mes.do_maintenance")
@require_POST
def do(request: AuthenticatedRequest, number: str, act: str) -> HttpResponse:
    """part, start, issue, time, complete."""
    return _run(request, number, act, _DO)


def _run(
    request: AuthenticatedRequest, number: str, name: str, table: dict[str, Act]
) -> HttpResponse:
    """Do it; what was typed wrongly comes back in its dialog, a refusal as a message."""
    row = _found(number)
    if name not in table:
        raise Http404
    act, who = table[name], {"by": request.user, "now": timezone.now()}
    form = act.form(request.POST, auto_id=f"id_{name}_%s") if act.form else None
    if form is not None and not form.is_valid():
        dialog = f"issue-{request.POST.get('row', '')}" if name == "issue" else name
        return _page(request, row, {dialog: form}, status=422)
    url = reverse("mes:maintenance", args=[row.number])

    def effect() -> str:
        said = dict(form.cleaned_data) if form else {}
        said.pop("idempotency_key", None)
        act.run(row, said, who)
        return url

    with told(request):
        if form is not None and "idempotency_key" in form.fields:
            _once(request, f"{number}/{name}", form, effect)
        else:
            effect()
    return HttpResponseRedirect(url)


def _found(number: str) -> MaintenanceOrder:
    row = selectors.maintenance_order(number)
    if row is None:
        raise Http404
    return row


def _page(
    request: AuthenticatedRequest,
    row: MaintenanceOrder,
    bound: dict[str, forms.Form] | None = None,
    status: int = 200,
) -> HttpResponse:
    lines = selectors.maintenance_parts(row)
    made = _forms(request, row, lines) | (bound or {})
    parts = [
        {"line": line, "dialog": f"issue-{line.part.pk}", "form": made.get(f"issue-{line.part.pk}")}
        for line in lines
    ]
    can_see_cost = allowed(request.user, "erp.view_cost")
    context = {
        "order": row,
        "parts": parts,
        "times": row.times.select_related("person"),
        "cost": selectors.maintenance_cost(row) if can_see_cost else None,
        "currency": row.work_unit.work_center.site.currency,
        "forms": made,
        "dialogs": [_dialog(row, name, form) for name, form in made.items()],
        "can_start": allowed(request.user, "mes.do_maintenance")
        and row.state in (MaintenanceState.OPEN, MaintenanceState.ASSIGNED),
        "is_late": row.is_open and row.ends_at < timezone.now(),
        "history": audit.history(row)[:30],
    }
    return render(request, "mes/maintenance/detail.html", context, status=status)


_TITLES = {
    "assign": (_("Who does it?"), _("Give to")),
    "move": (_("Another time"), _("Save")),
    "cancel": (_("Call the maintenance off?"), _("Call off")),
    "part": (_("Add a part"), _("Add")),
    "issue": (_("Take it out of the store"), _("Issue")),
    "time": (_("Book time"), _("Book")),
    "complete": (_("What was done?"), _("Complete")),
}


def _dialog(row: MaintenanceOrder, name: str, form: forms.Form) -> dict[str, Any]:
    act = name.partition("-")[0]
    title, submit = _TITLES[act]
    page = "mes:maintenance-plan" if act in _PLAN else "mes:maintenance-do"
    url = reverse(page, args=[row.number, act])
    return {"name": name, "form": form, "title": title, "submit": submit, "url": url}


def _forms(
    request: AuthenticatedRequest, row: MaintenanceOrder, parts: list[selectors.PartLine]
) -> dict[str, forms.Form]:
    """The dialogs that this reader may open now, by name."""
    made: dict[str, forms.Form] = {}
    if not row.is_open:
        return made
    at_work = row.state == MaintenanceState.IN_PROGRESS
    if allowed(request.user, "mes.plan_maintenance"):
        span = {"starts_at": row.starts_at, "ends_at": row.ends_at}
        made["move"] = typed.SpanForm(initial=span, auto_id="id_move_%s")
        if not at_work:
            made["assign"] = typed.OwnerForm(
                initial={"owner": row.owner_id}, auto_id="id_assign_%s"
            )
            made["cancel"] = typed.WhyForm(auto_id="id_cancel_%s")
    if allowed(request.user, "mes.do_maintenance"):
        made["part"] = typed.PartForm(auto_id="id_part_%s")
        if at_work:
            made["time"] = typed.TimeForm(initial={"person": request.user.pk}, auto_id="id_time_%s")
            made["complete"] = typed.DoneForm(auto_id="id_complete_%s")
            for line in parts:
                if line.open > 0:
                    made[f"issue-{line.part.pk}"] = typed.IssueForm(
                        initial={"row": line.part.pk, "quantity": line.open.normalize()},
                        auto_id=f"id_issue_{line.part.pk}_%s",
                    )
    return made
