"""Exchange rates: a new one, and one that is changed or removed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from masterdata.forms import ExchangeRateForm
from masterdata.models import ExchangeRate
from masterdata.services import records
from masterdata.views import editing


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def rate_create(request: AuthenticatedRequest) -> HttpResponse:
    """A new rate, from today on unless another day is said."""
    form = ExchangeRateForm(request.POST or None, initial={"valid_from": timezone.localdate()})
    return editing.create(request, form, editing.Page(_("New exchange rate"), then=_list))


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def rate_edit(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """A rate; ``remove`` deletes it."""
    rate = get_object_or_404(ExchangeRate, pk=pk)
    if request.method == "POST" and request.POST.get("act") == "remove":
        return _remove(request, rate)
    page = editing.Page(
        f"{rate.source} → {rate.target}",
        template="masterdata/exchange_rate_form.html",
        then=_list,
        extra={"rate_pk": pk, "opened": rate.version},
    )
    return editing.edit(request, ExchangeRateForm(request.POST or None, instance=rate), page)


def _remove(request: AuthenticatedRequest, rate: ExchangeRate) -> HttpResponse:
    text = request.POST.get("version", "")
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    try:
        records.remove_exchange_rate(rate, version=version, by=request.user, now=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("masterdata:exchange-rate-edit", pk=rate.pk)
    messages.success(request, _("The rate is removed."))
    return redirect("masterdata:exchange-rate-list")


def _list(_rate: ExchangeRate) -> str:
    return reverse("masterdata:exchange-rate-list")
