"""The cost sheet of a work order: standard next to actual, what is in progress, what varied."""

from dataclasses import dataclass
from decimal import Decimal

from erp import selectors as erp
from erp.enums import CostKind, VarianceCause
from erp.services import costing
from masterdata import selectors as masterdata
from mes.models import WorkOrder
from mes.services.costs import standards
from mes.services.costs.closing import elements

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One kind of cost: what the good pieces so far should have cost of it, and what was spent."""

    kind: CostKind
    standard: Decimal
    actual: Decimal

    @property
    def difference(self) -> Decimal:
        """Favourable above zero."""
        return self.standard - self.actual


@dataclass(frozen=True, slots=True)
class Variance:
    """Why a closed work order cost more or less; favourable above zero."""

    cause: VarianceCause
    amount: Decimal


@dataclass(frozen=True, slots=True)
class CostSheet:
    """All amounts are whole cents of the site's currency."""

    currency: str
    rows: list[SheetRow]
    # What a good piece should cost, unrounded, and what the good ones so far did.
    standard_unit_cost: Decimal
    actual_unit_cost: Decimal | None
    # What went in, less what came out at the standard; zero once closed.
    in_progress: Decimal
    variances: list[Variance]

    @property
    def variance(self) -> Decimal:
        """All variances together, favourable above zero."""
        return sum((row.amount for row in self.variances), ZERO)

    @property
    def standard(self) -> Decimal:
        return sum((row.standard for row in self.rows), ZERO)

    @property
    def actual(self) -> Decimal:
        return sum((row.actual for row in self.rows), ZERO)

    @property
    def difference(self) -> Decimal:
        return self.standard - self.actual


def sheet(order: WorkOrder) -> CostSheet:
    """The cost sheet of a work order (with its item), from the ledger; four queries."""
    rows = standards.of(order)
    spent = erp.cost_totals(order.number)
    standard: dict[str, Decimal] = {}
    for kind, element in elements(order, rows, spent):
        standard[kind] = standard.get(kind, ZERO) + element.standard
    actual: dict[str, Decimal] = {}
    for total in spent:
        actual[total.kind] = actual.get(total.kind, ZERO) + total.amount
    found = [
        SheetRow(kind, costing.cents(standard.get(kind, ZERO)), actual.get(kind, ZERO))
        for kind in CostKind.inputs()
        if standard.get(kind) or actual.get(kind)
    ]
    paid = sum((row.actual for row in found), ZERO)
    return CostSheet(
        currency=masterdata.site(order.site_id).currency,
        rows=found,
        standard_unit_cost=standards.unit_cost(order, rows),
        actual_unit_cost=paid / order.good if order.good else None,
        in_progress=sum(actual.values(), ZERO),
        variances=[
            Variance(VarianceCause(cause), amount)
            for cause, amount in erp.variances_of(order.number)
        ],
    )
