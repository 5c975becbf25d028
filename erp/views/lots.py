"""A lot is split, or put together with others."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from common.access import AuthenticatedRequest, requires
from erp import selectors
from erp.forms_lots import MergeForm, RelabelForm, SplitForm
from erp.models import StockQuant
from erp.services import lots
from erp.views.once import once
from traceability import selectors as traceability

if TYPE_CHECKING:
    from traceability.models import Lot

# Of the lots in one bin.
_MOST = 200


@requires("erp.relocate_stock")
def lot_split(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Give a part of the lot a number of its own."""
    lot = _lot_or_404(pk)
    places = list(selectors.quants(lot_id=pk))
    first = {"bin": places[0].bin_id} if places else {}
    form = SplitForm(request.POST or None, places=places, initial={**first, **_asked(request)})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data

        def effect() -> str:
            new = lots.split(
                lot_id=pk,
                bin_id=data["bin"],
                quantity=data["quantity"],
                number=data["number"],
                reason=data["reason"],
                by=request.user,
                now=timezone.now(),
            )
            return reverse("erp:lot-detail", kwargs={"pk": new.pk})

        key = (pk, data["bin"], data["quantity"].normalize(), data["number"])
        if (answer := _done(request, form, "split", key, effect)) is not None:
            return answer
    return _page(request, "erp/lot_split.html", {"lot": lot, "form": form, "places": places})


@requires("erp.relocate_stock")
def lot_merge(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Put the lot together with others that lie beside it, as a new lot."""
    lot = _lot_or_404(pk)
    places = list(selectors.quants(lot_id=pk))
    place = _chosen(request, places)
    others = _beside(place)
    form = MergeForm(request.POST or None, others=others)
    if request.method == "POST" and place is not None and form.is_valid():
        data, bin_id = form.cleaned_data, place.bin_id

        def effect() -> str:
            new = lots.merge(
                lot_ids=[pk, *data["others"]],
                bin_id=bin_id,
                number=data["number"],
                reason=data["reason"],
                by=request.user,
                now=timezone.now(),
            )
            return reverse("erp:lot-detail", kwargs={"pk": new.pk})

        key = (pk, bin_id, *sorted(data["others"]), data["number"])
        if (answer := _done(request, form, "merge", key, effect)) is not None:
            return answer
    context = {"lot": lot, "form": form, "places": places, "place": place, "others": others}
    return _page(request, "erp/lot_merge.html", context)


def _done(
    request: AuthenticatedRequest,
    form: RelabelForm,
    name: str,
    key: tuple[object, ...],
    effect: Callable[[], str],
) -> HttpResponse | None:
    """To the new lot; None where it was refused, with the reason in the form."""
    url = once(request, form, name, key, effect)
    if url is None:
        return None
    messages.success(request, _("This is the new lot: put its label on the goods."))
    return HttpResponseRedirect(url)


def _page(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    return render(request, template, context, status=422 if request.method == "POST" else 200)


def _lot_or_404(pk: int) -> "Lot":
    lot = traceability.lots([pk]).get(pk)
    if lot is None:
        raise Http404
    return lot


def _asked(request: HttpRequest) -> dict[str, str]:
    asked = request.GET.get("bin", "")
    return {"bin": asked} if asked else {}


def _chosen(request: HttpRequest, places: list[StockQuant]) -> StockQuant | None:
    """Where the lots are put together: the bin of the address, else the first it lies in."""
    asked = request.GET.get("bin", "")
    return next((row for row in places if str(row.bin_id) == asked), places[0] if places else None)


def _beside(place: StockQuant | None) -> list[StockQuant]:
    """The other lots of the item in the bin."""
    if place is None:
        return []
    lying = selectors.quants(bin_id=place.bin_id, item_id=place.item_id)
    rows = lying.filter(lot__isnull=False, quantity__gt=0).exclude(lot=place.lot_id)
    return list(rows[:_MOST])
