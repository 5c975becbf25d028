"""What a terminal shows: the job in hand, the next ones, and who was here last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from common.models import User
from mes.enums import OperationState, ReasonKind
from mes.models import (
    Badge,
    FloorReason,
    OperationReport,
    Terminal,
    TimeBooking,
    WorkOrderOperation,
)
from mes.selectors.floor import DispatchRow, dispatch_list

NEXT = 3
_RECENT = timedelta(hours=16)
_MOST_PEOPLE = 6


@dataclass(frozen=True, slots=True)
class Job:
    """One operation as the terminal shows it."""

    operation: WorkOrderOperation
    # Pieces that are not accounted for and not set aside.
    left: Decimal
    came_in: Decimal
    people: tuple[User, ...]
    last_report: OperationReport | None
    pause_reason: FloorReason | None

    @property
    def is_open(self) -> bool:
        return self.operation.state in OperationState.started()

    @property
    def phase(self) -> str:
        """What comes next: the state, and of running work what is still to be said of it."""
        state = self.operation.state
        if state != OperationState.RUNNING:
            return str(state)
        if self.left > 0:
            return "running"
        return "rework" if self.operation.rework > 0 else "full"


@dataclass(frozen=True, slots=True)
class UnitWork:
    """The job in hand at a work unit (None: nothing to do), and the next ones in planned order."""

    job: Job | None
    following: tuple[DispatchRow, ...]


def unit_work(*, work_unit_id: int, chosen: int | None = None) -> UnitWork:
    """The job that was chosen (an operation's id), else what runs there, else what comes first.

    A constant number of queries.
    """
    rows = dispatch_list(work_unit_id=work_unit_id, limit=40)
    at_work = (OperationState.SETUP, OperationState.RUNNING)
    row = next((r for r in rows if r.operation.pk == chosen), None)
    row = row or next((r for r in rows if r.operation.state in at_work), None)
    row = row or next(iter(rows), None)
    if row is None:
        return UnitWork(None, ())
    following = [r for r in rows if r.operation.pk != row.operation.pk][:NEXT]
    return UnitWork(_job(row), tuple(following))


def _job(row: DispatchRow) -> Job:
    operation = row.operation
    bookings = TimeBooking.objects.filter(operation=operation, ends_at__isnull=True)
    open_rows = list(bookings.select_related("person", "reason").order_by("starts_at", "pk"))
    last = (
        OperationReport.objects.filter(
            operation=operation, reverses__isnull=True, reversed_by__isnull=True
        )
        .order_by("-pk")
        .first()
    )
    return Job(
        operation=operation,
        left=row.open_quantity - operation.rework,
        came_in=row.open_quantity + operation.good + operation.scrap,
        people=tuple(booking.person for booking in open_rows if booking.person),
        last_report=last,
        pause_reason=next((booking.reason for booking in open_rows if booking.reason), None),
    )


def reasons(*kinds: ReasonKind) -> dict[str, list[FloorReason]]:
    """The active reasons by kind, as their tiles stand."""
    found: dict[str, list[FloorReason]] = {str(kind): [] for kind in kinds}
    rows = FloorReason.objects.filter(kind__in=kinds, is_active=True)
    for row in rows.order_by("position", "code"):
        found[row.kind].append(row)
    return found


def recent_people(terminal: Terminal, *, now: datetime) -> Sequence[Badge]:
    """Who signed in on the device in the last hours and has a PIN, the latest first."""
    return list(
        Badge.objects.filter(
            last_terminal=terminal,
            last_used_at__gt=now - _RECENT,
            is_active=True,
            person__is_active=True,
        )
        .exclude(pin="")
        .select_related("person")
        .order_by("-last_used_at")[:_MOST_PEOPLE]
    )
