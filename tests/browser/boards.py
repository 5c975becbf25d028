"""The board in the browser: plants to show, and where things are on the canvas."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page

from aps.enums import RunState
from aps.models import PlanState, ScheduledOperation, ScheduleRun
from mes.enums import WorkOrderState
from mes.models import WorkOrder, WorkOrderOperation
from tests.aps.factories import DAY, HOUR, MONDAY, Factory
from tests.masterdata.factories import ItemFactory, WorkCenterFactory, WorkUnitFactory

BOARD = "/plan/?view=board&from=2026-11-23T00:00&to=2026-11-30T00:00"


class Tables(Factory):
    """A plant with its orders' requirements."""

    needs: list[Any]


def tables() -> Tables:
    """Tables of four legs on two lathes, two of three orders late."""
    plant = Tables(units=2)
    plant.part("LEG", minutes=30)
    table = plant.part("TABLE", minutes=20, components={"LEG": 4})
    plant.needs = [plant.order(table, 3, due_at=MONDAY + due) for due in (HOUR, 2 * HOUR, 10 * DAY)]
    run = plant.replan()
    assert run.state == RunState.PUBLISHED, run.error
    return plant


def opened(page: Page, url: str = BOARD) -> Page:
    page.goto(url)
    page.wait_for_selector("[data-board][data-version]")
    return page


def state(page: Page) -> dict[str, Any]:
    return dict(page.evaluate("document.querySelector('[data-board]').planBoard()"))


def place_of(page: Page, operation: int) -> tuple[float, float]:
    """Where the bar is on the page."""
    x, y = page.evaluate(
        "id => document.querySelector('[data-board]').planBoard().place(id)", operation
    )
    box = page.locator(".plan-canvas").bounding_box()
    assert box
    return box["x"] + x, box["y"] + y


def order_of(plant: Tables, number: int) -> str:
    return str(plant.needs[number].reference.partition("/")[0])


def tree_of(plant: Tables, number: int) -> list[int]:
    """The operations of an order over both levels."""
    top = plant.operations().filter(work_order__pegs__requirement=plant.needs[number])
    legs = plant.operations().filter(
        work_order__pegs__requirement__in=[
            line.requirement_id for row in top for line in row.work_order.materials.all()
        ]
    )
    return sorted({row.pk for row in [*top, *legs]})


def crowd(rows: int = 100, bars: int = 5_000) -> ScheduleRun:
    """A published schedule of so many bars on so many machines, around now."""
    plant = Factory()
    center = WorkCenterFactory(site=plant.site, code="PRESS")
    units = [WorkUnitFactory(work_center=center, code=f"PRESS-{n:03}") for n in range(rows)]
    item = ItemFactory(code="BRACKET-B1")
    site = plant.center.site
    orders = WorkOrder.objects.bulk_create(
        WorkOrder(
            number=f"WO-C{n}",
            item=item,
            site=site,
            state=WorkOrderState.RELEASED,
            quantity=Decimal(10),
            output=Decimal(10),
            due_at=timezone.now() + 3 * DAY,
            created_at=timezone.now(),
        )
        for n in range(bars // 10)
    )
    operations = WorkOrderOperation.objects.bulk_create(
        WorkOrderOperation(
            work_order=orders[n // 10],
            sequence=10 * (n % 10 + 1),
            name="Press",
            work_center=center,
            state="waiting",
            setup_minutes=Decimal(15),
        )
        for n in range(bars)
    )
    PlanState.objects.create(site=site, last_version=1)
    run = ScheduleRun.objects.create(
        site=site,
        state=RunState.PUBLISHED,
        version=1,
        cause="manual",
        requested_at=timezone.now(),
        published_at=timezone.now(),
    )
    begin: datetime = timezone.now() - DAY
    each = timedelta(hours=4)
    ScheduledOperation.objects.bulk_create(
        ScheduledOperation(
            run=run,
            operation=operation,
            work_unit=units[n % rows],
            starts_at=begin + (n // rows) * each,
            ends_at=begin + (n // rows) * each + timedelta(hours=3, minutes=40),
        )
        for n, operation in enumerate(operations)
    )
    return run
