"""Where operations stand, by their ids: for those above who keep plans of them.

A plan's rows are never joined with operations in one statement: of rows that have just been written
PostgreSQL's statistics know nothing, and such a join of 5,000 has taken minutes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from mes.enums import OperationState
from mes.models import OperationUnit, WorkOrderOperation


@dataclass(frozen=True, slots=True)
class Standing:
    """What the floor has done with an operation; unit and start are None before it starts."""

    work_order_id: int
    state: OperationState
    work_unit_id: int | None
    started_at: datetime | None


def standings(operation_ids: Collection[int]) -> dict[int, Standing]:
    """Those of the operations that exist; one query of one table."""
    rows = WorkOrderOperation.objects.filter(pk__in=operation_ids)
    return {
        pk: Standing(order, OperationState(state), unit, at)
        for pk, order, state, unit, at in rows.values_list(
            "pk", "work_order_id", "state", "work_unit_id", "started_at"
        )
    }


def open_operations_of(work_order_ids: Collection[int]) -> dict[int, int]:
    """The open operations of work orders, each with its work order; one query of one table."""
    rows = WorkOrderOperation.objects.filter(
        work_order__in=work_order_ids, state__in=OperationState.open()
    )
    return dict(rows.values_list("pk", "work_order_id"))


def still_open(operation_ids: Collection[int]) -> set[int]:
    """Those of the operations with work still to be done; one query of one table."""
    rows = WorkOrderOperation.objects.filter(pk__in=operation_ids, state__in=OperationState.open())
    return set(rows.values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class OperationNeeds:
    """What an operation takes of the plant besides a machine's time; its state tells if still."""

    work_order_id: int
    state: OperationState
    # Changeovers go by it, "" included.
    setup_family: str
    skill_id: int | None
    people: int
    tool_id: int | None


def operation_needs(operation_ids: Collection[int]) -> dict[int, OperationNeeds]:
    """Of those of the operations that exist; one query of one table."""
    rows = WorkOrderOperation.objects.filter(pk__in=operation_ids)
    return {
        pk: OperationNeeds(order, OperationState(state), family, skill, people, tool)
        for pk, order, state, family, skill, people, tool in rows.values_list(
            "pk", "work_order_id", "state", "setup_family", "skill_id", "people", "tool_id"
        )
    }


# The setup is still ahead, or under way.
_WITH_SETUP = (OperationState.WAITING, OperationState.READY, OperationState.SETUP)


def setups_ahead(places: Mapping[int, int | None]) -> dict[int, int]:
    """Minutes of setup still ahead, where there are any, by operation id.

    ``places`` has the work unit of each operation: an alternative frozen for it decides. Two
    queries.
    """
    rows = WorkOrderOperation.objects.filter(pk__in=list(places), state__in=_WITH_SETUP)
    setups = dict(rows.values_list("pk", "setup_minutes"))
    own = OperationUnit.objects.filter(operation__in=list(setups))
    for pk, unit, minutes in own.values_list("operation_id", "work_unit_id", "setup_minutes"):
        if places[pk] == unit:
            setups[pk] = minutes
    return {pk: round(minutes) for pk, minutes in setups.items() if minutes > 0}
