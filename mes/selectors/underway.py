"""Time at operations that goes on now and is on no ledger yet: it is booked when it ends."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Max

from mes.enums import BookingKind, OperationState
from mes.models import OperationReport, TimeBooking, WorkOrderOperation

ZERO = Decimal(0)


@dataclass(slots=True)
class Passed:
    """Minutes since the open bookings began, those up to the last report for reported pieces."""

    reported: Decimal = ZERO
    since: Decimal = ZERO

    def expected(self, ahead: Decimal) -> Decimal:
        """What will be booked: the time behind it, and the minutes ahead of pieces to come.

        What has passed since the last report is of the pieces to come, and counts with them until
        it is more than they should take.
        """
        return self.reported + max(ahead, self.since)


@dataclass(slots=True)
class Underway:
    """Minutes of the work unit, and of people."""

    machine: Passed
    people: Passed

    def __init__(self) -> None:
        self.machine, self.people = Passed(), Passed()


def underway(operations: Iterable[WorkOrderOperation], *, at: datetime) -> dict[int, Underway]:
    """By operation id, those at which somebody or something works; three queries at most.

    A person at several machines is shared equally among those open now; what they had open in
    between is settled when the booking ends.
    """
    busy = (OperationState.SETUP, OperationState.RUNNING)
    wanted = [operation.pk for operation in operations if operation.state in busy]
    rows = list(
        TimeBooking.objects.filter(
            operation__in=wanted, ends_at__isnull=True, starts_at__lt=at
        ).exclude(kind=BookingKind.PAUSE)
    )
    ids = {row.operation_id for row in rows}
    reports = OperationReport.objects.filter(
        operation__in=ids, reverses__isnull=True, reversed_by__isnull=True
    )
    last = dict(reports.order_by().values_list("operation_id").annotate(last=Max("at")))
    machines = _open_bookings({row.person_id for row in rows if row.person_id})
    found: dict[int, Underway] = {}
    for row in rows:
        here = found.setdefault(row.operation_id, Underway())
        passed = here.machine if row.person_id is None else here.people
        share = 1 if row.person_id is None else max(1, machines.get(row.person_id, 1))
        turn = min(max(last.get(row.operation_id, row.starts_at), row.starts_at), at)
        passed.reported += _minutes(turn - row.starts_at) / share
        passed.since += _minutes(at - turn) / share
    return found


def _open_bookings(person_ids: Iterable[int]) -> dict[int, int]:
    rows = TimeBooking.objects.filter(person__in=list(person_ids), ends_at__isnull=True)
    return dict(rows.order_by().values_list("person_id").annotate(n=Count("pk")))


def _minutes(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(microseconds=1)) / 60_000_000
