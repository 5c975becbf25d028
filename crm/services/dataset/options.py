"""What the caller may choose; every default is stated in the summary."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum


class WithoutRouting(StrEnum):
    """What becomes of a made item without routing."""

    DEFAULT = "default"
    BUY = "buy"


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one import."""

    dry_run: bool = False
    take_good: bool = False
    # Machines: per work center, or the same number for all; else sized by the demand.
    units: dict[str, int] = field(default_factory=dict)
    units_everywhere: int | None = None
    load: Decimal = Decimal("0.85")
    without_routing: WithoutRouting = WithoutRouting.DEFAULT
    # 0: lot for lot.
    lot_period_days: int = 7
    # The day of the earliest sales order; None leaves all dates as they are.
    start_date: date | None = None
    site: str = "MAIN"
    time_zone: str = "UTC"
    currency: str = "USD"
