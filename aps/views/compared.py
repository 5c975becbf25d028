"""A scenario beside the plan in force on the board: which, in words, and where it differs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from aps import selectors
from aps.enums import RunKind, RunState
from aps.models import ScheduleRun
from aps.selectors import Bar, Place
from aps.selectors import beside as places
from aps.services import staleness
from aps.views import scenario_words
from masterdata.selectors import UnitInfo
from mes.enums import OperationState


@dataclass(frozen=True, slots=True)
class Other:
    """Where the scenario has an operation; no start where it has no time for it."""

    unit: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def asked(query: QueryDict) -> int:
    """The scenario of the URL, 0 for none; what is no number is 0 too."""
    text = query.get("scenario", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else 0


def shown(query: QueryDict, site_id: int) -> ScheduleRun | None:
    """The scenario of the URL, where its operations are still kept and it is not in force."""
    pk = asked(query)
    run = selectors.shown_run(site_id=site_id, pk=pk) if pk else None
    return None if run is None or run.state == RunState.PUBLISHED else run


def context(query: QueryDict, site_id: int) -> dict[str, Any]:
    """What the line above the board says: the scenario, and what to mind."""
    run = shown(query, site_id)
    if run is None:
        return {"compared": None, "is_gone": bool(query.get("scenario"))}
    found = run.comparison
    notes = []
    if run.kind == RunKind.LIVE or run.state == RunState.SUPERSEDED:
        notes.append(_("An earlier version: what has been done since is not drawn."))
    elif staleness.since(run).is_stale:
        notes.append(
            _("The plan has moved since it was made; recompute it before it is published.")
        )
    if found.get("extra_units") or found.get("demands"):
        notes.append(_("Machines that do not exist and new demand have no place on the board."))
    return {
        "compared": run,
        "compared_title": scenario_words.title(run),
        "compared_notes": notes,
        "is_scenario": run.kind != RunKind.LIVE,
    }


def others(
    run: ScheduleRun | None, bars: Collection[Bar], units: Collection[UnitInfo]
) -> Mapping[int, Other]:
    """Where the scenario has these operations elsewhere, by id; three queries."""
    if run is None:
        return {}
    own = places.own_moves(run, selectors.current_run(run.site_id))
    theirs = places.places(run=run, operations=[bar.operation_id for bar in bars])
    tolerance = places.tolerance(run.site_id)
    codes = {unit.id: unit.code for unit in units}
    found: dict[int, Other] = {}
    for bar in bars:
        place = theirs.get(bar.operation_id)
        if place is None:
            if bar.state in OperationState.open():
                found[bar.operation_id] = Other("")
        elif own is not None and bar.operation_id not in own:
            continue
        elif places.differs(Place(bar.work_unit_id, bar.starts_at, bar.ends_at), place, tolerance):
            unit = codes.get(place.work_unit_id or 0, _("Outside work"))
            found[bar.operation_id] = Other(unit, place.starts_at, place.ends_at)
    return found
