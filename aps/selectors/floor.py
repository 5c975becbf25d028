"""The operations of mes as rows to filter, by their label as our foreign keys name them."""

from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from mes.enums import OperationState, WorkOrderState


def open_rows() -> QuerySet[Any]:
    """Operations still to be done, of work orders that are not over; on hold is not over."""
    operations = apps.get_model("mes.WorkOrderOperation")._default_manager
    return operations.filter(
        state__in=OperationState.open(), work_order__state__in=WorkOrderState.open()
    )
