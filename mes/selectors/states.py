"""What is under way at a site now, for boards that show a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from mes.enums import OperationState
from mes.models import WorkOrderOperation


@dataclass(frozen=True, slots=True)
class StateNow:
    """State of an operation, and how much of its work order's quantity it has behind it."""

    operation_id: int
    state: str
    percent: int


def states_now(*, site_id: int, since: datetime) -> Sequence[StateNow]:
    """Operations that have been started, and those that ended after ``since``; one query."""
    rows = WorkOrderOperation.objects.filter(
        Q(state__in=OperationState.started())
        | Q(state=OperationState.DONE, finished_at__gte=since),
        work_order__site_id=site_id,
    ).values_list("pk", "state", "good", "scrap", "work_order__quantity")
    return [
        StateNow(pk, state, min(100, int(100 * (good + scrap) / quantity)) if quantity else 0)
        for pk, state, good, scrap, quantity in rows
    ]
