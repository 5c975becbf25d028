"""Routings: what may be saved, and saving one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from common import audit
from common.errors import Refused
from common.models import User
from masterdata.enums import RunBasis
from masterdata.models import (
    Item,
    OperationAlternative,
    Routing,
    RoutingOperation,
    Skill,
    Supplier,
    Tool,
    WorkCenter,
    WorkUnit,
)
from masterdata.services import boms, validity
from masterdata.services import checks as check_rows

# Clock minutes after an operation: 30 days.
MOST_WAIT = 43_200


class OverlappingRoutings(Refused):
    """Two revisions of an item would be valid on the same day."""


class MissingWorkCenter(Refused):
    """An operation names no work center, or one that does not exist."""


class UnknownWorkUnit(Refused):
    """An alternative names a work unit that does not exist."""


class UnknownSubcontractor(Refused):
    """An operation names a supplier that does not exist."""


class UnknownNeed(Refused):
    """An operation names a skill or a tool that does not exist."""


class InvalidOperation(Refused):
    """A sequence is there twice, minutes are negative, nobody is asked for, days lack their
    subcontractor, or waits and transfer quantity contradict each other."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A work unit by code; None: the operation's own minutes."""

    work_unit: str
    setup_minutes: Decimal | None = None
    run_minutes: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A step as typed or sent."""

    sequence: int
    name: str
    work_center: str  # a code
    name_zh: str = ""
    setup_minutes: Decimal = Decimal(0)
    run_minutes: Decimal = Decimal(0)
    run_basis: str = RunBasis.PER_PIECE
    setup_family: str = ""
    is_interruptible: bool = True
    subcontractor: str = ""
    subcontract_days: int = 0
    skill: str = ""
    people: int = 1
    tool: str = ""
    wait_minutes: int = 0
    max_wait_minutes: int | None = None
    transfer_quantity: Decimal | None = None
    alternatives: tuple[Alternative, ...] = ()
    # What the editor of routings does not show: None keeps the checks of the same sequence.
    checks: tuple[check_rows.Check, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    centers: dict[str, WorkCenter]
    units: dict[str, WorkUnit]
    suppliers: dict[str, Supplier]
    skills: dict[str, Skill]
    tools: dict[str, Tool]


def save(
    *,
    item: Item,
    revision: str,
    valid_from: date,
    valid_to: date | None,
    operations: Sequence[Operation],
    by: User | None,
    now: datetime,
    opened: int | None = None,
) -> Routing:
    """Write a revision with exactly these operations; raise what is wrong with it.

    ``opened`` is the version that a form was opened with, 0 for a new revision; where the
    revision has another one, StaleWrite is raised. None writes whatever is there.
    """
    with transaction.atomic():
        Item.objects.select_for_update(no_key=True).get(pk=item.pk)
        known = _look_up(operations)
        boms.check_span((valid_from, valid_to))
        check_operations(operations)
        check_no_overlap(item, revision, (valid_from, valid_to))
        validity.check_opened(Routing.objects.filter(item=item, revision=revision), opened)
        routing, _created = Routing.objects.update_or_create(
            item=item,
            revision=revision,
            defaults={
                "valid_from": valid_from,
                "valid_to": valid_to,
                "version": F("version") + 1,
            },
            create_defaults={"valid_from": valid_from, "valid_to": valid_to},
        )
        changes = _replace_operations(routing, operations, known)
        audit.record(
            action="masterdata.routing.save", target=routing, by=by, now=now, changes=changes
        )
        return routing


def _replace_operations(
    routing: Routing, operations: Sequence[Operation], known: _Known
) -> dict[str, list[Any]]:
    """Write exactly these steps; return what changed, for the audit."""
    before = _described(routing.operations.select_related("work_center", "skill", "tool"))
    kept = {
        row.sequence: check_rows.of(row) for row in routing.operations.prefetch_related("checks")
    }
    routing.operations.all().delete()
    written = RoutingOperation.objects.bulk_create(
        _operation(routing, step, known) for step in operations
    )
    OperationAlternative.objects.bulk_create(
        OperationAlternative(
            operation=row,
            work_unit=known.units[choice.work_unit],
            setup_minutes=choice.setup_minutes,
            run_minutes=choice.run_minutes,
        )
        for row, step in zip(written, operations, strict=True)
        for choice in step.alternatives
    )
    check_rows.write(
        {
            row.pk: kept.get(step.sequence, ()) if step.checks is None else step.checks
            for row, step in zip(written, operations, strict=True)
        }
    )
    return audit.difference({"operations": before}, {"operations": _described(written)})


def operations_of(routing: Routing) -> dict[int, Operation]:
    """The steps as they would be typed, by sequence."""
    rows = routing.operations.select_related(
        "work_center", "subcontractor", "skill", "tool"
    ).prefetch_related("alternatives__work_unit")
    return {
        row.sequence: Operation(
            sequence=row.sequence,
            name=row.name,
            name_zh=row.name_zh,
            work_center=row.work_center.code,
            setup_minutes=row.setup_minutes,
            run_minutes=row.run_minutes,
            run_basis=row.run_basis,
            setup_family=row.setup_family,
            is_interruptible=row.is_interruptible,
            subcontractor=row.subcontractor.code if row.subcontractor else "",
            subcontract_days=row.subcontract_days,
            skill=row.skill.code if row.skill else "",
            people=row.people,
            tool=row.tool.code if row.tool else "",
            wait_minutes=row.wait_minutes,
            max_wait_minutes=row.max_wait_minutes,
            transfer_quantity=row.transfer_quantity,
            alternatives=tuple(
                Alternative(choice.work_unit.code, choice.setup_minutes, choice.run_minutes)
                for choice in row.alternatives.all()
            ),
        )
        for row in rows.order_by("sequence")
    }


def check_no_overlap(item: Item, revision: str, span: tuple[date, date | None]) -> None:
    """Raise OverlappingRoutings where another revision is valid on a day of the span."""
    for other in Routing.objects.filter(item=item).exclude(revision=revision):
        if validity.overlaps(span, (other.valid_from, other.valid_to)):
            raise OverlappingRoutings(overlapping_routings(item.code, revision, other.revision))


def overlapping_routings(code: str, one: str, other: str) -> str:
    return _(
        "Routing revisions %(one)s and %(other)s of %(item)s are valid at the same time; end one"
        " before the other begins."
    ) % {"item": code, "one": one, "other": other}


def check_operations(operations: Sequence[Operation]) -> None:
    """Raise InvalidOperation for what is wrong with the steps themselves."""
    seen: set[int] = set()
    for step in operations:
        if step.sequence in seen:
            raise InvalidOperation(
                _("Operation %(sequence)s is there twice.") % {"sequence": step.sequence}
            )
        seen.add(step.sequence)
        _check_step(step)
    last = max(operations, key=lambda step: step.sequence, default=None)
    if last is not None and is_followed(
        last.wait_minutes, last.max_wait_minutes, last.transfer_quantity
    ):
        raise InvalidOperation(nothing_follows(last.sequence))


def _check_step(step: Operation) -> None:
    """Raise InvalidOperation for what is wrong with one step."""
    facts = {"sequence": step.sequence}
    minutes = [step.setup_minutes, step.run_minutes]
    for choice in step.alternatives:
        minutes += [choice.setup_minutes or Decimal(0), choice.run_minutes or Decimal(0)]
    if min(minutes) < 0:
        raise InvalidOperation(_("Operation %(sequence)s has negative minutes.") % facts)
    if step.people < 1:
        raise InvalidOperation(
            _("Operation %(sequence)s asks for nobody; at least one person has to be there.")
            % facts
        )
    units = [choice.work_unit for choice in step.alternatives]
    if len(set(units)) < len(units):
        raise InvalidOperation(_("Operation %(sequence)s names a work unit twice.") % facts)
    if step.subcontract_days and not step.subcontractor:
        raise InvalidOperation(
            _("Operation %(sequence)s has days outside but no subcontractor.") % facts
        )
    for _field, sentence in wrong_waits(
        step.wait_minutes, step.max_wait_minutes, step.transfer_quantity
    ):
        raise InvalidOperation(
            _("Operation %(sequence)s: %(sentence)s") % {**facts, "sentence": sentence}
        )


def wrong_waits(
    wait: int, longest: int | None, transfer: Decimal | None
) -> Iterable[tuple[str, str]]:
    """What is wrong with the waits and the transfer quantity of a step: field and sentence."""
    if not 0 <= wait <= MOST_WAIT:
        yield "wait_minutes", _("A wait is 0 to %(most)s minutes.") % {"most": MOST_WAIT}
    if longest is not None and not wait <= longest <= MOST_WAIT:
        yield (
            "max_wait_minutes",
            _("The longest wait is at least the shortest one and at most %(most)s minutes.")
            % {"most": MOST_WAIT},
        )
    if transfer is not None and transfer <= 0:
        yield "transfer_quantity", _("A transfer quantity is above 0; leave it out to pass all.")
    if transfer is not None and longest is not None:
        yield (
            "transfer_quantity",
            _("A transfer quantity and a longest wait cannot both be asked for."),
        )


def is_followed(wait: int, longest: int | None, transfer: Decimal | None) -> bool:
    """Whether the step says something about the one after it."""
    return wait > 0 or longest is not None or transfer is not None


def nothing_follows(sequence: int) -> str:
    """What to do about a wait after the last operation."""
    return _(
        "Operation %(sequence)s is the last one: nothing waits for it. Add the operation that"
        " comes after the wait, such as the inspection."
    ) % {"sequence": sequence}


def _look_up(operations: Sequence[Operation]) -> _Known:
    """The rows behind the codes; raises the exception of the first kind that is missing."""
    for step in operations:
        if not step.work_center:
            raise MissingWorkCenter(
                _("Operation %(sequence)s has no work center.") % {"sequence": step.sequence}
            )
    centers = {
        row.code: row
        for row in WorkCenter.objects.filter(code__in={o.work_center for o in operations})
    }
    chosen = {choice.work_unit for step in operations for choice in step.alternatives}
    units = {row.code: row for row in WorkUnit.objects.filter(code__in=chosen)}
    outside = {step.subcontractor for step in operations if step.subcontractor}
    suppliers = {row.code: row for row in Supplier.objects.filter(code__in=outside)}
    for step in operations:
        if step.work_center not in centers:
            raise MissingWorkCenter(
                _("Operation %(sequence)s: there is no work center %(code)s.")
                % {"sequence": step.sequence, "code": step.work_center}
            )
        for choice in step.alternatives:
            if choice.work_unit not in units:
                raise UnknownWorkUnit(
                    _("Operation %(sequence)s: there is no work unit %(code)s.")
                    % {"sequence": step.sequence, "code": choice.work_unit}
                )
        if step.subcontractor and step.subcontractor not in suppliers:
            raise UnknownSubcontractor(
                _("Operation %(sequence)s: there is no supplier %(code)s.")
                % {"sequence": step.sequence, "code": step.subcontractor}
            )
    skills = {row.code: row for row in Skill.objects.filter(code__in={o.skill for o in operations})}
    tools = {row.code: row for row in Tool.objects.filter(code__in={o.tool for o in operations})}
    _check_needs(operations, skills, tools)
    return _Known(centers, units, suppliers, skills, tools)


def _check_needs(
    operations: Sequence[Operation], skills: Mapping[str, Skill], tools: Mapping[str, Tool]
) -> None:
    for step in operations:
        if step.skill and step.skill not in skills:
            raise UnknownNeed(
                _("Operation %(sequence)s: there is no skill %(code)s.")
                % {"sequence": step.sequence, "code": step.skill}
            )
        if step.tool and step.tool not in tools:
            raise UnknownNeed(
                _("Operation %(sequence)s: there is no tool %(code)s.")
                % {"sequence": step.sequence, "code": step.tool}
            )


def _operation(routing: Routing, step: Operation, known: _Known) -> RoutingOperation:
    return RoutingOperation(
        routing=routing,
        sequence=step.sequence,
        name=step.name,
        name_zh=step.name_zh,
        work_center=known.centers[step.work_center],
        setup_minutes=step.setup_minutes,
        run_minutes=step.run_minutes,
        run_basis=step.run_basis,
        setup_family=step.setup_family,
        is_interruptible=step.is_interruptible,
        subcontractor=known.suppliers.get(step.subcontractor),
        subcontract_days=step.subcontract_days,
        skill=known.skills.get(step.skill),
        people=step.people,
        tool=known.tools.get(step.tool),
        wait_minutes=step.wait_minutes,
        max_wait_minutes=step.max_wait_minutes,
        transfer_quantity=step.transfer_quantity,
    )


def _described(operations: Iterable[RoutingOperation]) -> list[str]:
    return [
        f"{row.sequence} {row.work_center.code} {row.name}:"
        f" {row.setup_minutes.normalize():f} + {row.run_minutes.normalize():f}{_needs(row)}"
        for row in sorted(operations, key=lambda row: row.sequence)
    ]


def _needs(row: RoutingOperation) -> str:
    """What else it asks for: setup family, people, tool, and waits before the next one."""
    needs = [row.setup_family, f"{row.people} × {row.skill.code}" if row.skill else ""]
    needs.append(row.tool.code if row.tool else "")
    needs.append(f"wait {row.wait_minutes}" if row.wait_minutes else "")
    needs.append(f"at most {row.max_wait_minutes}" if row.max_wait_minutes is not None else "")
    needs.append(f"transfer {row.transfer_quantity.normalize():f}" if row.transfer_quantity else "")
    return "".join(f" · {need}" for need in needs if need)
