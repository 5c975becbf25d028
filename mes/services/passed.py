"""What pieces went through: operations, machines, people, and what was measured on them.

Pieces keep their order: the n-th that came out well at the end was the n-th at each operation.
So a unit gets the machine, the person and the moment of the report that counted it, and a lot
those of each report that counted a part of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from masterdata.enums import CheckFrequency, CheckKind
from mes.enums import OperationState
from mes.models import CheckResult, OperationReport, WorkOrder, WorkOrderCheck, WorkOrderOperation
from traceability.enums import Verdict
from traceability.services import parameters
from traceability.services.genealogy import NewReading, Station
from traceability.services.parameters import NewParameter

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Good pieces of a work order, from the ``first`` (0) on: units, or all of them one lot."""

    things: Sequence[int]
    first: int
    count: int
    is_lot: bool

    def among(self, start: int, end: int | None) -> Sequence[int]:
        """What the pieces from ``start`` to before ``end`` (None: all that follow) are."""
        end = self.first + self.count if end is None else end
        if start >= self.first + self.count or end <= self.first:
            return ()
        if self.is_lot:
            return self.things
        return self.things[max(start - self.first, 0) : end - self.first]


@dataclass(frozen=True, slots=True)
class Counted:
    """A report that stands: good and scrapped pieces at an operation."""

    operation_id: int
    good: Decimal
    scrap: Decimal
    at: datetime
    by_id: int | None


def reports(order: WorkOrder) -> list[Counted]:
    """The reports of all operations of the order that stand, in order; one query."""
    rows = OperationReport.objects.filter(
        operation__work_order=order, reverses__isnull=True, reversed_by__isnull=True
    )
    return [
        Counted(*row)
        for row in rows.order_by("pk").values_list("operation_id", "good", "scrap", "at", "by_id")
    ]


def stations(order: WorkOrder) -> dict[int, Station]:
    """Where each operation of the order was done, by its id, in their sequence."""
    rows = WorkOrderOperation.objects.filter(work_order=order).exclude(
        state=OperationState.CANCELLED
    )
    return {
        pk: Station(sequence, work_unit, tool)
        for pk, sequence, work_unit, tool in rows.order_by("sequence").values_list(
            "pk", "sequence", "work_unit_id", "tool_id"
        )
    }


def operations(
    pieces: Pieces, places: dict[int, Station], counted: Iterable[Counted]
) -> list[NewReading]:
    """That the pieces passed each operation: where, when, by whom."""
    by_operation: dict[int, list[Counted]] = defaultdict(list)
    for row in counted:
        if row.good > 0:
            by_operation[row.operation_id].append(row)
    found = []
    for pk, station in places.items():
        for start, end, row in _spans(by_operation[pk]):
            found += [
                NewReading(thing, operator_id=row.by_id, at=row.at, station=station)
                for thing in pieces.among(start, end)
            ]
    return found


def _spans(rows: Iterable[Counted]) -> Iterator[tuple[int, int, Counted]]:
    """The pieces that each report counted, from and to."""
    through = ZERO
    for row in rows:
        start, through = through, through + row.good
        yield int(start), int(through.to_integral_value(rounding=ROUND_CEILING)), row


def answers(order: WorkOrder) -> list[CheckResult]:
    """All answers to the order's checks, in order; one query."""
    rows = CheckResult.objects.filter(check_row__operation__work_order=order)
    return list(rows.select_related("check_row").order_by("pk"))


def measured(
    pieces: Pieces, places: dict[int, Station], results: Sequence[CheckResult]
) -> list[NewReading]:
    """What was measured on the pieces by all answers of their order; three statements at most.

    An answer stands for the pieces it was asked for: one, every so many, or the whole order; one
    that was measured again, for those of the first. A lot has them all from the start.
    """
    if not results:
        return []
    ids = parameters.put(_parameter(result.check_row) for result in results)
    asked: dict[int, int] = defaultdict(int)
    numbers: dict[int, int] = {}
    found = []
    for result in results:
        check = result.check_row
        if result.replaces_id in numbers:
            numbers[result.pk] = numbers[result.replaces_id]
        else:
            numbers[result.pk] = asked[check.pk]
            asked[check.pk] += 1
        found += _readings(pieces, places, result, numbers[result.pk], ids)
    return found


def answered(pieces: Pieces, places: dict[int, Station], result: CheckResult) -> list[NewReading]:
    """What one answer says of the pieces."""
    first = result
    while first.replaces is not None:
        first = first.replaces
    rows = CheckResult.objects.filter(check_row=first.check_row_id, replaces__isnull=True)
    number = rows.filter(pk__lt=first.pk).count()
    ids = parameters.put([_parameter(result.check_row)])
    return _readings(pieces, places, result, number, ids)


def _readings(
    pieces: Pieces,
    places: dict[int, Station],
    result: CheckResult,
    number: int,
    ids: Mapping[str, int],
) -> list[NewReading]:
    """The readings of an answer, the check's ``number``-th, on each of the pieces it stands for."""
    check = result.check_row
    things = pieces.things if pieces.is_lot else pieces.among(*_span(check, number))
    return [
        NewReading(
            thing,
            operator_id=result.by_id,
            parameter_id=ids[_parameter(check).code],
            value=result.value,
            lower=check.lower,
            upper=check.upper,
            verdict=(Verdict.PASS if result.is_good else Verdict.FAIL).value,
            at=result.at,
            station=places.get(check.operation_id),
        )
        for thing in things
    ]


def _span(check: WorkOrderCheck, number: int) -> tuple[int, int | None]:
    if check.frequency == CheckFrequency.PER_ORDER:
        return 0, None
    every = check.every if check.frequency == CheckFrequency.EVERY_N and check.every else 1
    return number * every, (number + 1) * every


def _parameter(check: WorkOrderCheck) -> NewParameter:
    unit = "" if check.kind == CheckKind.PASS else check.unit
    return NewParameter((check.code or check.name)[:60], check.name, check.name_zh, unit)
