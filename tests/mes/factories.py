"""Test objects of the shop floor, and a small plant to plan in."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from erp.models import Requirement
from masterdata.enums import Supply
from masterdata.models import Site
from mes import models
from mes.enums import WorkOrderState
from mes.services import supply
from tests.erp.factories import DUE, RequirementFactory, put_on_stock
from tests.factories import UserFactory
from tests.masterdata.factories import (
    BomFactory,
    BomLineFactory,
    ItemFactory,
    RoutingFactory,
    SiteFactory,
    WorkCenterFactory,
    WorkUnitFactory,
)

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=DUE.tzinfo)


class WorkOrderFactory(DjangoModelFactory):
    class Meta:
        model = models.WorkOrder
        skip_postgeneration_save = True

    number = factory.Sequence(lambda n: f"WO-F{n}")
    item = factory.SubFactory(ItemFactory)
    site = factory.SubFactory(SiteFactory)
    state = WorkOrderState.RELEASED
    quantity = Decimal(10)
    output = factory.SelfAttribute("quantity")
    due_at = DUE
    created_at = NOW

    @factory.post_generation
    def is_coming(self, create, extracted, **kwargs):
        supply.note([self.pk])


class WorkOrderOperationFactory(DjangoModelFactory):
    class Meta:
        model = models.WorkOrderOperation

    work_order = factory.SubFactory(WorkOrderFactory)
    sequence = factory.Sequence(lambda n: (n + 1) * 10)
    name = factory.LazyAttribute(lambda o: f"Step {o.sequence}")
    work_center = factory.SubFactory(WorkCenterFactory)


class OperationUnitFactory(DjangoModelFactory):
    class Meta:
        model = models.OperationUnit

    operation = factory.SubFactory(WorkOrderOperationFactory)
    work_unit = factory.SubFactory(WorkUnitFactory)
    setup_minutes = Decimal(0)
    run_minutes = Decimal(1)


class OperationReportFactory(DjangoModelFactory):
    class Meta:
        model = models.OperationReport

    operation = factory.SubFactory(WorkOrderOperationFactory)
    good = Decimal(1)
    at = NOW


class FloorReasonFactory(DjangoModelFactory):
    class Meta:
        model = models.FloorReason

    kind = "pause"
    code = factory.Sequence(lambda n: f"reason-{n}")
    name = factory.LazyAttribute(lambda o: f"Because of {o.code}")


class WorkOrderCheckFactory(DjangoModelFactory):
    class Meta:
        model = models.WorkOrderCheck

    operation = factory.SubFactory(WorkOrderOperationFactory)
    position = 10
    name = "No burrs"


class BadgeFactory(DjangoModelFactory):
    class Meta:
        model = models.Badge

    person = factory.SubFactory(UserFactory)
    number = factory.Sequence(str)
    pin = "!"
    issued_at = NOW


class TimeBookingFactory(DjangoModelFactory):
    class Meta:
        model = models.TimeBooking

    operation = factory.SubFactory(WorkOrderOperationFactory)
    kind = "run"
    person = factory.SubFactory(UserFactory)
    starts_at = NOW


class WorkOrderPegFactory(DjangoModelFactory):
    class Meta:
        model = models.WorkOrderPeg

    work_order = factory.SubFactory(WorkOrderFactory)
    requirement = factory.SubFactory(RequirementFactory)
    quantity = Decimal(5)


class WorkOrderMaterialFactory(DjangoModelFactory):
    class Meta:
        model = models.WorkOrderMaterial

    work_order = factory.SubFactory(WorkOrderFactory)
    position = factory.Sequence(lambda n: (n + 1) * 10)
    item = factory.SubFactory(ItemFactory, supply=Supply.BUY)
    quantity_per = Decimal(1)
    requirement = factory.SubFactory(RequirementFactory)


@dataclass
class Plant:
    """A site with one work center of two work units, and shorthands to plan and work in it.

    ``plant.make("TABLE", {"TOP": 1, "LEG": 4})`` defines a made item and, where they are new,
    bought components.
    """

    site: Site = field(default_factory=SiteFactory)

    def __post_init__(self):
        self.center = WorkCenterFactory(site=self.site)
        self.units = [WorkUnitFactory(work_center=self.center) for _ in range(2)]
        self.items = {}

    def buy(self, code, **kwargs):
        self.items[code] = ItemFactory(code=code, supply=Supply.BUY, **kwargs)
        return self.items[code]

    def make(self, code, components=None, *, steps=1, scrap_rates=None, **kwargs):
        item = self.items[code] = ItemFactory(code=code, **kwargs)
        if components:
            bom = BomFactory(item=item)
            for number, (component, quantity) in enumerate(components.items(), start=1):
                BomLineFactory(
                    bom=bom,
                    position=number * 10,
                    component=self.items.get(component) or self.buy(component),
                    quantity_per=Decimal(quantity),
                    scrap_rate=(scrap_rates or {}).get(component, 0),
                )
        if steps:
            RoutingFactory(item=item, steps=[(self.center, Decimal(1))] * steps)
        return item

    def stock(self, code, quantity):
        return put_on_stock(self.items[code], self.site, quantity)

    def need(self, code, quantity, *, due_at=DUE, days=0, weight=1) -> Requirement:
        return RequirementFactory(
            item=self.items[code],
            site=self.site,
            quantity=Decimal(quantity),
            due_at=due_at + timedelta(days=days),
            weight=weight,
        )

    def plan(self, *needs, now=NOW):
        demands = [supply.Demand(need.pk, need.quantity) for need in needs]
        return supply.plan(site_id=self.site.pk, demands=demands, by=None, now=now)

    def unplan(self, quantities, now=NOW):
        wanted = {need.pk: Decimal(quantity) for need, quantity in quantities.items()}
        return supply.unplan(site_id=self.site.pk, quantities=wanted, by=None, now=now)

    def orders(self, code=None):
        found = models.WorkOrder.objects.filter(site=self.site).exclude(
            state=WorkOrderState.CANCELLED
        )
        if code is not None:
            found = found.filter(item__code=code)
        return list(found.order_by("pk"))


class NonconformanceFactory(DjangoModelFactory):
    class Meta:
        model = models.Nonconformance

    number = factory.Sequence(lambda n: f"NC-F{n}")
    site = factory.SubFactory(SiteFactory)
    item = factory.SubFactory(ItemFactory)
    source = "floor"
    problem = "Leaks"
    opened_at = NOW


class ContainmentCountFactory(DjangoModelFactory):
    class Meta:
        model = models.ContainmentCount

    nonconformance = factory.SubFactory(NonconformanceFactory)
    place = factory.Sequence(lambda n: f"Place {n}")
    suspect = Decimal(10)


class DispositionFactory(DjangoModelFactory):
    class Meta:
        model = models.Disposition

    nonconformance = factory.SubFactory(NonconformanceFactory)
    kind = "scrap"
    quantity = Decimal(1)
    decided_at = NOW
    decided_by = factory.SubFactory(UserFactory)


class EightDFactory(DjangoModelFactory):
    class Meta:
        model = models.EightD

    nonconformance = factory.SubFactory(NonconformanceFactory)
    leader = factory.SubFactory(UserFactory)


class QualityActionFactory(DjangoModelFactory):
    class Meta:
        model = models.QualityAction

    nonconformance = factory.SubFactory(NonconformanceFactory)
    kind = "corrective"
    title = factory.Sequence(lambda n: f"Do {n}")
    owner = factory.SubFactory(UserFactory)
    due_on = DUE.date()
