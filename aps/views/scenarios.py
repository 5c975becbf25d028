"""Scenarios: the list, one with its comparison, what can be done, any two plans compared."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from aps import policies
from aps.enums import RunKind, RunState
from aps.forms import CopyForm, ScenarioFilter
from aps.models import ScheduleRun
from aps.selectors import current_run
from aps.selectors import scenarios as selectors
from aps.services import comparison, scenarios
from aps.views import comparison_words, scenario_words, words
from aps.views.place import place_of, tells_of_idle_sites
from common.access import AuthenticatedRequest, requires
from common.errors import Refused, refusal, told
from common.permissions import allowed

PAGE_SIZE = 50
UNDER_WAY = (RunState.QUEUED, RunState.SOLVING)
MOST_OFFERED = 100
PARTS = ("result", "figures")


@requires("aps.view_schedule")
@require_safe
@tells_of_idle_sites
def scenario_list(request: HttpRequest) -> HttpResponse:
    """All scenarios, the newest first, narrowed by kind and state in the URL."""
    place = place_of(request)
    site_id = place.pk
    form = ScenarioFilter(request.GET)
    found = ScheduleRun.objects.none() if site_id is None else selectors.scenarios(site_id)
    found = form.narrowed(found)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [scenario_words.row(run) for run in page]
    context = {
        "place": place,
        "filter": form,
        "rows": rows,
        "page": page,
        "is_active": any(run.state in UNDER_WAY for run in page),
        "can_plan": allowed(request.user, "aps.plan"),
        "no_site": site_id is None,
    }
    template = "aps/scenario_list.html" + ("#rows" if _is_part(request) else "")
    return render(request, template, context)


@requires("aps.view_schedule")
@require_safe
def scenario_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One scenario beside the live plan; looks again by itself until it is solved.

    ``?part=result`` is its comparison alone, ``?part=figures`` the table of it, for pages of
    other rooms.
    """
    run = _scenario(pk)
    died = scenarios.has_died(run)
    is_active = run.state in UNDER_WAY and not died
    part = request.GET.get("part", "")
    if part in PARTS:
        query = request.GET.copy()
        query.pop("part")
        request.GET = query  # type: ignore[assignment]
        return render(request, f"aps/scenario_detail.html#{part}", _result(request, run))
    context = _result(request, run) | {
        "is_active": is_active,
        "died": died,
        "phase": words.phase(run),
        "percent": run.progress.get("percent", 0),
        "changes": [one.describe() for one in scenarios.counted(run)],
        "rights": {"plan": allowed(request.user, "aps.plan")},
        "refusals": _refusals(request, run),
        "on_board": run.state in (RunState.SOLVED, RunState.STALE),
        "copy_form": CopyForm(initial={"name": scenario_words.copy_name(run)}),
    }
    template = "aps/scenario_detail.html" + ("#facts" if _is_part(request) else "")
    response = render(request, template, context)
    if _is_part(request) and not is_active:
        # The buttons above are other ones now.
        response["HX-Refresh"] = "true"
    return response


@requires("aps.view_schedule")
@require_safe
@tells_of_idle_sites
def compare(request: HttpRequest) -> HttpResponse:
    """``?one=7&other=9``: any two plans that are still kept, side by side."""
    place = place_of(request)
    site_id = place.pk
    offered = list(selectors.comparable(site_id)[:MOST_OFFERED]) if site_id is not None else []
    live = current_run(site_id) if site_id is not None else None
    one = _chosen(offered, request.GET.get("one", "")) or live
    other = _chosen(offered, request.GET.get("other", ""))
    context: dict[str, Any] = {
        "place": place,
        "offered": [(run, scenario_words.title(run)) for run in offered],
        "one": one,
        "other": other,
        "is_gone": other is None and bool(request.GET.get("other")),
        "before_name": scenario_words.title(one) if one else "",
        "after_name": scenario_words.title(other) if other else "",
    }
    if one is not None and other is not None and one != other:
        found = comparison.of_runs(one=one, other=other, now=timezone.now())
        context |= comparison_words.context(found, request)
        # The board shows the plan in force, and one other beside it.
        context["beside"] = next((run for run in (other, one) if run != live), None)
    return render(request, "aps/scenario_compare.html", context)


@requires("aps.plan")
@require_POST
def scenario_publish(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Make it the live plan; where the plan has moved, its page says how."""
    run = _scenario(pk)
    try:
        run = scenarios.publish(run=run, by=request.user, now=timezone.now())
    except scenarios.StaleBase:
        return _back(run)
    except Refused as refused:
        messages.error(request, str(refused))
        return _back(run)
    messages.success(
        request, _("Version %(version)s is the plan in force.") % {"version": run.version}
    )
    return _back(run)


@requires("aps.plan")
@require_POST
def scenario_reject(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Throw it away, with the reason."""
    run = _scenario(pk)
    with told(request):
        reason = request.POST.get("reason", "").strip()[:300]
        scenarios.reject(run=run, by=request.user, now=timezone.now(), reason=reason)
    return _back(run)


@requires("aps.plan")
@require_POST
def scenario_rebase(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Solve the same changes on the plan in force."""
    run = _scenario(pk)
    with told(request):
        scenarios.rebase(run=run, by=request.user, now=timezone.now())
    return _back(run)


@requires("aps.plan")
@require_POST
def scenario_copy(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """A what-if with the same changes on the plan of today."""
    run = _scenario(pk)
    form = CopyForm(request.POST)
    name = form.cleaned_data["name"] if form.is_valid() else scenario_words.copy_name(run)
    with told(request):
        run = scenarios.copy(run=run, name=name, by=request.user, now=timezone.now())
    return _back(run)


def _scenario(pk: int) -> ScheduleRun:
    found = ScheduleRun.objects.exclude(kind=RunKind.LIVE).select_related("requested_by")
    return get_object_or_404(found, pk=pk)


def _back(run: ScheduleRun) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("aps:scenario-detail", kwargs={"pk": run.pk}))


def _result(request: HttpRequest, run: ScheduleRun) -> dict[str, Any]:
    """What the scenario means, from what was stored when it was solved: no query."""
    return {
        "run": run,
        "title": scenario_words.title(run),
        "before_name": _("The plan as it goes on"),
        "after_name": scenario_words.title(run),
        "notes": scenario_words.notes(run),
        "rush": scenario_words.rush(run),
        "can_try": allowed(request.user, "aps.plan"),
    } | comparison_words.context(run.comparison, request)


def _refusals(request: HttpRequest, run: ScheduleRun) -> dict[str, str]:
    """Why each action is not possible now; the disabled buttons' sentences."""
    said = [one.refusal(RunKind(run.kind)) for one in scenarios.counted(run)]
    foreign = refusal(policies.check_is_own, run, request.user)
    return {
        "publish": refusal(policies.check_can_publish, run)
        or foreign
        or next((sentence for sentence in said if sentence), ""),
        "change": refusal(policies.check_can_change, run, request.user),
        "reject": refusal(policies.check_can_reject, run) or foreign,
        "rebase": refusal(policies.check_can_rebase, run) or foreign,
    }


def _chosen(offered: list[ScheduleRun], text: str) -> ScheduleRun | None:
    return next((run for run in offered if str(run.pk) == text), None)


def _is_part(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]  # set by its middleware
