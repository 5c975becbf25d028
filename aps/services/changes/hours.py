"""A work unit closed (down) or open longer (overtime) for a while, or one more like another."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Self

from django.utils.translation import gettext as _

from aps.enums import RunKind
from aps.services.changes.base import (
    CannotApply,
    Change,
    Writing,
    moment,
    number,
    optional,
    required,
    text,
    unit_id,
)
from aps.services.inputs import Inputs
from aps.solver import Placement
from common.intervals import Interval
from common.templatetags import ui_format
from masterdata.services import calendars, unit_exceptions
from mes.selectors import OpenUnit

# Work units that do not exist have ids from here downwards.
FIRST_EXTRA = -1000


@dataclass(frozen=True)
class _Span(Change):
    work_unit: str = required(text)
    starts_at: datetime = required(moment)
    ends_at: datetime = required(moment)
    reason: str = optional(text, "")
    work_unit_id: int = optional(number, 0)

    is_working: ClassVar[bool]

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        if self.ends_at <= self.starts_at:
            raise CannotApply(_("The end has to be later than the start."))
        if calendars.to_minutes(self.ends_at) <= inputs.now:
            raise CannotApply(_("This span is over already."))
        return replace(self, work_unit_id=unit_id(inputs, self.work_unit))

    @property
    def span(self) -> Interval:
        return Interval(calendars.to_minutes(self.starts_at), calendars.to_minutes(self.ends_at))

    @property
    def facts(self) -> dict[str, str]:
        return {
            "unit": self.work_unit,
            "start": ui_format.moment(self.starts_at),
            "end": ui_format.moment(self.ends_at),
        }

    def persist(self, writing: Writing) -> None:
        unit_exceptions.add(
            work_unit_id=self.work_unit_id,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            is_working=self.is_working,
            reason=self.reason or writing.run.name,
            by=writing.by,
            now=writing.now,
            is_planned=True,
        )


@dataclass(frozen=True)
class Close(_Span):
    """Work unit ``work_unit`` (code) is down or closed from ``starts_at`` until ``ends_at``."""

    kind: ClassVar[str] = "close"
    is_working: ClassVar[bool] = False

    def adjust(self, inputs: Inputs) -> None:
        times = inputs.times.get(self.work_unit_id)
        if times is not None:
            inputs.times[self.work_unit_id] = calendars.changed(times, closed=[self.span])

    def describe(self) -> str:
        return _("%(unit)s closed from %(start)s until %(end)s") % self.facts


@dataclass(frozen=True)
class Overtime(_Span):
    """Work unit ``work_unit`` (code) also works from ``starts_at`` until ``ends_at``."""

    kind: ClassVar[str] = "overtime"
    is_working: ClassVar[bool] = True

    def adjust(self, inputs: Inputs) -> None:
        times = inputs.times.get(self.work_unit_id)
        if times is not None:
            inputs.times[self.work_unit_id] = calendars.changed(times, opened=[self.span])

    def describe(self) -> str:
        return _("%(unit)s works overtime from %(start)s until %(end)s") % self.facts


@dataclass(frozen=True)
class AddUnit(Change):
    """One more work unit ``code`` that can do all that ``like`` (code) can, in its calendar."""

    kind: ClassVar[str] = "add_unit"

    like: str = required(text)
    code: str = required(text)
    like_id: int = optional(number, 0)

    def resolve(self, inputs: Inputs, current: Mapping[int, Placement]) -> Self:
        like = unit_id(inputs, self.like)
        if any(unit.code == self.code for unit in inputs.units.values()):
            raise CannotApply(_("There is a work unit %(code)s already.") % {"code": self.code})
        return replace(self, like_id=like)

    def adjust(self, inputs: Inputs) -> None:
        like = inputs.units.get(self.like_id)
        if like is None:
            return
        inputs.modes = {}
        extra = min([FIRST_EXTRA, *(pk - 1 for pk in inputs.units if pk <= FIRST_EXTRA)])
        inputs.units[extra] = replace(like, id=extra, code=self.code)
        if self.like_id in inputs.times:
            inputs.times[extra] = inputs.times[self.like_id]
        inputs.operations = [
            replace(operation, units=(*operation.units, *more))
            if (
                more := [
                    OpenUnit(extra, unit.setup_minutes, unit.run_minutes)
                    for unit in operation.units
                    if unit.work_unit_id == self.like_id
                ]
            )
            else operation
            for operation in inputs.operations
        ]

    def describe(self) -> str:
        return _("One more work unit %(code)s like %(like)s") % {
            "code": self.code,
            "like": self.like,
        }

    def refusal(self, kind: RunKind) -> str:
        return _(
            "%(code)s does not exist: a plan with it is a what-if. Enter the machine in the master "
            "data first."
        ) % {"code": self.code}
