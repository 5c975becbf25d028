"""Trying quantities of a line against the same state of the plant, and the best split."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from aps import solver
from aps.services.explosion import MOST_LOTS, WHOLE, Exploded, explode
from aps.services.live import Live
from aps.services.promise_answers import LineRequest
from aps.services.supplies import Supplies
from aps.solver import Answer, InfeasibleHorizon, Occupancy, Request, Status
from aps.solver.occupancy import Overlay
from masterdata.selectors import ItemStructure

# Halvings: the part found is within 1/128 of the line's quantity of the best one.
TRIALS = 7


@dataclass(frozen=True)
class Tried:
    """What a quantity would need, when that could be done, and the supplies it leaves."""

    exploded: Exploded
    answer: Answer
    left: Supplies


@dataclass(frozen=True)
class Split:
    """``part`` keeps the day; the rest is ready at ``rest_finish``."""

    part: Decimal
    rest: Decimal
    rest_finish: int


@dataclass(frozen=True)
class Trial:
    """A line before anything of it is taken; asks what any quantity of it would mean."""

    line: LineRequest
    structures: Mapping[int, ItemStructure]
    supplies: Supplies
    live: Live
    occupancy: Occupancy | Overlay
    due: int
    now: int
    risk_minutes: int
    # Of a need, so many lots by themselves.
    most_lots: int = MOST_LOTS

    def of(self, *quantities: Decimal) -> Tried:
        """The answer for the last of the quantities, the others being made before it.

        Raises CannotCheck and InfeasibleHorizon.
        """
        left = self.supplies.copy()
        requests: list[Request] = []
        first_id = 1
        for number, quantity in enumerate(quantities):
            exploded = explode(
                item_id=self.line.item_id,
                quantity=quantity,
                structures=self.structures,
                supplies=left,
                live=self.live,
                now=self.now,
                first_id=first_id,
                most_lots=self.most_lots,
            )
            first_id += len(exploded.operations)
            requests.append(Request(number, tuple(exploded.operations), self.due))
        answers = solver.check(
            occupancy=self.occupancy,
            requests=requests,
            now=self.now,
            risk_minutes=self.risk_minutes,
            horizon=self.live.horizon,
        )
        return Tried(exploded, answers[-1], left)


def find_split(trial: Trial) -> Split | None:
    """The largest part, within a few halvings, that keeps the day; None when none does."""
    quantity = trial.line.quantity
    step = WHOLE if quantity == quantity.to_integral_value() else Decimal("0.0001")
    kept, missed = Decimal(0), quantity
    guess = min(trial.supplies.stock.get(trial.line.item_id, Decimal(0)), quantity / 2)
    for number in range(TRIALS + 1):
        # What lies in stock is the likeliest part: it is tried first.
        middle = guess if number == 0 else (kept + missed) / 2
        middle = middle.quantize(step, rounding=ROUND_FLOOR)
        if middle <= kept:
            if number:
                break
            continue
        if _keeps(trial, middle):
            kept = middle
        else:
            missed = middle
    if not kept:
        return None
    rest = quantity - kept
    try:
        return Split(kept, rest, trial.of(kept, rest).answer.earliest_finish)
    except InfeasibleHorizon:
        return None


def _keeps(trial: Trial, quantity: Decimal) -> bool:
    try:
        return trial.of(quantity).answer.status != Status.INFEASIBLE
    except InfeasibleHorizon:
        return False
