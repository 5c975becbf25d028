"""What a scenario says to a reader: its name, its row in the list, what else came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from aps import policies
from aps.enums import RunKind
from aps.models import ScheduleRun
from aps.services.rush import help_text
from aps.views import comparison_words
from aps.views.comparison_words import Figure
from common.templatetags import ui_format
from mes import selectors as mes

NAME_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Row:
    """A scenario in the list."""

    run: ScheduleRun
    title: str
    changes: int
    percent: int
    late: Figure | None


@dataclass(frozen=True, slots=True)
class Shortage:
    """Bought material that a rush waits for."""

    item: str
    quantity: str
    work_order: str
    needed_by: datetime | None
    expected_at: datetime | None
    purchase_order: str
    is_short: bool


@dataclass(frozen=True, slots=True)
class Rush:
    """What the simulation of a rush found, beside the plan."""

    line: str
    # Days at the customer's door, and when it is ready at our dock.
    due: date | None
    day: date | None
    ready_at: datetime | None
    kept: bool
    binding_unit: str
    material: list[Shortage]
    helps: list[dict[str, Any]]


def title(run: ScheduleRun) -> str:
    """Version, name, or kind and number."""
    if run.version is not None:
        told = _("Version %(version)s") % {"version": run.version}
        return f"{told} · {run.name}" if run.name else told
    return policies.title(run)


def row(run: ScheduleRun) -> Row:
    """No query once the run is read."""
    return Row(
        run=run,
        title=policies.title(run),
        changes=run.cursor,
        percent=run.progress.get("percent", 0),
        late=comparison_words.late_change(run.comparison),
    )


def copy_name(run: ScheduleRun) -> str:
    """What a copy is called unless somebody says otherwise."""
    return (_("Copy of %(scenario)s") % {"scenario": policies.title(run)})[:NAME_LENGTH]


def notes(run: ScheduleRun) -> dict[str, list[str]]:
    """What a scenario brings besides the plan: changes and locks that fell, new demand."""
    found: Mapping[str, Any] = run.comparison
    lost = {int(pk): reason for pk, reason in found.get("dropped_locks", {}).items()}
    labels = mes.operation_labels(lost) if lost else {}
    return {
        "dropped_changes": list(found.get("dropped_changes", [])),
        "dropped_locks": [f"{labels[pk]}: {reason}" for pk, reason in lost.items() if pk in labels],
        "demands": [_demand(one) for one in found.get("demands", [])],
        "extra_units": sorted({one["work_unit"] for one in found.get("extra_units", [])}),
    }


def chosen(found: Mapping[str, Any]) -> str:
    """Which of two plans a repair took, and what both were worth; "" where nobody chose."""
    by_order, by_search = found.get("by_order"), found.get("by_search")
    if not by_order:
        return ""
    if not by_search:
        return _("The old order still keeps every date; nothing else was tried.")
    facts = {
        "order_late": comparison_words.hours(by_order[0]),
        "order_moves": f"{by_order[1]:,}",
        "search_late": comparison_words.hours(by_search[0]),
        "search_moves": f"{by_search[1]:,}",
    }
    if found.get("chosen") == "order":
        return (
            _(
                "The old order was kept: %(order_late)s weighted lateness, %(order_moves)s moves; "
                "a search found %(search_late)s, %(search_moves)s moves."
            )
            % facts
        )
    return (
        _(
            "A better plan was found: %(search_late)s weighted lateness, %(search_moves)s moves; "
            "the old order would have meant %(order_late)s, %(order_moves)s moves."
        )
        % facts
    )


def _demand(one: Mapping[str, Any]) -> str:
    wanted, projected = parse_date(one["requested_date"]), _date(one.get("day"))
    facts = {
        "quantity": ui_format.quantity(one["quantity"]),
        "item": one["line"] or one["item"],
        "day": ui_format.day(wanted) if wanted else "",
        "projected": ui_format.day(projected) if projected else _("no date"),
        "ready": comparison_words.ready(one["ready_at"]),
    }
    if one["kept"]:
        text = _(
            "%(quantity)s × %(item)s: projected %(projected)s, in time for %(day)s; ready at our "
            "dock on %(ready)s."
        )
    else:
        text = _(
            "%(quantity)s × %(item)s: projected only %(projected)s, too late for %(day)s; ready at "
            "our dock on %(ready)s."
        )
    return text % facts


def rush(run: ScheduleRun) -> Rush | None:
    """The answer to a rush; None for other scenarios and before it is solved."""
    found = run.comparison.get("rush") if run.kind == RunKind.RUSH else None
    if not found:
        return None
    return Rush(
        line=found["line"],
        due=_date(found.get("due_day")),
        day=_date(found.get("day")),
        ready_at=_moment(found["ready_at"]),
        kept=found["kept"],
        binding_unit=found["binding_unit"],
        material=[_shortage(one) for one in found["material"]],
        helps=[_help(one, found["line"]) for one in found["help"]],
    )


def _help(one: Mapping[str, Any], line: str) -> dict[str, Any]:
    """What would help, and its changes as a scenario begins with them."""
    text = help_text(one["work_unit"], one["minutes_per_shift"])
    return {
        **one,
        "text": text,
        "offer": json.dumps(one["changes"]),
        "name": f"{line}: {text}"[:NAME_LENGTH],
    }


def _shortage(one: Mapping[str, Any]) -> Shortage:
    needed, expected = _moment(one["needed_by"]), _moment(one["expected_at"])
    return Shortage(
        item=one["item"],
        quantity=ui_format.quantity(one["quantity"]),
        work_order=one["work_order"],
        needed_by=needed,
        expected_at=expected,
        purchase_order=one["purchase_order"],
        is_short=needed is None or expected is None or expected > needed,
    )


def _date(text: str | None) -> date | None:
    return parse_date(text) if text else None


def _moment(text: str | None) -> datetime | None:
    return parse_datetime(text) if text else None
