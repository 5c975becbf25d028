"""Operations freed from their lock, or kept out of the plan altogether."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from django.utils.translation import gettext as _

from aps.services import locks
from aps.services.changes.base import (
    CannotApply,
    Change,
    Writing,
    label,
    number,
    open_operation,
    optional,
    required,
    text,
)
from aps.services.inputs import Inputs, Pin
from aps.solver import Placement


@dataclass(frozen=True)
class Unlock(Change):
    """Operation ``operation`` (id) is the planning's again, whether locked or kept out."""

    kind: ClassVar[str] = "unlock"

    operation: int = required(number)
    label: str = optional(text, "")

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        operation = open_operation(inputs, self.operation)
        if self.operation not in inputs.pins:
            raise CannotApply(_("%(operation)s is not locked.") % {"operation": label(operation)})
        return replace(self, label=label(operation))

    def adjust(self, inputs: Inputs) -> None:
        """It is planned anew: where the lock had it is no reason to leave it there."""
        inputs.pins.pop(self.operation, None)
        inputs.previous.pop(self.operation, None)

    def describe(self) -> str:
        return _("%(operation)s unlocked") % {"operation": self.label}

    def persist(self, writing: Writing) -> None:
        locks.release(operation_id=self.operation, by=writing.by, now=writing.now)


@dataclass(frozen=True)
class Unplan(Change):
    """Operation ``operation`` (id) is kept out of the plan, and all that waits for it."""

    kind: ClassVar[str] = "unplan"

    operation: int = required(number)
    reason: str = optional(text, "")
    label: str = optional(text, "")

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        return replace(self, label=label(open_operation(inputs, self.operation)))

    def adjust(self, inputs: Inputs) -> None:
        inputs.pins[self.operation] = Pin(None, None)

    def describe(self) -> str:
        return _("%(operation)s off the plan, with what waits for it") % {"operation": self.label}

    def persist(self, writing: Writing) -> None:
        locks.put(
            operation_id=self.operation,
            work_unit_id=None,
            starts_at=None,
            reason=self.reason,
            by=writing.by,
            now=writing.now,
        )
