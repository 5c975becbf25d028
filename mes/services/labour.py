"""The hours of a person at several operations, shared anew in the ledger.

A booking is put on the ledger when it ends, divided with whatever the person was booked on then.
A device without network tells of other work later, or that it had ended earlier: then the shares
were others, and the difference is booked. Each moment of a person is paid once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet

from common.models import User
from erp import selectors as erp
from mes.enums import BookingKind, WorkOrderState
from mes.models import TimeBooking, WorkOrder
from mes.services import costs, time

# A device is believed a day (mes.device_clock); a booking of that day may have begun before it.
LOOK_BACK = timedelta(days=2)


def share_again(*, person_id: int, by: User | None, now: datetime) -> int:
    """Bring the person's labour of the last days in line with the bookings; how many changed.

    A work order whose costs are closed keeps them.
    """
    with transaction.atomic():
        orders = _locked({row.operation.work_order_id for row in _ended(person_id, now)})
        # Again: who held a work order meanwhile may have ended a booking.
        rows = list(_ended(person_id, now))
        if not rows:
            return 0
        beside = list(_since(person_id, min(row.starts_at for row in rows)))
        booked = erp.booked_labour([order.number for order in orders.values()])
        changed = 0
        for row in rows:
            order = orders.get(row.operation.work_order_id)
            if order is not None and order.state != WorkOrderState.CLOSED:
                changed += _correct(order, row, beside, booked.get(f"time:{row.pk}"), by, now)
    return changed


def _since(person_id: int, moment: datetime) -> QuerySet[TimeBooking]:
    """What the person worked on after the moment, and still does."""
    lately = Q(ends_at__isnull=True) | Q(ends_at__gt=moment)
    rows = TimeBooking.objects.filter(lately, person=person_id).exclude(kind=BookingKind.PAUSE)
    return rows.select_related("operation").order_by("pk")


def _ended(person_id: int, now: datetime) -> QuerySet[TimeBooking]:
    return _since(person_id, now - LOOK_BACK).exclude(ends_at__isnull=True)


def _locked(ids: set[int]) -> dict[int, WorkOrder]:
    rows = WorkOrder.objects.select_for_update(no_key=True, of=("self",)).select_related("item")
    return {order.pk: order for order in rows.filter(pk__in=ids).order_by("pk")}


def _correct(
    order: WorkOrder,
    row: TimeBooking,
    beside: Sequence[TimeBooking],
    booked: erp.BookedTime | None,
    by: User | None,
    now: datetime,
) -> bool:
    minutes = time.as_decimal(time.share_of(row, beside))
    hours = (minutes / 60).quantize(Decimal("0.0001"))
    if hours == (booked.hours if booked else 0):
        return False
    spent = costs.Spent(
        operation=row.operation,
        minutes=minutes,
        source=f"time:{row.pk}",
        is_setup=row.kind == BookingKind.SETUP,
        is_labour=True,
    )
    costs.correct_labour(order, spent, booked, by=by, now=now)
    return True
