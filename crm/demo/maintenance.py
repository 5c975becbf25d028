"""A machine was mended the other day, and another one is to be looked after soon."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from common.enums import Role
from common.models import User
from masterdata import selectors as masterdata
from mes import selectors as mes
from mes.enums import MaintenanceKind
from mes.services import maintenance

HOUR = timedelta(hours=1)


def tell(*, users: Mapping[str, User], now: datetime) -> None:
    """One order that is completed, with its part and time, and one that is planned."""
    chief, operator = users[Role.SUPERVISOR], users[Role.OPERATOR]
    at = now - timedelta(days=2)
    done = maintenance.create(
        new=maintenance.NewOrder(
            work_unit_id=_unit("PAINT-02"),
            kind=MaintenanceKind.CORRECTIVE,
            title="Seal of the spray pump leaks",
            starts_at=at,
            ends_at=at + 2 * HOUR,
            owner=operator,
            parts=[_part("SEAL-35", 2)],
        ),
        by=chief,
        now=at,
    )
    maintenance.start(order=done, by=operator, now=at)
    for line in mes.maintenance_parts(done):
        maintenance.issue_part(part=line.part, quantity=Decimal(2), by=operator, now=at + HOUR / 4)
    over, result = at + HOUR, "Both seals are new; no leak under pressure."
    maintenance.book_time(order=done, person=operator, minutes=55, by=operator, now=over)
    maintenance.complete(order=done, result=result, by=operator, now=over)
    soon = now + timedelta(days=3)
    maintenance.create(
        new=maintenance.NewOrder(
            work_unit_id=_unit("GRIND-02"),
            kind=MaintenanceKind.PREVENTIVE,
            title="Change the bearings of the spindle",
            task="Measure the run-out before and after; more than 0.01 mm: call the maker.",
            starts_at=soon,
            ends_at=soon + 2 * HOUR,
            owner=operator,
            parts=[_part("BRG-6206", 2)],
        ),
        by=chief,
        now=now,
    )


def _unit(code: str) -> int:
    unit = masterdata.work_unit_by_code(code)
    assert unit is not None  # noqa: S101 - the demo's own machine
    return unit.pk


def _part(code: str, quantity: int) -> maintenance.NewPart:
    item = masterdata.item_by_code(code)
    assert item is not None  # noqa: S101 - the demo's own item
    return maintenance.NewPart(item.pk, Decimal(quantity))
