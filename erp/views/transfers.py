"""Goods that go to another site: the list, one consignment, and the acts on it."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common import audit, idempotency
from common.access import AuthenticatedRequest, requires
from common.audit_words import said
from common.errors import told
from common.permissions import allowed
from erp import selectors
from erp.enums import TransferState
from erp.forms_store import ReasonForm
from erp.forms_transfers import ArrivalForm, PackForm, TransferForm, site_choices
from erp.models import StockTransfer
from erp.policies_transfers import CannotTransfer
from erp.services import transfers
from erp.views.once import once
from erp.views.packing import packed
from erp.views.place import place_of
from traceability.selectors import normalised
from traceability.services.identities import check_numbers, some_of

PAGE_SIZE = 50
# Serial numbers that a page names.
SHOWN = 50


@requires("erp.view_stock")
@require_safe
def transfer_list(request: HttpRequest) -> HttpResponse:
    """Consignments between the sites, by what is to be done with them."""
    group, text = request.GET.get("show", ""), request.GET.get("q", "").replace("\x00", "")
    found = selectors.transfers(group=group, text=text)
    context = {
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "show": group if group in selectors.TRANSFER_GROUPS else "",
        "q": text,
        "can_send": allowed(request.user, "erp.move_stock"),
        "is_alone": len(selectors.all_sites()) < 2,
    }
    template = "erp/transfer_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


@requires("erp.move_stock")
def transfer_new(request: AuthenticatedRequest) -> HttpResponse:
    """An empty consignment; it is packed on its own page."""
    sites = site_choices()
    here = str(place_of(request).pk or "")
    other = next((pk for pk, _label in sites if pk != here), "")
    initial = {"from_site": here, "to_site": other}
    form = TransferForm(request.POST or None, sites=sites, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data

        def effect() -> str:
            made = transfers.draft(
                from_site_id=int(data["from_site"]),
                to_site_id=int(data["to_site"]),
                arrives_on=data["arrives_on"],
                note=data["note"],
                by=request.user,
                now=timezone.now(),
            )
            return _url(made.number)

        key = (data["from_site"], data["to_site"], data["arrives_on"], data["note"])
        url = once(request, form, "transfer", key, effect)
        if url is not None:
            return HttpResponseRedirect(url)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "is_alone": len(sites) < 2}
    return render(request, "erp/transfer_new.html", context, status=status)


@requires("erp.view_stock")
@require_safe
def transfer_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One consignment: what is in it, and what can be done with it now."""
    return _detail(request, _transfer(number))


