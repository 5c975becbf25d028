"""Which days may be said of deliveries, orders and lots."""

from datetime import date

from common.errors import Refused
from masterdata.services import limits


def check_day(day: date | None, error: type[Refused]) -> None:
    """Raise ``error`` for a day whose end, or whose moment in another zone, no plan can say."""
    try:
        if day is not None:
            limits.check_day(day)
    except ValueError as wrong:
        raise error(str(wrong)) from None
