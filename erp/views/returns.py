"""Material comes back from a work order to the store."""

from decimal import Decimal

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from common.access import AuthenticatedRequest, requires
from erp import policies_returns as policies
from erp import selectors
from erp.enums import RequirementKind
from erp.forms_deliveries import BringBackForm
from erp.models import Requirement
from erp.services import returns
from erp.views.once import once
from erp.views.place import place_of
from traceability import selectors as traceability

PAGE_SIZE = 50


@requires("erp.move_stock")
@require_safe
def return_list(request: HttpRequest) -> HttpResponse:
    """Work orders that got material, by number or by what is scanned."""
    place, text = place_of(request), request.GET.get("q", "").replace("\x00", "")
    found = selectors.issued_orders(site_id=place.pk or 0, text=text)
    context = {
        "place": place,
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "q": text,
    }
    template = "erp/return_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


@requires("erp.move_stock")
@require_safe
def return_detail(request: HttpRequest, reference: str) -> HttpResponse:
    """What lies at a work order, and may come back."""
    return _detail(request, reference)


@requires("erp.move_stock")
@require_POST
def return_line(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Book back so much of a lot, or serial numbers."""
    need = get_object_or_404(
        Requirement.objects.select_related("item"), pk=pk, kind=RequirementKind.COMPONENT
    )
    form = BringBackForm(request.POST, site_id=need.site_id)
    if form.is_valid():
        data = form.cleaned_data

        def effect() -> str:
            known = traceability.units_of(item_id=need.item_id, numbers=data["serials"])
            policies.check_serials_are_known(need.item, data["serials"], known)
            units = [unit.pk for unit in known.values()]
            returns.from_work_order(
                requirement_id=need.pk,
                quantity=Decimal(len(units)) if units else data["quantity"] or Decimal(0),
                reference=need.reference,
                lot_id=data["lot"],
                unit_ids=units,
                bin_id=data["bin"].pk if data["bin"] else None,
                still_needed=data["still_needed"],
                by=request.user,
                now=timezone.now(),
            )
            return reverse("erp:return-detail", kwargs={"reference": need.reference})

        said = sorted((name, str(value)) for name, value in data.items())
        key = (pk, *(pair for pair in said if pair[0] != "idempotency_key"))
        url = once(request, form, "bring-back", key, effect)
        if url is not None:
            messages.success(request, _("It lies in the store again."))
            return HttpResponseRedirect(url)
    return _detail(request, need.reference, failed=form, row=f"{pk}-{request.POST.get('lot') or 0}")


def _detail(
    request: HttpRequest, reference: str, *, failed: BringBackForm | None = None, row: str = ""
) -> HttpResponse:
    site = selectors.site_of_reference(reference, kind=RequirementKind.COMPONENT)
    if site is None:
        raise Http404
    lines = selectors.issued_lines(site_id=site, reference=reference)
    context = {
        "reference": reference,
        "lines": lines,
        "failed": failed,
        "failed_row": row,
        "bins": selectors.bins(site_id=site),
    }
    return render(request, "erp/return_detail.html", context, status=422 if failed else 200)
