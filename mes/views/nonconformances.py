"""Nonconformances: the list, a new one, and one with its 8D."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from common import idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.permissions import allowed
from masterdata import selectors as masterdata
from mes import selectors
from mes.enums import NonconformanceSource
from mes.models import CheckResult, Nonconformance
from mes.quality_forms import NonconformanceFilter, ReportForm
from mes.services import nonconformances
from mes.views import problem_page
from traceability import selectors as traceability

PAGE_SIZE = 50
# What the address may say, and how much of it: a reference to a document, not its text.
_SAID = {
    "item": 60,
    "things": 400,
    "reference": 60,
    "work_order": 20,
    "problem": 300,
    "symptom": 40,
}
_LARGEST = 2**63


@requires("mes.view_quality")
@require_safe
def nonconformance_list(request: HttpRequest) -> HttpResponse:
    """Nonconformances, narrowed by the URL; at first all that are open."""
    given = request.GET.copy()
    given.setdefault("state", "all_open")
    form = NonconformanceFilter(given)
    data = form.cleaned_data if form.is_valid() else {}
    found = selectors.nonconformances(
        text=data.get("q", ""), state=data.get("state", ""), source=data.get("source", "")
    )
    context = {
        "filter": form,
        "narrowed": bool(data.get("q") or data.get("source") or data.get("state") != "all_open"),
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "can_report": allowed(request.user, "mes.report_nonconformance"),
        "mine": list(selectors.open_actions_of(request.user.pk or 0)[:10]),
        "today": timezone.localdate(),
    }
    template = "mes/quality/nonconformance_list.html" + ("#rows" if request.htmx else "")  # type: ignore[attr-defined]
    return render(request, template, context)


@requires("mes.report_nonconformance")
def nonconformance_new(request: AuthenticatedRequest) -> HttpResponse:
    """Report one; the address says what is known of it already, such as a check that failed."""
    form = ReportForm(request.POST or None, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        url = _reported(request, form)
        if url:
            return HttpResponseRedirect(url)
    status = 422 if request.method == "POST" else 200
    return render(request, "mes/quality/nonconformance_new.html", {"form": form}, status=status)


@requires("mes.view_quality")
@require_safe
def nonconformance_detail(request: AuthenticatedRequest, number: str) -> HttpResponse:
    """One with its goods, its 8D and its actions."""
    return problem_page.render_page(request, found(number))


def found(number: str) -> Nonconformance:
    """The nonconformance of a number; raise Http404."""
    row = selectors.nonconformance(number)
    if row is None:
        raise Http404
    return row


def _reported(request: AuthenticatedRequest, form: ReportForm) -> str | None:
    data = form.cleaned_data

    def effect() -> str:
        made = nonconformances.open_from(
            source=NonconformanceSource(data["source"]),
            reference=data["reference"],
            item_id=data["item"].pk,
            site_id=int(data["site"]),
            problem=data["problem"],
            quantity=data["quantity"],
            things=data["things"],
            work_order_ids=[data["work_order"]] if data["work_order"] else [],
            symptom=data["symptom"],
            by=request.user,
            now=timezone.now(),
        )
        return reverse("mes:nonconformance", kwargs={"number": made.number})

    said = sorted((name, str(value)) for name, value in data.items() if name != "idempotency_key")
    try:
        return idempotency.once(
            user=request.user,
            key=data["idempotency_key"],
            fingerprint=idempotency.fingerprint("report", said),
            now=timezone.now(),
            effect=effect,
        )
    except (Refused, idempotency.KeyReused) as refusal:
        form.add_error(None, str(refusal))
        return None


def _initial(request: HttpRequest) -> dict[str, object]:
    """What is known of it already: a failed check, or what the address names.

    ``?thing=`` is a lot or unit by its id in the ledger, which has its number and item.
    """
    pk = request.GET.get("check", "")
    site = masterdata.site_ids()
    source = request.GET.get("source", "")
    known = source in NonconformanceSource.values
    begin: dict[str, object] = {
        "source": NonconformanceSource(source) if known else NonconformanceSource.FLOOR,
        "site": str(site[0]) if site else "",
    }
    for name, most in _SAID.items():
        begin[name] = request.GET.get(name, "").replace("\x00", "")[:most]
    begin |= _thing(request.GET.get("thing", ""))
    if not pk.isdecimal() or len(pk) > 17:
        return begin
    rows = CheckResult.objects.select_related("check_row__operation__work_order__item")
    result = rows.filter(pk=pk).first()
    if result is None:
        return begin
    order = result.check_row.operation.work_order
    said = f"{result.check_row.label}: {result.value.normalize():f}" if result.value else ""
    return begin | {
        "source": NonconformanceSource.INSPECTION,
        "site": str(order.site_id),
        "item": order.item.code,
        "work_order": order.number,
        "reference": order.number,
        "problem": said or result.check_row.label,
    }


def _thing(typed: str) -> dict[str, object]:
    """Number and item of a lot or unit; nothing where there is none."""
    pk = int(typed) if typed.isdecimal() and len(typed) < 20 else 0
    found = traceability.thing(pk) if 0 < pk < _LARGEST else None
    return {"things": found.number, "item": found.item.code} if found else {}
