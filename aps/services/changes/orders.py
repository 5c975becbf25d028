"""Order lines with another date or weight, and orders planned anew forward or backward."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Self

from django.utils.translation import gettext as _

from aps.enums import RunKind
from aps.models import ScheduledOperation
from aps.services import locks, solving
from aps.services.changes.base import (
    CannotApply,
    CannotRead,
    Change,
    Writing,
    line_id,
    moment,
    number,
    optional,
    required,
    text,
)
from aps.services.inputs import Inputs
from aps.services.problems import Built
from aps.solver import Placement
from common.templatetags import ui_format
from erp.services import requirements
from mes.enums import OperationState
from mes.services import work_orders

FORWARD, BACKWARD = "forward", "backward"
MOST_WEIGHT = 1_000_000


def direction(name: str, value: object) -> str:
    """ "forward" or "backward"."""
    if value not in (FORWARD, BACKWARD):
        raise CannotRead(
            _("The field “%(field)s” has to be %(wanted)s.")
            % {"field": name, "wanted": f"{FORWARD} / {BACKWARD}"}
        )
    return str(value)


@dataclass(frozen=True)
class ReplanOrder(Change):
    """The work of ``order`` ("SO-100001", "SO-100001/10" or "WO-100007") planned by itself.

    Forward: as soon as the others leave room. Backward: as late as its date allows, and locked.
    """

    kind: ClassVar[str] = "replan_order"

    order: str = required(text)
    direction: str = required(direction)

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        if not self.operations(inputs):
            raise CannotApply(_("%(order)s has no open work at this site.") % {"order": self.order})
        return self

    def finish(self, built: Built, inputs: Inputs) -> Built:
        free = {o.id for o in built.problem.operations if o.fixed is None}
        mine = self.operations(inputs) & free
        others = tuple(placed for placed in built.previous if placed.operation not in mine)
        if self.direction == FORWARD:
            return replace(built, previous=others)
        settled = solving.keep_order(built.problem, built.previous)
        found = solving.as_late_as_possible(built.problem, settled.placements, mine)
        if found is None:
            raise CannotApply(
                _("%(order)s cannot be planned backward: there is no room before its date.")
                % {"order": self.order}
            )
        held = tuple(
            replace(o, fixed=found[o.id]) if o.id in found else o for o in built.problem.operations
        )
        return replace(
            built,
            problem=replace(built.problem, operations=held),
            previous=(*others, *found.values()),
        )

    def operations(self, inputs: Inputs) -> set[int]:
        """Ids of the order's operations on all levels that do not run."""
        wanted = {
            pk
            for pk, row in inputs.sales.items()
            if row.reference == self.order or row.reference.startswith(f"{self.order}/")
        }
        return {
            o.id
            for o in inputs.operations
            if o.state not in (OperationState.SETUP, OperationState.RUNNING)
            and (o.work_order_number == self.order or wanted.intersection(o.sales_requirement_ids))
        }

    def describe(self) -> str:
        sentence = (
            _("%(order)s as soon as possible")
            if self.direction == FORWARD
            else _("%(order)s as late as its date allows, locked there")
        )
        return sentence % {"order": self.order}

    def persist(self, writing: Writing) -> None:
        """What was planned backward would be pulled forward by the next plan: it is locked."""
        if self.direction == FORWARD:
            return
        places = writing.run.comparison.get("backward", {}).get(self.order, [])
        rows = ScheduledOperation.objects.filter(run=writing.run, operation__in=places)
        for row in rows:
            locks.put(
                operation_id=row.operation_id,
                work_unit_id=row.work_unit_id,
                starts_at=row.starts_at,
                reason=self.describe(),
                by=writing.by,
                now=writing.now,
            )


@dataclass(frozen=True)
class Due(Change):
    """Order line ``line`` ("SO-100001/10") is to be ready by ``due_at``."""

    kind: ClassVar[str] = "due"

    line: str = required(text)
    due_at: datetime = required(moment)
    requirement: int = optional(number, 0)

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        return replace(self, requirement=line_id(inputs, self.line))

    def adjust(self, inputs: Inputs) -> None:
        row = inputs.sales.get(self.requirement)
        if row is not None:
            inputs.sales[self.requirement] = replace(row, due_at=self.due_at)

    def describe(self) -> str:
        return _("%(line)s due at %(moment)s") % {
            "line": self.line,
            "moment": ui_format.moment(self.due_at),
        }

    def refusal(self, kind: RunKind) -> str:
        if kind == RunKind.RUSH:
            return ""  # the approval of the rush revises the promise
        return _(
            "The date of %(line)s is a promise to the customer: revise it on the order, the plan "
            "follows."
        ) % {"line": self.line}


@dataclass(frozen=True)
class Weight(Change):
    """A late day of order line ``line`` hurts ``weight`` times."""

    kind: ClassVar[str] = "weight"
    needs_supply: ClassVar[bool] = True

    line: str = required(text)
    weight: int = required(number)
    requirement: int = optional(number, 0)

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        if not 0 <= self.weight <= MOST_WEIGHT:
            raise CannotApply(_("A weight lies between 0 and %(most)s.") % {"most": MOST_WEIGHT})
        return replace(self, requirement=line_id(inputs, self.line))

    def adjust(self, inputs: Inputs) -> None:
        row = inputs.sales.get(self.requirement)
        if row is not None:
            inputs.sales[self.requirement] = replace(row, weight=self.weight)

    def describe(self) -> str:
        return _("%(line)s weighs %(weight)s") % {"line": self.line, "weight": self.weight}

    def persist(self, writing: Writing) -> None:
        """Later plans weigh the line so, and dispatch lists put its work orders first."""
        requirements.set_weights({self.requirement: self.weight})
        work_orders.prioritise(
            requirement_ids=[self.requirement],
            priority=self.weight,
            by=writing.by,
            now=writing.now,
        )
