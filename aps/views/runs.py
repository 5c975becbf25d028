"""Planning runs: what was asked for, what came of it, and what was left out and why."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from aps import selectors
from aps.enums import RunKind, RunState
from aps.models import ScheduleRun
from aps.views import comparison_words, scenario_words, words
from aps.views.place import place_of, tells_of_idle_sites
from common.access import requires
from common.live import answer_if_changed

PAGE_SIZE = 50
# So many dates and moves are told on the page of a run; the comparison has all.
MOST_TOLD = 8
UNDER_WAY = (RunState.QUEUED, RunState.SOLVING)


@requires("aps.view_schedule")
@require_safe
@tells_of_idle_sites
def run_list(request: HttpRequest) -> HttpResponse:
    """All runs, the newest first, narrowed to a state by the URL."""
    place = place_of(request)
    site_id = place.pk
    found = selectors.runs(site_id) if site_id is not None else ScheduleRun.objects.none()
    state = request.GET.get("state", "")
    if state in RunState.values:
        found = found.filter(state=state)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "place": place,
        "rows": [_row(run) for run in page],
        "page": page,
        "states": RunState.choices,
        "state": state,
        "site_id": site_id,
        "is_active": site_id is not None and selectors.run_under_way(site_id) is not None,
    }
    template = "aps/run_list.html" + ("#rows" if _is_part(request) else "")
    return answer_if_changed(request, render(request, template, context))


@requires("aps.view_schedule")
@require_safe
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One run; looks again by itself until it is over."""
    run = get_object_or_404(ScheduleRun.objects.select_related("requested_by"), pk=pk)
    context = _row(run) | {
        "is_active": run.state in UNDER_WAY,
        "phase": words.phase(run),
        "percent": run.progress.get("percent", 0),
        "left_out": [words.left_out(*pair) for pair in run.figures.get("left_out_causes", [])],
        "newer": selectors.current_run(run.site_id),
        "diff": _difference(run),
    }
    template = "aps/run_detail.html" + ("#facts" if _is_part(request) else "")
    return render(request, template, context)


def _difference(run: ScheduleRun) -> dict[str, Any] | None:
    """What a published plan moved, shortly; None for the first and for what was never published."""
    found = run.comparison
    if run.kind != RunKind.LIVE or run.version is None or "before" not in found:
        return None
    dates, moves = comparison_words.dates(found), comparison_words.moves(found)
    return {
        "base": found["base_version"],
        "base_pk": ScheduleRun.objects.filter(site_id=run.site_id, version=found["base_version"])
        .values_list("pk", flat=True)
        .first(),
        "summary": comparison_words.summary(found),
        "is_quiet": not dates and not moves,
        "causes": comparison_words.causes(found.get("cause", {})),
        "chosen": scenario_words.chosen(found),
        "dates": dates[:MOST_TOLD],
        "more_dates": max(0, len(dates) - MOST_TOLD),
        "moves": moves[:MOST_TOLD],
        "more_moves": max(0, found["moved_operations"] - MOST_TOLD),
    }


def _is_part(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]  # set by its middleware


def _row(run: ScheduleRun) -> dict[str, Any]:
    figures = run.figures
    weighted = figures.get("weighted_tardiness_minutes")
    worst = figures.get("max_tardiness_minutes")
    return {
        "run": run,
        "figures": figures,
        "cause": words.cause(run),
        "is_scenario": run.kind != RunKind.LIVE,
        "weighted_hours": None if weighted is None else round(weighted / 60),
        "worst": words.duration(worst) if worst else "",
    }
