"""Time at operations: bookings open and close with what people do, and people are paid once.

A person at several machines at the same time has an open booking at each of their operations.
``shared`` is the one place where such minutes are divided: equally among the operations that
were open at that moment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from django.db.models import Max, Q, QuerySet, Value
from django.db.models.functions import Greatest

from common import jobs
from common.models import User
from mes.enums import BookingKind, OperationState
from mes.models import FloorReason, TimeBooking, WorkOrderOperation
from mes.services import costs

_MICROSECONDS_PER_MINUTE = 60_000_000


class Booked(Protocol):
    """What sharing needs to know of a booking."""

    operation_id: int
    kind: str
    starts_at: datetime
    ends_at: datetime | None


Key = tuple[int, str]


def shared(bookings: Iterable[Booked], *, until: datetime) -> dict[Key, Fraction]:
    """Minutes of ONE person by operation and kind; they sum to the time the person worked.

    Each moment counts once: it is divided equally among the operations that were open then. An
    open booking ends ``until``. Exact fractions, so that nothing is lost by rounding.
    """
    spans = [
        (b.starts_at, min(b.ends_at or until, until), (b.operation_id, b.kind)) for b in bookings
    ]
    edges = sorted({edge for start, end, _key in spans for edge in (start, end) if start < end})
    minutes: dict[Key, Fraction] = {}
    for left, right in zip(edges, edges[1:], strict=False):
        open_now = [key for start, end, key in spans if start <= left and end >= right]
        for key in open_now:
            minutes[key] = minutes.get(key, Fraction(0)) + _minutes(right - left) / len(open_now)
    return minutes


def _minutes(span: timedelta) -> Fraction:
    return Fraction(span // timedelta(microseconds=1), _MICROSECONDS_PER_MINUTE)


@dataclass(slots=True)
class Spent:
    """Minutes booked at one operation, by kind: of people (shared) and of the work unit."""

    labour: dict[str, Fraction] = field(default_factory=dict)
    machine: dict[str, Fraction] = field(default_factory=dict)

    @property
    def labour_minutes(self) -> float:
        return float(sum(self.labour.values(), Fraction(0)))

    @property
    def machine_minutes(self) -> float:
        """Without pauses."""
        busy = (m for kind, m in self.machine.items() if kind != BookingKind.PAUSE)
        return float(sum(busy, Fraction(0)))

    @property
    def pause_minutes(self) -> float:
        return float(self.machine.get(BookingKind.PAUSE, Fraction(0)))


def spent(operation_ids: Iterable[int], *, until: datetime) -> dict[int, Spent]:
    """Minutes booked at each operation so far. Two queries, however many operations."""
    wanted = set(operation_ids)
    result = {pk: Spent() for pk in wanted}
    here = list(TimeBooking.objects.filter(operation__in=wanted, starts_at__lt=until))
    people = {row.person_id for row in here if row.person_id is not None}
    if people:
        first = min(row.starts_at for row in here if row.person_id)
        # Their other operations of the same hours take their share.
        others = TimeBooking.objects.filter(
            Q(ends_at__isnull=True) | Q(ends_at__gt=first), person__in=people, starts_at__lt=until
        )
        by_person: dict[int, list[TimeBooking]] = {}
        for row in others:
            by_person.setdefault(row.person_id or 0, []).append(row)
        for rows in by_person.values():
            for (pk, kind), minutes in shared(rows, until=until).items():
                if pk in wanted:
                    _add(result[pk].labour, kind, minutes)
    for row in here:
        if row.work_unit_id is not None:
            end = min(row.ends_at or until, until)
            _add(
                result[row.operation_id].machine,
                row.kind,
                _minutes(max(end - row.starts_at, timedelta())),
            )
    return result


def _add(into: dict[str, Fraction], kind: str, minutes: Fraction) -> None:
    into[kind] = into.get(kind, Fraction(0)) + minutes


# -- opening and closing; callers hold the row of the work order ------------------------------

_KIND_OF_STATE: Mapping[str, BookingKind] = {
    OperationState.SETUP: BookingKind.SETUP,
    OperationState.RUNNING: BookingKind.RUN,
}


def begin(operation: WorkOrderOperation, *, by: User | None, now: datetime) -> None:
    """The operation was set up or runs since now: its unit works, and who did it works on it."""
    kind = _KIND_OF_STATE[operation.state]
    close(operation, now=now)
    _open(operation, kind, now, person=by)
    if operation.work_unit_id is not None:
        _open(operation, kind, now, unit_id=operation.work_unit_id)


def switch_to_run(operation: WorkOrderOperation, *, now: datetime) -> None:
    """Setup is over: whoever was at it goes on with the run."""
    open_rows = list(_open_rows(operation))
    close(operation, now=now)
    for row in open_rows:
        if row.kind == BookingKind.SETUP:
            _open(
                operation, BookingKind.RUN, now, person_id=row.person_id, unit_id=row.work_unit_id
            )


def pause(operation: WorkOrderOperation, *, reason: FloorReason | None, now: datetime) -> None:
    """Work stopped: people leave, the work unit waits for the reason."""
    close(operation, now=now)
    if operation.work_unit_id is not None:
        _open(operation, BookingKind.PAUSE, now, unit_id=operation.work_unit_id, reason=reason)


def join(operation: WorkOrderOperation, *, person: User, now: datetime) -> None:
    """One more person works on it."""
    _open(operation, _KIND_OF_STATE[operation.state], now, person=person)


def leave(operation: WorkOrderOperation, *, person: User, now: datetime) -> None:
    """The person works on it no longer; the work unit goes on."""
    close(operation, now=now, person=person)


def close(operation: WorkOrderOperation, *, now: datetime, person: User | None = None) -> None:
    """End the open bookings of the operation, of one person if given."""
    rows = _open_rows(operation)
    if person is not None:
        rows = rows.filter(person=person)
    ended = list(rows)
    # Two acts whose clocks differ by a breath: no booking ends before it began.
    rows.update(ends_at=Greatest("starts_at", Value(now)))
    for row in ended:
        row.ends_at = max(row.starts_at, now)
    costs.book_time(
        operation.work_order,
        [_cost(operation, row) for row in ended if _is_work(row)],
        by=None,
        now=now,
    )
    for row in ended:
        _share_again(row, now)


def _share_again(row: TimeBooking, now: datetime) -> None:
    """Ask for the person's other work of that time to be shared anew: while this one was open it
    was shared with, and what a device tells late was not there yet."""
    others = TimeBooking.objects.filter(person=row.person_id, ends_at__gt=row.starts_at)
    others = others.exclude(kind=BookingKind.PAUSE).exclude(operation=row.operation_id)
    if row.person_id is None or not others.exists():
        return
    jobs.enqueue(
        "mes.share_labour",
        key=f"labour:{row.person_id}",
        group_key=f"labour:{row.person_id}",
        coalesce=True,
        person_id=row.person_id,
        by=None,
        now=now,
    )


def _is_work(row: TimeBooking) -> bool:
    """A pause costs nothing, and what was over at once neither."""
    return row.kind != BookingKind.PAUSE and row.starts_at < (row.ends_at or row.starts_at)


def _cost(operation: WorkOrderOperation, row: TimeBooking) -> costs.Spent:
    """The minutes of a booking that has ended, a person's shared with the other operations."""
    return costs.Spent(
        operation=operation,
        minutes=as_decimal(_own_share(row)),
        source=f"time:{row.pk}",
        is_setup=row.kind == BookingKind.SETUP,
        is_labour=row.person_id is not None,
        work_unit_id=row.work_unit_id,
    )


