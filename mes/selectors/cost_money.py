"""Money of work orders as pages show it: planned, spent, expected, in whole and by kind of cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from erp.enums import CostKind
from erp.services import costing

ZERO = Decimal(0)
# What is known in whole only: an item with a standard cost and neither priced BOM nor rates.
UNSPLIT = ""


@dataclass(frozen=True, slots=True)
class Money:
    """Whole cents of the site's currency."""

    # What the standard says: frozen where work has begun, else that of the day.
    planned: Decimal = ZERO
    # What is booked so far; of it what is still in open work orders or lies ready for them, and
    # what closed ones cost.
    spent: Decimal = ZERO
    in_progress: Decimal = ZERO
    closed: Decimal = ZERO
    # At completion: what is spent, and what open work orders still cost by the plan in force.
    expected: Decimal = ZERO

    @property
    def to_come(self) -> Decimal:
        return self.expected - self.spent

    @property
    def difference(self) -> Decimal:
        """Planned less expected: favourable above zero."""
        return self.planned - self.expected

    def __add__(self, other: "Money") -> "Money":
        return Money(
            self.planned + other.planned,
            self.spent + other.spent,
            self.in_progress + other.in_progress,
            self.closed + other.closed,
            self.expected + other.expected,
        )

    def shared(self, weights: Mapping[int, Decimal]) -> "dict[int, Money]":
        """The shares by weight; they sum to it."""
        parts = [
            costing.split(amount, weights)
            for amount in (self.planned, self.spent, self.in_progress, self.closed, self.expected)
        ]
        return {key: Money(*(part.get(key, ZERO) for part in parts)) for key in weights}


# By the word of ``erp.enums.CostKind``, or UNSPLIT.
Kinds = Mapping[str, Money]


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind of cost."""

    kind: str
    money: Money

    @property
    def label(self) -> str:
        return str(CostKind(self.kind).label) if self.kind else _("Not split by kind")


def plus(*several: Kinds) -> dict[str, Money]:
    """Kind by kind."""
    found: dict[str, Money] = {}
    for kinds in several:
        for kind, money in kinds.items():
            found[kind] = found.get(kind, Money()) + money
    return found


def total(kinds: Kinds) -> Money:
    """All kinds together."""
    return sum(kinds.values(), Money())


def shared(kinds: Kinds, weights: Mapping[int, Decimal]) -> dict[int, dict[str, Money]]:
    """The shares by weight, kind by kind; of each kind they sum to it."""
    found: dict[int, dict[str, Money]] = {key: {} for key in weights}
    for kind, money in kinds.items():
        for key, share in money.shared(weights).items():
            found[key][kind] = share
    return found


def rows(kinds: Kinds) -> list[KindRow]:
    """In the order of the ledger, without those of which there is nothing."""
    order = [*CostKind.inputs(), UNSPLIT]
    return [KindRow(str(k), kinds[k]) for k in order if k in kinds and kinds[k] != Money()]
