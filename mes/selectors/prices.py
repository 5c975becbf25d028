"""What an hour, a kWh and a subcontracted piece cost at a site on a day."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from erp.enums import CostKind
from masterdata import selectors as masterdata
from masterdata.enums import RateKind
from mes.models import WorkOrderOperation

if TYPE_CHECKING:
    from masterdata.models import Site

ZERO = Decimal(0)
HOUR = Decimal(60)

# What is paid by the hour, and the rate behind it.
BY_HOUR = {
    CostKind.LABOUR: RateKind.LABOUR,
    CostKind.MACHINE: RateKind.MACHINE,
    CostKind.OVERHEAD: RateKind.OVERHEAD,
}


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of a day; the rates of the work centers that were asked for."""

    site: "Site"
    day: date
    rates: dict[tuple[int, str], Decimal]
    # Mean power of the active units of a work center, and each unit's own, in kW.
    center_kw: dict[int, Decimal]
    unit_kw: dict[int, Decimal]
    # Where each active unit stands: an alternative may stand in another center, at its rates.
    unit_center: dict[int, int]
    # By item and supplier.
    asked: dict[tuple[int, int], Decimal]

    @classmethod
    def of(
        cls,
        site_id: int,
        places: Iterable[tuple[int, int | None]],
        *,
        at: datetime,
        asked: Collection[tuple[int, int]] = (),
    ) -> "Prices":
        """The prices of the day at the site; three queries, one more where suppliers are asked.

        ``places``: work center of the operation, and the work unit (None: not known yet).
        """
        wanted = list(places)
        site = masterdata.site(site_id)
        day = at.astimezone(ZoneInfo(site.time_zone)).date()
        units = masterdata.active_units(site_id=site.pk)
        by_center: dict[int, list[Decimal]] = {}
        for unit in units:
            by_center.setdefault(unit.work_center_id, []).append(unit.energy_kw)
        stands = {unit.id: unit.work_center_id for unit in units}
        centers = {stands.get(unit or 0, center) for center, unit in wanted}
        return cls(
            site=site,
            day=day,
            rates=masterdata.hourly_rates(sorted(centers), on=day, currency=site.currency),
            center_kw={pk: sum(kw, ZERO) / len(kw) for pk, kw in by_center.items()},
            unit_kw={unit.id: unit.energy_kw for unit in units},
            unit_center=stands,
            asked=masterdata.supplier_prices(asked, on=day, currency=site.currency),
        )

    def hour(
        self, operation: WorkOrderOperation, kind: CostKind, unit_id: int | None = None
    ) -> Decimal:
        """What an hour of the kind costs at the unit, else at the operation's work center.

        0 where no rate is known.
        """
        center = self.unit_center.get(unit_id or 0, operation.work_center_id)
        return self.rates.get((center, BY_HOUR[kind]), ZERO)

    def subcontract(self, item_id: int, operation: WorkOrderOperation) -> Decimal:
        """What the subcontractor asks for a piece: its price of the item that is made."""
        return self.asked.get((item_id, operation.subcontractor_id or 0), ZERO)

    def kilowatts(self, center_id: int, unit_id: int | None) -> Decimal:
        """The unit's power, or the mean of the center's units."""
        if unit_id is not None and unit_id in self.unit_kw:
            return self.unit_kw[unit_id]
        return self.center_kw.get(center_id, ZERO)
