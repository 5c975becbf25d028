"""What the simulation of a rush says to a reader."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _

from aps.services.rush import help_text
from common.models import AuditEntry
from common.templatetags import ui_format
from crm.models import RushRequest
from crm.views.history import Entry

# A scenario's name has no more letters.
MOST_NAME = 80
SENTENCES: dict[str, Promise] = {
    "crm.rush.request": gettext_lazy("asked for the rush"),
    "crm.rush.submit": gettext_lazy("asked for a decision"),
    "crm.rush.simulate_anew": gettext_lazy(
        "had it simulated anew, since plan or order have changed"
    ),
    "crm.rush.approve": gettext_lazy("approved the rush"),
    "crm.rush.apply": gettext_lazy("put it into the plan"),
    "crm.rush.reject": gettext_lazy("rejected the rush"),
    "crm.rush.cancel": gettext_lazy("withdrew the rush"),
}


@dataclass(frozen=True, slots=True)
class Moved:
    """An order line of others that would come on another day."""

    line: str
    order: str
    customer: str
    promised: date | None
    before: date | None
    after: date | None
    shift: str
    word: str
    tone: str


@dataclass(frozen=True, slots=True)
class Material:
    """Bought material that the line waits for."""

    text: str
    detail: str
    is_short: bool


@dataclass(frozen=True, slots=True)
class Help:
    """Overtime with which the line would be ready earlier."""

    text: str
    kept: bool
    # Its changes in JSON, as a scenario of planning begins with them, and how to call it.
    offer: str
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the simulation found; ``error`` alone where there is none."""

    error: str
    kept: bool = False
    day: date | None = None
    ready_at: datetime | None = None
    binding_unit: str = ""
    is_before_conversion: bool = False
    base_version: int | None = None
    moved: tuple[Moved, ...] = ()
    breaks: tuple[str, ...] = ()
    material: tuple[Material, ...] = ()
    helps: tuple[Help, ...] = ()
    late_before: int = 0
    late_after: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A request in the queue."""

    rush: RushRequest
    answer: Answer | None

    @property
    def reference(self) -> str:
        return f"{self.rush.line.order.number}/{self.rush.line.position}"


def row(rush: RushRequest) -> Row:
    """No query once the request is read with its line."""
    return Row(rush, answer(rush))


def answer(rush: RushRequest) -> Answer | None:
    """The assessment in words; None before the first simulation is done."""
    found: Mapping[str, Any] = rush.assessment
    if not found:
        return None
    if "kept" not in found:
        return Answer(error=found.get("error") or _("The simulation failed."))
    return Answer(
        error="",
        kept=found["kept"],
        day=_day(found["day"]),
        ready_at=parse_datetime(found["ready_at"]) if found["ready_at"] else None,
        binding_unit=found["binding_unit"],
        is_before_conversion=found["is_before_conversion"],
        base_version=found["base_version"],
        moved=tuple(sorted(map(_moved, found["orders"]), key=_worst_first)),
        breaks=tuple(found["promise_breaks"]),
        material=tuple(map(_material, found["material"])),
        helps=tuple(_help(one, rush.number) for one in found["help"]),
        late_before=found["before"]["late_orders"],
        late_after=found["after"]["late_orders"],
    )


def _help(one: Mapping[str, Any], number: str) -> Help:
    text = help_text(one["work_unit"], one["minutes_per_shift"])
    name = f"{number}: {text}"[:MOST_NAME]
    return Help(text, one["kept"], json.dumps(one.get("changes", [])), name)


def _worst_first(moved: Moved) -> tuple[bool, bool]:
    return moved.tone != "late", moved.tone != "risk"


def _moved(one: Mapping[str, Any]) -> Moved:
    days, minutes = one["days"], one["minutes"]
    later = (days or 0) > 0 or (not days and (minutes or 0) > 0) or one["after"] is None
    if one["breaks_promise"]:
        word, tone = _("Breaks the promise"), "late"
    elif later:
        late = pgettext("date", "Later")
        word, tone = _("Later, still in time") if _in_time(one) else late, "risk"
    else:
        word, tone = pgettext("date", "Sooner"), "done"
    return Moved(
        line=one["line"],
        order=one["line"].partition("/")[0],
        customer=_customer(one),
        promised=_day(one["promised"]),
        before=_day(one["before"]),
        after=_day(one["after"]),
        shift=ui_format.door_shift(days, minutes),
        word=word,
        tone=tone,
    )


def _customer(one: Mapping[str, Any]) -> str:
    """In the reader's language; older assessments have one name only."""
    is_chinese = (get_language() or "").startswith("zh")
    return str((is_chinese and one.get("customer_zh")) or one["customer"])


def _in_time(one: Mapping[str, Any]) -> bool:
    return bool(one["promised"] and one["after"] and one["after"] <= one["promised"])


def _material(one: Mapping[str, Any]) -> Material:
    needed = parse_datetime(one["needed_by"])
    expected = parse_datetime(one["expected_at"]) if one["expected_at"] else None
    facts = {
        "order": one["work_order"],
        "needed": ui_format.day(needed, short=True) if needed else "",
        "expected": ui_format.day(expected, short=True) if expected else "",
        "purchase": one["purchase_order"],
    }
    if expected is None:
        detail = _("%(order)s needs it on %(needed)s; it is not on order.") % facts
    elif not one["purchase_order"]:
        detail = (
            _("%(order)s needs it on %(needed)s; ordered now, it is here on %(expected)s.") % facts
        )
    else:
        detail = (
            _("%(order)s needs it on %(needed)s; %(purchase)s brings it on %(expected)s.") % facts
        )
    return Material(
        text=f"{ui_format.quantity(one['quantity'])} × {one['item']}",
        detail=detail,
        is_short=needed is None or expected is None or expected > needed,
    )


def _day(text: str | None) -> date | None:
    return parse_date(text) if text else None


def history(entries: Iterable[AuditEntry]) -> list[Entry]:
    """Who did what with the request."""
    return [
        Entry(
            at=entry.at,
            who=entry.actor_label if entry.actor_id else _("Millstream"),
            what=str(SENTENCES.get(entry.action, entry.action)),
            reason=entry.reason,
        )
        for entry in entries
    ]
