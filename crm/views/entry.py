"""Order entry: typing an order, with the answer to each line's date while typing."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aps.services import promises
from common import idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import Refused, refusal
from common.place import chosen
from crm import policies
from crm.forms import BaseLineFormSet, LineFormSet, OrderForm, check_size, whole_numbers
from crm.models import SalesOrder
from crm.services import checks, orders
from masterdata import selectors as masterdata

LOOKUP_LIMIT = 12


@requires("crm.edit_order")
def order_create(request: AuthenticatedRequest) -> HttpResponse:
    """A new order; "submit" also asks for approval where every date can be kept."""
    check_size(request.POST)
    form = OrderForm(request.POST or None, initial={"at_site": chosen(request, masterdata.sites())})
    lines = cast(BaseLineFormSet, LineFormSet(request.POST or None, prefix="line"))
    if request.method == "POST" and form.is_valid() and lines.is_valid():
        try:
            return HttpResponseRedirect(_save_new(request, form, lines))
        except masterdata.CannotTellSite as refused:
            form.add_error("at_site", str(refused))
        except Refused as refused:
            messages.error(request, str(refused))
    status = 422 if request.method == "POST" else 200
    return render(
        request, "crm/order_form.html", {"form": form, "lines": lines, "order": None}, status=status
    )


def _save_new(request: AuthenticatedRequest, form: OrderForm, lines: BaseLineFormSet) -> str:
    """Create the order once, however often the form is sent; the page to go to."""
    now = timezone.now()
    data = form.cleaned_data
    site = masterdata.site_meant(
        form.site_code,
        item_ids=[row.cleaned_data["item"].pk for row in lines.filled()],
        on=now.date(),
    )
    rows = [row.new_line() for row in lines.filled()]
    rush = frozenset(
        10 * number
        for number, row in enumerate(lines.filled(), start=1)
        if row.cleaned_data["rush"]
    )
    wants_submit = request.POST.get("action") == "submit"

    def effect() -> str:
        order = orders.create(
            site_id=site.pk,
            customer_id=data["customer"].pk,
            customer_reference=data["customer_reference"],
            note=data["note"],
            lines=rows,
            by=request.user,
            now=now,
        )
        return _submit_or_ask(request, order, rush) if wants_submit else _page(order)

    return idempotency.once(
        user=request.user,
        key=data["idempotency_key"],
        fingerprint=idempotency.fingerprint(request.POST),
        now=now,
        effect=effect,
    )


def _submit_or_ask(request: AuthenticatedRequest, order: SalesOrder, rush: frozenset[int]) -> str:
    """Submit where each date can be kept or the way out was chosen, else ask on the order page."""
    answers = checks.answers_of(order, now=timezone.now())
    undecided = [
        line for line, answer in answers if not answer.feasible and line.position not in rush
    ]
    if undecided:
        return _page(order) + "?ask=1"
    orders.submit(order=order, by=request.user, now=timezone.now(), rush_positions=rush)
    return _page(order)


def _page(order: SalesOrder) -> str:
    return reverse("crm:order-detail", kwargs={"number": order.number})


@requires("crm.edit_order")
def order_edit(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """The lines of a draft."""
    check_size(request.POST)
    order = get_object_or_404(SalesOrder.objects.select_related("customer", "site"), number=number)
    initial = [
        {
            "item": line.item.code,
            "quantity": line.quantity.normalize(),
            "unit_price": line.unit_price,
            "requested_date": line.requested_date,
        }
        for line in order.lines.select_related("item").order_by("position")
    ]
    form = OrderForm(
        request.POST or None,
        initial={
            "customer": order.customer.code,
            "customer_reference": order.customer_reference,
            "note": order.note,
        },
    )
    form.fields["customer"].disabled = True
    lines = cast(BaseLineFormSet, LineFormSet(request.POST or None, prefix="line", initial=initial))
    if request.method == "POST" and form.is_valid() and lines.is_valid():
        try:
            _replace(request, order, form, lines)
            return HttpResponseRedirect(_page(order))
        except Refused as refused:
            messages.error(request, str(refused))
    return render(
        request,
        "crm/order_form.html",
        {
            "form": form,
            "lines": lines,
            "order": order,
            "cannot": refusal(policies.check_can_edit, order),
        },
        status=422 if request.method == "POST" else 200,
    )


def _replace(
    request: AuthenticatedRequest, order: SalesOrder, form: OrderForm, lines: BaseLineFormSet
) -> None:
    versions = whole_numbers([request.POST.get("version", "")])
    orders.replace_lines(
        order=order,
        lines=[row.new_line() for row in lines.filled()],
        version=versions[0] if versions else 0,
        customer_reference=form.cleaned_data["customer_reference"],
        note=form.cleaned_data["note"],
        by=request.user,
        now=timezone.now(),
    )


@requires("crm.check_promise")
@require_POST
def order_check(request: HttpRequest) -> JsonResponse:
    """The answers to the rows that are complete: {"rows": {"0": {...}}}; writes nothing."""
    check_size(request.POST)
    lines = LineFormSet(request.POST, prefix="line")
    lines.is_valid()
    rows = {
        number: form
        for number, form in enumerate(lines.forms)
        if not form.is_blank() and form.is_valid()
    }
    customer = masterdata.customer_by_code(request.POST.get("customer", "").strip())
    now = timezone.now()
    try:
        site = masterdata.site_meant(
            request.POST.get("at_site", ""),
            item_ids=[form.cleaned_data["item"].pk for form in rows.values()],
            on=now.date(),
        )
        answers = promises.check(
            site_id=site.pk,
            customer_id=customer.pk if customer else None,
            lines=[
                promises.LineRequest(
                    item_id=form.cleaned_data["item"].pk,
                    quantity=form.cleaned_data["quantity"],
                    requested_date=form.cleaned_data["requested_date"],
                )
                for form in rows.values()
            ],
            now=now,
        )
    except masterdata.CannotTellSite as refused:
        return JsonResponse({"rows": {str(n): _untold(request, refused) for n in rows}})
    except Refused as refused:
        return JsonResponse({"rows": {}, "error": str(refused)})
    return JsonResponse(
        {
            "rows": {
                str(number): _row(request, form, answer)
                for (number, form), answer in zip(rows.items(), answers, strict=True)
            }
        }
    )


def _untold(request: HttpRequest, refused: Refused) -> dict[str, object]:
    """The answer to a line that cannot be checked."""
    context = {"answer": {"refusal": str(refused), "status": "failed"}}
    html = render_to_string("crm/order_form.html#answer", context, request)
    return {"status": "failed", "feasible": False, "html": html, "dialog": ""}


def _row(request: HttpRequest, form, answer: promises.LineAnswer) -> dict[str, object]:  # type: ignore[no-untyped-def]
    item = form.cleaned_data["item"]
    context = {"answer": answer, "item": item}
    return {
        "status": str(answer.status),
        "feasible": answer.feasible,
        "earliest": answer.earliest_date.isoformat() if answer.earliest_date else None,
        "name": item.label,
        "unit": item.uom,
        "price": str(item.list_price.normalize()),
        "html": render_to_string("crm/order_form.html#answer", context, request),
        "dialog": ""
        if answer.feasible
        else render_to_string("crm/order_form.html#ways-out", context, request),
    }


@requires("crm.edit_order")
@require_GET
def lookup(request: HttpRequest, kind: str) -> JsonResponse:
    """Type-ahead for items and customers: code and name."""
    text = request.GET.get("q", "").strip()
    search = masterdata.search_items if kind == "item" else masterdata.search_customers
    return JsonResponse(
        {
            "results": [
                {"code": found.code, "name": found.label} for found in search(text, LOOKUP_LIMIT)
            ],
            "empty": _("Nothing found."),
        }
    )
