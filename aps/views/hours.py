"""Closures and overtime of single machines, and what other hours would move before they count."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from aps.change_forms import HoursForm, Offered
from aps.services import previews
from aps.services.previews import Preview
from aps.views import comparison_words
from aps.views.comparison_words import DateRow, MoveRow
from aps.views.place import place_of, tells_of_idle_sites
from common.access import AuthenticatedRequest, requires
from common.errors import Refused, told
from common.permissions import allowed
from masterdata import selectors as masterdata
from masterdata.services import unit_exceptions

MOST_BYTES = 60_000
MOST_DATES, MOST_MOVES = 12, 12
HTTP_UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class Said:
    """A preview as its panel says it; ``error`` alone where there is none."""

    error: str = ""
    has_plan: bool = True
    title: str = ""
    tone: str = "planned"
    is_quiet: bool = False
    facts: tuple[str, ...] = ()
    dates: tuple[DateRow, ...] = ()
    more_dates: int = 0
    moves: tuple[MoveRow, ...] = ()
    more_moves: int = 0
    fallen: tuple[str, ...] = ()
    # The change for the form of a scenario, in JSON.
    change: str = ""


@requires({"GET": "aps.view_schedule", "POST": "masterdata.edit"})
@require_http_methods(["GET", "HEAD", "POST"])
@tells_of_idle_sites
def hours(request: AuthenticatedRequest) -> HttpResponse:
    """What is closed or open besides the calendars, and a form for one more.

    ``act=moves`` answers what it would move; nothing is saved.
    """
    place = place_of(request)
    site_id = place.pk
    if site_id is None:
        return render(request, "aps/hours.html", {"no_site": True})
    form = HoursForm(request.POST or None, offered=_offered(site_id))
    is_valid = request.method == "POST" and form.is_valid()
    wants_moves = request.POST.get("act") == "moves"
    said = None
    if is_valid and wants_moves:
        said = _said(site_id, form.as_change())
    elif is_valid and _save(request, form):
        return HttpResponseRedirect(place.at(reverse("aps:hours")))
    context = {
        "form": form,
        "place": place,
        "said": said,
        "rows": unit_exceptions.coming(site_id=site_id, now=timezone.now()),
        "can_edit": allowed(request.user, "masterdata.edit"),
    }
    is_part = wants_moves and bool(request.htmx)  # type: ignore[attr-defined]  # set by its middleware
    template = "aps/hours.html" + ("#form" if is_part else "")
    status = HTTP_UNPROCESSABLE if form.errors else 200
    return render(request, template, context, status=status)


@requires("masterdata.edit")
@require_POST
def hours_remove(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Let the machine keep to its calendar again; the plan is made anew."""
    with told(request):
        row = unit_exceptions.remove(exception_id=pk, by=request.user, now=timezone.now())
        messages.success(
            request,
            _("%(unit)s keeps to its calendar again; the plan is made anew.")
            % {"unit": row.work_unit.code},
        )
    return HttpResponseRedirect(reverse("aps:hours"))


@requires("aps.plan")
@require_POST
def hours_moves(request: AuthenticatedRequest) -> HttpResponse:
    """``change`` in JSON, as aps.services.changes reads it: what it would move, as a panel.

    Nothing is saved. Without htmx it is a page of its own.
    """
    site_id = place_of(request).pk
    change = _read(request)
    if change is None or site_id is None:
        said = Said(error=_("The change could not be read."))
    else:
        said = _said(site_id, change)
    is_part = bool(request.htmx)  # type: ignore[attr-defined]  # set by its middleware
    template = "aps/hours_moves.html" + ("#panel" if is_part else "")
    return render(request, template, {"said": said})


def _read(request: HttpRequest) -> dict[str, Any] | None:
    text = request.POST.get("change", "")
    if len(text) > MOST_BYTES:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _save(request: AuthenticatedRequest, form: HoursForm) -> bool:
    """Write the closure or overtime; a refusal is told on the form."""
    data = form.cleaned_data
    unit = masterdata.work_unit_by_code(data["work_unit"])
    if unit is None:
        form.add_error("work_unit", _("This work unit is not active any more."))
        return False
    try:
        unit_exceptions.add(
            work_unit_id=unit.pk,
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
            is_working=data["what"] == "overtime",
            reason=data["reason"],
            by=request.user,
            now=timezone.now(),
        )
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    messages.success(request, _("%(unit)s is saved; the plan is made anew.") % {"unit": unit.code})
    return True


def _offered(site_id: int) -> Offered:
    units = masterdata.active_units(site_id=site_id)
    return Offered(units=[(unit.code, f"{unit.code} · {unit.label}") for unit in units])


def _said(site_id: int, change: Mapping[str, Any]) -> Said:
    try:
        found = previews.preview(site_id=site_id, changes=[change], now=timezone.now())
    except Refused as refused:
        return Said(error=str(refused))
    return say(found) if found is not None else Said(has_plan=False)


def say(found: Preview) -> Said:
    """The preview in the reader's language."""
    told = found.comparison
    dates = comparison_words.dates(told)
    moves = comparison_words.moves(told)
    breaks, moved = len(told["promise_breaks"]), told["moved_operations"]
    heals = sum(row["heals"] for row in told["orders"])
    is_quiet = not (dates or moved or found.fallen or found.unplanned)
    return Said(
        title=_title(is_quiet, breaks, _other_days(dates), moved),
        is_quiet=is_quiet,
        tone="late" if breaks or found.unplanned else "done" if is_quiet or heals else "risk",
        facts=tuple(_facts(found, breaks, heals, _other_days(dates))),
        dates=tuple(dates[:MOST_DATES]),
        more_dates=len(dates) - len(dates[:MOST_DATES]),
        moves=tuple(moves[:MOST_MOVES]),
        more_moves=moved - len(moves[:MOST_MOVES]),
        fallen=found.fallen,
        change=json.dumps([one.as_json() for one in found.changes]),
    )


def _other_days(dates: list[DateRow]) -> int:
    """How many lines arrive on another day; that one is ready an hour sooner is no new date."""
    return sum(row.before != row.after for row in dates)


def _title(is_quiet: bool, breaks: int, dates: int, moved: int) -> str:
    if is_quiet:
        return _("Nothing moves")
    if breaks:
        return ngettext("%(count)s promise breaks", "%(count)s promises break", breaks) % {
            "count": breaks
        }
    if dates:
        return ngettext(
            "%(count)s order line gets another date, no promise breaks",
            "%(count)s order lines get another date, no promise breaks",
            dates,
        ) % {"count": dates}
    if moved:
        return _("Operations move; no order gets another date")
    return _("No order gets another date")


def _facts(found: Preview, breaks: int, heals: int, other_days: int) -> list[str]:
    """The figures that the title does not say, those that are not zero."""
    told = found.comparison
    counts = [
        (
            ngettext(
                "%(count)s order line is in time again",
                "%(count)s order lines are in time again",
                heals,
            ),
            heals,
        ),
        (
            ngettext(
                "%(count)s order line gets another date",
                "%(count)s order lines get another date",
                other_days,
            ),
            # Without a broken promise it is the title.
            other_days if breaks else 0,
        ),
        (
            ngettext(
                "%(count)s operation moves", "%(count)s operations move", told["moved_operations"]
            ),
            told["moved_operations"],
        ),
        (
            ngettext(
                "%(count)s operation has no time any more",
                "%(count)s operations have no time any more",
                found.unplanned,
            ),
            found.unplanned,
        ),
    ]
    return [text % {"count": f"{count:,}"} for text, count in counts if count]
