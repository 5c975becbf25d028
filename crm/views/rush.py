"""Rush requests: asked for on a line, followed while simulated, read, and decided."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aps import selectors as aps
from aps.enums import RunState
from common import audit, idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import Refused, refusal, told
from common.permissions import allowed
from crm import policies, selectors
from crm.enums import RushState
from crm.forms import ReasonForm, RushFilter, RushForm
from crm.models import RushRequest, SalesOrderLine
from crm.services import rush
from crm.views import rush_words
from crm.views.returning import next_or

PAGE_SIZE = 25
# What waits for somebody: planning to decide, sales to say whether it is asked for.
TO_DECIDE = (RushState.PENDING, RushState.DRAFT, RushState.ASSESSED, RushState.STALE)


@requires("crm.view_order")
@require_safe
def rush_list(request: HttpRequest) -> HttpResponse:
    """The queue: what waits for a decision, or what the URL asks for."""
    form = RushFilter(request.GET)
    state = request.GET.get("state", "")
    page = Paginator(_narrowed(selectors.rushes(), state), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    can_decide = allowed(request.user, "crm.decide_rush")
    states = {found.state for found in page}
    context = {
        "filter": form,
        "rows": [rush_words.row(found) for found in page],
        "page": page,
        "state": state,
        "can_decide": can_decide,
        # A list that looks again would close the dialog in which a reason is being typed.
        "is_active": RushState.DRAFT in states and not (can_decide and RushState.PENDING in states),
    }
    template = "crm/rush_list.html" + ("#rows" if _is_part(request) else "")
    return render(request, template, context)


def _narrowed(found: QuerySet[RushRequest], state: str) -> QuerySet[RushRequest]:
    if state in RushState.values:
        return found.filter(state=state)
    return found if state == "all" else found.filter(state__in=TO_DECIDE)


@requires("crm.view_order")
@require_safe
def rush_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One request: its simulation while it runs, then what it would mean, and the decision."""
    found = get_object_or_404(selectors.rushes().select_related("run"), number=number)
    is_active = found.state == RushState.DRAFT
    context = {
        "rush": found,
        "answer": rush_words.answer(found),
        "is_active": is_active,
        "is_kept": _is_kept(found),
        "percent": _percent(found),
        "rights": {
            "decide": allowed(request.user, "crm.decide_rush"),
            "ask": allowed(request.user, "crm.request_rush"),
            "plan": allowed(request.user, "aps.view_schedule"),
            "try": allowed(request.user, "aps.plan"),
        },
        "refusals": {
            "approve": refusal(policies.check_can_approve_rush, found),
            "reject": refusal(policies.check_can_reject_rush, found),
            "withdraw": refusal(policies.check_can_withdraw_rush, found),
            "submit": refusal(policies.check_can_submit_rush, found),
        },
        "live": aps.current_run(found.line.order.site_id),
        "history": rush_words.history(audit.history(found)[:20]),
    }
    template = "crm/rush_detail.html" + ("#facts" if _is_part(request) else "")
    response = render(request, template, context)
    if _is_part(request) and not is_active:
        # The buttons above are other ones now.
        response["HX-Refresh"] = "true"
    return response


def _is_kept(found: RushRequest) -> bool:
    """Whether its day is promised and in the plan while nothing is decided yet."""
    days = (found.line.promised_date, found.line.projected_date)
    is_kept = all(day is not None and day <= found.wanted_date for day in days)
    return is_kept and found.state in RushState.undecided()


def _percent(found: RushRequest) -> int:
    """How far the simulation is; the run of the one before it says nothing."""
    run = found.run
    if run is None or run.state not in (RunState.QUEUED, RunState.SOLVING):
        return 0
    return int(run.progress.get("percent", 0))


@requires("crm.request_rush")
@require_http_methods(["GET", "HEAD", "POST"])
def rush_create(request: AuthenticatedRequest, number: str, position: int) -> HttpResponse:
    """Ask for a line to come earlier; ``look`` only simulates, nobody has to decide yet."""
    lines = SalesOrderLine.objects.select_related("order__customer", "item")
    line = get_object_or_404(lines, order__number=number, position=position)
    form = RushForm(request.POST or None, initial={"wanted_date": _wish(line)})
    if request.method == "POST" and form.is_valid():
        try:
            return HttpResponseRedirect(_ask_once(request, line, form))
        except Refused as refused:
            form.add_error(None, str(refused))
    under_way = line.rushes.filter(state__in=RushState.open()).first()
    return render(
        request,
        "crm/rush_form.html",
        {"line": line, "order": line.order, "form": form, "under_way": under_way},
        status=422 if request.method == "POST" else 200,
    )


def _wish(line: SalesOrderLine) -> date | None:
    """The customer's day where the plan misses it; else somebody has to say which."""
    projected = line.projected_date
    return line.requested_date if projected is None or projected > line.requested_date else None


def _ask_once(request: AuthenticatedRequest, line: SalesOrderLine, form: RushForm) -> str:
    """Ask, once however often the form is sent; the page of the request."""
    now = timezone.now()

    def effect() -> str:
        return rush.request(
            line=line,
            wanted_date=form.cleaned_data["wanted_date"],
            reason=form.cleaned_data["reason"],
            by=request.user,
            now=now,
            wants_decision=request.POST.get("action") != "look",
        ).number

    return _page(
        idempotency.once(
            user=request.user,
            key=form.cleaned_data["idempotency_key"],
            fingerprint=idempotency.fingerprint(line.pk, request.POST),
            now=now,
            effect=effect,
        )
    )


@requires("crm.request_rush")
@require_POST
def rush_submit(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Ask planning to decide on what was only looked at."""
    return _decide(request, number, rush.submit, _("Planning is asked to decide."))


@requires("crm.decide_rush")
@require_POST
def rush_approve(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Put the simulated plan in force; a stale one is simulated anew and its page says so."""
    return _decide(request, number, rush.approve, _("The rush is approved."))


@requires("crm.decide_rush")
@require_POST
def rush_reject(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Decline, with the reason."""
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    return _decide(request, number, rush.reject, _("The rush is rejected."), reason=reason)


@requires("crm.request_rush")
@require_POST
def rush_withdraw(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Take the request back."""
    return _decide(request, number, rush.cancel, _("The rush is withdrawn."))


def _decide(
    request: AuthenticatedRequest,
    number: str,
    step: Callable[..., RushRequest],
    done: str,
    **facts: Any,
) -> HttpResponse:
    found = get_object_or_404(RushRequest, number=number)
    with told(request):
        step(rush=found, by=request.user, now=timezone.now(), **facts)
        messages.success(request, f"{found.number}: {done}")
    return HttpResponseRedirect(next_or(request, _page(found.number)))


def _page(number: str) -> str:
    return reverse("crm:rush-detail", kwargs={"number": number})


def _is_part(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]
