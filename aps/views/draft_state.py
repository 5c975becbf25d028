"""A draft against the plan in force: bars that lie elsewhere and dates, in numbers and words."""

from typing import Any

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from aps import selectors
from aps.models import OperationLock, ScheduledOperation, ScheduleRun
from aps.selectors import beside
from aps.services import scenarios
from aps.views import tree
from common.templatetags import ui_format
from masterdata import selectors as masterdata
from masterdata.services import calendars
from mes import selectors as mes
from mes.enums import OperationState

NOTHING: dict[str, Any] = {
    "open": False,
    "version": None,
    "summary": "",
    "changes": [],
    "canUndo": False,
    "canRedo": False,
    "moved": [],
    "removed": [],
    "locked": [],
    "unlocked": [],
    "dates": [],
    "keptOut": [],
    "changeovers": {},
}
MOST_DATES = 20
Place = tuple[int | None, int, int]


def state(*, draft: ScheduleRun | None, live: ScheduleRun | None) -> dict[str, Any]:
    """The draft as the board draws it; ``NOTHING`` with the version where there is none."""
    if live is None:
        return NOTHING
    head = {"version": live.version, "keptOut": _kept_out(live.site_id)}
    if draft is None:
        return NOTHING | head
    before, after = _places(live), _places(draft)
    moved = [pk for pk, place in after.items() if before.get(pk) != place]
    rows = ScheduledOperation.objects.filter(run=draft, operation__in=moved)
    bars = selectors.with_references(selectors.as_bars(rows.order_by("operation_id")))
    own = beside.moved_by(draft)
    locked, unlocked = _locks(draft)
    changes = [one.describe() for one in scenarios.counted(draft)]
    return head | {
        "open": True,
        "summary": _summary(draft, len(changes)),
        "changes": changes,
        "canUndo": draft.cursor > 0,
        "canRedo": draft.cursor < len(draft.changes),
        "moved": [_bar(bar) | {"isMoved": own is None or bar.operation_id in own} for bar in bars],
        "removed": sorted(before.keys() - after.keys()),
        "locked": locked,
        "unlocked": unlocked,
        "changeovers": selectors.changeover_minutes(
            run=draft, units=masterdata.active_units(site_id=draft.site_id)
        ),
        "dates": dates(draft),
    }


def dates(draft: ScheduleRun, *, order: str = "") -> list[dict[str, str]]:
    """Order lines with another date in the draft, of one order or the first of all, in words."""
    rows = draft.comparison.get("orders", [])
    chosen = [row for row in rows if not order or row["line"].partition("/")[0] == order]
    return [_date(row) for row in chosen[:MOST_DATES]]


def _places(run: ScheduleRun) -> dict[int, Place]:
    """Where a run has what is still to be done."""
    rows = ScheduledOperation.objects.filter(run=run)
    found = list(rows.values_list("operation_id", "work_unit_id", "starts_at", "ends_at"))
    # Not joined: see mes.selectors.standing.
    open_ids = mes.still_open([pk for pk, *_place in found])
    return {
        pk: (unit, calendars.to_minutes(starts_at), calendars.to_minutes_up(ends_at))
        for pk, unit, starts_at, ends_at in found
        if pk in open_ids
    }


def _kept_out(site_id: int) -> list[dict[str, Any]]:
    """Operations that planners have taken off the plan."""
    found = OperationLock.objects.filter(
        operation__work_order__site=site_id,
        operation__state__in=OperationState.open(),
        starts_at__isnull=True,
    ).values_list("operation_id", "operation__work_order__number", "operation__sequence")
    return [{"id": pk, "label": f"{number}/{step}"} for pk, number, step in found.order_by("pk")]


def _bar(bar: selectors.Bar) -> dict[str, Any]:
    orders = dict.fromkeys(reference.partition("/")[0] for reference in bar.references)
    return tree.operation(bar) | {
        "isLate": bar.is_late,
        "due": calendars.to_minutes(bar.due_at),
        "orders": list(orders),
        "family": bar.family,
    }


def taken_off(draft: ScheduleRun) -> set[int]:
    """Operations that the draft's own steps take off the plan."""
    last = {
        one["operation"]: one["kind"] for one in draft.changes[: draft.cursor] if "operation" in one
    }
    return {pk for pk, kind in last.items() if kind == "unplan"}


def _locks(draft: ScheduleRun) -> tuple[list[int], list[int]]:
    """Operations that the draft locks, and those that it frees."""
    standing: dict[int, bool] = {}
    for change in draft.changes[: draft.cursor]:
        if change["kind"] in ("move", "lock"):
            standing[change["operation"]] = True
        elif change["kind"] in ("unlock", "unplan"):
            standing[change["operation"]] = False
    return (
        [pk for pk, is_locked in standing.items() if is_locked],
        [pk for pk, is_locked in standing.items() if not is_locked],
    )


def _summary(draft: ScheduleRun, changes: int) -> str:
    orders = len(
        {
            row["line"].partition("/")[0]
            for row in draft.comparison.get("orders", [])
            # That a line is ready an hour later on the same day is no other date.
            if row.get("days") != 0
        }
    )
    operations = draft.comparison.get("moved_operations", 0)
    parts = [
        ngettext("%(count)s change", "%(count)s changes", changes) % {"count": changes},
        ngettext("%(count)s operation moves", "%(count)s operations move", operations)
        % {"count": operations},
        ngettext("%(count)s order gets another date", "%(count)s orders get another date", orders)
        % {"count": orders},
    ]
    return " · ".join(parts)


def _date(order: dict[str, Any]) -> dict[str, str]:
    """An order line whose projected day moves, as a sentence with its tone.

    A draft from before days were kept has none of them.
    """
    before, after = (parse_date(order.get(key) or "") for key in ("before_day", "after_day"))
    days = order.get("days")
    facts = {
        "line": order["line"],
        "before": ui_format.day(before, short=True) if before else _("no date"),
        "after": ui_format.day(after, short=True) if after else _("no date"),
        "shift": ui_format.door_shift(days, order["minutes"]),
    }
    is_later = (days or order["minutes"] or 0) > 0
    tone = "risk" if is_later or order["minutes"] is None else "planned"
    if order["breaks"]:
        text, tone = _("%(line)s becomes late: %(before)s → %(after)s."), "late"
    elif order["heals"]:
        text, tone = _("%(line)s is in time again: %(before)s → %(after)s."), "done"
    elif days == 0:
        text = _("%(line)s stays on %(after)s: %(shift)s.")
    elif days is None:
        text = _("%(line)s has another date: %(before)s → %(after)s.")
    else:
        text = _("%(line)s moves, %(shift)s: %(before)s → %(after)s.")
    return {"text": text % facts, "tone": tone}
