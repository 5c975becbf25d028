"""Rows of mes to filter, by their labels as our foreign keys name them.

No query joins operations with pegs: after a bulk conversion PostgreSQL's statistics are out of
date, and it may then choose nested loops for such a join that take minutes.
"""

from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from erp.enums import RequirementKind, RequirementState
from mes.enums import OperationState, WorkOrderState


def open_rows() -> QuerySet[Any]:
    """Operations still to be done, of work orders that are not over; on hold is not over."""
    operations = apps.get_model("mes.WorkOrderOperation")._default_manager
    return operations.filter(
        state__in=OperationState.open(), work_order__state__in=WorkOrderState.open()
    )


def open_pegs() -> QuerySet[Any]:
    """Shares of work orders that are not over."""
    pegs = apps.get_model("mes.WorkOrderPeg")._default_manager
    return pegs.filter(work_order__state__in=WorkOrderState.open())


def waiting_lines(*, site_id: int) -> list[int]:
    """Requirements of open order lines of a site that work orders still serve; one query."""
    pegs = open_pegs().filter(
        work_order__site_id=site_id,
        requirement__kind=RequirementKind.SALES,
        requirement__state=RequirementState.OPEN,
    )
    return sorted(set(pegs.values_list("requirement_id", flat=True)))
