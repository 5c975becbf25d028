"""What came of a purchase order's line, and what of it goes back to the supplier."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from common.access import AuthenticatedRequest, requires
from common.errors import refusal
from erp import policies_purchasing as policies
from erp import selectors
from erp.forms_deliveries import ReceiveLineForm, ReturnLineForm
from erp.models import PurchaseOrderLine
from erp.policies_purchasing import CannotReturn
from erp.services import purchasing
from erp.views.once import once
from masterdata.enums import Tracking

# Serial numbers that a page names.
SHOWN = 100


@requires("erp.receive_stock")
def line_receive(request: AuthenticatedRequest, number: str, position: int) -> HttpResponse:
    """Book in what came of a line and what was refused at the dock."""
    line = _line(number, position)
    form = ReceiveLineForm(request.POST or None, line=line, initial=_open(line))
    if request.method == "POST" and form.is_valid():

        def effect() -> None:
            data = form.cleaned_data
            purchasing.receive_line(
                line=line,
                quantity=data["quantity"] or purchasing.ZERO,
                rejected=data["rejected"] or purchasing.ZERO,
                reference=data["reference"],
                labels=purchasing.Labels(
                    **{name: data[name] for name in form.LABELS if data.get(name)},
                    bin_id=data["bin"].pk if data["bin"] else None,
                ),
                by=request.user,
                now=timezone.now(),
            )

        if _booked(request, line, form, "receive-line", effect):
            messages.success(request, _("The goods are booked in."))
            return redirect("erp:purchase-detail", number=number)
    reason = refusal(policies.check_is_to_come, line.order)
    return _page(request, "erp/purchase_receive.html", form, line, reason)


@requires("erp.receive_stock")
def line_return(request: AuthenticatedRequest, number: str, position: int) -> HttpResponse:
    """Send received goods back: of tracked ones a lot, or serial numbers."""
    line = _line(number, position)
    form = ReturnLineForm(request.POST or None, line=line)
    if request.method == "POST" and form.is_valid():

        def effect() -> None:
            data = form.cleaned_data
            if not data["quantity"]:
                raise CannotReturn(_("Enter a quantity above zero."))
            purchasing.return_line(
                line=line,
                quantity=data["quantity"],
                reason=data["reason"],
                replace=data["replace"],
                goods=purchasing.Goods(
                    lot_number=data.get("lot", ""),
                    serials=data.get("serials", []),
                    bin_id=data["bin"].pk if data["bin"] else None,
                ),
                by=request.user,
                now=timezone.now(),
            )

        if _booked(request, line, form, "return-line", effect):
            messages.success(request, _("The goods go back."))
            return redirect("erp:purchase-detail", number=number)
    reason = "" if line.received > 0 else _("Nothing of it was received.")
    return _page(request, "erp/purchase_return.html", form, line, reason)


def _booked(
    request: AuthenticatedRequest,
    line: PurchaseOrderLine,
    form: ReceiveLineForm | ReturnLineForm,
    name: str,
    effect: Callable[[], None],
) -> bool:
    """Do it once, however often the form is sent; whether it is done."""

    def act() -> str:
        effect()
        return line.order.number

    said = sorted((key, str(value)) for key, value in form.cleaned_data.items())
    key = (line.pk, *(pair for pair in said if pair[0] != "idempotency_key"))
    return once(request, form, name, key, act) is not None


def _page(
    request: AuthenticatedRequest,
    template: str,
    form: ReceiveLineForm | ReturnLineForm,
    line: PurchaseOrderLine,
    reason: str,
) -> HttpResponse:
    context = {
        "order": line.order,
        "line": line,
        "form": form,
        "refused": reason,
        "bins": selectors.bins(site_id=line.order.site_id),
        "here": selectors.units_to_return(line, most=SHOWN)
        if isinstance(form, ReturnLineForm) and form.by_serials
        else [],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, template, context, status=status)


def _open(line: PurchaseOrderLine) -> dict[str, str]:
    """All that is open came, as a rule; of serial units as many as there are numbers."""
    if line.item.tracking == Tracking.SERIAL:
        return {}
    return {"quantity": f"{line.open_quantity.normalize():f}" if line.open_quantity else ""}


def _line(number: str, position: int) -> PurchaseOrderLine:
    order = selectors.purchase_order(number)
    if order is None:
        raise Http404
    line = next((row for row in order.lines.all() if row.position == position), None)
    if line is None:
        raise Http404
    line.order = order
    return line
