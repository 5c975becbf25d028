"""What a suspect reached: three lists, files of them, and everything stoppable held at once."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from common import idempotency
from common.access import AuthenticatedRequest, requires
from common.errors import Refused, told
from common.permissions import allowed
from crm.enums_trace import Whereabouts
from crm.forms import ReasonForm
from crm.forms_trace import CauseForm, ProblemForm
from crm.models import Containment
from crm.services import containments, suspect_goods
from crm.trace import causes, files
from crm.trace import impact as reached
from crm.trace.causes import Suspect
from crm.views.trace import thing_or_404
from traceability import selectors as ledger
from traceability.enums import FIRST_UNIT_ID

PAGE_SIZE = 50
_FILES: dict[str, tuple[Callable[[ledger.Start], bytes], str]] = {
    "csv": (files.as_csv, "text/csv; charset=utf-8"),
    "xlsx": (
        files.as_xlsx,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
}


class _Units:
    """The units of a list, read only as far as a page shows them."""

    def __init__(self, start: ledger.Start, where: Whereabouts, count: int) -> None:
        self.start, self.where, self.count_ = start, where, count

    def __len__(self) -> int:
        return self.count_

    def __getitem__(self, part: slice) -> list[reached.UnitRow]:
        size = part.stop - part.start
        if not size:
            return []
        return reached.unit_rows(self.start, self.where, limit=size, offset=part.start)


@requires("crm.view_trace")
@require_safe
def impact(request: HttpRequest, pk: int) -> HttpResponse:
    """What has something of a lot, or a unit, in it."""
    suspect = causes.of_thing(thing_or_404(pk))
    urls = {
        "hold": reverse("crm:impact-hold", args=[pk]),
        "problem": reverse("crm:impact-nonconformance", args=[pk]),
        "csv": reverse("crm:impact-file", args=[pk, "csv"]),
        "xlsx": reverse("crm:impact-file", args=[pk, "xlsx"]),
    }
    return _page(request, suspect, urls, {})


@requires("crm.view_trace")
@require_safe
def impact_cause(request: HttpRequest) -> HttpResponse:
    """What went through a machine, a program or a person, or out of limits, in a window."""
    form = _form(request) if request.GET else _form(None, request)
    if not request.GET or not form.is_valid():
        return render(request, "crm/trace/impact.html", {"form": form})
    suspect = _suspect(request, form)
    urls = {
        "hold": f"{reverse('crm:impact-cause-hold')}?{suspect.querystring}",
        "problem": f"{reverse('crm:impact-cause-nonconformance')}?{suspect.querystring}",
        "csv": f"{reverse('crm:impact-cause-file', args=['csv'])}?{suspect.querystring}",
        "xlsx": f"{reverse('crm:impact-cause-file', args=['xlsx'])}?{suspect.querystring}",
    }
    return _page(request, suspect, urls, {"form": form})


def _page(
    request: HttpRequest, suspect: Suspect, urls: dict[str, str], extra: dict[str, Any]
) -> HttpResponse:
    found = reached.summary(suspect.start)
    where = _chosen(request, found)
    units = _Units(suspect.start, where, found.by_list[where].total)
    lot_rows = reached.lot_rows(suspect.start)
    lots = Paginator(lot_rows, PAGE_SIZE)
    rows = Paginator(found.rows[where], PAGE_SIZE)
    held = containments.open_of(suspect.start)
    can_hold = allowed(request.user, "crm.contain")
    pages: Paginator[reached.UnitRow] = Paginator(units, PAGE_SIZE)  # type: ignore[arg-type]
    context = {
        **extra,
        "suspect": suspect,
        "summary": found,
        "lists": [(place, found.by_list[place]) for place in Whereabouts],
        "where": where,
        "rows": rows.get_page(request.GET.get("by")),
        "page": pages.get_page(request.GET.get("page")),
        "lots": lots.get_page(request.GET.get("lots")),
        "urls": urls,
        "held": held,
        "stoppable_lots": sum(row.is_stoppable for row in lots.object_list),
        "is_unit": suspect.thing is not None and suspect.thing.pk >= FIRST_UNIT_ID,
        "can_run": allowed(request.user, "crm.run_drill"),
        "can_hold": can_hold,
        "problem_form": _problem_form(found, lot_rows, held) if can_hold else None,
        "can_release": allowed(request.user, "erp.release_hold"),
    }
    return render(request, "crm/trace/impact.html", context)


def _problem_form(
    found: reached.Summary, lots: list[reached.LotRow], held: list[Containment]
) -> ProblemForm | None:
    """The form of a nonconformance, beginning with why goods are held; None without any item."""
    items = reached.items_reached(found, lots)
    if not items:
        return None
    return ProblemForm(
        items=items, initial={"problem": held[0].reason if held else ""}, auto_id="id_problem_%s"
    )


def _chosen(request: HttpRequest, found: reached.Summary) -> Whereabouts:
    asked = request.GET.get("list", "")
    if asked in Whereabouts.values:
        return Whereabouts(asked)
    full = [place for place in Whereabouts if found.by_list[place].total]
    return full[0] if full else Whereabouts.SHIPPED


def _form(asked: HttpRequest | None, request: HttpRequest | None = None) -> CauseForm:
    user = (asked or request).user  # type: ignore[union-attr]
    return CauseForm(
        asked.GET if asked else None, may_see_operators=allowed(user, "crm.view_operator")
    )


def _suspect(request: HttpRequest, form: CauseForm) -> Suspect:
    may_see = allowed(request.user, "crm.view_operator")
    return causes.of_cause(form.cause, query=form.query, may_see_operators=may_see)


def _suspect_or_404(request: HttpRequest) -> Suspect:
    """What was asked, with people by number: it is kept, or leaves in a file."""
    form = _form(request)
    if not form.is_valid():
        raise Http404
    return causes.of_cause(form.cause, query=form.query, may_see_operators=False)


@requires("crm.view_trace")
@require_safe
def impact_file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The lists of a lot or unit as CSV or XLSX."""
    return _file(causes.of_thing(thing_or_404(pk)), kind)


