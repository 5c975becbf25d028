"""Where the checks of an operation stand: answered, open, out of limits."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from django.db.models import F, Prefetch

from masterdata.enums import CheckFrequency
from mes.enums import Decision
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


def check_standings(operation: WorkOrderOperation) -> list[CheckStanding]:
    """The checks of an operation in their order; two queries."""
    current = CheckResult.objects.filter(replaced_by__isnull=True).order_by("pk")
    rows = WorkOrderCheck.objects.filter(operation=operation).prefetch_related(
        Prefetch("results", queryset=current)
    )
    return [_standing(row, operation.good) for row in rows.order_by("position")]


def _standing(check: WorkOrderCheck, good: Decimal) -> CheckStanding:
    results = list(check.results.all())
    faults = [r for r in results if not r.is_good and not r.decision]
    satisfied = sum(r.is_good or r.decision == Decision.ACCEPT for r in results)
    return CheckStanding(
        check=check,
        needed=_needed(check, good),
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
