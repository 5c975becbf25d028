"""A purchase order that a buyer writes: the form, and what is known while it is filled in."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.permissions import allowed
from common.templatetags import ui_format
from erp import selectors
from erp.forms_purchase_entry import AddLineForm, EntryForm, EntryLineForm, EntryLineSet
from erp.forms_transfers import site_choices
from erp.selectors import Advice
from erp.services import purchase_entry
from erp.views.once import once
from erp.views.place import place_of
from erp.views.purchases import purchase_page
from masterdata import selectors as masterdata

if TYPE_CHECKING:
    from masterdata.models import Item


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a line as far as it is written."""

    item: "Item"
    advice: Advice
    warnings: list[str]


@requires("erp.edit_purchase_order")
def purchase_new(request: AuthenticatedRequest) -> HttpResponse:
    """Write an order; ``action=advise`` says what is known of it so far and writes nothing."""
    asked = request.POST if request.method == "POST" else None
    form = EntryForm(
        asked,
        sites=site_choices(),
        initial={
            "to_site": str(place_of(request).pk or ""),
            "supplier": request.GET.get("supplier", ""),
        },
    )
    rows = EntryLineSet(
        asked,
        prefix="lines",
        initial=[{"item": code} for code in request.GET.getlist("item")[:1]],
        form_kwargs={"sees_cost": allowed(request.user, "erp.view_cost")},
    )
    is_advice = request.POST.get("action") == "advise"
    is_whole = request.method == "POST" and all([form.is_valid(), rows.is_valid()])
    if is_whole and not is_advice:
        url = _written(request, form, rows)
        if url is not None:
            return HttpResponseRedirect(url)
    return _page(request, form, rows, is_advice=is_advice)


@requires("erp.edit_purchase_order")
@require_POST
def line_add(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Put one more line at the end of a draft."""
    order = selectors.purchase_order(number)
    if order is None:
        raise Http404
    form = AddLineForm(request.POST, sees_cost=allowed(request.user, "erp.view_cost"))
    if form.is_valid():
        data = form.cleaned_data
        line = purchase_entry.Entered(
            item_id=data["item"].pk,
            quantity=data["quantity"],
            due_date=data["due_date"],
            unit_price=data.get("unit_price"),
        )
        try:
            purchase_entry.add_line(
                order=order,
                line=line,
                version=data["version"],
                by=request.user,
                now=timezone.now(),
            )
        except purchase_entry.CannotEnter as refused:
            for fault in refused.faults:
                form.blame(fault)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("The line is added."))
            return redirect("erp:purchase-detail", number=number)
    return purchase_page(request, order, add_form=form, status=422)


def _written(request: AuthenticatedRequest, form: EntryForm, rows: Any) -> str | None:
    data, lines = form.cleaned_data, rows.entered()

    def effect() -> str:
        order = purchase_entry.write(
            supplier_id=data["supplier"].pk,
            site_id=int(data["to_site"]),
            lines=lines,
            by=request.user,
            now=timezone.now(),
        )
        return reverse("erp:purchase-detail", args=[order.number])

    def tell(refused: Exception) -> None:
        if isinstance(refused, purchase_entry.CannotEnter):
            rows.blame(refused)
        else:
            form.add_error(None, str(refused))

    key = (data["supplier"].pk, data["to_site"], *lines)
    return once(request, form, "purchase", key, effect, tell=tell)


def _page(
    request: AuthenticatedRequest, form: EntryForm, rows: Any, *, is_advice: bool
) -> HttpResponse:
    known, currency = _known(form, rows) if request.method == "POST" else ([], "")
    context = {
        "form": form,
        "rows": rows,
        "known": known,
        "currency": currency,
        "sees_cost": allowed(request.user, "erp.view_cost"),
    }
    part = "#advice" if request.htmx and is_advice else ""  # type: ignore[attr-defined]
    status = 422 if request.method == "POST" and not is_advice else 200
    return render(request, "erp/purchase_new.html" + part, context, status=status)


def _known(form: EntryForm, rows: Any) -> tuple[list[Known], str]:
    """Line by line as far as they name an item; and the currency that the order will be in."""
    supplier = form.cleaned_data.get("supplier")
    # Of too many rows no item is looked up: their codes are codes still.
    written = [
        row for row in rows.written() if not isinstance(row.cleaned_data.get("item", ""), str)
    ]
    site_id = form.cleaned_data.get("to_site")
    if supplier is None or not written or not site_id:
        return [], ""
    site = masterdata.site(int(site_id))
    today = purchase_entry.today_at(site, timezone.now())
    currency = purchase_entry.currency_of(supplier, site, today=today)
    advice = selectors.purchase_advice(
        items=[row.cleaned_data["item"] for row in written],
        supplier_id=supplier.pk,
        site_currency=site.currency,
        currency=currency,
        today=today,
    )
    return [_said(row, advice) for row in written], currency


def _said(row: EntryLineForm, advice: dict[int, Advice]) -> Known:
    item = row.cleaned_data["item"]
    known = advice[item.pk]
    quantity, due_date = row.cleaned_data.get("quantity"), row.cleaned_data.get("due_date")
    return Known(item, known, _warnings(item, known, quantity, due_date))


def _warnings(
    item: "Item", advice: Advice, quantity: Decimal | None, due_date: date | None
) -> list[str]:
    """Sentences; nothing of them keeps anybody from ordering."""
    said = []
    if quantity is not None and advice.is_below(quantity):
        said.append(
            _("The supplier takes %(quantity)s at least.")
            % {"quantity": ui_format.quantity(advice.minimum, item.uom)}
        )
    if quantity is not None and advice.maximum and advice.is_above(quantity):
        said.append(
            _("The supplier takes %(quantity)s at most at once.")
            % {"quantity": ui_format.quantity(advice.maximum, item.uom)}
        )
    if quantity is not None and advice.multiple and advice.is_odd(quantity):
        said.append(
            _("It is ordered in lots of %(quantity)s.")
            % {"quantity": ui_format.quantity(advice.multiple, item.uom)}
        )
    if due_date is not None and advice.is_early(due_date):
        said.append(
            ngettext(
                "It takes %(days)s day: %(day)s at the earliest.",
                "It takes %(days)s days: %(day)s at the earliest.",
                advice.lead_time_days,
            )
            % {"days": advice.lead_time_days, "day": ui_format.day(advice.earliest, short=True)}
        )
    if advice.unknown_currency:
        said.append(
            _("Its price is in %(currency)s, without an exchange rate: enter a price.")
            % {"currency": advice.unknown_currency}
        )
    elif advice.price is None:
        said.append(_("No price is known: enter one, zero if it costs nothing."))
    return said
