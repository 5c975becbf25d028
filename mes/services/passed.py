"""What pieces went through: operations, machines, people, and what was measured on them.

Pieces keep their order: the n-th that came out well at the end was the n-th at each operation.
So a unit gets the machine, the person and the moment of the report that counted it, and a lot
those of each report that counted a part of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from django.db.models import BigIntegerField, Case, F, Q, QuerySet, Sum, Value, When, Window
from django.db.models.functions import RowNumber

from masterdata.enums import CheckFrequency, CheckKind
from mes.enums import OperationState
from mes.models import CheckResult, OperationReport, WorkOrder, WorkOrderCheck, WorkOrderOperation
from traceability.enums import Verdict
from traceability.services import parameters
from traceability.services.genealogy import NewReading, Station
from traceability.services.parameters import NewParameter

ZERO = Decimal(0)
# For how many pieces an answer stands; those of "once per order" are for all.
_EVERY = Case(
    When(
        check_row__frequency=CheckFrequency.EVERY_N,
        check_row__every__gt=0,
        then=F("check_row__every"),
    ),
    default=Value(1),
    output_field=BigIntegerField(),
)


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
    """A report that stands, and the good pieces of its operation up to it."""

    operation_id: int
    good: Decimal
    through: Decimal
    at: datetime
    by_id: int | None

    @property
    def start(self) -> int:
        """The first piece that it counted, in part at least."""
        return int(self.through - self.good)

    @property
    def end(self) -> int:
        """What follows the last piece that it counted."""
        return int(self.through.to_integral_value(rounding=ROUND_CEILING))


def reports(order: WorkOrder, pieces: Pieces) -> list[Counted]:
    """The reports that counted any of the pieces, at all operations, in order; one query."""
    through = Window(Sum("good"), partition_by=F("operation_id"), order_by=F("pk").asc())
    rows = _standing(order).filter(good__gt=0).annotate(through=through)
    mine = rows.filter(
        through__gt=pieces.first, through__lt=pieces.first + pieces.count + F("good")
    )
    named = ("operation_id", "good", "through", "at", "by_id")
    return [Counted(*row) for row in mine.order_by("pk").values_list(*named)]


def through(last: WorkOrderOperation, *, before: datetime) -> list[tuple[datetime, Decimal]]:
    """When pieces were through: scrapped anywhere, or good at the last operation; one query."""
    rows = _standing(last.work_order).filter(at__lt=before)
    rows = rows.filter(Q(scrap__gt=0) | Q(operation=last)).order_by("pk")
    return [
        (at, scrap + (good if operation_id == last.pk else ZERO))
        for operation_id, good, scrap, at in rows.values_list("operation_id", "good", "scrap", "at")
    ]


def _standing(order: WorkOrder) -> QuerySet[OperationReport]:
    return OperationReport.objects.filter(
        operation__work_order=order, reverses__isnull=True, reversed_by__isnull=True
    )


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
        for row in by_operation[pk]:
            found += [
                NewReading(thing, operator_id=row.by_id, at=row.at, station=station)
                for thing in pieces.among(row.start, row.end)
            ]
    return found


def answers(order: WorkOrder, pieces: Pieces) -> list[tuple[CheckResult, int]]:
    """The answers that stand for any of the pieces, and the how many-th of its check each is.

    In order, from 0 on; one that was measured again has the number of the first. Of a lot all of
    them. A query, and one more for each time that one of them was measured again.
    """
    rows = CheckResult.objects.filter(check_row__operation__work_order=order)
    rows = rows.select_related("check_row")
    place = Window(RowNumber(), partition_by=F("check_row_id"), order_by=F("pk").asc())
    firsts = rows.filter(replaces__isnull=True).annotate(place=place)
    if not pieces.is_lot:
        firsts = firsts.annotate(every=_EVERY).annotate(until=F("place") * F("every"))
        mine = Q(until__gt=pieces.first, until__lt=pieces.first + pieces.count + F("every"))
        firsts = firsts.filter(mine | Q(check_row__frequency=CheckFrequency.PER_ORDER))
    found: dict[int, tuple[CheckResult, int]] = {}
    for first in firsts:
        found[first.pk] = (first, first.place - 1)
    newest = set(found)
    while newest:
        again = [one for one in rows.filter(replaces__in=newest) if one.replaces_id]
        newest = {one.pk for one in again}
        found |= {one.pk: (one, found[one.replaces_id or 0][1]) for one in again}
    return [found[pk] for pk in sorted(found)]


def measured(
    pieces: Pieces, places: dict[int, Station], results: Sequence[tuple[CheckResult, int]]
) -> list[NewReading]:
    """What was measured on the pieces by numbered answers of their order; two statements at most.

    An answer stands for the pieces it was asked for: one, every so many, or the whole order; one
    that was measured again, for those of the first. A lot has them all from the start.
    """
    if not results:
        return []
    ids = parameters.put(_parameter(result.check_row) for result, _number in results)
    found = []
    for result, number in results:
        found += _readings(pieces, places, result, number, ids)
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
