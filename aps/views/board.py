"""The schedule board and its twins: the list of operations and the late orders."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from aps import selectors
from aps.forms import BoardFilter
from aps.models import ScheduleRun
from aps.selectors import Bar
from aps.services import runs
from aps.views import board_config, compared, overview, why, window, words
from aps.views.compared import Other
from aps.views.overview import order_of
from aps.views.place import place_of, tells_of_idle_sites
from common.access import AuthenticatedRequest, requires
from common.errors import told
from common.permissions import allowed
from masterdata import selectors as masterdata
from masterdata.selectors import UnitInfo
from mes.enums import OperationState

PAGE_SIZE = 25
VIEWS = ("", "board", "list", "late")
PARTS = ("progress", "overview", "rows")


@dataclass(frozen=True, slots=True)
class ListRow:
    """An operation as the list shows it; ``unit`` is None for outside work."""

    bar: Bar
    unit: UnitInfo | None
    name: str
    state: str
    orders: tuple[str, ...]
    # Where the scenario that is shown beside has it, None where it stays.
    other: Other | None = None


@requires("aps.view_schedule")
@require_safe
@tells_of_idle_sites
def board(request: HttpRequest) -> HttpResponse:
    """The page; its parts (progress, overview, rows) come by the same URL with ``part``."""
    place = place_of(request)
    site_id = place.pk
    if site_id is None:
        return render(request, "aps/board.html", {"no_site": True})
    now = timezone.now()
    part = _take_part(request)
    run = selectors.current_run(site_id)
    if part == "progress":
        return _progress(request, site_id, run)
    context = _context(request, site_id, run, now) | {"place": place}
    response = render(request, "aps/board.html" + (f"#{part}" if part else ""), context)
    if part == "rows":
        response["HX-Replace-Url"] = f"{request.path}?{request.GET.urlencode()}"
    return response


def _take_part(request: HttpRequest) -> str:
    """The part asked for, "" for the page; the links in it are to lead to the page."""
    query = request.GET.copy()
    part = query.pop("part", [""])[-1]
    request.GET = query  # type: ignore[assignment]
    return part if part in PARTS else ""


def _context(
    request: HttpRequest, site_id: int, run: ScheduleRun | None, now: datetime
) -> dict[str, Any]:
    units = masterdata.active_units(site_id=site_id)
    centers = sorted({unit.work_center_code for unit in units})
    form = BoardFilter(request.GET, centers=[(code, code) for code in centers])
    view = request.GET.get("view", "")
    context: dict[str, Any] = {
        "view": view if view in VIEWS else "",
        "filter": form,
        "units": units,
        "site_id": site_id,
        "can_plan": allowed(request.user, "aps.plan"),
        "why_no_plan": _why_no_plan(request, units),
    } | overview.context(site_id=site_id, run=run, now=now)
    context |= compared.context(request.GET, site_id)
    # Beside a scenario the board is for looking: a draft has ghosts of its own.
    context["can_edit"] = context["can_plan"] and context["compared"] is None
    starts_at, ends_at = window.chosen(request.GET, now)
    if context["view"] == "late":
        context["page"] = page = _page(request, context["late"])
        told = why.bindings(site_id, [row.line for row in page], now)
        context["bindings"] = [(row, told[row.reference]) for row in page]
    else:
        context["first_late"] = why.bound(site_id, context["first_late"], now)
    if context["view"] not in ("late", "board") and run is not None:
        rows = _rows(selectors.board(site_id=site_id, starts_at=starts_at, ends_at=ends_at), form)
        context["page"] = page = _page(request, rows)
        page.object_list = _beside(context["compared"], page.object_list, units)
    return context | {
        "starts_at": starts_at,
        "ends_at": ends_at,
        "config": board_config.config(
            site_id,
            now,
            can_plan=context["can_edit"],
            scenario=context["compared"],
            site=request.GET.get("site", ""),
        ),
        "columns": board_config.columns(with_scenario=context["compared"] is not None),
    }


def _beside(
    run: ScheduleRun | None, rows: Sequence[ListRow], units: Sequence[UnitInfo]
) -> Sequence[ListRow]:
    """The rows with where the scenario has them."""
    if run is None:
        return rows
    found = compared.others(run, [row.bar for row in rows], units)
    return [replace(row, other=found.get(row.bar.operation_id)) for row in rows]


@requires("aps.plan")
@require_POST
def plan_again(request: AuthenticatedRequest) -> HttpResponse:
    """Ask for a new plan and go back to the board, where its progress shows."""
    place = place_of(request)
    site_id = place.pk
    with told(request):
        if site_id is not None:
            runs.request(site_id=site_id, cause="manual", by=request.user, now=timezone.now())
    return HttpResponseRedirect(place.at(reverse("aps:board")))


def _progress(request: HttpRequest, site_id: int, run: ScheduleRun | None) -> HttpResponse:
    """The run under way; 204 while nothing changed since what the page shows.

    A version that the page does not show yet is told by an event: lists look again on it, the
    board once nobody works on it.
    """
    shown, version = request.GET.get("version", ""), str(run.version) if run else ""
    view = request.GET.get("view", "")
    context = overview.under_way(site_id=site_id) | {"run": run, "site_id": site_id, "view": view}
    is_quiet = context["active"] is None and not request.GET.get("active")
    if shown == version and is_quiet:
        return HttpResponse(status=204)
    response = render(request, "aps/board.html#progress", context)
    if not shown and version:
        # The first schedule: the page has no board yet.
        response["HX-Refresh"] = "true"
    elif shown != version and run:
        # The board asks whoever works on it; the lists have nobody's work in them.
        told = {"version": version, "cause": str(words.cause(run))}
        event = "schedule-published" if view in ("list", "late") else "schedule-newer"
        response["HX-Trigger"] = json.dumps({event: told})
    return response


def _why_no_plan(request: HttpRequest, units: Sequence[UnitInfo]) -> str:
    if not allowed(request.user, "aps.plan"):
        return _("Planners make the schedule anew.")
    if not units:
        return _("There are no work units to plan on.")
    return ""


def _rows(found: selectors.Board, form: BoardFilter) -> list[ListRow]:
    """The bars of the window, by start, narrowed to what the filter asks for."""
    rows = [
        ListRow(
            bar=bar,
            unit=row.unit,
            name=label(bar.name, bar.name_zh),
            state=str(OperationState(bar.state).label),
            orders=tuple(dict.fromkeys(order_of(r) for r in bar.references)),
        )
        for row in found.rows
        for bar in row.bars
    ]
    if form.is_valid():
        text = form.cleaned_data["q"].strip().casefold()
        center, is_late = form.cleaned_data["center"], form.cleaned_data["late"]
        rows = [
            row
            for row in rows
            if (not is_late or row.bar.is_late)
            and (not center or (row.unit is not None and row.unit.work_center_code == center))
            and (not text or _mentions(row.bar, text))
        ]
    return sorted(rows, key=lambda row: (row.bar.starts_at, row.bar.operation_id))


def _mentions(bar: Bar, text: str) -> bool:
    words = (bar.work_order_number, bar.item_code, *bar.references)
    return any(text in word.casefold() for word in words)


def _page(request: HttpRequest, rows: Sequence[Any]) -> Any:
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def label(name: str, name_zh: str) -> str:
    """The name in the reader's language, the other one where it is missing."""
    return name_zh if name_zh and (get_language() or "").startswith("zh") else name
