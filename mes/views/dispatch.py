"""The plain dispatch list: what a work unit does next, and start, report, finish.

Its checks are answered by ``mes.views.checks``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from common import idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import told
from common.live import answer_if_changed
from common.permissions import allowed
from masterdata import selectors as masterdata
from mes import policies, selectors
from mes.enums import OperationState
from mes.forms import ReportForm
from mes.models import WorkOrderOperation
from mes.services import execution

# So many of the next operations say what they wait for; each takes a few queries.
EXPLAINED = 6


@dataclass(frozen=True)
class Card:
    """One operation of the list, and why it cannot be started yet."""

    operation: WorkOrderOperation
    open_quantity: Decimal
    is_startable: bool
    why: str = ""
    # Nothing but its longest wait is in the way.
    is_too_late: bool = False
    # Of what was started here.
    checks: Sequence[selectors.CheckStanding] = ()

    @property
    def open_checks(self) -> int:
        """How many keep it from being finished."""
        return sum(row.is_open for row in self.checks)

    @property
    def key(self) -> str:
        """A key of its own for the form of each card, each time it is shown."""
        return idempotency.new_key()


@requires("mes.view_dispatch")
def dispatch_list(request: HttpRequest) -> HttpResponse:
    """Choose a work unit once; then its list, what runs first."""
    units = masterdata.active_units()
    code = request.GET.get("unit") or request.COOKIES.get("unit", "")
    unit = next((unit for unit in units if unit.code == code), None)
    context: dict[str, object] = {"units": units, "unit": unit}
    if unit is not None:
        context |= {
            "rows": _cards(
                selectors.dispatch_list(work_unit_id=unit.id, limit=30), unit.id, timezone.now()
            ),
            "can_execute": allowed(request.user, "mes.execute_operation"),
            "can_decide": allowed(request.user, "mes.decide_check"),
            "can_overrule": allowed(request.user, "mes.overrule_wait"),
            "sites": masterdata.site_ids(),
        }
    template = "mes/dispatch_list.html" + ("#list" if request.htmx else "")  # type: ignore[attr-defined]
    response = answer_if_changed(request, render(request, template, context))
    if unit is not None:
        response.set_cookie("unit", unit.code, max_age=90 * 86_400, samesite="Lax", httponly=True)
    return response


def _cards(rows: Sequence[selectors.DispatchRow], unit_id: int, now: datetime) -> list[Card]:
    cards: list[Card] = []
    at_work = [row.operation for row in rows if row.operation.state in OperationState.started()]
    standings = selectors.check_standings_of(at_work)
    for number, row in enumerate(rows):
        is_next = row.operation.state in (OperationState.WAITING, OperationState.READY)
        why, is_too_late = "", False
        if is_next and number < EXPLAINED:
            why, is_too_late = _why_not(row.operation, unit_id, now)
        is_startable = row.is_startable and not why and number < EXPLAINED
        checks = standings.get(row.operation.pk, ())
        cards.append(Card(row.operation, row.open_quantity, is_startable, why, is_too_late, checks))
    return cards


def _why_not(operation: WorkOrderOperation, unit_id: int, now: datetime) -> tuple[str, bool]:
    """Why it cannot start, and whether that is its longest wait alone."""
    try:
        policies.check_can_start(operation, unit_id, now)
    except policies.WaitedTooLong as refused:
        return str(refused), True
    except policies.CannotStart as refused:
        return str(refused), False
    return "", False


def _operation(pk: int) -> WorkOrderOperation:
    return get_object_or_404(WorkOrderOperation.objects.select_related("work_order"), pk=pk)


def back(request: HttpRequest) -> HttpResponseRedirect:
    """To the list of the work unit that the form came from."""
    unit = request.POST.get("unit", "")
    url = reverse("mes:dispatch-list")
    return HttpResponseRedirect(f"{url}?unit={unit}" if unit.replace("-", "").isalnum() else url)


@requires("mes.execute_operation")
@require_POST
def operation_start(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    operation = _operation(pk)
    unit = masterdata.work_unit_by_code(request.POST.get("unit", ""))
    if unit is None:
        messages.error(request, _("Choose a work unit first."))
        return back(request)
    with told(request):
        execution.start(
            operation=operation,
            work_unit_id=unit.pk,
            by=request.user,
            now=timezone.now(),
            overrule=request.POST.get("overrule"),
        )
    return back(request)


@requires("mes.execute_operation")
@require_POST
def operation_report(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Report pieces; the button "finish" reports what was typed and finishes."""
    operation = _operation(pk)
    form = ReportForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Type good and scrap as numbers of zero or more."))
        return back(request)
    good = form.cleaned_data["good"] or Decimal(0)
    scrap = form.cleaned_data["scrap"] or Decimal(0)
    now = timezone.now()
    with told(request):
        if (good or scrap) and not _report(request, operation, form, now):
            return back(request)
        if request.POST.get("action") == "finish":
            execution.finish(operation=operation, by=request.user, now=now)
        elif not good and not scrap:
            messages.error(request, _("Type how many pieces are good or scrap."))
    return back(request)


def _report(
    request: AuthenticatedRequest, operation: WorkOrderOperation, form: ReportForm, now: datetime
) -> bool:
    """Count the pieces once, however often the form is sent; False for a repeat."""
    data = form.cleaned_data
    booked = []

    def effect() -> str:
        execution.report(
            operation=operation,
            good=data["good"] or Decimal(0),
            scrap=data["scrap"] or Decimal(0),
            reason=data["reason"],
            by=request.user,
            now=now,
        )
        booked.append(operation.pk)
        return ""

    said = [str(data[name]) for name in ("good", "scrap", "reason")]
    idempotency.once(
        user=request.user,
        key=data["idempotency_key"] or idempotency.new_key(),
        fingerprint=idempotency.fingerprint("operation-report", operation.pk, *said),
        now=now,
        effect=effect,
    )
    return bool(booked)


@requires("mes.execute_operation")
@require_POST
def operation_finish_short(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Finish though pieces are missing: they count as scrap, with the reason."""
    with told(request):
        execution.finish(
            operation=_operation(pk),
            short_close=True,
            reason=request.POST.get("reason", "")[:200],
            by=request.user,
            now=timezone.now(),
        )
    return back(request)


@requires("mes.execute_operation")
@require_POST
def operation_interrupt(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    with told(request):
        execution.interrupt(
            operation=_operation(pk),
            reason=request.POST.get("reason", "")[:200],
            by=request.user,
            now=timezone.now(),
        )
    return back(request)


@requires("mes.execute_operation")
@require_POST
def operation_resume(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    with told(request):
        execution.resume(operation=_operation(pk), by=request.user, now=timezone.now())
    return back(request)