def _own_share(row: TimeBooking) -> Fraction:
    """Minutes of one ended booking: of a person, those of each moment divided as ``shared``."""
    assert row.ends_at is not None  # noqa: S101 - it has just ended
    if row.person_id is None:
        return _minutes(row.ends_at - row.starts_at)
    beside = TimeBooking.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=row.starts_at),
        person=row.person_id,
        starts_at__lt=row.ends_at,
    )
    return share_of(row, beside)


def share_of(row: TimeBooking, beside: Iterable[TimeBooking]) -> Fraction:
    """Minutes of one ended booking of a person; ``beside``: the person's bookings of that time,
    itself among them."""
    assert row.ends_at is not None  # noqa: S101 - callers ask of what has ended
    spans = [
        _Span(other.operation_id, other.kind, max(other.starts_at, row.starts_at), other.ends_at)
        for other in beside
    ]
    return shared(spans, until=row.ends_at).get((row.operation_id, row.kind), Fraction(0))


@dataclass(slots=True)
class _Span:
    """The part of a booking that another one lasted."""

    operation_id: int
    kind: str
    starts_at: datetime
    ends_at: datetime | None


def as_decimal(minutes: Fraction) -> Decimal:
    """The minutes as the ledger's arithmetic takes them."""
    return Decimal(minutes.numerator) / Decimal(minutes.denominator)


def people_at(operation: WorkOrderOperation) -> list[User]:
    """Who works on it now, in the order in which they came."""
    rows = _open_rows(operation).filter(person__isnull=False).select_related("person")
    return [row.person for row in rows.order_by("starts_at", "pk") if row.person]


def _open_rows(operation: WorkOrderOperation) -> QuerySet[TimeBooking]:
    return TimeBooking.objects.filter(operation=operation, ends_at__isnull=True)


def _open(
    operation: WorkOrderOperation,
    kind: BookingKind,
    now: datetime,
    *,
    person: User | None = None,
    person_id: int | None = None,
    unit_id: int | None = None,
    reason: FloorReason | None = None,
) -> None:
    person_id = person.pk if person else person_id
    if person_id is None and unit_id is None:
        return
    if unit_id is not None and kind != BookingKind.PAUSE:
        now = _free_since(unit_id, now)
    TimeBooking.objects.create(
        operation=operation,
        kind=kind,
        person_id=person_id,
        work_unit_id=unit_id,
        starts_at=now,
        reason=reason,
    )


def _free_since(unit_id: int, now: datetime) -> datetime:
    """``now``, or when the unit's work that is booked beyond it ended: a device that was without
    network says late what happened earlier, and no machine works twice at a moment."""
    booked = TimeBooking.objects.filter(work_unit=unit_id, ends_at__gt=now)
    last: datetime | None = booked.exclude(kind=BookingKind.PAUSE).aggregate(last=Max("ends_at"))[
        "last"
    ]
    return max(now, last) if last is not None else now
