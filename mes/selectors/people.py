"""Who works on what now."""

from dataclasses import dataclass

from common.models import User
from common.permissions import PERMISSIONS
from mes.models import Badge, TimeBooking, WorkOrderOperation


@dataclass(frozen=True, slots=True)
class FloorPerson:
    """Somebody who may work at terminals, and the badge if there is one."""

    person: User
    badge: Badge | None


def floor_people() -> list[FloorPerson]:
    """Everybody who may work at terminals, by name; two queries."""
    roles = sorted(PERMISSIONS["mes.execute_operation"])
    people = User.objects.filter(is_active=True, roles__overlap=roles)
    badges = {badge.person_id: badge for badge in Badge.objects.filter(person__in=people)}
    ordered = people.order_by("last_name", "first_name", "username")
    return [FloorPerson(person, badges.get(person.pk)) for person in ordered]


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
