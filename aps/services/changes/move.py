"""An operation at a place and time that the planner chose: it is locked there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Self

from django.utils.translation import gettext as _

from aps.services import locks
from aps.services.changes.base import (
    CannotApply,
    Change,
    Writing,
    label,
    moment,
    number,
    open_operation,
    optional,
    required,
    text,
    unit_id,
)
from aps.services.inputs import Inputs, Pin
from aps.services.plant import SUBCONTRACT
from aps.solver import Placement
from common.templatetags import ui_format
from masterdata.services import calendars


@dataclass(frozen=True)
class Move(Change):
    """Operation ``operation`` (id) on ``work_unit`` (code; "" outside) at ``starts_at``."""

    kind: ClassVar[str] = "move"

    operation: int = required(number)
    work_unit: str = required(text)
    starts_at: datetime = required(moment)
    reason: str = optional(text, "")
    # Filled in by ``resolve``.
    label: str = optional(text, "")
    work_unit_id: int = optional(number, 0)

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        operation = open_operation(inputs, self.operation)
        if operation.subcontractor_id is not None:
            unit, code = SUBCONTRACT, ""
        else:
            unit, code = unit_id(inputs, self.work_unit), self.work_unit
        return replace(self, label=label(operation), work_unit_id=unit, work_unit=code)

    def adjust(self, inputs: Inputs) -> None:
        minute = calendars.to_minutes(self.starts_at)
        inputs.pins[self.operation] = Pin(self.work_unit_id or SUBCONTRACT, minute)

    def describe(self) -> str:
        return _("%(operation)s on %(unit)s at %(moment)s, locked there") % {
            "operation": self.label,
            "unit": self.work_unit or _("outside work"),
            "moment": ui_format.moment(self.starts_at),
        }

    def persist(self, writing: Writing) -> None:
        locks.put(
            operation_id=self.operation,
            work_unit_id=self.work_unit_id if self.work_unit_id > 0 else None,
            starts_at=self.starts_at,
            reason=self.reason,
            by=writing.by,
            now=writing.now,
        )


@dataclass(frozen=True)
class Lock(Move):
    """Operation ``operation`` where the scenario has it now, locked there."""

    kind: ClassVar[str] = "lock"

    # Where that is; filled in by ``resolve``.
    work_unit: str = optional(text, "")
    starts_at: datetime = optional(moment, None)

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        if self.starts_at is not None:
            return super().resolve(inputs, current)
        operation = open_operation(inputs, self.operation)
        here = current.get(self.operation)
        if here is None:
            raise CannotApply(
                _("%(operation)s is not in the plan; move it to where it is to be locked.")
                % {"operation": label(operation)}
            )
        unit = inputs.units.get(here.resource)
        return replace(
            self,
            label=label(operation),
            work_unit=unit.code if unit else "",
            work_unit_id=here.resource,
            starts_at=calendars.to_datetime(here.start),
        )

    def describe(self) -> str:
        return _("%(operation)s locked on %(unit)s at %(moment)s") % {
            "operation": self.label,
            "unit": self.work_unit or _("outside work"),
            "moment": ui_format.moment(self.starts_at),
        }
