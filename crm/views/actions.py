"""Buttons of the order page: each a POST, one service call, back to the page."""

from decimal import Decimal

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import DecimalField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from common import idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import told
from crm import selectors
from crm.forms import QuantityForm, ReasonForm, ShipForm, whole_numbers
from crm.models import BulkApproval, SalesOrder, Shipment
from crm.services import bulk, orders, shipments
from crm.services.undoing import Undone
from crm.views.returning import next_or


def _back(number: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("crm:order-detail", kwargs={"number": number}))


def _order(number: str) -> SalesOrder:
    return get_object_or_404(SalesOrder, number=number)


def _reason(request: HttpRequest) -> str:
    form = ReasonForm(request.POST)
    return str(form.cleaned_data["reason"]) if form.is_valid() else ""


@requires("crm.submit_order")
@require_POST
def order_submit(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Ask for approval; ``rush`` names the positions that keep their date and ask for room."""
    rush = frozenset(whole_numbers(request.POST.getlist("rush")))
    with told(request):
        orders.submit(
            order=_order(number), by=request.user, now=timezone.now(), rush_positions=rush
        )
        messages.success(request, _("Order %(number)s is submitted.") % {"number": number})
    return _back(number)


@requires("crm.approve_order")
@require_POST
def order_approve(request: AuthenticatedRequest, number: str) -> HttpResponse:
    with told(request):
        orders.approve(order=_order(number), by=request.user, now=timezone.now())
        messages.success(
            request,
            _("Order %(number)s is approved; its work orders are being made.") % {"number": number},
        )
    return _back(number)


@requires("crm.approve_order")
@require_POST
def order_reject(request: AuthenticatedRequest, number: str) -> HttpResponse:
    with told(request):
        orders.reject(
            order=_order(number), reason=_reason(request), by=request.user, now=timezone.now()
        )
    return _back(number)


@requires("crm.hold_order")
@require_POST
def order_hold(request: AuthenticatedRequest, number: str) -> HttpResponse:
    with told(request):
        orders.hold(
            order=_order(number), reason=_reason(request), by=request.user, now=timezone.now()
        )
    return _back(number)


@requires("crm.hold_order")
@require_POST
def order_resume(request: AuthenticatedRequest, number: str) -> HttpResponse:
    with told(request):
        orders.resume(order=_order(number), by=request.user, now=timezone.now())
    return _back(number)


@requires("crm.cancel_order")
@require_POST
def order_cancel(request: AuthenticatedRequest, number: str) -> HttpResponse:
    with told(request):
        undone = orders.cancel(
            order=_order(number), reason=_reason(request), by=request.user, now=timezone.now()
        )
        _tell_undone(request, undone)
    return _back(number)


@requires("crm.edit_order")
@require_POST
def order_retry(request: AuthenticatedRequest, number: str) -> HttpResponse:
    with told(request):
        orders.retry_conversion(order=_order(number), by=request.user, now=timezone.now())
    return _back(number)


@requires("crm.edit_order")
@require_POST
def order_change_quantity(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Another quantity for a line; less is undone at once, more is converted."""
    order = _order(number)
    form = QuantityForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the line and a quantity of zero or more."))
        return _back(number)
    data = form.cleaned_data
    line = get_object_or_404(order.lines, position=data["position"])
    with told(request):
        undone = orders.change_quantity(
            line=line,
            quantity=data["quantity"],
            reason=data["reason"],
            by=request.user,
            now=timezone.now(),
        )
        _tell_undone(request, undone)
    return _back(number)


def _tell_undone(request: HttpRequest, undone: Undone) -> None:
    if undone.undone:
        messages.success(
            request,
            _("Cancelled or made smaller: %(numbers)s.") % {"numbers": ", ".join(undone.undone)},
        )
    if undone.remaining:
        messages.warning(
            request,
            _("Already started, goes on: %(numbers)s. Decide on the floor what becomes of it.")
            % {"numbers": ", ".join(undone.remaining)},
        )


@requires("crm.ship")
@require_POST
def order_ship(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Ship the quantities typed per line (``ship-<position>``), once however often it is sent."""
    order = _order(number)
    form = ShipForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Load the page again and ship from there."))
        return _back(number)
    quantities: dict[int, Decimal] = {}
    for name, value in request.POST.items():
        typed = str(value).strip()
        for position in whole_numbers([name.removeprefix("ship-")]) if typed else []:
            quantity = _quantity(typed)
            if quantity is None:
                messages.error(request, _("“%(value)s” is not a quantity.") % {"value": typed})
                return _back(number)
            quantities[position] = quantity
    now = timezone.now()

    def effect() -> str:
        return shipments.post(
            order=order,
            quantities=quantities,
            carrier=form.cleaned_data["carrier"],
            tracking_code=form.cleaned_data["tracking_code"],
            by=request.user,
            now=now,
        ).number

    with told(request):
        shipped = idempotency.once(
            user=request.user,
            key=form.cleaned_data["idempotency_key"],
            fingerprint=idempotency.fingerprint(number, request.POST),
            now=now,
            effect=effect,
        )
        messages.success(request, _("Shipment %(number)s has left.") % {"number": shipped})
    return _back(number)


def _quantity(typed: str) -> Decimal | None:
    """A quantity as people type it, thousands apart; None for what is none."""
    try:
        quantity: Decimal | None = DecimalField(max_digits=14, decimal_places=4, min_value=0).clean(
            typed.replace(",", "")
        )
    except ValidationError:
        return None
    return quantity


@requires("crm.deliver")
@require_POST
def shipment_deliver(request: AuthenticatedRequest, number: str) -> HttpResponse:
    shipment = get_object_or_404(Shipment.objects.select_related("order"), number=number)
    with told(request):
        shipments.deliver(shipment=shipment, by=request.user, now=timezone.now())
    page = reverse("crm:order-detail", kwargs={"number": shipment.order.number})
    return HttpResponseRedirect(next_or(request, page))


@requires("crm.approve_order")
@require_POST
def bulk_approve(request: AuthenticatedRequest) -> HttpResponse:
    """Approve the ticked orders, or all submitted ones; then watch the progress page."""
    if request.POST.get("all"):
        chosen = SalesOrder.objects.filter(state="submitted").values_list("pk", flat=True)
    else:
        chosen = SalesOrder.objects.filter(
            number__in=request.POST.getlist("order"), state="submitted"
        ).values_list("pk", flat=True)
    ids = list(chosen)
    if not ids:
        messages.info(request, _("Tick at least one submitted order."))
        return HttpResponseRedirect(reverse("crm:order-list"))
    asked = bulk.request(order_ids=ids, by=request.user, now=timezone.now())
    return HttpResponseRedirect(reverse("crm:bulk-detail", kwargs={"pk": asked.pk}))


@requires("crm.approve_order")
def bulk_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a bulk approval is; the page may be left and found again."""
    found = get_object_or_404(BulkApproval, pk=pk)
    template = "crm/bulk_detail.html" + ("#progress" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, {"bulk": found, "progress": selectors.bulk_progress(found)})
