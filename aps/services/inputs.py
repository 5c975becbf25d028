"""What a site's problem is built from, read once; scenarios change a copy, never the plant."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from aps.models import OperationLock
from aps.services import shared
from aps.services.plant import SUBCONTRACT
from aps.services.shared import Shared
from aps.solver import Mode, Placement
from common.intervals import WorkingTime
from erp import selectors as erp
from erp.selectors import Coverage, MaterialDate
from masterdata import selectors as masterdata
from masterdata.selectors import Changeovers, UnitInfo
from masterdata.services import calendars
from masterdata.services.calendars import Rules
from mes import selectors as mes
from mes.selectors import OpenOperation

# A running operation began before now; the calendars are read from there.
LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Pin:
    """Where a planner wants an operation: on a resource from a minute on; None: not planned."""

    resource: int | None
    start: int | None

    @property
    def keeps_out(self) -> bool:
        """Whether the operation is not to be planned at all."""
        return self.start is None


@dataclass
class Inputs:
    """The plant at a moment; minutes since 1970. ``copy()`` before changing anything."""

    site_id: int
    # Now, and the span in which calendars are known.
    now: int
    start: int
    end: int
    # No longer horizon will be tried: work for which there is no room is left out.
    is_last: bool
    operations: list[OpenOperation]
    units: dict[int, UnitInfo]
    times: dict[int, WorkingTime]
    # People and tools.
    shared: Shared
    # By work center: minutes between setup families.
    changeovers: Mapping[int, Changeovers]
    materials: Mapping[int, MaterialDate]
    # Order lines by requirement id.
    sales: dict[int, Coverage]
    reported: frozenset[int]
    # By work order id: the component that nobody makes.
    uncovered: Mapping[int, str]
    # By operation id.
    pins: dict[int, Pin]
    # Where the plan in force has the operations, by id.
    previous: dict[int, Placement]
    # Where each operation can run, once it is known: copies share it while it stays true.
    modes: dict[int, tuple[Mode, ...]] = field(default_factory=dict)
    # What calendars, by id, say otherwise than they are stored.
    rules: Mapping[int, Rules] = field(default_factory=dict)

    def copy(self) -> "Inputs":
        """Another one to change: what it holds is replaced there, never altered."""
        return replace(
            self,
            operations=list(self.operations),
            units=dict(self.units),
            times=dict(self.times),
            sales=dict(self.sales),
            pins=dict(self.pins),
            previous=dict(self.previous),
        )

    def extended(self, *, now: datetime, days: int, is_last: bool = False) -> "Inputs":
        """The same plant with calendars, those of the crews too, for more days."""
        starts_at, ends_at = _span(now, days)
        return replace(
            self.copy(),
            times=calendars.unit_times(site_id=self.site_id, starts_at=starts_at, ends_at=ends_at),
            shared=shared.read(site_id=self.site_id, starts_at=starts_at, ends_at=ends_at),
            end=calendars.to_minutes(ends_at),
            is_last=is_last,
            modes={},
        )


def _span(now: datetime, days: int) -> tuple[datetime, datetime]:
    return now - LOOK_BACK, now + timedelta(days=days)


def read(*, site_id: int, now: datetime, days: int, is_last: bool = False) -> Inputs:
    """The site as it is, with calendars for so many days; a constant number of queries."""
    operations = mes.open_operations(site_id=site_id)
    starts_at, ends_at = _span(now, days)
    on_the_way = mes.transit(site_id=site_id, now=now).complete
    sales = {pk for operation in operations for pk in operation.sales_requirement_ids}
    return Inputs(
        site_id=site_id,
        now=calendars.to_minutes_up(now),
        start=calendars.to_minutes(starts_at),
        end=calendars.to_minutes(ends_at),
        is_last=is_last,
        operations=operations,
        units={unit.id: unit for unit in masterdata.active_units(site_id=site_id)},
        times=calendars.unit_times(site_id=site_id, starts_at=starts_at, ends_at=ends_at),
        shared=shared.read(site_id=site_id, starts_at=starts_at, ends_at=ends_at),
        changeovers=masterdata.changeovers(site_id=site_id),
        materials=mes.material_dates(site_id=site_id, now=now),
        sales={row.requirement_id: row for row in erp.coverage(sales)},
        reported=frozenset(o.id for o in operations if o.is_reported),
        uncovered={
            row.work_order_id: f"{row.work_order.number} ({row.item.code})"
            for row in mes.uncovered_requirements(site_id=site_id)
            if row.requirement_id not in on_the_way
        },
        pins=_pins(site_id),
        previous={
            operation.id: placed for operation in operations if (placed := _placed(operation))
        },
    )


def _pins(site_id: int) -> dict[int, Pin]:
    rows = OperationLock.objects.filter(operation__work_order__site_id=site_id)
    found = rows.values_list("operation_id", "work_unit_id", "starts_at")
    return {
        pk: Pin(None, None)
        if starts_at is None
        else Pin(unit or SUBCONTRACT, calendars.to_minutes(starts_at))
        for pk, unit, starts_at in found
    }


def _placed(operation: OpenOperation) -> Placement | None:
    starts_at, ends_at = operation.planned_starts_at, operation.planned_ends_at
    if starts_at is None or ends_at is None:
        return None
    unit = operation.planned_work_unit_id or SUBCONTRACT
    return Placement(
        operation.id, unit, calendars.to_minutes(starts_at), calendars.to_minutes(ends_at)
    )
