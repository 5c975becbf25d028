"""Cost arithmetic: what an order should have cost, what it did cost, and why the two differ.

Pure: Decimals in, Decimals out, no Django. Money per unit keeps what places it has; an amount is
rounded once, half up to the cent, when it enters the ledger. A difference is *favourable* (good for
us) above zero: standard less actual.

Source of the scheme: the single-level buckets and variances of standard-cost systems (material
price and usage, labour and machine rate and efficiency, setup, yield, energy, overhead).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Literal, TypeVar

Kind = Literal[
    "material",
    "labour",
    "labour_setup",
    "machine",
    "machine_setup",
    "energy",
    "subcontract",
    "overhead",
]
Cause = Literal[
    "price", "usage", "rate", "efficiency", "setup", "yield", "energy", "overhead", "subcontract"
]

Key = TypeVar("Key")

# Kinds by the word of the ledger.
KINDS: Mapping[str, Kind] = {
    "material": "material",
    "labour": "labour",
    "machine": "machine",
    "energy": "energy",
    "subcontract": "subcontract",
    "overhead": "overhead",
}

ZERO = Decimal(0)
CENT = Decimal("0.01")
MINUTES = Decimal(60)

# By kind: what a difference of price, of quantity for the pieces worked on, and of pieces lost
# is called.
_CAUSES: Mapping[Kind, tuple[Cause, Cause, Cause]] = {
    "material": ("price", "usage", "yield"),
    "labour": ("rate", "efficiency", "yield"),
    "labour_setup": ("rate", "setup", "setup"),
    "machine": ("rate", "efficiency", "yield"),
    "machine_setup": ("rate", "setup", "setup"),
    "energy": ("energy", "energy", "energy"),
    "subcontract": ("subcontract", "subcontract", "yield"),
    "overhead": ("overhead", "overhead", "overhead"),
}


@dataclass(frozen=True, slots=True)
class Element:
    """Something that an order consumes: standard next to actual.

    ``price`` is the standard in money per unit (piece, hour, kWh); ``allowed_processed`` is what
    the standard allows for all pieces that were worked on, ``allowed_output`` for the good ones.
    """

    kind: Kind
    price: Decimal
    actual_quantity: Decimal
    actual_amount: Decimal
    allowed_processed: Decimal
    allowed_output: Decimal

    @property
    def standard(self) -> Decimal:
        """What the good pieces should have cost of it."""
        return self.price * self.allowed_output


@dataclass(frozen=True, slots=True)
class Standard:
    """What the standard of an order says about one element, frozen when the work began.

    ``per_order`` units whatever the quantity (setup) and ``per_piece`` for each piece started.
    """

    kind: Kind
    price: Decimal
    per_order: Decimal = ZERO
    per_piece: Decimal = ZERO

    def unit_cost(self, *, quantity: Decimal, output: Decimal) -> Decimal:
        """Its share in a good piece, where ``quantity`` started is to give ``output`` good ones."""
        if output <= 0:
            return ZERO
        return self.price * (self.per_order + self.per_piece * quantity) / output

    def measured(
        self,
        *,
        quantity: Decimal,
        output: Decimal,
        processed: Decimal,
        good: Decimal,
        actual_quantity: Decimal,
        actual_amount: Decimal,
    ) -> Element:
        """The element of an order that worked on ``processed`` pieces, ``good`` of them good."""
        share = good / output if output > 0 else ZERO
        return Element(
            kind=self.kind,
            price=self.price,
            actual_quantity=actual_quantity,
            actual_amount=actual_amount,
            allowed_processed=self.per_order + self.per_piece * processed,
            allowed_output=(self.per_order + self.per_piece * quantity) * share,
        )


def cents(amount: Decimal) -> Decimal:
    """An amount of money as the ledger keeps it: half up to the cent."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def hourly(minutes: Decimal, amount_per_hour: Decimal) -> Decimal:
    """What minutes cost at a rate per hour, to the cent."""
    return cents(minutes * amount_per_hour / MINUTES)


def split(amount: Decimal, weights: Mapping[Key, Decimal]) -> dict[Key, Decimal]:
    """An amount in whole cents among those who share it, by weight; the shares sum to it exactly.

    Each is rounded down and the cents that are missing go to those that lost most by it, of equals
    to the first. Weights above zero; where there are none, nobody gets anything.
    """
    whole = sum(weights.values(), ZERO)
    if whole <= 0:
        return {}
    exact = {key: amount * weight / whole for key, weight in weights.items()}
    found = {key: one.quantize(CENT, rounding=ROUND_FLOOR) for key, one in exact.items()}
    missing = int((amount - sum(found.values(), ZERO)) / CENT)
    # Stable: of those that lost as much, the first.
    order = sorted(weights, key=lambda key: found[key] - exact[key])
    for key in order[:missing]:
        found[key] += CENT
    return found


def moving_average(
    *, on_hand: Decimal, average: Decimal, received: Decimal, price: Decimal
) -> Decimal:
    """The average price of a piece after ``received`` more came in at ``price``.

    What was booked out below zero came in at the new price.
    """
    kept = max(on_hand, ZERO)
    if kept + received <= 0:
        return price
    return (kept * average + received * price) / (kept + received)


def unit_cost(standards: Iterable[Standard], *, quantity: Decimal, output: Decimal) -> Decimal:
    """What a good piece should cost: the sum over what it consumes."""
    return sum((s.unit_cost(quantity=quantity, output=output) for s in standards), ZERO)


def variances(elements: Iterable[Element]) -> dict[Cause, Decimal]:
    """Why standard and actual differ, favourable above zero; unrounded, zeros left out.

    They sum to the standard of the good pieces less the actual amount.
    """
    found: dict[Cause, Decimal] = {}
    for element in elements:
        price, use, lost = _CAUSES[element.kind]
        parts = (
            (price, element.actual_quantity * element.price - element.actual_amount),
            (use, (element.allowed_processed - element.actual_quantity) * element.price),
            (lost, (element.allowed_output - element.allowed_processed) * element.price),
        )
        for cause, amount in parts:
            found[cause] = found.get(cause, ZERO) + amount
    return {cause: amount for cause, amount in found.items() if amount}


def to_the_cent(exact: Mapping[Cause, Decimal], total: Decimal) -> dict[Cause, Decimal]:
    """The variances in whole cents, so that they sum to ``total`` (in cents) exactly.

    Each is rounded down, and the cents that are missing go to those that lost most by it. What the
    ledger itself rounded on the way is a matter of a few cents, and goes the same way.
    """
    if not exact:
        return {"usage": total} if total else {}
    floors = {cause: amount.quantize(CENT, rounding=ROUND_FLOOR) for cause, amount in exact.items()}
    missing = int((total - sum(floors.values(), ZERO)) / CENT)
    order = sorted(exact, key=lambda cause: (floors[cause] - exact[cause], cause))
    step = 1 if missing >= 0 else -1
    each, rest = divmod(abs(missing), len(order))
    for place, cause in enumerate(order):
        floors[cause] += step * CENT * (each + (place < rest))
    return {cause: amount for cause, amount in floors.items() if amount}
