"""A batch of what machines say, read strictly: each row is right or named with what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from mes.enums import MachineEventKind, MachineStatus

MOST_EVENTS = 1000
LONGEST_ID = 80
LONGEST_NAME = 60
# A machine's clock may be ahead by so much, and its memory reach back so far.
AHEAD = timedelta(minutes=5)
BACK = timedelta(days=30)
_LARGEST = {"count": Decimal(10) ** 9, "value": Decimal(10) ** 13}
_FIELDS = {
    MachineEventKind.STATE: frozenset({"state"}),
    MachineEventKind.COUNT: frozenset({"good", "scrap"}),
    MachineEventKind.PARAMETER: frozenset({"name", "value"}),
    MachineEventKind.PROGRAM: frozenset({"name"}),
}
_COMMON = frozenset({"id", "unit", "kind", "at"})
_STATES = frozenset(MachineStatus.values)


@dataclass(frozen=True, slots=True)
class Row:
    """One event, as it is stored."""

    unit_id: int
    event_id: str
    kind: str
    at: datetime
    status: str = ""
    good: Decimal | None = None
    scrap: Decimal | None = None
    name: str = ""
    value: Decimal | None = None


class Invalid(Exception):
    """What is wrong, by the place of the row in its batch (from 0)."""

    def __init__(self, errors: Mapping[int, str]) -> None:
        super().__init__(errors)
        self.errors = dict(errors)


class _Wrong(Exception):
    """What is wrong with one row."""


def parse(events: list[Any], *, units: Mapping[str, int], now: datetime) -> list[Row]:
    """The rows of a batch; raise Invalid naming each that is wrong. ``units``: ids by code."""
    rows: list[Row] = []
    errors: dict[int, str] = {}
    for place, event in enumerate(events):
        try:
            rows.append(_row(event, units, now))
        except _Wrong as wrong:
            errors[place] = str(wrong)
    if errors:
        raise Invalid(errors)
    return rows


def _row(event: Any, units: Mapping[str, int], now: datetime) -> Row:
    if not isinstance(event, dict):
        raise _Wrong(_("An event is an object."))
    kind = _kind(event.get("kind"))
    unknown = set(event) - _COMMON - _FIELDS[kind]
    if unknown:
        raise _Wrong(
            _("There is no such field: %(name)s.") % {"name": _shown(min(map(str, unknown)))}
        )
    unit = event.get("unit")
    if not isinstance(unit, str) or unit not in units:
        raise _Wrong(_("There is no work unit %(code)s.") % {"code": _shown(unit)})
    common = (
        units[unit],
        _word(event, "id", LONGEST_ID),
        kind.value,
        _moment(event.get("at"), now),
    )
    if kind is MachineEventKind.STATE:
        status = event.get("state")
        if not isinstance(status, str) or status not in _STATES:
            raise _Wrong(
                _("“state” is one of: %(states)s.") % {"states": ", ".join(sorted(_STATES))}
            )
        return Row(*common, status=status)
    if kind is MachineEventKind.COUNT:
        good, scrap = _number(event, "good", 0), _number(event, "scrap", 0)
        if good < 0 or scrap < 0:
            raise _Wrong(_("Counts are not negative."))
        return Row(*common, good=good, scrap=scrap)
    name = _word(event, "name", LONGEST_NAME)
    if kind is MachineEventKind.PROGRAM:
        return Row(*common, name=name)
    return Row(*common, name=name, value=_number(event, "value", None))


def _kind(value: Any) -> MachineEventKind:
    if isinstance(value, str) and value in MachineEventKind.values:
        return MachineEventKind(value)
    kinds = ", ".join(MachineEventKind.values)
    raise _Wrong(_("“kind” is one of: %(kinds)s.") % {"kinds": kinds})


def _word(event: Mapping[str, Any], field: str, longest: int) -> str:
    value = event.get(field)
    if isinstance(value, str) and 0 < len(value) <= longest and value.isprintable():
        return value
    raise _Wrong(
        _("“%(field)s” is 1 to %(longest)s printable characters.")
        % {"field": field, "longest": longest}
    )


def _moment(value: Any, now: datetime) -> datetime:
    try:
        found = parse_datetime(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _Wrong(_("“at” is a moment with its zone, such as 2026-11-22T10:00:00Z."))
    try:
        is_near = now - BACK <= found <= now + AHEAD
    except OverflowError:
        is_near = False
    if not is_near:
        raise _Wrong(_("“at” is in the future, or more than 30 days ago."))
    return found


def _number(event: Mapping[str, Any], field: str, default: int | None) -> Decimal:
    value = event.get(field, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or (isinstance(value, float) and not isfinite(value)):
        raise _Wrong(_("“%(field)s” is a number.") % {"field": field})
    largest = _LARGEST["value" if field == "value" else "count"]
    if abs(value) > largest:
        raise _Wrong(_("“%(field)s” is too large.") % {"field": field})
    places = Decimal("0.000001") if field == "value" else Decimal("0.0001")
    return Decimal(str(value)).quantize(places)


def _shown(value: Any) -> str:
    # JSON can write half a character, which no answer can say again.
    return str(value)[:40].encode("utf-8", "replace").decode()
