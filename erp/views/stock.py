"""The stock list, one item's moves, and goods that come in or were miscounted."""

from decimal import Decimal

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common import idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.forms import OnceForm
from common.idempotency import KeyReused
from common.permissions import allowed
from common.templatetags import ui_format
from erp import selectors
from erp.enums import MoveKind
from erp.forms import AdjustForm, ReceiveForm, StockFilter
from erp.models import StockBalance
from erp.services import stock
from erp.views.place import site_id, site_or_404
from masterdata import selectors as masterdata

PAGE_SIZE = 50


@requires("erp.view_stock")
@require_safe
def stock_list(request: HttpRequest) -> HttpResponse:
    """On hand, reserved, free and on order by item; narrowed by the URL."""
    form = StockFilter(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    found = selectors.balances(site_id=site_id(), text=text.replace("\x00", ""))
    context = {
        "filter": form,
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "can_receive": allowed(request.user, "erp.receive_stock"),
    }
    template = "erp/stock_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


@requires("erp.view_stock")
@require_safe
def stock_detail(request: HttpRequest, code: str) -> HttpResponse:
    """One item's stock: how much, for whom it waits, and how it moved."""
    return _detail(request, code, AdjustForm())


@requires("erp.adjust_stock")
@require_POST
def stock_adjust(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """Bring the stock to what was counted, with the reason."""
    form = AdjustForm(request.POST)
    balance = _balance(code)
    if not form.is_valid():
        return _detail(request, code, form, status=422)
    data = form.cleaned_data

    def effect() -> str:
        # The count may be old: the difference is taken from the stock at this moment.
        stock.adjust(
            item_id=balance.item_id,
            site_id=balance.site_id,
            quantity=data["counted"] - _balance(code).on_hand,
            reason=data["reason"],
            by=request.user,
            now=timezone.now(),
        )
        return reverse("erp:stock-detail", kwargs={"code": balance.item.code})

    key = (balance.pk, data["counted"].normalize(), data["reason"])
    url = _once(request, form, "adjust", key, effect)
    if url is None:
        return _detail(request, code, form, status=422)
    messages.success(request, _("The stock is corrected."))
    return HttpResponseRedirect(url)


@requires("erp.receive_stock")
def stock_receive(request: AuthenticatedRequest) -> HttpResponse:
    """Book goods in; what waits for them gets them, first due first."""
    site = site_or_404()
    form = ReceiveForm(request.POST or None, initial={"item": request.GET.get("item", "")})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        item = data["item"]

        def effect() -> str:
            stock.receive(
                item_id=item.pk,
                site_id=site,
                quantity=data["quantity"],
                kind=MoveKind.RECEIPT,
                reference=data["reference"],
                by=request.user,
                now=timezone.now(),
            )
            return reverse("erp:stock-detail", kwargs={"code": item.code})

        key = (item.pk, data["quantity"].normalize(), data["reference"])
        url = _once(request, form, "receive", key, effect)
        if url is not None:
            messages.success(
                request,
                _("%(quantity)s of %(item)s is in the store.")
                % {
                    "quantity": ui_format.quantity(data["quantity"], item.uom),
                    "item": item.code,
                },
            )
            return HttpResponseRedirect(url)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "items": masterdata.items()}
    return render(request, "erp/stock_receive.html", context, status=status)


def _once(
    request: AuthenticatedRequest,
    form: OnceForm,
    name: str,
    key: tuple[object, ...],
    effect: object,
) -> str | None:
    """Where the effect leads; None where it is refused, with the reason in the form."""
    assert callable(effect)  # noqa: S101 - our own functions
    try:
        return idempotency.once(
            user=request.user,
            key=form.cleaned_data["idempotency_key"],
            fingerprint=idempotency.fingerprint(name, *map(str, key)),
            now=timezone.now(),
            effect=effect,
        )
    except (Refused, KeyReused) as refusal:
        form.add_error(None, str(refusal))
        return None


def _detail(
    request: HttpRequest, code: str, form: AdjustForm, *, status: int = 200
) -> HttpResponse:
    balance = _balance(code)
    site = site_or_404()
    moves = selectors.moves_of(item_id=balance.item_id, site_id=site)
    now = timezone.now()
    context = {
        "balance": balance,
        "page": Paginator(moves, PAGE_SIZE).get_page(request.GET.get("page")),
        "waiting": selectors.waiting(site_id=site, item_ids=[balance.item_id]),
        "incoming": selectors.incoming(site_id=site, now=now, item_ids=[balance.item_id]),
        "form": form,
        "can_receive": allowed(request.user, "erp.receive_stock"),
        "can_adjust": allowed(request.user, "erp.adjust_stock"),
    }
    return render(request, "erp/stock_detail.html", context, status=status)


def _balance(code: str) -> StockBalance:
    """The item's balance with ``free`` and ``on_order``; empty where it never moved."""
    site = site_or_404()
    item = masterdata.item_by_code(code)
    if item is None:
        raise Http404
    found = selectors.balances(site_id=site).filter(item=item.pk).first()
    if found is None:
        found = StockBalance(item=item, site_id=site)
        found.free = found.on_order = Decimal(0)  # type: ignore[attr-defined]
    return found
