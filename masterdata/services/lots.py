"""Arithmetic of lots: scrap, rounding and lot sizes. Pure."""

from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

ONE = Decimal(1)
# Units that are counted, not measured.
WHOLE = frozenset({"EA"})
_FINEST = Decimal("0.0001")
# A Monday, so that periods of seven days are weeks.
_FIRST_PERIOD = date(1970, 1, 5)


def round_up(quantity: Decimal, uom: str) -> Decimal:
    """To whole pieces, or to four places of anything else."""
    return quantity.quantize(_step(uom), rounding=ROUND_CEILING)


def round_down(quantity: Decimal, uom: str) -> Decimal:
    """To whole pieces, or to four places of anything else."""
    return quantity.quantize(_step(uom), rounding=ROUND_FLOOR)


def to_start(
    needed: Decimal, *, scrap_rate: Decimal, uom: str, lot_size: Decimal | None = None
) -> Decimal:
    """How much to start so that ``needed`` good pieces are left: needed ÷ (1 − scrap).

    With a lot size, the next multiple of it.
    """
    started = round_up(round_up(needed, uom) / (ONE - scrap_rate), uom)
    if lot_size is None:
        return started
    lots = (started / lot_size).to_integral_value(rounding=ROUND_CEILING)
    return lots * lot_size


def expected_output(started: Decimal, *, scrap_rate: Decimal, uom: str) -> Decimal:
    """Good pieces to count on of a started quantity."""
    return round_down(started * (ONE - scrap_rate), uom)


def component_need(
    started: Decimal, *, quantity_per: Decimal, scrap_rate: Decimal, uom: str
) -> Decimal:
    """What a bill-of-material line needs for a started quantity, its own scrap included."""
    return round_up(started * quantity_per / (ONE - scrap_rate), uom)


def period_start(day: date, days: int) -> date:
    """The first day of the period that holds ``day``; periods of seven days begin on Mondays."""
    return _FIRST_PERIOD + timedelta(days=(day - _FIRST_PERIOD).days // days * days)


def _step(uom: str) -> Decimal:
    return ONE if uom in WHOLE else _FINEST
