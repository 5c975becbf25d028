"""New demand: a quantity of an item that nobody has ordered yet, with its work on all levels."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import ClassVar, Self

from django.utils.translation import gettext as _

from aps.enums import RunKind
from aps.services import doors, live, plant, problems, supplies
from aps.services.changes.base import (
    CannotApply,
    Change,
    amount,
    day,
    number,
    optional,
    required,
    text,
)
from aps.services.changes.orders import MOST_WEIGHT
from aps.services.explosion import CannotCheck, explode
from aps.services.inputs import Inputs
from aps.services.problems import Built
from aps.solver import Job, Placement
from common.templatetags import ui_format
from masterdata import selectors as masterdata
from masterdata.selectors import StructureCycle
from masterdata.services import calendars
from masterdata.services.shipping import NoShippingTime

# Operations that exist in a scenario only have ids from here downwards, so many for each demand.
FIRST_ID = -(10**9)
ROOM = 100_000


@dataclass(frozen=True)
class Demand(Change):
    """``quantity`` of ``item`` (code) at the door of a customer on ``requested_date``."""

    kind: ClassVar[str] = "demand"

    item: str = required(text)
    quantity: Decimal = required(amount)
    requested_date: date = required(day)
    weight: int = optional(number, 1)
    # The order line it stands for, "SO-100001/10", while it has no work orders yet.
    line: str = optional(text, "")
    customer: int = optional(number, 0)
    item_id: int = optional(number, 0)

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        item = masterdata.item_by_code(self.item)
        if item is None or not item.is_active:
            raise CannotApply(_("There is no such item."))
        if not 0 <= self.weight <= MOST_WEIGHT:
            raise CannotApply(_("A weight lies between 0 and %(most)s.") % {"most": MOST_WEIGHT})
        return replace(self, item=item.code, item_id=item.pk)

    def finish(self, built: Built, inputs: Inputs) -> Built:
        now = calendars.to_datetime(inputs.now)
        taken = sum(1 for job in built.problem.jobs if job.id < 0)
        first = FIRST_ID + taken * ROOM
        try:
            door = doors.of(site_id=inputs.site_id, customer_id=self.customer or None, now=now)
            structures = masterdata.structures(item_ids=[self.item_id], on=door.today)
            exploded = explode(
                item_id=self.item_id,
                quantity=self.quantity,
                structures=structures,
                supplies=supplies.read(
                    site_id=inputs.site_id,
                    made=[pk for pk, item in structures.items() if item.is_made],
                    bought=[pk for pk, item in structures.items() if not item.is_made],
                    now=now,
                ),
                live=live.read(site_id=inputs.site_id, days=live_days(inputs), now=now),
                now=inputs.now,
                first_id=first,
            )
            due = door.latest_ready(self.requested_date)
        except (CannotCheck, StructureCycle, NoShippingTime) as error:
            raise CannotApply(str(error)) from error
        job = Job(first, due, self.weight, self.line or self.item)
        operations = [replace(operation, job=first) for operation in exploded.operations]
        everything = (*built.problem.operations, *operations)
        problem = replace(
            built.problem,
            jobs=(*built.problem.jobs, job),
            operations=everything,
            setup_minutes=plant.setup_minutes(
                inputs.units.values(), inputs.changeovers, problems.families(everything)
            ),
        )
        return replace(built, problem=problem, shortages={**built.shortages, **exploded.shortages})

    def describe(self) -> str:
        return _("%(quantity)s × %(item)s for %(day)s") % {
            "quantity": f"{self.quantity.normalize():f}",
            "item": self.item,
            "day": ui_format.day(self.requested_date),
        }

    def refusal(self, kind: RunKind) -> str:
        if self.line:
            return _(
                "%(line)s has no work orders yet; the plan takes it up once its order is approved."
            ) % {"line": self.line}
        return _("Nobody has ordered %(item)s: a plan with it is a what-if.") % {"item": self.item}


def live_days(inputs: Inputs) -> int:
    """For how many days from now the calendars of the inputs are known."""
    return max(1, (inputs.end - inputs.now) // (24 * 60))
