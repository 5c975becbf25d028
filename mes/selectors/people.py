"""Who works on what now."""

from common.models import User
from mes.models import TimeBooking, WorkOrderOperation


def is_at(operation: WorkOrderOperation, person: User) -> bool:
    """Whether the person works on the operation now."""
    return TimeBooking.objects.filter(
        operation=operation, person=person, ends_at__isnull=True
    ).exists()


def worked_on(person: User) -> list[WorkOrderOperation]:
    """The operations that the person works on now, in the order of their work orders."""
    return list(
        WorkOrderOperation.objects.filter(bookings__person=person, bookings__ends_at__isnull=True)
        .select_related("work_order__item", "work_unit")
        .order_by("work_order_id", "pk")
    )
