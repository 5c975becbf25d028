"""Where the checks of an operation stand: answered, open, out of limits."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from django.db.models import F, Prefetch, Q, QuerySet

from masterdata.enums import CheckFrequency
from mes.enums import Decision, WorkOrderState
from mes.models import (
    CheckResult,
    OperationReport,
    WorkOrder,
    WorkOrderCheck,
    WorkOrderOperation,
)

# A page of a work order shows so many reports and answers; an order of thousands has as many.
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class CheckStanding:
    """One check, how often it is due by now, and its answers."""

    check: WorkOrderCheck
    needed: int
    # How often once one more piece is good: a machine speaks before the piece is reported.
    needed_next: int
    # Good, or accepted as they are.
    satisfied: int
    # Out of limits, neither measured again nor decided.
    open_faults: tuple[CheckResult, ...]
    last: CheckResult | None

    @property
    def is_open(self) -> bool:
        """Whether it keeps the operation from being finished."""
        return self.check.is_required and (self.missing > 0 or bool(self.open_faults))

    @property
    def missing(self) -> int:
        return max(0, self.needed - self.satisfied - len(self.open_faults))


def check_results_of(order: WorkOrder) -> list[CheckResult]:
    """The answers at the operations of a work order, the latest ``MOST_SHOWN``, in the order of
    its operations; those measured again carry replaced_id."""
    rows = (
        CheckResult.objects.filter(check_row__operation__work_order=order)
        .select_related("check_row__operation", "by")
        .annotate(replaced_id=F("replaced_by__pk"))
        .order_by("-pk")[:MOST_SHOWN]
    )
    return sorted(rows, key=lambda r: (r.check_row.operation.sequence, r.check_row.position, r.pk))


def reports_of(order: WorkOrder) -> list[OperationReport]:
    """The latest ``MOST_SHOWN`` reports of a work order, the last one first."""
    return list(
        OperationReport.objects.filter(operation__work_order=order)
        .select_related("operation", "by", "reason_code")
        .order_by("-pk")[:MOST_SHOWN]
    )


def open_fault(check: WorkOrderCheck) -> CheckResult | None:
    """The oldest answer out of limits that is neither measured again nor decided."""
    faults = check.results.filter(is_good=False, decision="", replaced_by__isnull=True)
    return faults.order_by("pk").first()


def undecided_faults(*, text: str = "") -> QuerySet[CheckResult]:
    """Answers out of limits that are neither measured again nor decided.

    What keeps an operation from being finished first, then the one that waits longest.
    """
    found = CheckResult.objects.filter(
        is_good=False, decision="", replaced_by__isnull=True
    ).exclude(check_row__operation__work_order__state=WorkOrderState.CANCELLED)
    if text := text.strip():
        order = "check_row__operation__work_order"
        found = found.filter(
            Q(check_row__name__icontains=text)
            | Q(check_row__name_zh__icontains=text)
            | Q(**{f"{order}__number__icontains": text})
            | Q(**{f"{order}__item__code__icontains": text})
        )
    return found.select_related("check_row__operation__work_order__item", "by").order_by(
        "-check_row__is_required", "at", "pk"
    )


def check_standings(operation: WorkOrderOperation) -> list[CheckStanding]:
    """The checks of an operation in their order; two queries."""
    return check_standings_of([operation])[operation.pk]


def check_standings_of(
    operations: Collection[WorkOrderOperation],
) -> dict[int, list[CheckStanding]]:
    """The checks of each operation in their order, by its id; two queries for all of them."""
    good = {operation.pk: operation.good for operation in operations}
    found: dict[int, list[CheckStanding]] = {pk: [] for pk in good}
    for row in _with_answers().filter(operation__in=list(good)):
        found[row.operation_id].append(_standing(row, good[row.operation_id]))
    return found


def checks_and_answers() -> "Prefetch[str, QuerySet[WorkOrderCheck], str]":
    """To be fetched with operations of which ``fetched_standings`` is asked; two queries."""
    return Prefetch("checks", queryset=_with_answers())


def fetched_standings(operation: WorkOrderOperation) -> list[CheckStanding]:
    """As ``check_standings``, of an operation that ``checks_and_answers`` came with; no query."""
    return [_standing(row, operation.good) for row in operation.checks.all()]


def _with_answers() -> QuerySet[WorkOrderCheck]:
    current = CheckResult.objects.filter(replaced_by__isnull=True).order_by("pk")
    rows = WorkOrderCheck.objects.prefetch_related(Prefetch("results", queryset=current))
    return rows.order_by("operation_id", "position")


def _standing(check: WorkOrderCheck, good: Decimal) -> CheckStanding:
    results = list(check.results.all())
    faults = [r for r in results if not r.is_good and not r.decision]
    satisfied = sum(r.is_good or r.decision == Decision.ACCEPT for r in results)
    return CheckStanding(
        check=check,
        needed=_needed(check, good),
        needed_next=_needed(check, good + 1),
        satisfied=satisfied,
        open_faults=tuple(faults),
        last=results[-1] if results else None,
    )


def _needed(check: WorkOrderCheck, good: Decimal) -> int:
    """How many answers so many good pieces ask for; where all is scrap, none."""
    if good <= 0:
        return 0
    if check.frequency == CheckFrequency.PER_ORDER:
        return 1
    every = check.every if check.frequency == CheckFrequency.EVERY_N and check.every else 1
    return int((good / every).to_integral_value(rounding=ROUND_CEILING))
