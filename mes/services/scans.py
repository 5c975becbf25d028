"""What a scanned code says: labels carry ``MS:<kind>:<what>``, other codes are read as they are."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from mes.enums import OperationState
from mes.models import WorkOrder, WorkOrderOperation

PREFIX = "MS"


@dataclass(frozen=True, slots=True)
class Read:
    """An operation to show, or why the code is refused and what to do."""

    operation_id: int | None = None
    refusal: str = ""
    todo: str = ""


def work_order_code(number: str) -> str:
    """What the label and the traveller of a work order say."""
    return f"{PREFIX}:WO:{number}"


def operation_code(number: str, sequence: int) -> str:
    """What the traveller says beside an operation."""
    return f"{PREFIX}:OP:{number}:{sequence}"


def read(code: str, *, at: WorkOrderOperation | None) -> Read:
    """Find what the code names; ``at`` is the job that the terminal shows."""
    parts = code.split(":")
    if parts[:2] == [PREFIX, "OP"] and len(parts) == 4 and parts[3].isdecimal():
        return _operation(parts[2], int(parts[3][:6]))
    number = parts[2] if parts[:2] == [PREFIX, "WO"] and len(parts) == 3 else code
    order = WorkOrder.objects.filter(number=number).first()
    if order is not None:
        return _next_of(order)
    return Read(
        refusal=_("%(code)s is not known here.") % {"code": code[:60]},
        todo=_("Scan the traveller of the work order, or the badge of a person."),
    )


def _operation(number: str, sequence: int) -> Read:
    row = WorkOrderOperation.objects.filter(work_order__number=number, sequence=sequence).first()
    if row is None:
        return Read(
            refusal=_("There is no operation %(sequence)s of %(number)s.")
            % {"sequence": sequence, "number": number},
            todo=_("The traveller is out of date: print it again."),
        )
    return Read(operation_id=row.pk)


def _next_of(order: WorkOrder) -> Read:
    """The first operation that is not done."""
    row = order.operations.filter(state__in=OperationState.open()).order_by("sequence").first()
    if row is None:
        return Read(
            refusal=_("%(number)s has nothing left to do.") % {"number": order.number},
            todo=_("Take the next job from the list."),
        )
    return Read(operation_id=row.pk)
