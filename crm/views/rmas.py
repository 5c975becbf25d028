"""Returns: the list, one return, and its steps."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common import audit
from common.access import AuthenticatedRequest, requires
from common.errors import told
from common.permissions import allowed
from crm import selectors_products as products
from crm import selectors_tickets as selectors
from crm.enums import RmaDisposition, RmaFinding, RmaState
from crm.forms import ReasonForm
from crm.forms_tickets import EvaluationForm
from crm.models import Rma, Ticket
from crm.services import rmas
from crm.views import history
from traceability.selectors import LONGEST_CODE

PAGE_SIZE = 25


@requires("crm.view_ticket")
@require_safe
def rma_list(request: HttpRequest) -> HttpResponse:
    """What is to come, is here, or was settled."""
    chosen = request.GET.get("state", "open")
    is_open = chosen != "over"
    found = selectors.rmas()
    states = RmaState.open()
    found = found.filter(state__in=states) if is_open else found.exclude(state__in=states)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    numbers = products.numbers([rma.thing for rma in page.object_list])
    rows = [{"rma": rma, "number": numbers.get(rma.thing, "")} for rma in page.object_list]
    return render(
        request,
        "crm/ticket/rma_list.html",
        {"page": page, "rows": rows, "is_open": is_open},
    )


@requires("crm.view_ticket")
@require_safe
def rma_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One return: where it stands, what was found, what the customer gets, and what is next."""
    rma = get_object_or_404(selectors.rmas(), number=number)
    found = products.products([rma.thing, *([rma.replacement] if rma.replacement else [])])
    context = {
        "rma": rma,
        "ticket": rma.ticket,
        "product": found.get(rma.thing),
        "replacement": found.get(rma.replacement or 0),
        "rights": {
            "decide": allowed(request.user, "crm.decide_return"),
            "handle": allowed(request.user, "crm.handle_return"),
        },
        "evaluation_form": EvaluationForm(),
        "steps": _steps(rma),
        "history": history.told(audit.history(rma)[:30]),
    }
    return render(request, "crm/ticket/rma_detail.html", context)


def _steps(rma: Rma) -> list[dict[str, str]]:
    """The way of a return as the stepper shows it."""
    way = [RmaState.REQUESTED, RmaState.AUTHORISED, RmaState.RECEIVED, RmaState.EVALUATED]
    if rma.disposition == RmaDisposition.REPAIR:
        way.append(RmaState.IN_REPAIR)
    way.append(RmaState.CLOSED)
    if rma.state == RmaState.CANCELLED:
        return [{"label": str(RmaState.CANCELLED.label), "state": "problem"}]
    at = way.index(RmaState(rma.state))
    last = len(way) - 1
    return [
        {
            "label": str(step.label),
            "state": "done"
            if place < at or at == last
            else "current"
            if place == at
            else "upcoming",
        }
        for place, step in enumerate(way)
    ]


@requires("crm.decide_return")
@require_POST
def rma_request(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Ask for the ticket's product back."""
    ticket = get_object_or_404(Ticket, number=number)
    url = reverse("crm:ticket", args=[number])
    with told(request):
        made = rmas.request(
            ticket=ticket, reason=_reason(request), by=request.user, now=timezone.now()
        )
        url = reverse("crm:rma", args=[made.number])
    return HttpResponseRedirect(url)


def _reason(request: HttpRequest) -> str:
    form = ReasonForm(request.POST)
    return str(form.cleaned_data["reason"]) if form.is_valid() else ""


def _nothing(rma: Rma, request: HttpRequest) -> dict[str, Any]:
    return {}


def _evaluate(rma: Rma, request: HttpRequest) -> dict[str, Any]:
    form = EvaluationForm(request.POST)
    if not form.is_valid():
        raise rmas.CannotReturn(_("Say what was found, and what the customer gets."))
    data = form.cleaned_data
    return {
        "evaluation": rmas.Evaluation(
            RmaFinding(data["finding"]), data["note"], RmaDisposition(data["disposition"])
        )
    }


def _task(rma: Rma, request: HttpRequest) -> dict[str, Any]:
    return {"task": request.POST.get("task", "")[:500]}


def _part(rma: Rma, request: HttpRequest) -> dict[str, Any]:
    return {name: request.POST.get(name, "")[:LONGEST_CODE] for name in ("removed", "installed")}


def _closing(rma: Rma, request: HttpRequest) -> dict[str, Any]:
    return {
        "note": request.POST.get("note", "")[:300],
        "replacement": request.POST.get("replacement", "")[:LONGEST_CODE],
    }


def _cancelling(rma: Rma, request: HttpRequest) -> dict[str, Any]:
    return {"reason": _reason(request)}


_Step = tuple[Callable[..., Any], Callable[[Rma, HttpRequest], dict[str, Any]]]
DECIDED: dict[str, _Step] = {
    "authorise": (rmas.authorise, _nothing),
    "close": (rmas.close, _closing),
    "cancel": (rmas.cancel, _cancelling),
}
HANDLED: dict[str, _Step] = {
    "receive": (rmas.receive, _nothing),
    "evaluate": (rmas.evaluate, _evaluate),
    "repair": (rmas.start_repair, _task),
    "part": (rmas.replace_part, _part),
}


@requires("crm.decide_return")
@require_POST
def rma_decide(request: AuthenticatedRequest, number: str, step: str) -> HttpResponse:
    """authorise, close, cancel."""
    return _do(request, number, DECIDED, step)


@requires("crm.handle_return")
@require_POST
def rma_handle(request: AuthenticatedRequest, number: str, step: str) -> HttpResponse:
    """receive, evaluate, repair, part."""
    return _do(request, number, HANDLED, step)


def _do(
    request: AuthenticatedRequest, number: str, table: dict[str, _Step], step: str
) -> HttpResponse:
    rma = get_object_or_404(Rma, number=number)
    if step not in table:
        raise Http404
    act, read = table[step]
    with told(request):
        act(rma=rma, by=request.user, now=timezone.now(), **read(rma, request))
        messages.success(request, _("Return %(rma)s: done.") % {"rma": rma.number})
    return HttpResponseRedirect(reverse("crm:rma", args=[number]))
