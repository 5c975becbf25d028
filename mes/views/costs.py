"""What work orders cost: the list with work in progress, and one order's cost sheet and ledger."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from common.access import requires
from erp import selectors as erp
from mes import selectors
from mes.enums import WorkOrderState
from mes.models import WorkOrder
from mes.services import costs

PAGE_SIZE = 50
# What an entry's source is, by its first word: "time:815".
FACTS = {
    "move": _("Stock move"),
    "time": _("Booked time"),
    "report": _("Report"),
    "close": _("Closing"),
}


@requires("erp.view_cost")
@require_safe
def cost_list(request: HttpRequest) -> HttpResponse:
    """Open work orders with the money that is in them, or closed ones with their variances."""
    is_closed = request.GET.get("show") == "closed"
    found = selectors.closed_orders() if is_closed else selectors.orders_in_progress()
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "is_closed": is_closed,
        "page": page,
        "rows": selectors.cost_rows(list(page.object_list)),
        "totals": sorted(selectors.work_in_progress().items()),
    }
    return render(request, "mes/cost_list.html", context)


@requires("erp.view_cost")
@require_safe
def cost_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One work order: what it will cost, standard next to actual, variances, every entry."""
    work_order = WorkOrder.objects.filter(number=number).select_related("item", "site").first()
    if work_order is None:
        raise Http404
    page = Paginator(erp.cost_entries(work_order.number), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "work_order": work_order,
        "sheet": costs.sheet(work_order),
        "cost": _expected(work_order),
        "page": page,
        "entries": [(entry, _fact(entry.source)) for entry in page],
    }
    return render(request, "mes/cost_detail.html", context)


def _expected(work_order: WorkOrder) -> selectors.WorkOrderCost | None:
    """What it costs at completion, where work is still to be done."""
    if work_order.state not in WorkOrderState.open():
        return None
    return selectors.work_order_cost(work_order, at=timezone.now())


def _fact(source: str) -> str:
    """The row that an entry comes from, as people say it: "Booked time 815"."""
    kind, _colon, key = source.partition(":")
    if kind == "close":
        return str(FACTS[kind])
    return f"{FACTS[kind]} {key}" if kind in FACTS else source
