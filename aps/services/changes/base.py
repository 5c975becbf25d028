"""What every change of a scenario is: read from JSON, checked on the plant, applied, described."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Self

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from aps.enums import RunKind
from aps.models import ScheduleRun
from aps.services.inputs import Inputs
from aps.services.problems import Built
from aps.solver import Placement
from common.errors import Refused
from common.models import User
from mes.enums import OperationState
from mes.selectors import OpenOperation

# Quantities have four decimals.
SMALLEST = Decimal("0.0001")


class CannotRead(Refused):
    """The change is not written as its kind asks; the sentence names the field."""


class CannotApply(Refused):
    """The plant does not allow the change; the sentence says what makes it impossible."""


@dataclass(frozen=True)
class Writing:
    """What ``persist`` may need: the run that is being published, by whom and when."""

    run: ScheduleRun
    by: User | None
    now: datetime


class Change:
    """One thing that a scenario has otherwise than the live plan. Subclasses are dataclasses."""

    kind: ClassVar[str]
    # Whether ``persist`` changes requirements, which the site's supply lock guards.
    needs_supply: ClassVar[bool] = False

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """The change as written in JSON; raise CannotRead."""
        # Each kind of change is a dataclass; this base, which mypy sees, is not one.
        known = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        for name in data:
            if name not in known and name != "kind":
                raise CannotRead(
                    _("A change of kind “%(kind)s” has no field “%(field)s”.")
                    % {"kind": cls.kind, "field": str(name)[:40]}
                )
        values = {}
        for name, field in known.items():
            if data.get(name) is not None:
                values[name] = field.metadata["read"](name, data[name])
            elif field.default is dataclasses.MISSING:
                raise CannotRead(
                    _("A change of kind “%(kind)s” needs the field “%(field)s”.")
                    % {"kind": cls.kind, "field": name}
                )
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        """What ``parse`` reads again."""
        return {"kind": self.kind} | {
            field.name: _plain(getattr(self, field.name))
            # As above: the kinds are dataclasses.
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        }

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        """The change with names looked up on the plant; raise CannotApply.

        ``current`` is where the scenario has the operations now.
        """
        raise NotImplementedError

    def adjust(self, inputs: Inputs) -> None:
        """Change what the problem is built from; ``inputs`` is the scenario's own copy."""

    def finish(self, built: Built, inputs: Inputs) -> Built:
        """Change the built problem; raise CannotApply."""
        return built

    def describe(self) -> str:
        """A sentence for people; needs no query once resolved."""
        raise NotImplementedError

    def refusal(self, kind: RunKind) -> str:
        """Why a scenario with this change cannot be published, "" if it can."""
        return ""

    def persist(self, writing: Writing) -> None:
        """Make permanent what later plans have to keep, in the publishing transaction."""


# Readers of fields: each takes the field's name and the value, and raises CannotRead.


def required(read: Callable[[str, Any], Any]) -> Any:
    """A field of a change that has to be given."""
    return dataclasses.field(metadata={"read": read})


def optional(read: Callable[[str, Any], Any], default: Any) -> Any:
    """A field of a change that may be left out; ``resolve`` often fills it in."""
    return dataclasses.field(default=default, metadata={"read": read})


def number(name: str, value: Any) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _wrong(name, _("a whole number"))
    try:
        return int(value)
    except ValueError:
        raise _wrong(name, _("a whole number")) from None


def flag(name: str, value: Any) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise _wrong(name, _("true or false"))
    return value


def text(name: str, value: Any) -> str:
    """A text of up to 200 characters."""
    if not isinstance(value, str) or len(value) > 200:
        raise _wrong(name, _("a text of up to 200 characters"))
    return value.strip()


def moment(name: str, value: Any) -> datetime:
    """A moment with its time zone, whole minutes."""
    try:
        found = parse_datetime(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, datetime) or found.tzinfo is None or not 1990 <= found.year < 2200:
        raise _wrong(name, _("a moment with its time zone"))
    return found.replace(second=0, microsecond=0)


def day(name: str, value: Any) -> date:
    """A day."""
    try:
        found = parse_date(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, date) or not 1990 <= found.year < 2200:
        raise _wrong(name, _("a day"))
    return found


def amount(name: str, value: Any) -> Decimal:
    """A quantity of more than zero."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise _wrong(name, _("a quantity")) from None
    if not found.is_finite() or not SMALLEST <= found < 10**10:
        raise _wrong(name, _("a quantity of more than zero"))
    return found


def _wrong(name: str, wanted: str) -> CannotRead:
    return CannotRead(
        _("The field “%(field)s” has to be %(wanted)s.") % {"field": name, "wanted": wanted}
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


# What resolving looks up.


def open_operation(inputs: Inputs, pk: int) -> OpenOperation:
    """An operation of the site that has not started; raise CannotApply."""
    found = next((o for o in inputs.operations if o.id == pk), None)
    if found is None:
        raise CannotApply(_("This operation is done, cancelled, or not at this site."))
    if found.state in (OperationState.SETUP, OperationState.RUNNING):
        raise CannotApply(
            _("%(operation)s has started; what runs stays where it is.")
            % {"operation": label(found)}
        )
    return found


def label(operation: OpenOperation) -> str:
    """ "WO-100007/10"."""
    return f"{operation.work_order_number}/{operation.sequence}"


def unit_id(inputs: Inputs, code: str) -> int:
    """The id of an active work unit by its code; raise CannotApply."""
    for unit in inputs.units.values():
        if unit.code == code:
            return unit.id
    raise CannotApply(_("There is no active work unit %(code)s at this site.") % {"code": code})


def line_id(inputs: Inputs, reference: str) -> int:
    """The requirement of an order line with open work, by "SO-100001/10"; raise CannotApply."""
    for row in inputs.sales.values():
        if row.reference == reference:
            return row.requirement_id
    raise CannotApply(_("Order line %(line)s has no open work at this site.") % {"line": reference})
