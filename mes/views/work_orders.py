"""Work orders: the list and one with all that hangs on it."""

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from common.access import AuthenticatedRequest, requires
from common.errors import refusal, told
from common.permissions import allowed
from mes import policies, selectors
from mes.enums import WorkOrderState
from mes.forms import WorkOrderFilter
from mes.models import OperationReport, WorkOrder
from mes.services import time, undoing, work_orders

PAGE_SIZE = 50


@requires("mes.view_work_order")
def work_order_list(request: HttpRequest) -> HttpResponse:
    """Work orders, newest first, narrowed by the URL."""
    form = WorkOrderFilter(request.GET)
    found = selectors.work_orders()
    if form.is_valid():
        text, state = form.cleaned_data["q"].strip(), form.cleaned_data["state"]
        if text:
            found = found.filter(
                Q(number__icontains=text)
                | Q(item__code__icontains=text)
                | Q(item__name__icontains=text)
                | Q(item__name_zh__icontains=text)
            )
        if state:
            found = found.filter(state=state)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    template = "mes/work_order_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, {"filter": form, "page": page})


@requires("mes.view_work_order")
def work_order_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One work order: operations with plan and progress, materials, what it serves."""
    try:
        work_order = selectors.work_order_detail(number)
    except WorkOrder.DoesNotExist as error:
        raise Http404 from error
    operations = list(work_order.operations.all())
    booked = time.spent([row.pk for row in operations], until=timezone.now())
    for row in operations:
        row.spent = booked[row.pk]  # type: ignore[attr-defined]  # for the template
    return render(
        request,
        "mes/work_order_detail.html",
        {
            "work_order": work_order,
            "reports": _reports(request, work_order),
            "check_results": selectors.check_results_of(work_order),
            "can_trace": allowed(request.user, "crm.view_trace"),
            "can_report": allowed(request.user, "mes.report_nonconformance"),
            "can_decide": allowed(request.user, "mes.decide_check"),
            "can_release": allowed(request.user, "mes.release_work_order"),
            "can_close": allowed(request.user, "mes.close_work_order"),
            "sees_costs": allowed(request.user, "erp.view_cost"),
            "refusals": {
                "release": refusal(policies.check_can_release, work_order),
                "hold": refusal(policies.check_can_hold, work_order, "-"),
                "resume": refusal(policies.check_can_resume_order, work_order),
                "close": refusal(policies.check_can_close, work_order),
            },
        },
    )


def _reports(request: HttpRequest, order: WorkOrder) -> list[OperationReport]:
    """The reports, the latest first; those that may be taken back know it."""
    rows = selectors.reports_of(order)
    may = allowed(request.user, "mes.undo_report")
    is_open = order.state in (*WorkOrderState.open(), WorkOrderState.COMPLETED)
    gone = {row.reverses_id for row in rows}
    seen: set[int] = set()
    for row in rows:
        if row.reverses_id is not None or row.pk in gone:
            continue
        is_last = row.operation_id not in seen
        row.can_undo = may and is_open and is_last  # type: ignore[attr-defined]  # for the template
        seen.add(row.operation_id)
    return rows


@requires("mes.undo_report")
@require_POST
def report_undo(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Take the last report of an operation back, with a reason; back to its work order."""
    rows = OperationReport.objects.select_related("operation__work_order")
    report = get_object_or_404(rows, pk=pk)
    number = report.operation.work_order.number
    reason = request.POST.get("reason", "").strip()[:200]
    with told(request):
        undoing.undo(report=report, by=request.user, now=timezone.now(), reason=reason)
    return HttpResponseRedirect(reverse("mes:work-order-detail", kwargs={"number": number}))


def _change(request: AuthenticatedRequest, number: str, verb: str) -> HttpResponse:
    work_order = get_object_or_404(WorkOrder, number=number)
    now = timezone.now()
    with told(request):
        if verb == "release":
            work_orders.release(order=work_order, by=request.user, now=now)
        elif verb == "resume":
            work_orders.resume(order=work_order, by=request.user, now=now)
        elif verb == "close":
            work_orders.close(order=work_order, by=request.user, now=now)
        else:
            reason = request.POST.get("reason", "")[:300]
            work_orders.hold(order=work_order, reason=reason, by=request.user, now=now)
    return HttpResponseRedirect(reverse("mes:work-order-detail", kwargs={"number": number}))


@requires("mes.release_work_order")
@require_POST
def work_order_release(request: AuthenticatedRequest, number: str) -> HttpResponse:
    return _change(request, number, "release")


@requires("mes.release_work_order")
@require_POST
def work_order_hold(request: AuthenticatedRequest, number: str) -> HttpResponse:
    return _change(request, number, "hold")


@requires("mes.release_work_order")
@require_POST
def work_order_resume(request: AuthenticatedRequest, number: str) -> HttpResponse:
    return _change(request, number, "resume")


@requires("mes.close_work_order")
@require_POST
def work_order_close(request: AuthenticatedRequest, number: str) -> HttpResponse:
    return _change(request, number, "close")
