"""A plant with customers, and shorthands for what sales and jobs do with an order."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Model

from common.jobs import run_due
from common.models import AuditEntry, Event, Job, User
from crm.models import Conversion, Milestone, SalesOrder, SalesOrderLine, Shipment
from crm.services import conversion, orders, progress, projections, shipments
from mes import selectors as mes
from mes.models import WorkOrder
from mes.services import execution, readiness
from tests.aps.factories import MONDAY, Factory
from tests.factories import UserFactory
from tests.masterdata.factories import CustomerFactory

__all__ = ["MONDAY", "Shop", "counts"]

FRIDAY = date(2026, 11, 27)


def counts() -> dict[str, int]:
    """How many rows there are of what an order's actions write: equal means nothing changed."""
    models: list[type[Model]] = [
        *(AuditEntry, Conversion, Event, Job, Milestone),
        *(SalesOrder, SalesOrderLine, Shipment, WorkOrder),
    ]
    return {model.__name__: model._default_manager.count() for model in models}


class Shop(Factory):
    """One lathe, office hours; PART takes a minute a piece. ``now`` is passed everywhere."""

    def __init__(self, units: int = 1, now: datetime = MONDAY) -> None:
        super().__init__(units)
        self.now = now
        self.customer = CustomerFactory(code="ACME", name="Acme Corp")
        self.sales: User = UserFactory(username="sara", roles=["sales"])
        self.items["PART"] = self.part()

    def assembly(self, code: str, components: dict[str, int], minutes: int = 1):
        """A made item of other items, with one step of so many minutes a piece."""
        item = super().make(code, components, steps=0)
        return self.steps(item, minutes)

    def enter(self, *lines, customer=None, wanted=FRIDAY, price=None, **kwargs) -> SalesOrder:
        """A draft; lines are (code, quantity), PART × 10 where none are given."""
        return orders.create(
            site_id=self.site.pk,
            customer_id=(customer or self.customer).pk,
            lines=[
                orders.NewLine(
                    item_id=self.items[code].pk,
                    quantity=Decimal(quantity),
                    requested_date=wanted,
                    unit_price=price,
                )
                for code, quantity in lines or [("PART", 10)]
            ],
            by=self.sales,
            now=self.now,
            **kwargs,
        )

    def submitted(self, *lines, rush=(), **kwargs) -> SalesOrder:
        order = self.enter(*lines, **kwargs)
        return orders.submit(
            order=order, by=self.sales, now=self.now, rush_positions=frozenset(rush)
        )

    def approved(self, *lines, **kwargs) -> SalesOrder:
        return orders.approve(order=self.submitted(*lines, **kwargs), by=self.sales, now=self.now)

    def converted(self, *lines, **kwargs) -> SalesOrder:
        """Approved, its work orders made; the jobs' other effects are left alone."""
        order = self.approved(*lines, **kwargs)
        self.convert()
        return self.fresh(order)

    def convert(self) -> conversion.Converted:
        with transaction.atomic():
            return conversion.convert_waiting(site_id=self.site.pk, by=None, now=self.now)

    def project(self) -> int:
        with transaction.atomic():
            return projections.update(site_id=self.site.pk, by=None, now=self.now)

    def refresh(self, order: SalesOrder) -> SalesOrder:
        with transaction.atomic():
            progress.refresh(order_ids=[order.pk], now=self.now)
        return self.fresh(order)

    def run_jobs(self) -> None:
        """Everything the ledger holds, debounced jobs at once."""
        run_due(include_waiting=True)

    def fresh(self, order: SalesOrder) -> SalesOrder:
        return SalesOrder.objects.get(pk=order.pk)

    def line(self, order: SalesOrder, position: int = 10) -> SalesOrderLine:
        return SalesOrderLine.objects.select_related("order", "requirement").get(
            order=order, position=position
        )

    def work(self, order: SalesOrder) -> list[WorkOrder]:
        """The live work orders below the order, children included."""
        ids = [line.requirement_id for line in order.lines.all() if line.requirement_id]
        return mes.work_orders_serving(ids)

    def produce(self, order: SalesOrder, *, operations: int | None = None) -> SalesOrder:
        """Make what the order needs; ``operations`` stops once that many have begun."""
        ids = [line.requirement_id for line in order.lines.all() if line.requirement_id]
        for number, operation in enumerate(mes.operations_to_make(ids), start=1):
            self.now += timedelta(minutes=5)
            with transaction.atomic():
                readiness.refresh(site_id=self.site.pk, now=self.now)
            operation.refresh_from_db()
            execution.start(
                operation=operation,
                work_unit_id=mes.free_unit(operation),
                by=None,
                now=self.now,
            )
            if number == operations:
                break
            good = operation.work_order.quantity
            execution.report(operation=operation, good=good, by=None, now=self.now)
            execution.finish(operation=operation, by=None, now=self.now)
        return self.refresh(order)

    def ship(self, order: SalesOrder, quantities: dict[int, int]) -> Shipment:
        return shipments.post(
            order=order,
            quantities={position: Decimal(q) for position, q in quantities.items()},
            by=self.sales,
            now=self.now,
        )