@requires("crm.view_trace")
@require_safe
def impact_cause_file(request: HttpRequest, kind: str) -> HttpResponse:
    """The lists of a cause as CSV or XLSX."""
    return _file(_suspect_or_404(request), kind)


def _file(suspect: Suspect, kind: str) -> HttpResponse:
    if kind not in _FILES:
        raise Http404
    make, content_type = _FILES[kind]
    answer = HttpResponse(make(suspect.start), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="impact.{kind}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@requires("crm.contain")
@require_POST
def impact_hold(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Hold everything that a lot or unit reached and that can be stopped."""
    suspect = causes.of_thing(thing_or_404(pk))
    _hold(request, suspect)
    return HttpResponseRedirect(reverse("crm:impact", args=[pk]))


@requires("crm.contain")
@require_POST
def impact_cause_hold(request: AuthenticatedRequest) -> HttpResponse:
    """Hold everything that a cause reached and that can be stopped."""
    suspect = _suspect_or_404(request)
    _hold(request, suspect)
    return HttpResponseRedirect(f"{reverse('crm:impact-cause')}?{suspect.querystring}")


def _hold(request: AuthenticatedRequest, suspect: Suspect) -> None:
    with told(request):
        row = containments.contain(
            start=suspect.start,
            title=suspect.title,
            reason=_reason(request),
            by=request.user,
            now=timezone.now(),
        )
        number = len(row.hold_ids)
        messages.success(
            request,
            ngettext(
                "On hold: %(number)s lot or unit. Nobody picks, issues, finishes or ships it.",
                "On hold: %(number)s lots and units. Nobody picks, issues, finishes or ships them.",
                number,
            )
            % {"number": number},
        )


@requires("crm.contain")
@require_POST
def impact_nonconformance(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Report what a lot or unit reached; who may is who may hold it, as that is done too."""
    return _report(request, causes.of_thing(thing_or_404(pk)), reverse("crm:impact", args=[pk]))


@requires("crm.contain")
@require_POST
def impact_cause_nonconformance(request: AuthenticatedRequest) -> HttpResponse:
    """Report what a cause reached."""
    suspect = _suspect_or_404(request)
    return _report(request, suspect, f"{reverse('crm:impact-cause')}?{suspect.querystring}")


def _report(request: AuthenticatedRequest, suspect: Suspect, back: str) -> HttpResponse:
    """To the nonconformance; back to the impact with the reason where that is refused."""
    items = reached.items_reached(reached.summary(suspect.start), reached.lot_rows(suspect.start))
    form = ProblemForm(request.POST, items=items)
    if not form.is_valid():
        messages.error(request, " ".join(str(said) for row in form.errors.values() for said in row))
        return HttpResponseRedirect(back)
    now = timezone.now()

    def effect() -> str:
        found = suspect_goods.report(suspect=suspect, problem=form.said, by=request.user, now=now)
        return reverse("mes:nonconformance", kwargs={"number": found.number})

    try:
        url = idempotency.once(
            user=request.user,
            key=form.cleaned_data["idempotency_key"],
            fingerprint=idempotency.fingerprint(suspect.title, request.POST),
            now=now,
            effect=effect,
        )
    except (Refused, idempotency.KeyReused) as refused:
        messages.error(request, str(refused))
        return HttpResponseRedirect(back)
    return HttpResponseRedirect(url)


@requires("erp.release_hold")
@require_POST
def containment_release(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Lift what was held together, with the reason."""
    row = get_object_or_404(Containment, pk=pk)
    with told(request):
        containments.release(
            containment=row, reason=_reason(request), by=request.user, now=timezone.now()
        )
        messages.success(request, _("The holds are lifted."))
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return HttpResponseRedirect(back if is_ours and back else reverse("crm:trace"))


def _reason(request: HttpRequest) -> str:
    form = ReasonForm(request.POST)
    return str(form.cleaned_data["reason"]) if form.is_valid() else ""
