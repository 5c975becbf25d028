"""Purchase orders: the list, one of them, and the acts on it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common import audit, documents
from common.access import AuthenticatedRequest, requires
from common.audit_words import said
from common.documents import CannotPrint
from common.errors import Refused, refusal, told
from common.models import User
from common.permissions import allowed
from erp import policies_purchasing as policies
from erp import selectors
from erp.enums import PurchaseOrderState
from erp.forms_purchase_entry import AddLineForm
from erp.forms_purchasing import LineForm, PromiseForm
from erp.models import PurchaseOrder, PurchaseOrderLine
from erp.services import purchase_orders, supplies
from erp.views.place import place_of, stay
from masterdata.enums import Tracking

PAGE_SIZE = 50
GROUPS = ("draft", "to_approve", "on_order", "overdue", "over")
_State = PurchaseOrderState


@requires("erp.view_purchasing")
@require_safe
def purchase_list(request: HttpRequest) -> HttpResponse:
    """Purchase orders by what is to be done with them; narrowed by the URL."""
    today, place = timezone.localdate(), place_of(request)
    group, text = request.GET.get("show", ""), request.GET.get("q", "").replace("\x00", "")
    found = selectors.purchase_orders(group=group, text=text, today=today, site_id=place.pk)
    context = {
        "place": place,
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "counts": selectors.purchase_counts(today=today, site_id=place.pk),
        "show": group if group in GROUPS else "",
        "q": text,
        "sees_cost": allowed(request.user, "erp.view_cost"),
        "can_order": allowed(request.user, "erp.edit_purchase_order"),
    }
    template = "erp/purchase_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


@requires("erp.view_purchasing")
@require_safe
def purchase_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One order: its lines, what came, and what can be done now; the lists show its site next."""
    return purchase_page(request, _order(number))


