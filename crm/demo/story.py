"""What has happened in the demo factory so far: orders open, finished, late, short, on hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from common.enums import Role
from common.models import User
from crm.demo import floor
from crm.models import SalesOrder
from crm.services import conversion, orders, projections, shipments
from erp.services import mrp_runs, purchasing
from masterdata import selectors as masterdata

# Finished goods on the shelf at the start.
FINISHED_STOCK = {"FLANGE-DN50": 120, "BRACKET-B1": 300, "COUPLING-C1": 60, "VALVE-DN50": 8}


@dataclass(frozen=True)
class Told:
    """An order of the story. Days count from today; ``wanted`` is the requested day."""

    customer: str
    lines: tuple[tuple[str, int], ...]
    entered: int
    wanted: int
    # draft, submitted, approved, running, ready, shipped, delivered, held, cancelled
    until: str = "approved"
    reference: str = ""


ORDERS = (
    # The drives of the complaint: 123456 is one of the first, made of the steel lot of history.py.
    Told("CUST-A", (("DRIVE-S1", 12),), -46, -28, "delivered", "PO-7702"),
    Told("CUST-D", (("DRIVE-S1", 8),), -16, 8, "ready", "HA-8990"),
    Told("CUST-A", (("BRACKET-B1", 200),), -40, -20, "delivered", "PO-7781"),
    Told("CUST-C", (("FLANGE-DN50", 60),), -34, -16, "delivered", "NW-2201"),
    Told("CUST-H", (("COUPLING-C1", 40),), -30, -14, "delivered", "OW-118"),
    Told("CUST-A", (("FLANGE-DN50", 40), ("BRACKET-B1", 80)), -21, -3, "shipped", "PO-7810"),
    Told("CUST-E", (("CYLINDER-63", 30),), -18, 6, "ready", "JN-0451"),
    # Two that run late: their motors were ordered late, and six are in stock.
    Told("CUST-B", (("PUMP-P10", 60),), -12, 4, "approved", "B-3310"),
    Told("CUST-D", (("PUMP-P20", 80),), -9, 6, "approved", "HA-9022"),
    Told("CUST-A", (("VALVE-DN50", 40),), -10, 16, "running", "PO-7833"),
    Told("CUST-J", (("ACTUATOR-A1", 60),), -8, 20, "running", "DA-771"),
    Told("CUST-B", (("FLANGE-DN80", 250),), -7, 21, "approved", "B-3322"),
    Told("CUST-F", (("MANIFOLD-M4", 120),), -7, 18, "approved", "LH-640"),
    Told("CUST-G", (("VALVE-DN80", 50),), -6, 25, "approved", "PR-118"),
    Told("CUST-L", (("VALVE-DN50", 90),), -6, 30, "approved", "YV-552"),
    Told("CUST-I", (("COUPLING-C1", 300),), -5, 22, "approved", "AP-61"),
    Told("CUST-K", (("BRACKET-B1", 600),), -5, 15, "approved", "HW-905"),
    # Waits for motors as well, and has the time.
    Told("CUST-C", (("PUMP-P10", 50),), -4, 42, "approved", "NW-2240"),
    Told("CUST-H", (("FLANGE-DN100", 200),), -4, 35, "approved", "OW-140"),
    Told("CUST-E", (("CYLINDER-63", 150),), -3, 24, "approved", "JN-0466"),
    Told("CUST-D", (("FLANGE-DN50", 500), ("FLANGE-DN80", 120)), -3, 32, "approved", "HA-9040"),
    Told("CUST-J", (("GEARBOX-G1", 40),), -2, 48, "approved", "DA-790"),
    Told("CUST-L", (("VALVE-DN80", 30),), -2, 40, "held", "YV-560"),
    Told("CUST-F", (("MANIFOLD-M4", 60),), -2, 30, "cancelled", "LH-655"),
    Told("CUST-G", (("FLANGE-DN50", 180),), -1, 33, "submitted", "PR-131"),
    Told("CUST-I", (("ACTUATOR-A1", 25),), -1, 36, "submitted", "AP-70"),
    Told("CUST-K", (("BRACKET-B1", 150),), 0, 26, "draft", "HW-921"),
)
# So long the operations that are under way have been running.
RUNNING = timedelta(hours=2)
_AFTER_APPROVAL = {"approved", "running", "ready", "shipped", "delivered", "held", "cancelled"}


def tell(*, users: Mapping[str, User], site_id: int, now: datetime) -> None:
    """Let every order of the table happen at its time, in the order of entry."""
    for told in sorted(ORDERS, key=lambda told: told.entered):
        _happen(told, users, site_id, now)
    # Ordered late: the pumps that were promised with the usual lead time have to wait.
    purchasing.order(
        supplier_code="SUP-MOTOR",
        site_id=site_id,
        lines=[purchasing.NewLine("MOTOR-075", Decimal(200), (now + timedelta(days=19)).date())],
        by=users[Role.PURCHASING],
        now=now - timedelta(days=1),
    )
    # What has to be bought is proposed as soon as a worker runs.
    mrp_runs.request(site_id=site_id, by=users[Role.PLANNER], now=now)
    with transaction.atomic():
        projections.update(site_id=site_id, by=None, now=now)


def _happen(told: Told, users: Mapping[str, User], site_id: int, now: datetime) -> None:
    sales = users[Role.SALES]
    at = now + timedelta(days=told.entered)
    order = _enter(told, sales, site_id, at, now)
    if told.until == "draft":
        return
    orders.submit(order=order, by=sales, now=at + timedelta(minutes=6))
    if told.until not in _AFTER_APPROVAL:
        return
    orders.approve(order=order, by=users[Role.MANAGER], now=at + timedelta(minutes=40))
    with transaction.atomic():
        conversion.convert_waiting(site_id=site_id, by=None, now=at + timedelta(minutes=41))
    if told.until == "held":
        orders.hold(
            order=order, reason="Drawing under revision", by=sales, now=at + timedelta(hours=3)
        )
    elif told.until == "cancelled":
        orders.cancel(order=order, reason="Project stopped", by=sales, now=at + timedelta(hours=5))
    else:
        _make_and_ship(told, order, users, at, now)


def _enter(told: Told, sales: User, site_id: int, at: datetime, now: datetime) -> SalesOrder:
    items = {item.code: item for item in masterdata.items()}
    customer = masterdata.customer_by_code(told.customer)
    assert customer is not None  # noqa: S101 - the demo's own table
    return orders.create(
        site_id=site_id,
        customer_id=customer.pk,
        customer_reference=told.reference,
        lines=[
            orders.NewLine(
                item_id=items[code].pk,
                quantity=Decimal(quantity),
                requested_date=(now + timedelta(days=told.wanted)).date(),
            )
            for code, quantity in told.lines
        ],
        by=sales,
        now=at,
    )


def _make_and_ship(
    told: Told, order: SalesOrder, users: Mapping[str, User], at: datetime, now: datetime
) -> None:
    operator, warehouse = users[Role.OPERATOR], users[Role.WAREHOUSE]
    if told.until in {"ready", "shipped", "delivered"}:
        floor.make(order=order, by=operator, starts_at=at + timedelta(hours=2))
    elif told.until == "running":
        floor.make(
            order=order,
            by=operator,
            starts_at=at + timedelta(hours=2),
            operations=3,
            running_since=now - RUNNING,
        )
    if told.until not in {"shipped", "delivered"}:
        return
    order.refresh_from_db()
    floor.settle(order=order, now=at + timedelta(days=6))
    shipment = shipments.post(
        order=order,
        quantities={
            line.position: line.quantity for line in order.lines.filter(is_cancelled=False)
        },
        carrier="SF Express",
        tracking_code=f"SF{order.pk:010d}",
        by=warehouse,
        now=at + timedelta(days=6, hours=4),
    )
    if told.until == "delivered":
        shipments.deliver(shipment=shipment, by=warehouse, now=at + timedelta(days=9))
