"""What a rush simulation says to sales and to who decides: in days at the customers' doors."""

from collections.abc import Mapping
from datetime import date
from typing import Any, TypedDict

from aps.enums import RunState
from crm.models import RushRequest, SalesOrderLine


class MovedOrder(TypedDict):
    """An order line that would come on another day; days in ISO 8601, None: no date."""

    line: str
    # In both languages: whoever reads it has one.
    customer: str
    customer_zh: str
    promised: str | None
    before: str | None
    after: str | None
    # Days later (more than 0) or earlier.
    days: int | None
    # Clock minutes later or earlier at our dock.
    minutes: int | None
    breaks_promise: bool


class Assessment(TypedDict, total=False):
    """``RushRequest.assessment``; only ``error`` where it could not be simulated."""

    error: str
    # Whether the wanted day is kept, and the day the simulated plan gives.
    kept: bool
    day: str | None
    ready_at: str | None
    base_version: int | None
    moved_operations: int
    orders: list[MovedOrder]
    promise_breaks: list[str]
    # aps.services.rush.Shortage and Help.
    material: list[dict[str, Any]]
    help: list[dict[str, Any]]
    binding_unit: str
    # aps.services.comparison.Kpis of the live plan and of this one.
    before: dict[str, Any]
    after: dict[str, Any]
    # It has no work orders yet: what is guaranteed is the priority, not this very plan.
    is_before_conversion: bool


def assessment_of(rush: RushRequest) -> Assessment:
    """What the request's solved run means; the run is read as it is."""
    run = rush.run
    if run is None or run.state == RunState.FAILED or "rush" not in run.comparison:
        return Assessment(error=run.error if run else "")
    found = run.comparison
    told = found["rush"]
    own = f"{rush.line.order.number}/{rush.line.position}"
    orders = _moved_orders(found["orders"])
    return Assessment(
        kept=told["kept"],
        day=told["day"],
        ready_at=told["ready_at"],
        base_version=run.base_version,
        moved_operations=found["moved_operations"],
        orders=[order for order in orders if order["line"] != own],
        promise_breaks=[line for line in found["promise_breaks"] if line != own],
        material=told["material"],
        help=told["help"],
        binding_unit=told["binding_unit"],
        before=found["before"],
        after=found["after"],
        is_before_conversion=bool(found.get("demands")),
    )


def promised_day(rush: RushRequest) -> date:
    """The day that approval commits to: the wanted one, or the best that the plan can do."""
    if rush.assessment.get("kept"):
        return rush.wanted_date
    return date.fromisoformat(rush.assessment["day"])


def _moved_orders(rows: list[Mapping[str, Any]]) -> list[MovedOrder]:
    lines = {
        line.requirement_id: line
        for line in SalesOrderLine.objects.filter(
            requirement__in=[row["requirement"] for row in rows]
        ).select_related("order__customer")
    }
    return [_moved(row, lines[row["requirement"]]) for row in rows if row["requirement"] in lines]


def _moved(row: Mapping[str, Any], line: SalesOrderLine) -> MovedOrder:
    return MovedOrder(
        line=row["line"],
        customer=line.order.customer.name,
        customer_zh=line.order.customer.name_zh,
        promised=line.promised_date.isoformat() if line.promised_date else None,
        before=row["before_day"],
        after=row["after_day"],
        days=row["days"],
        minutes=row["minutes"],
        breaks_promise=row["breaks"],
    )
