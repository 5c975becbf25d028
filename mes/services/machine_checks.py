"""What machines say of a parameter answers the checks that ask for it by its code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from masterdata.enums import CheckKind
from mes import selectors
from mes.enums import OperationState
from mes.models import WorkOrderCheck, WorkOrderOperation
from mes.services import checks

# What a check keeps of a value: five places, nine digits before the point.
_PLACES = Decimal("0.00001")
_LARGEST = Decimal(10) ** 9


@dataclass(frozen=True, slots=True)
class Told:
    """The value of one parameter at one machine."""

    unit_id: int
    name: str
    value: Decimal
    at: datetime


def answer(told: Sequence[Told]) -> int:
    """Answer what is asked at the operations that are at work on the machines; how many answers.

    One value more than the good pieces ask for is taken: the machine speaks before the piece is
    reported. A value outside the limits waits for people; no later one of the machine hides it.
    """
    asked = _asked(told)
    answered = 0
    for operation in asked.order_by("work_order_id", "pk"):
        began = operation.started_at
        for one in sorted(told, key=lambda row: row.at):
            if one.unit_id == operation.work_unit_id and began is not None and one.at >= began:
                answered += _answer(operation, one)
    return answered


def _asked(told: Sequence[Told]) -> QuerySet[WorkOrderOperation]:
    if not told:
        return WorkOrderOperation.objects.none()
    checks_asked = WorkOrderCheck.objects.filter(code__in={row.name for row in told}).exclude(
        kind=CheckKind.PASS
    )
    return WorkOrderOperation.objects.filter(
        work_unit__in={row.unit_id for row in told},
        state__in=[OperationState.SETUP, OperationState.RUNNING],
        pk__in=checks_asked.values("operation"),
    ).select_related("work_order")


def _answer(operation: WorkOrderOperation, told: Told) -> bool:
    standing = next(
        (row for row in selectors.check_standings(operation) if row.check.code == told.name), None
    )
    if standing is None or standing.open_faults or standing.satisfied >= standing.needed_next:
        return False
    if abs(told.value) >= _LARGEST:
        return False
    value = told.value.quantize(_PLACES)
    try:
        found = checks.receive(operation=operation, code=told.name, value=value, now=told.at)
    except checks.CannotCheck:
        # Finished or stopped a moment ago; the events of the batch are kept all the same.
        return False
    return found is not None