@requires("erp.move_stock")
@require_POST
def transfer_pack(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Put something into it."""
    transfer = _transfer(number)
    form = PackForm(request.POST, site_id=transfer.from_site_id)
    if form.is_valid():
        data = form.cleaned_data

        def effect() -> str:
            for source, quantity in packed(data, site_id=transfer.from_site_id):
                transfers.pack(
                    transfer=transfer,
                    source=source,
                    quantity=quantity,
                    by=request.user,
                    now=timezone.now(),
                )
            return _url(number)

        key = (number, *data["what"], data["source"], data["quantity"])
        url = once(request, form, "pack", key, effect)
        if url is not None:
            messages.success(request, _("It is packed."))
            return HttpResponseRedirect(url)
    return _detail(request, transfer, pack_form=form, status=422)


@requires("erp.move_stock")
@require_POST
def transfer_unpack(request: AuthenticatedRequest, number: str, pk: int) -> HttpResponse:
    """Take an item and lot, or all units of an item, out of it."""
    transfer = _transfer(number)
    line = transfer.lines.filter(pk=pk).first()
    if line is None:
        raise Http404
    alike = transfer.lines.filter(item=line.item_id, lot=line.lot_id, from_bin=line.from_bin_id)
    with told(request):
        transfers.unpack(
            transfer=transfer,
            line_ids=list(alike.values_list("pk", flat=True)),
            by=request.user,
            now=timezone.now(),
        )
    return redirect("erp:transfer-detail", number=number)


@requires("erp.move_stock")
@require_POST
def transfer_act(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Dispatch it, or call it off, as ``action`` says."""
    transfer, now = _transfer(number), timezone.now()
    action = request.POST.get("action", "")
    if action not in ("dispatch", "cancel"):
        raise Http404
    with told(request):
        if action == "dispatch":
            transfers.dispatch(transfer=transfer, by=request.user, now=now)
            messages.success(request, _("It is under way; planning counts on it there."))
        else:
            reason = _reason(request)
            transfers.cancel(transfer=transfer, reason=reason, by=request.user, now=now)
            messages.success(request, _("It is called off."))
    return redirect("erp:transfer-detail", number=number)


@requires("erp.receive_stock")
@require_POST
def transfer_receive(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """Book in what arrived: all that is under way, or what the form says."""
    transfer = _transfer(number)
    contents = selectors.transfer_contents(transfer)
    form = ArrivalForm(request.POST, site_id=transfer.to_site_id, contents=contents)
    if form.is_valid():
        place = form.cleaned_data["bin"]
        whole = request.POST.get("action") == "all"

        def effect() -> str:
            transfers.receive(
                transfer=transfer,
                arrivals=_all(transfer) if whole else _arrivals(transfer, form),
                bin_id=place.pk if place else None,
                by=request.user,
                now=timezone.now(),
            )
            return _url(number)

        said_there = sorted((name, str(value)) for name, value in form.cleaned_data.items())
        key = (number, whole, *(pair for pair in said_there if pair[0] != "idempotency_key"))
        url = once(request, form, "arrive", key, effect)
        if url is not None:
            messages.success(request, _("The goods are booked in."))
            return HttpResponseRedirect(url)
    return _detail(request, transfer, arrival_form=form, status=422)


@requires("erp.receive_stock")
@require_POST
def transfer_close(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """What has not arrived does not arrive any more, with the reason."""
    transfer = _transfer(number)
    with told(request):
        transfers.close(
            transfer=transfer, reason=_reason(request), by=request.user, now=timezone.now()
        )
        messages.success(request, _("The difference is noted; nothing more is expected."))
    return redirect("erp:transfer-detail", number=number)


def _all(transfer: StockTransfer) -> dict[int, Decimal]:
    return {line.pk: line.open_quantity for line in selectors.open_transfer_lines(transfer)}


def _arrivals(transfer: StockTransfer, form: ArrivalForm) -> dict[int, Decimal]:
    """What the form says, by line id; raise CannotTransfer for numbers that are not under way."""
    found = form.quantities()
    serials = form.cleaned_data.get("serials", [])
    if serials:
        check_numbers(serials)
        known = selectors.open_units(transfer, serials)
        unknown = [number for number in serials if normalised(number) not in known]
        if unknown:
            raise CannotTransfer(
                _("%(numbers)s: not under way in this consignment.") % {"numbers": some_of(unknown)}
            )
        several = [number for number in serials if len(known[normalised(number)]) > 1]
        if several:
            raise CannotTransfer(
                _("%(numbers)s: several items have this number. Take all of it at once.")
                % {"numbers": some_of(several)}
            )
        found |= dict.fromkeys((lines[0] for lines in known.values()), Decimal(1))
    return found


def _detail(
    request: HttpRequest,
    transfer: StockTransfer,
    *,
    pack_form: PackForm | None = None,
    arrival_form: ArrivalForm | None = None,
    status: int = 200,
) -> HttpResponse:
    contents = selectors.transfer_contents(transfer)
    state = TransferState(transfer.state)
    is_draft, comes = state == TransferState.DRAFT, state in TransferState.on_the_way()
    can_send = allowed(request.user, "erp.move_stock")
    can_receive = allowed(request.user, "erp.receive_stock")
    site_id = transfer.from_site_id if is_draft else transfer.to_site_id
    context: dict[str, Any] = {
        "transfer": transfer,
        "contents": contents,
        "is_draft": is_draft,
        "comes": comes,
        "can_send": can_send,
        "can_receive": can_receive,
        "sees_cost": allowed(request.user, "erp.view_cost"),
        "value": sum((row.value for row in contents), Decimal(0)),
        "lost_value": sum((row.lost_value for row in contents), Decimal(0)),
        "has_missing": any(row.missing for row in contents),
        "key": idempotency.new_key(),
        "history": [
            {"at": row.at, "who": row.actor_label, "what": said(row.action), "why": row.reason}
            for row in audit.history(transfer)[:20]
        ],
    }
    if is_draft and can_send:
        context["pack_form"] = pack_form or PackForm(site_id=site_id)
    if comes and can_receive:
        context["arrival_form"] = arrival_form or ArrivalForm(site_id=site_id, contents=contents)
        context["serials"] = selectors.units_under_way(transfer, most=SHOWN)
    if {"pack_form", "arrival_form"} & context.keys():
        context["bins"] = selectors.bins(site_id=site_id)
    return render(request, "erp/transfer_detail.html", context, status=status)


def _transfer(number: str) -> StockTransfer:
    found = selectors.transfer(number)
    if found is None:
        raise Http404
    return found


def _url(number: str) -> str:
    return reverse("erp:transfer-detail", kwargs={"number": number})


def _reason(request: HttpRequest) -> str:
    form = ReasonForm(request.POST)
    return str(form.cleaned_data["reason"]) if form.is_valid() else ""