@requires("erp.edit_purchase_order")
@require_POST
def purchase_act(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Submit, send back, close or cancel, as ``action`` says."""
    order = _order(number)
    reason = request.POST.get("reason", "").strip()
    acts: dict[str, Callable[..., PurchaseOrder]] = {
        "submit": purchase_orders.submit,
        "close": purchase_orders.close,
        "cancel": purchase_orders.cancel,
    }
    act = acts.get(request.POST.get("action", ""))
    if act is None:
        raise Http404
    with told(request):
        given = {} if act is purchase_orders.submit else {"reason": reason}
        order = act(order=order, by=request.user, now=timezone.now(), **given)
        messages.success(
            request,
            _("%(order)s is “%(state)s” now.")
            % {"order": order.number, "state": _State(order.state).label},
        )
    return redirect("erp:purchase-detail", number=number)


@requires("erp.approve_purchase_order")
@require_POST
def purchase_decide(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Approve an order above the limit, or send it back with a reason."""
    order, now = _order(number), timezone.now()
    with told(request):
        if request.POST.get("action") == "send_back":
            reason = request.POST.get("reason", "").strip()
            purchase_orders.send_back(order=order, reason=reason, by=request.user, now=now)
            messages.success(request, _("The order is back with its buyer."))
        else:
            purchase_orders.approve(order=order, by=request.user, now=now)
            messages.success(request, _("The order is approved and sent."))
    return redirect("erp:purchase-detail", number=number)


@requires("erp.edit_purchase_order")
def purchase_confirm(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """What the supplier promises, line by line; says at once whom another day hurts."""
    order, now = _order(number), timezone.now()
    reason = refusal(policies.check_can_confirm, order)
    if reason:
        messages.error(request, reason)
        return redirect("erp:purchase-detail", number=number)
    asked = request.POST if request.method == "POST" else request.GET
    form = PromiseForm(asked or None, order=order)
    if request.method == "POST" and form.is_valid():
        try:
            purchase_orders.confirm(
                order=order,
                promises=_promises(form),
                supplier_reference=form.cleaned_data["supplier_reference"],
                version=form.cleaned_data["version"],
                by=request.user,
                now=now,
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Noted; the schedule follows by itself."))
            return redirect("erp:purchase-detail", number=number)
    context = {
        "order": order,
        "form": form,
        "affected": _affected(order, form, now),
        "can_see_orders": allowed(request.user, "crm.view_order"),
    }
    part = "#preview" if request.htmx and request.method == "GET" else ""  # type: ignore[attr-defined]
    status = 422 if request.method == "POST" else 200
    return render(request, "erp/purchase_confirm.html" + part, context, status=status)


@requires("erp.edit_purchase_order")
@require_POST
def line_change(request: AuthenticatedRequest, number: str, position: int) -> HttpResponse:
    """Change or remove a draft's line."""
    line, now = _line(number, position), timezone.now()
    form = LineForm(request.POST)
    if not form.is_valid():
        return purchase_page(request, _order(number), open_line=position, form=form, status=422)
    data = form.cleaned_data
    with told(request):
        if request.POST.get("action") == "remove":
            purchase_orders.remove_line(
                line=line, version=data["version"], by=request.user, now=now
            )
            messages.success(request, _("The line is removed."))
        else:
            sees_cost = allowed(request.user, "erp.view_cost")
            purchase_orders.change_line(
                line=line,
                quantity=data["quantity"],
                unit_price=data["unit_price"] if sees_cost else None,
                due_date=data["due_date"],
                version=data["version"],
                by=request.user,
                now=now,
            )
            messages.success(request, _("The line is changed."))
    return redirect("erp:purchase-detail", number=number)


@requires("erp.view_cost")
@require_safe
def purchase_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The order as the supplier gets it, in the supplier's language."""
    order = _order(number)
    try:
        content = documents.pdf(
            template="erp/purchase_document.html",
            context={
                "order": order,
                "total": policies.value_of(order),
                "is_sent": order.state not in (_State.DRAFT, _State.TO_APPROVE),
                "is_cancelled": order.state == _State.CANCELLED,
            },
            language=order.supplier.language,
        )
    except CannotPrint as refused:
        messages.error(request, str(refused))
        return redirect("erp:purchase-detail", number=number)
    return documents.answer(name=f"{order.number}.pdf", content=content)


def purchase_page(
    request: HttpRequest,
    order: PurchaseOrder,
    *,
    open_line: int | None = None,
    form: Any = None,
    add_form: AddLineForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of an order, with the dialog open whose form was refused."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - the door saw to it
    rights = {
        "edit": allowed(user, "erp.edit_purchase_order"),
        "decide": allowed(user, "erp.approve_purchase_order"),
        "receive": allowed(user, "erp.receive_stock"),
        "cost": allowed(user, "erp.view_cost"),
    }
    context = {
        "order": order,
        "has_sites": stay(request, order.site).has_choice,
        "rights": rights,
        "total": policies.value_of(order) if rights["cost"] else None,
        "is_late": any(
            line.open_quantity and line.due_date < timezone.localdate()
            for line in order.lines.all()
        )
        and order.state in _State.on_order(),
        "reasons": purchase_orders.reasons_for_approval(order) if rights["cost"] else [],
        "refusals": _refusals(order, user),
        "on_order": order.state in _State.on_order(),
        "history": [
            {"at": one.at, "who": one.actor_label, "what": said(one.action), "why": one.reason}
            for one in audit.history(order)[:20]
        ],
        "has_receipts": any(line.receipts.all() for line in order.lines.all()),
        "has_numbers": any(
            line.received and line.item.tracking != Tracking.NONE for line in order.lines.all()
        ),
        "open_line": open_line,
        "form": form,
        "add": add_form
        or AddLineForm(sees_cost=rights["cost"], initial={"version": order.version}),
    }
    return render(request, "erp/purchase_detail.html", context, status=status)


def _refusals(order: PurchaseOrder, user: User) -> dict[str, str]:
    return {
        "approve": refusal(policies.check_can_approve, order, user),
        "submit": refusal(policies.check_can_submit, order),
        "confirm": refusal(policies.check_can_confirm, order),
        "cancel": refusal(policies.check_can_move, order, _State.CANCELLED),
        "close": refusal(policies.check_can_move, order, _State.CLOSED),
    }


def _promises(form: PromiseForm) -> dict[int, purchase_orders.Promise]:
    data = form.cleaned_data
    return {
        line.pk: purchase_orders.Promise(data[f"quantity_{line.pk}"], data[f"due_{line.pk}"])
        for line in form.lines
    }


def _affected(
    order: PurchaseOrder, form: PromiseForm, now: datetime
) -> list[selectors.Affected] | None:
    """Whom the days in the form hurt; None while they cannot be read."""
    if not form.is_bound:
        return []
    if not form.is_valid():
        return None
    moments = {
        line.pk: supplies.arrival(form.cleaned_data[f"due_{line.pk}"], order.site.time_zone)
        for line in form.lines
        if form.cleaned_data[f"due_{line.pk}"] != line.due_date
    }
    return selectors.affected_by(order=order, moments=moments, now=now) if moments else []


def _order(number: str) -> PurchaseOrder:
    found = selectors.purchase_order(number)
    if found is None:
        raise Http404
    return found


def _line(number: str, position: int) -> PurchaseOrderLine:
    line = next((line for line in _order(number).lines.all() if line.position == position), None)
    if line is None:
        raise Http404
    return line
