"""What a scenario changes over the live plan: one module per kind, one list of all kinds."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from aps.services import problems
from aps.services.changes.base import CannotApply, CannotRead, Change, Writing
from aps.services.changes.calendar import CalendarHours, OwnCalendar, Reopen
from aps.services.changes.demand import Demand
from aps.services.changes.hours import FIRST_EXTRA, AddUnit, Close, Overtime
from aps.services.changes.move import Lock, Move
from aps.services.changes.orders import Due, ReplanOrder, Weight
from aps.services.changes.unlock import Unlock, Unplan
from aps.services.inputs import Inputs
from aps.services.problems import Built
from masterdata.services.calendars import Rules

__all__ = [
    "FIRST_EXTRA",
    "KINDS",
    "AddUnit",
    "CalendarHours",
    "CannotApply",
    "CannotRead",
    "Change",
    "Close",
    "Demand",
    "Due",
    "Lock",
    "Move",
    "Overtime",
    "OwnCalendar",
    "Reopen",
    "ReplanOrder",
    "Unlock",
    "Unplan",
    "Weight",
    "Writing",
    "build",
    "parse",
    "parse_all",
    "rules",
]

KINDS: dict[str, type[Change]] = {
    change.kind: change
    for change in (
        *(Move, Lock, Unlock, Unplan, ReplanOrder),
        *(Close, Overtime, CalendarHours, OwnCalendar, Reopen, AddUnit, Due, Weight, Demand),
    )
}


def parse(data: Any) -> Change:
    """A change as written in JSON: ``{"kind": "move", ...}``; raise CannotRead."""
    if not isinstance(data, Mapping):
        raise CannotRead(_("A change is an object with a kind."))
    if not _can_be_kept(data):
        raise CannotRead(_("The change could not be read."))
    kind = KINDS.get(str(data.get("kind")))
    if kind is None:
        raise CannotRead(
            _("There is no change of kind “%(kind)s”; known are %(kinds)s.")
            % {"kind": str(data.get("kind"))[:40], "kinds": ", ".join(KINDS)}
        )
    return kind.parse(data)


def _can_be_kept(data: Mapping[str, Any]) -> bool:
    """Whether the database and an answer can hold the change.

    JSON can write two texts that neither takes: the null character, and half of a surrogate pair.
    """
    try:
        text = json.dumps(data, ensure_ascii=False, default=str)
        text.encode()
    except (ValueError, TypeError, RecursionError):
        return False
    return r"\u0000" not in text


def parse_all(rows: Sequence[Any]) -> list[Change]:
    """All changes in order; raise CannotRead."""
    return [parse(row) for row in rows]


def build(inputs: Inputs, changes: Sequence[Change]) -> Built:
    """The problem with the changes in it; ``inputs`` is left as it was. Raise CannotApply."""
    mine = inputs.copy()
    for change in changes:
        change.adjust(mine)
    built = problems.build_from(mine)
    for change in changes:
        built = change.finish(built, mine)
    return built


def rules(changes: Sequence[Change]) -> dict[int, Rules]:
    """What calendars, by id, would say with the changes; raise CannotApply."""
    found: dict[int, Rules] = {}
    for change in changes:
        if isinstance(change, CalendarHours):
            found |= change.rules()
    return found
