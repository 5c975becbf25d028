"""What is suspected, as somebody says it: a thing, or a machine, person, program or parameter in a
window of time."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from common.models import User
from common.templatetags import ui_format
from masterdata import selectors as masterdata
from traceability import selectors as ledger
from traceability.enums import FIRST_UNIT_ID

if TYPE_CHECKING:
    from traceability.models import Lot, SerialUnit


@dataclass(frozen=True, slots=True)
class Suspect:
    """Where an impact begins, and how it is called."""

    title: str
    start: ledger.Start
    thing: "Lot | SerialUnit | None" = None
    # Of the page about it; what a form there sends again.
    query: dict[str, str] = field(default_factory=dict)
    # How many lots and units went through it themselves.
    touched: int = 0

    @property
    def querystring(self) -> str:
        return urlencode(self.query)


def of_thing(thing: "Lot | SerialUnit") -> Suspect:
    """A lot or a unit, and all that was made from it."""
    words = _("Serial number %(number)s") if thing.pk >= FIRST_UNIT_ID else _("Lot %(number)s")
    return Suspect(
        title=f"{words % {'number': thing.number}} · {thing.item.code}",
        start=ledger.whole(ledger.Start.of([thing.pk])),
        thing=thing,
        touched=1,
    )


def of_cause(cause: ledger.Cause, *, query: dict[str, str], may_see_operators: bool) -> Suspect:
    """Everything that went through a machine, person, program or fault, and was made from it."""
    touched = ledger.touched_by(cause)
    return Suspect(
        title=_title(cause, may_see_operators),
        start=ledger.whole(ledger.Start.of(touched)),
        query=query,
        touched=len(touched),
    )


def _title(cause: ledger.Cause, may_see: bool) -> str:
    words: list[str] = []
    if cause.work_unit_id is not None:
        unit = masterdata.work_units_by_id([cause.work_unit_id]).get(cause.work_unit_id)
        words.append(f"{unit.code} {unit.label}" if unit else "")
    if cause.program:
        words.append(_("Program %(program)s") % {"program": cause.program})
    if cause.parameter_id is not None:
        parameter = ledger.parameters([cause.parameter_id]).get(cause.parameter_id)
        words.append(
            _("%(parameter)s out of limits") % {"parameter": parameter.label if parameter else ""}
        )
    if cause.operator_id is not None:
        words.append(operator(cause.operator_id, may_see=may_see))
    words.append(f"{_moment(cause.since)} – {_moment(cause.until)}")
    return " · ".join(word for word in words if word)


def operator(pk: int, *, may_see: bool) -> str:
    """A person at a machine: by name for who may see it, else by number."""
    person = User.objects.filter(pk=pk).first() if may_see else None
    return operator_words(pk, person)


def operator_words(pk: int, person: User | None) -> str:
    """How a person at a machine is called; None for who may not see the name."""
    return str(person) if person else _("Operator No. %(number)s") % {"number": pk}


def _moment(at: datetime) -> str:
    return ui_format.moment(at)
