"""A nonconformance about all that a suspect reached and that is still in our hands."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from common.models import User
from crm.trace import impact
from crm.trace.causes import Suspect
from masterdata import selectors as masterdata
from mes import selectors as mes
from mes.enums import NonconformanceSource
from mes.services import nonconformances
from mes.services.nonconformances import CannotReport
from traceability.enums import FIRST_UNIT_ID
from traceability.selectors import complaints

if TYPE_CHECKING:
    from mes.models import Nonconformance

__all__ = ["CannotReport", "Problem", "reference_of", "report"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with which item; or the nonconformance that is open about it."""

    item_id: int
    text: str
    known_as: str = ""


def reference_of(suspect: Suspect) -> str:
    """The document or number that stands for a suspect: the ticket about a unit, else its number;
    empty for a cause, which has none."""
    if suspect.thing is None:
        return ""
    if suspect.thing.pk >= FIRST_UNIT_ID:
        told = complaints.of_things([suspect.thing.pk]).last()
        if told is not None:
            return told.reference
    return suspect.thing.number[:60]


def report(*, suspect: Suspect, problem: Problem, by: User, now: datetime) -> "Nonconformance":
    """Report the suspect and all that it reached and that can be stopped, which is held.

    ``known_as`` names an open nonconformance that takes them in; else one is opened, or found by
    the suspect's reference and the item. Raise CannotReport.
    """
    lots, units = impact.stoppable(suspect.start)
    things = {*lots, *units, *([suspect.thing.pk] if suspect.thing else [])}
    with transaction.atomic():
        found = mes.nonconformance(problem.known_as) if problem.known_as else None
        if found is None:
            found = nonconformances.open_from(
                source=NonconformanceSource.TRACE,
                reference=reference_of(suspect),
                item_id=problem.item_id,
                site_id=masterdata.default_site().pk,
                problem=problem.text,
                quantity=Decimal(0),
                by=by,
                now=now,
            )
        nonconformances.add_goods(nonconformance=found, things=things, by=by, now=now)
    return found
