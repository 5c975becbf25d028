"""Which lots and units went into pieces: what a work order got, shared out among what it made.

Nobody says of a screw which piece it went into. What can be said: a lot that was there alone went
into what was made then; where several lay at the order at once, each piece made from then on has
one of them, until all of it is used up. So an impact never misses a piece, and says of which it
knows. What has a serial number goes to the pieces in the order in which it was scanned.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from erp.selectors import Used
from traceability.enums import Certainty
from traceability.services.genealogy import Loaded

ZERO = Decimal(0)
_LEAST = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Need:
    """How much of an item a piece takes, and whether it is booked out with the pieces."""

    item_id: int
    per_piece: Decimal
    is_backflushed: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One report of good pieces, and how many were through (good or scrapped) before it."""

    good: Decimal
    before: Decimal
    scrapped_before: Decimal
    # All of it is one lot; else each good piece is a unit.
    is_lot: bool
    # The first move of its output: what is booked out with it comes later.
    output_move_id: int
    # When pieces got through and how many.
    history: Sequence[tuple[datetime, Decimal]] = ()

    def through(self, at: datetime) -> Decimal:
        """Pieces that were through before the moment."""
        return sum((pieces for moment, pieces in self.history if moment < at), ZERO)


@dataclass(slots=True)
class _Pool:
    """Lots that lie at the order together, and how much it had used before they did."""

    lots: dict[int, Decimal]
    base: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return sum(self.lots.values(), ZERO)


def lots(needs: Iterable[Need], used: Sequence[Used], run: Run) -> list[Loaded]:
    """What each good piece of the run took of which lots, and how surely."""
    found: list[Loaded] = []
    for need in needs:
        mine = _net([row for row in used if row.item_id == need.item_id and row.lot_id])
        if mine:
            found += _shares(need, _pool(need, mine, run), run)
    return found


def units(needs: Iterable[Need], used: Sequence[Used], run: Run) -> list[list[int]]:
    """Which units each output holds (a lot: one list); ``used`` has none that is in something."""
    outputs = 1 if run.is_lot else int(run.good)
    found: list[list[int]] = [[] for _ in range(outputs)]
    for need in needs:
        mine = _net([row for row in used if row.item_id == need.item_id and row.unit_id])
        free = [row.unit_id for row in mine if row.unit_id]
        each = int(need.per_piece * run.good) if run.is_lot else int(need.per_piece)
        # What scrapped pieces had in them stays behind.
        lost = int(need.per_piece * run.scrapped_before)
        skip = min(lost, max(len(free) - each * outputs, 0))
        for number in range(outputs):
            start = skip + number * each
            found[number] += free[start : start + each]
    return found


def _net(rows: Sequence[Used]) -> list[Used]:
    """What went there and did not come back; of a lot what came last goes back first."""
    left: list[Used] = []
    for row in rows:
        back = -row.quantity
        if back < 0:
            left.append(row)
            continue
        for place in reversed(range(len(left))):
            there = left[place]
            if back > 0 and (there.lot_id, there.unit_id) == (row.lot_id, row.unit_id):
                share = min(back, there.quantity)
                left[place] = replace(there, quantity=there.quantity - share)
                back -= share
    return [row for row in left if row.quantity > 0]


def _pool(need: Need, rows: Sequence[Used], run: Run) -> _Pool:
    """The lots that the run's pieces may have, by how much of each went to the order."""
    if need.is_backflushed:
        own = [row for row in rows if row.move_id > run.output_move_id] or rows[-1:]
        pool = _Pool({}, need.per_piece * run.before)
        for row in own:
            _add(pool, row)
        return pool
    pool = _Pool({})
    for row in rows:
        position = need.per_piece * run.through(row.at)
        if pool.lots and position - pool.base >= pool.total:
            # Nothing of what lay there before was left when this one came.
            pool = _Pool({}, max(position, pool.base + pool.total))
        _add(pool, row)
    return pool


def _add(pool: _Pool, row: Used) -> None:
    assert row.lot_id is not None  # noqa: S101 - only lots are pooled
    pool.lots[row.lot_id] = pool.lots.get(row.lot_id, ZERO) + row.quantity


def _shares(need: Need, pool: _Pool, run: Run) -> list[Loaded]:
    each = need.per_piece
    if len(pool.lots) == 1:
        (lot,) = pool.lots
        return [Loaded(lot, max(each, _LEAST))]
    total = pool.total
    surely = _surely_taken(need, pool, run)
    found = []
    for lot, quantity in pool.lots.items():
        if surely > total - quantity:
            # More was taken than all the others hold.
            share = (each * quantity / total).quantize(_LEAST)
            found.append(Loaded(lot, max(share, _LEAST)))
        else:
            found.append(Loaded(lot, max(each, _LEAST), Certainty.ONE_OF))
    return found


def _surely_taken(need: Need, pool: _Pool, run: Run) -> Decimal:
    """What of the pool is surely in the one thing that the run made; of several: nothing."""
    if run.is_lot:
        in_lot = run.before - run.scrapped_before + run.good
        return need.per_piece * in_lot - pool.base
    is_first = need.per_piece * run.before <= pool.base
    return need.per_piece if run.good == 1 and is_first else ZERO
