"""The order list and the order page."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from aps import selectors as aps
from common import audit, idempotency
from common.access import requires
from common.errors import refusal
from common.permissions import allowed
from crm import policies, selectors
from crm.enums import OrderState, RushState
from crm.forms import OrderFilter
from crm.models import SalesOrder, SalesOrderLine
from crm.services import checks
from crm.views import history
from erp import selectors as erp
from masterdata.enums import Tracking
from mes import selectors as mes

PAGE_SIZE = 50


@requires("crm.view_order")
def order_list(request: HttpRequest) -> HttpResponse:
    """Orders, newest first, narrowed by the URL; submitted ones can be approved in bulk."""
    form = OrderFilter(request.GET)
    orders = _narrowed(form, selectors.orders())
    page = Paginator(orders, PAGE_SIZE).get_page(request.GET.get("page"))
    template = "crm/order_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(
        request,
        template,
        {
            "filter": form,
            "page": page,
            "can_create": allowed(request.user, "crm.edit_order"),
            "can_approve": allowed(request.user, "crm.approve_order"),
            "waiting": SalesOrder.objects.filter(state=OrderState.SUBMITTED).count(),
        },
    )


def _narrowed(form: OrderFilter, orders: QuerySet[SalesOrder]) -> QuerySet[SalesOrder]:
    if not form.is_valid():
        return orders
    text, state = form.cleaned_data["q"].strip(), form.cleaned_data["state"]
    if text:
        orders = orders.filter(
            Q(number__icontains=text)
            | Q(customer__code__icontains=text)
            | Q(customer__name__icontains=text)
            | Q(customer__name_zh__icontains=text)
            | Q(customer_reference__icontains=text)
        )
    if state == "late":
        return selectors.late(orders)
    if state == "failed":
        return selectors.not_converted(orders)
    return orders.filter(state=state) if state else orders


# What an order's page offers, and the permission that each takes.
RIGHTS = (
    ("edit", "edit_order"),
    ("submit", "submit_order"),
    ("approve", "approve_order"),
    ("hold", "hold_order"),
    ("cancel", "cancel_order"),
    ("ship", "ship"),
    ("deliver", "deliver"),
    ("rush", "request_rush"),
)


@requires("crm.view_order")
def order_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One order: where it stands, its three dates per line, work orders, shipments, history."""
    found = get_object_or_404(SalesOrder, number=number)
    order = selectors.order(found.number)
    lines = list(order.lines.all())
    ids = selectors.requirement_ids(lines)
    ready = erp.reserved_quantities(ids)
    progress = mes.progress(ids)
    for line in lines:
        key = line.requirement_id or 0
        line.ready_quantity = ready.get(key, Decimal(0))  # type: ignore[attr-defined]
        line.made = progress.get(key)  # type: ignore[attr-defined]
        line.rush = next(iter(line.rushes.all()), None)  # type: ignore[attr-defined]
        line.to_promise = _to_promise(line)  # type: ignore[attr-defined]
        line.can_rush = _can_rush(order, line)  # type: ignore[attr-defined]
    is_simulating = _is_simulating(order)
    context = {
        "order": order,
        "lines": lines,
        "work_orders": mes.work_order_rows(ids),
        "steps": [
            {"label": step.kind.label, "state": step.state, "at": step.at}
            for step in selectors.steps(order)
        ],
        "refusals": _refusals(order),
        "rights": {verb: allowed(request.user, f"crm.{code}") for verb, code in RIGHTS},
        "history": history.told(audit.history(order)[:20]),
        "can_ship_now": any(line.ready_quantity for line in lines),  # type: ignore[attr-defined]
        "schedule": aps.current_run(order.site_id),
        "is_moving": is_simulating or _is_moving(order),
        "is_simulating": is_simulating,
        "ask": _undecided(request, order),
        "ship_key": idempotency.new_key(),
        "sees_cost": allowed(request.user, "erp.view_cost"),
        "can_trace": allowed(request.user, "crm.view_trace") and _is_traced(lines),
    }
    template = "crm/order_detail.html" + ("#facts" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


def _is_traced(lines: Iterable[SalesOrderLine]) -> bool:
    """Whether something left that carries lot or serial numbers."""
    return any(line.shipped and line.item.tracking != Tracking.NONE for line in lines)


def _undecided(request: HttpRequest, order: SalesOrder) -> list[object]:
    """Lines whose date cannot be kept, when submitting has just stopped at them."""
    if "ask" not in request.GET or order.state != OrderState.DRAFT:
        return []
    return [pair for pair in checks.answers_of(order, now=timezone.now()) if not pair[1].feasible]


def _to_promise(line: SalesOrderLine) -> date | None:
    """The day of an approved rush that the order's own approval will promise."""
    is_approved = any(rush.state == RushState.APPROVED for rush in line.rushes.all())
    return line.offered_date if is_approved and line.promised_date is None else None


def _can_rush(order: SalesOrder, line: SalesOrderLine) -> bool:
    """Whether to offer a rush; the request itself checks the day."""
    return (
        order.state in (OrderState.DRAFT, OrderState.SUBMITTED, *OrderState.open())
        and not line.is_cancelled
        and line.shipped < line.quantity
        and not any(rush.state in RushState.open() for rush in line.rushes.all())
    )


def _is_simulating(order: SalesOrder) -> bool:
    """Whether a rush of the order still waits for its simulation."""
    rushes = (rush for line in order.lines.all() for rush in line.rushes.all())
    return any(rush.state == RushState.DRAFT for rush in rushes)


def _is_moving(order: SalesOrder) -> bool:
    """Whether jobs are likely to change the page soon, so that it looks again by itself."""
    if order.state not in OrderState.open():
        return False
    # The order is read before its lines: a date may have come in between.
    is_behind = order.projected_date is None  # type: ignore[attr-defined]  # selectors.order adds it
    return any(
        (line.projected_date is None or is_behind)
        and line.conversion_state != "failed"
        and not line.is_cancelled
        and line.shipped < line.quantity
        for line in order.lines.all()
    )


def _refusals(order: SalesOrder) -> dict[str, str]:
    """Why each action is not possible now; the disabled buttons' sentences."""
    return {
        "edit": refusal(policies.check_can_edit, order),
        "submit": refusal(policies.check_can_submit, order),
        "approve": refusal(policies.check_can_approve, order),
        "hold": refusal(policies.check_can_hold, order),
        "resume": refusal(policies.check_can_resume, order),
        "cancel": refusal(policies.check_can_cancel, order),
        "ship": refusal(policies.check_can_ship, order),
    }
