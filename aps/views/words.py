"""What runs and late orders say to a reader."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aps.models import ScheduleRun
from aps.selectors import LateLine, ReadyCause
from aps.services import causes
from aps.services.causes import PlanCause
from common.templatetags import ui_format
from erp import selectors as erp

DAY_MINUTES = 24 * 60
_WHY = {
    ReadyCause.SCHEDULE: gettext_lazy("%(document)s is finished only then."),
    ReadyCause.PURCHASE: gettext_lazy("It waits for %(document)s from the supplier."),
    ReadyCause.TRANSFER: gettext_lazy(
        "On its way from %(site)s, expected %(date)s (%(document)s)."
    ),
    ReadyCause.UNPLANNED: gettext_lazy("%(document)s has no time in the schedule."),
    ReadyCause.ON_HOLD: gettext_lazy("%(document)s is on hold."),
    ReadyCause.UNCOVERED: gettext_lazy("Nobody makes or buys what is missing."),
}
_LEFT_OUT = {
    "on_hold": gettext_lazy("%(what)s is on hold, and what waits for it."),
    "no_work_unit": gettext_lazy("No active work unit can do %(what)s."),
    "no_people": gettext_lazy("No shift has enough people, for long enough, for %(what)s."),
    "no_tool": gettext_lazy("There is no active tool at the site for %(what)s."),
    "uncovered": gettext_lazy("Nothing covers a component of %(what)s, and what waits for it."),
    "kept_out": gettext_lazy("A planner took %(what)s off the plan, and what waits for it."),
    "no_room": gettext_lazy("There is no room for %(what)s in the years that are planned."),
}
_CAUSES = {
    PlanCause.CAPACITY: gettext_lazy("hours or machines changed"),
    PlanCause.MATERIAL: gettext_lazy("material changed"),
    PlanCause.ORDERS: gettext_lazy("orders changed"),
    PlanCause.REPORT: gettext_lazy("the shop floor reported"),
    PlanCause.RUSH: gettext_lazy("a rush was asked for"),
    PlanCause.MANUAL: gettext_lazy("a planner asked for it"),
    PlanCause.CHANGE: gettext_lazy("something changed"),
}
_PASSED = gettext_lazy("It is ready but has passed its date.")


def cause(run: ScheduleRun) -> str:
    """Why a run was asked for; a cause that a person typed stands as it is."""
    if run.cause == causes.AUTOMATIC:
        return str(_CAUSES[causes.of_plan(run)])
    known = {
        "manual": _("a planner asked for it"),
        "demo": _("the demonstration was loaded"),
        "what_if": _("somebody asked what if"),
        "rush": _("a rush was asked for"),
        "repair": _("something was disturbed"),
        "edit": _("a planner moved something"),
    }
    return known.get(run.cause, run.cause)


def phase(run: ScheduleRun) -> str:
    """What a run is doing."""
    known = {
        "reading": _("Reading orders, machines and calendars"),
        "improving": _("Looking for a better schedule"),
        "checking": _("Checking every rule once more"),
        "solved": _("Solved"),
        "published": _("Published"),
    }
    found = str(run.progress.get("phase", ""))
    return known.get(found, found) or _("Waiting for its turn")


def left_out(kind: str, reference: str) -> str:
    """Why work is not in a schedule."""
    sentence = _LEFT_OUT.get(kind)
    return str(sentence) % {"what": reference} if sentence else f"{reference}: {kind}"


def late_by(line: LateLine) -> str:
    """How late an order line will be: in days, under a day in hours."""
    minutes = line.late_minutes
    if minutes is None:
        return _("no date yet")
    return _("%(duration)s late") % {"duration": duration(minutes)}


def duration(minutes: int) -> str:
    """Clock time: days from two days on, else hours and minutes."""
    if minutes < 2 * DAY_MINUTES:
        return ui_format.minutes(minutes)
    days = minutes / DAY_MINUTES
    shown = f"{days:,.0f}" if days >= 10 else f"{days:.1f}".removesuffix(".0")
    return _("%(days)s days") % {"days": shown}


def _arrival(at: datetime) -> str:
    """The day for whose end a consignment is counted on."""
    return ui_format.day(erp.local_day(at, timezone.get_current_timezone()))


def why(line: LateLine) -> str:
    """What the date depends on, with the document that decides."""
    cause = line.ready.cause
    if cause == ReadyCause.PURCHASE and not line.ready.detail:
        return _("It waits for bought material that is not on order.")
    sentence = _WHY.get(cause, _PASSED)
    return str(sentence) % {
        "document": line.ready.detail,
        "site": line.ready.origin,
        "date": _arrival(line.ready.at) if line.ready.at is not None else "",
    }
