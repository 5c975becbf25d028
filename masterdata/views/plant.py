"""Sites and work centers, with what stands in them and what their hours cost."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from common import audit
from common.access import AuthenticatedRequest, requires
from common.permissions import allowed
from masterdata.forms import RateFormSet, SiteForm, WorkCenterForm
from masterdata.models import Site, WorkCenter
from masterdata.selectors import pages
from masterdata.services import rates
from masterdata.views import editing, row_editing


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def site_create(request: AuthenticatedRequest) -> HttpResponse:
    page = editing.Page(_("New site"), then=_site_url)
    return editing.create(request, SiteForm(request.POST or None), page)


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def site_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    form = SiteForm(request.POST or None, instance=get_object_or_404(Site, code=code))
    if not allowed(request.user, "erp.view_cost"):
        del form.fields["energy_price"]
    return editing.edit(request, form, editing.Page(code, then=_site_url))


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def work_center_create(request: AuthenticatedRequest) -> HttpResponse:
    page = editing.Page(_("New work center"), then=_center_url)
    return editing.create(request, WorkCenterForm(request.POST or None), page)


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def work_center_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """The center with its work units and, for who may see costs, its rates."""
    center = get_object_or_404(WorkCenter.objects.select_related("calendar"), code=code)
    form = WorkCenterForm(request.POST or None, instance=center)
    sees_costs = allowed(request.user, "erp.view_cost")
    extra = {
        "center": center,
        "center_code": code,
        "units": pages.units_of(center),
        "changeovers": pages.changeovers_of(center),
        "sees_costs": sees_costs,
        "rates": pages.rates_of(center, on=timezone.localdate()) if sees_costs else [],
        "history": audit.history(center)[:10],
    }
    page = editing.Page(
        code,
        template="masterdata/work_center_form.html",
        then=_center_url,
        extra=extra,
        proposal=editing.other_calendar,
    )
    return editing.edit(request, form, page)


@requires({"GET": "erp.view_cost", "POST": "masterdata.edit"})
def work_center_rates(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """What an hour of the center costs, all rates as rows."""
    center = get_object_or_404(WorkCenter, code=code)
    rows = RateFormSet(request.POST or None, initial=_rate_rows(center))

    def save(kept: list[dict[str, Any]], **by_whom: Any) -> None:
        rates.save(center=center, rates=[rates.Rate(**data) for data in kept], **by_whom)

    page = row_editing.RowPage(
        record=center,
        title=_("Cost rates"),
        template="masterdata/rates_form.html",
        row_template="masterdata/_rate_row.html",
        save=save,
        saved=_("The rates of %(code)s are saved.") % {"code": code},
        record_url=_center_url(center),
    )
    return row_editing.edit(request, rows, page)


def _rate_rows(center: WorkCenter) -> list[dict[str, object]]:
    return [
        {
            "kind": row.kind,
            "amount_per_hour": f"{row.amount_per_hour.normalize():f}",
            "currency": row.currency,
            "valid_from": row.valid_from,
        }
        for row in center.rates.order_by("kind", "-valid_from")
    ]


def _site_url(site: Site) -> str:
    return reverse("masterdata:site-edit", args=[site.code])


def _center_url(center: WorkCenter) -> str:
    return reverse("masterdata:work-center-edit", args=[center.code])
