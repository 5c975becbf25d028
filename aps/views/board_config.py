"""What the board's script knows from the page: addresses, zone, words, its own modules."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from aps import selectors
from aps.models import ScheduleRun
from mes.enums import OperationState

# The parts of the board, each aps/static/aps/board/<name>.js; served names carry a hash.
MODULES = (
    "scale",
    "model",
    "theme",
    "paint",
    "axis",
    "input",
    "touch",
    "address",
    "beside",
    "data",
    "follow",
    "choose",
    "ghosts",
    "links",
    "page",
    "table",
    "load",
    "print",
)
# Those that change the plan, for planners only.
EDITING = ("edits", "drag", "move", "several")
STEPS = ("undo", "redo", "rebase", "publish", "discard", "eligible")


def config(
    site_id: int,
    now: datetime,
    *,
    can_plan: bool,
    scenario: ScheduleRun | None = None,
    site: str = "",
) -> dict[str, Any]:
    """The page's JSON for the board; one query. ``scenario``: whose ghosts it shows.

    ``site``: the code that whatever is asked names, where there are several to choose from.
    """
    names = (*MODULES, *EDITING) if can_plan else MODULES
    place = {"site": site} if site else {}
    query = f"?{urlencode(place)}" if place else ""
    names_of = {"draft": "draft-change"} | {step: f"draft-{step}" for step in STEPS}
    addresses = {step: reverse(f"aps:{name}") + query for step, name in names_of.items()}
    # It is asked with a query of its own.
    addresses["eligible"] = reverse("aps:draft-eligible")
    plan = selectors.plan_state(site_id)
    states = {str(state.value): str(state.label) for state in OperationState}
    return {
        "modules": {name: static(f"aps/board/{name}.js") for name in names},
        "place": place,
        "data": reverse("aps:board-data"),
        "panel": reverse("aps:board-panel"),
        "tree": reverse("aps:board-tree"),
        "follow": reverse("aps:board-states") + query,
        "edits": addresses if can_plan else None,
        "scenario": scenario.pk if scenario else 0,
        "zone": timezone.get_current_timezone_name(),
        "language": "zh-CN" if (get_language() or "").startswith("zh") else "en-GB",
        "now": now.isoformat(),
        "frozen": plan.frozen_minutes if plan else 0,
        "states": states,
        "words": _words() | _table_words() | _draft_words() | _scenario_words(),
    }


def columns(*, with_scenario: bool = False) -> list[tuple[str, str]]:
    """The linked table's columns: the key they sort by, and their heading."""
    more = [("other", _("In the scenario"))] if with_scenario else []
    return [
        ("start", _("Start")),
        ("end", _("End")),
        ("unit", _("Work unit")),
        ("item", _("Operation")),
        ("workOrder", _("Work order")),
        ("order", _("For")),
        ("state", _("State")),
        *more,
    ]


def _words() -> dict[str, str]:
    return {
        "late": _("Late"),
        "lateOrder": _("Order is late"),
        "risk": _("Tight"),
        "onTime": _("On time"),
        "outside": _("Outside work"),
        "week": _("Week {number}"),
        "setup": _("Setup"),
        "closed": _("No shift"),
        "locked": _("Locked"),
        "frozen": _("Frozen"),
        "frozenZone": _("Frozen zone"),
        "family": _("Family"),
        "more": _("and {count} more"),
        "noOrder": _("for stock"),
        "loading": _("Loading…"),
        "failed": _("The schedule could not be loaded. Try again."),
        "empty": _("Nothing is planned in this span of time."),
        "now": _("now"),
        "bars": _("operations shown"),
        "selected": _("Selected:"),
        "due": _("Due"),
        "orders": _("Orders"),
        "earlier": _("earlier"),
        "later": _("later"),
        "above": _("above"),
        "below": _("below"),
        "newer": _("Plan version {version} is in force: {cause}."),
    }


def _table_words() -> dict[str, str]:
    """Of the linked table and the load chart."""
    return {
        "viewTable": _("Operations in view"),
        "orderTable": _("All operations of {order}"),
        "loadTable": _("{unit}, {period}: {share} planned"),
        "all": _("{count} operations"),
        "firstOf": _("the first {shown} of {count} operations"),
        "centre": _("Show it in the middle of the board"),
        "noLoad": _("No load chart"),
        "allUnits": _("All work units"),
        "loadHead": _("Planned of open hours"),
        "loadTop": _("Top: {hours} h"),
        "over": _("Over"),
        "full": _("Full"),
        "overloads": _("Overloaded periods in view: {count}"),
        "noOverload": _("Nothing in view is overloaded."),
    }


def _draft_words() -> dict[str, str]:
    return {
        "moved": _("Moved in your draft"),
        "ghost": _("Where the plan has it"),
        "planAt": _("In the plan in force: {unit}, {start} – {end}"),
        "noDraft": _("No draft is open."),
        "notLoaded": _("This operation is not in view; select it on the board."),
        "notSent": _("The server did not answer; nothing was changed. Try again."),
        "planAgain": _("Plan {operation} again"),
        "several": _("Operations selected: {count}"),
        "cannotDo": _("{unit} cannot do this operation."),
    }


def _scenario_words() -> dict[str, str]:
    return {
        "other": _("Where the scenario has it"),
        "otherAt": _("In the scenario: {unit}, {start} – {end}"),
        "otherGone": _("In the scenario it has no time."),
        "same": _("unchanged"),
        "noTime": _("no time"),
    }
