"""Test objects of the master data; each sets required fields only."""

from datetime import date, time
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from masterdata import models
from masterdata.enums import RateKind, Supply

LONG_AGO = date(2020, 1, 1)


class CalendarFactory(DjangoModelFactory):
    """Around the clock, Monday to Sunday; ``shifts=`` replaces it: [(weekday, from, until), …]."""

    class Meta:
        model = models.Calendar
        skip_postgeneration_save = True

    code = factory.Sequence(lambda n: f"CAL-{n}")
    name = factory.SelfAttribute("code")

    @factory.post_generation
    def shifts(self, create, extracted, **kwargs):
        if not create:
            return
        if extracted is None:
            extracted = [(weekday, time(0), time(0)) for weekday in range(7)]
        models.Shift.objects.bulk_create(
            models.Shift(calendar=self, weekday=weekday, starts_at=start, ends_at=end)
            for weekday, start, end in extracted
        )


def two_shifts(**kwargs: object) -> models.Calendar:
    """Monday to Friday, 06:00 to 22:00."""
    shifts = [(weekday, time(6), time(22)) for weekday in range(5)]
    return CalendarFactory(shifts=shifts, **kwargs)


def office_hours(**kwargs: object) -> models.Calendar:
    """Monday to Friday, 08:00 to 17:00."""
    shifts = [(weekday, time(8), time(17)) for weekday in range(5)]
    return CalendarFactory(shifts=shifts, **kwargs)


class SiteFactory(DjangoModelFactory):
    class Meta:
        model = models.Site

    code = factory.Sequence(lambda n: f"SITE-{n}")
    name = factory.SelfAttribute("code")
    calendar = factory.SubFactory(CalendarFactory)
    shipping_calendar = factory.SelfAttribute("calendar")


class WorkCenterFactory(DjangoModelFactory):
    class Meta:
        model = models.WorkCenter

    code = factory.Sequence(lambda n: f"WC-{n}")
    name = factory.SelfAttribute("code")
    site = factory.SubFactory(SiteFactory)
    calendar = factory.SelfAttribute("site.calendar")


class WorkUnitFactory(DjangoModelFactory):
    class Meta:
        model = models.WorkUnit

    code = factory.Sequence(lambda n: f"WU-{n}")
    name = factory.SelfAttribute("code")
    work_center = factory.SubFactory(WorkCenterFactory)


class CostRateFactory(DjangoModelFactory):
    class Meta:
        model = models.CostRate

    work_center = factory.SubFactory(WorkCenterFactory)
    kind = RateKind.MACHINE
    amount_per_hour = Decimal(60)
    valid_from = LONG_AGO


class ExchangeRateFactory(DjangoModelFactory):
    """One EUR is 1.10 USD."""

    class Meta:
        model = models.ExchangeRate

    source, target = "EUR", "USD"
    rate = Decimal("1.10")
    valid_from = LONG_AGO


class ChangeoverFactory(DjangoModelFactory):
    """From any family to any other; name ``from_family``, ``to_family`` to be more exact."""

    class Meta:
        model = models.Changeover

    work_center = factory.SubFactory(WorkCenterFactory)
    minutes = 30


class SkillFactory(DjangoModelFactory):
    """``crews=[(site, calendar, people), …]`` brings it."""

    class Meta:
        model = models.Skill
        skip_postgeneration_save = True

    code = factory.Sequence(lambda n: f"SKILL-{n}")
    name = factory.SelfAttribute("code")

    @factory.post_generation
    def crews(self, create, extracted, **kwargs):
        for site, calendar, people in extracted or []:
            CrewFactory(skill=self, site=site, calendar=calendar, people=people)


class CrewFactory(DjangoModelFactory):
    class Meta:
        model = models.Crew

    skill = factory.SubFactory(SkillFactory)
    site = factory.SubFactory(SiteFactory)
    calendar = factory.SelfAttribute("site.calendar")
    people = 1


class ToolFactory(DjangoModelFactory):
    class Meta:
        model = models.Tool

    code = factory.Sequence(lambda n: f"TOOL-{n}")
    name = factory.SelfAttribute("code")
    site = factory.SubFactory(SiteFactory)


class ItemFactory(DjangoModelFactory):
    """A made item; ``supply=Supply.BUY`` for a bought one."""

    class Meta:
        model = models.Item

    code = factory.Sequence(lambda n: f"ITEM-{n}")
    name = factory.SelfAttribute("code")
    supply = Supply.MAKE


class BomFactory(DjangoModelFactory):
    """``components=[(item, quantity), …]`` adds its lines."""

    class Meta:
        model = models.Bom
        skip_postgeneration_save = True

    item = factory.SubFactory(ItemFactory)
    valid_from = LONG_AGO

    @factory.post_generation
    def components(self, create, extracted, **kwargs):
        for number, (component, quantity) in enumerate(extracted or [], start=1):
            BomLineFactory(
                bom=self, position=number * 10, component=component, quantity_per=quantity
            )


class BomLineFactory(DjangoModelFactory):
    class Meta:
        model = models.BomLine

    bom = factory.SubFactory(BomFactory)
    position = factory.Sequence(lambda n: (n + 1) * 10)
    component = factory.SubFactory(ItemFactory, supply=Supply.BUY)
    quantity_per = Decimal(1)


class RoutingFactory(DjangoModelFactory):
    """``steps=[(work_center, run_minutes), …]`` adds operations 10, 20, …"""

    class Meta:
        model = models.Routing
        skip_postgeneration_save = True

    item = factory.SubFactory(ItemFactory)
    valid_from = LONG_AGO

    @factory.post_generation
    def steps(self, create, extracted, **kwargs):
        for number, (center, minutes) in enumerate(extracted or [], start=1):
            RoutingOperationFactory(
                routing=self, sequence=number * 10, work_center=center, run_minutes=minutes
            )


class RoutingOperationFactory(DjangoModelFactory):
    class Meta:
        model = models.RoutingOperation

    routing = factory.SubFactory(RoutingFactory)
    sequence = factory.Sequence(lambda n: (n + 1) * 10)
    name = factory.LazyAttribute(lambda o: f"Step {o.sequence}")
    work_center = factory.SubFactory(WorkCenterFactory)
    run_minutes = Decimal(1)


class OperationAlternativeFactory(DjangoModelFactory):
    class Meta:
        model = models.OperationAlternative

    operation = factory.SubFactory(RoutingOperationFactory)
    work_unit = factory.SubFactory(
        WorkUnitFactory, work_center=factory.SelfAttribute("..operation.work_center")
    )


class CustomerFactory(DjangoModelFactory):
    class Meta:
        model = models.Customer

    code = factory.Sequence(lambda n: f"CUST-{n}")
    name = factory.SelfAttribute("code")


class SupplierFactory(DjangoModelFactory):
    class Meta:
        model = models.Supplier

    code = factory.Sequence(lambda n: f"SUPP-{n}")
    name = factory.SelfAttribute("code")


class SupplierPriceFactory(DjangoModelFactory):
    class Meta:
        model = models.SupplierPrice

    supplier = factory.SubFactory(SupplierFactory)
    item = factory.SubFactory(ItemFactory, supply=Supply.BUY)
    price = Decimal(10)
    valid_from = LONG_AGO
