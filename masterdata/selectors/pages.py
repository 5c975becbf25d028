"""What the pages of this room show."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Model, OuterRef, Q, QuerySet, Subquery, Sum

from masterdata.models import (
    Bom,
    BomLine,
    Calendar,
    CalendarException,
    Changeover,
    CostRate,
    Crew,
    Customer,
    ExchangeRate,
    Item,
    Routing,
    RoutingOperation,
    Site,
    Skill,
    Supplier,
    SupplierPrice,
    Tool,
    WorkCenter,
    WorkUnit,
)
from masterdata.selectors.structure import ItemStructure, structures


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One line of a BOM tree: how deep, what, and how many go into one piece of the top."""

    level: int
    item: ItemStructure
    quantity_per: Decimal
    quantity: Decimal

    @property
    def indent(self) -> range:
        return range(self.level)


# A tree that repeats the same assembly on every level can grow without end.
MAX_TREE = 2000


def bom_tree(item: Item, *, on: date) -> tuple[list[TreeRow], bool]:
    """The item's BOM levels in reading order, and whether the list was cut at ``MAX_TREE``.

    Raises StructureCycle.
    """
    found = structures(item_ids=[item.pk], on=on)
    rows: list[TreeRow] = []
    stack = [(0, item.pk, Decimal(1), Decimal(1))]
    while stack and len(rows) <= MAX_TREE:
        level, pk, per, quantity = stack.pop()
        rows.append(TreeRow(level, found[pk], per, quantity))
        for component in reversed(found[pk].components):
            needed = quantity * component.quantity_per
            stack.append((level + 1, component.item_id, component.quantity_per, needed))
    return rows[1 : MAX_TREE + 1], bool(stack)


def items() -> QuerySet[Item]:
    """Items with whether they have a BOM and a routing."""
    return Item.objects.annotate(
        bom_count=Count("boms", distinct=True), routing_count=Count("routings", distinct=True)
    ).order_by("code")


def where_used(item: Item) -> QuerySet[BomLine]:
    """The BOM lines that name the item, superseded ones too, by assembly."""
    return (
        BomLine.objects.filter(component=item)
        .select_related("bom__item")
        .order_by("bom__item__code", "bom__revision", "position")
    )


def boms_of(item: Item) -> QuerySet[Bom]:
    return Bom.objects.filter(item=item).order_by("-valid_from", "-pk")


def names_of(codes: Iterable[str | None]) -> dict[str, str]:
    """The names of the items that exist among the codes; one query."""
    wanted = {code for code in codes if code and "\x00" not in code}
    return {item.code: item.label for item in Item.objects.filter(code__in=wanted)}


def routings_of(item: Item) -> QuerySet[Routing]:
    return (
        Routing.objects.filter(item=item)
        .order_by("-valid_from", "-pk")
        .prefetch_related(
            "operations__work_center",
            "operations__subcontractor",
            "operations__skill",
            "operations__tool",
            "operations__alternatives__work_unit",
            "operations__checks",
        )
    )


def prices_of(item: Item) -> QuerySet[SupplierPrice]:
    return (
        SupplierPrice.objects.filter(item=item)
        .select_related("supplier")
        .order_by("supplier__code", "-valid_from")
    )


def work_units() -> QuerySet[WorkUnit]:
    return WorkUnit.objects.select_related(
        "work_center__site", "work_center__calendar", "calendar"
    ).order_by("work_center__code", "code")


def sites_with_centers() -> QuerySet[Site]:
    """Sites with how many work centers they have."""
    centers = WorkCenter.objects.filter(site=OuterRef("pk")).order_by().values("site")
    return (
        Site.objects.select_related("calendar", "shipping_calendar")
        .annotate(center_count=Subquery(centers.annotate(n=Count("pk")).values("n")))
        .order_by("code")
    )


def calendars(*, at: datetime) -> QuerySet[Calendar]:
    """Calendars with their shifts and how many exceptions are still to come."""
    coming = Count("exceptions", filter=Q(exceptions__ends_at__gt=at))
    return Calendar.objects.annotate(coming=coming).prefetch_related("shifts").order_by("code")


def past_exceptions(calendar: Calendar, *, before: datetime) -> int:
    """How many exceptions the calendar keeps for the record."""
    return CalendarException.objects.filter(calendar=calendar, ends_at__lte=before).count()


def users_of(calendar: Calendar) -> list[tuple[str, str, str]]:
    """What works by the calendar: the page's URL name, a code and a name; in four queries."""
    own = Q(calendar=calendar) | Q(shipping_calendar=calendar)
    found: list[tuple[str, QuerySet[Any]]] = [
        ("masterdata:site-edit", Site.objects.filter(own)),
        ("masterdata:work-center-edit", WorkCenter.objects.filter(calendar=calendar)),
        ("masterdata:work-unit-edit", WorkUnit.objects.filter(calendar=calendar)),
        ("masterdata:skill-edit", Skill.objects.filter(crews__calendar=calendar).distinct()),
    ]
    return [(url, row.code, row.label) for url, rows in found for row in rows.order_by("code")]


def work_centers() -> QuerySet[WorkCenter]:
    """Work centers with how many units they have, and how many of these are active."""
    return (
        WorkCenter.objects.select_related("site", "calendar")
        .annotate(
            unit_count=Count("units"),
            active_count=Count("units", filter=Q(units__is_active=True)),
        )
        .order_by("code")
    )


def units_of(center: WorkCenter) -> QuerySet[WorkUnit]:
    return WorkUnit.objects.filter(work_center=center).select_related("calendar").order_by("code")


def rates_of(center: WorkCenter, *, on: date) -> list[tuple[CostRate, bool]]:
    """The center's rates, latest first, each with whether it is the one of the day."""
    rows = list(CostRate.objects.filter(work_center=center).order_by("kind", "-valid_from"))
    current: dict[str, int] = {}
    for row in rows:
        if row.valid_from <= on:
            current.setdefault(row.kind, row.pk)
    return [(row, current.get(row.kind) == row.pk) for row in rows]


def skills() -> QuerySet[Skill]:
    """Skills with how many crews bring them, and how many people these have."""
    return Skill.objects.annotate(
        crew_count=Count("crews"), people_count=Sum("crews__people")
    ).order_by("code")


def crews_of(skill: Skill) -> QuerySet[Crew]:
    crews = Crew.objects.filter(skill=skill).select_related("site", "calendar")
    return crews.order_by("site__code", "calendar__code")


def tools() -> QuerySet[Tool]:
    return Tool.objects.select_related("site").order_by("code")


def changeovers_of(center: WorkCenter) -> dict[tuple[str, str], int]:
    """The center's changeover minutes by family before and after; "" is any other."""
    rows = Changeover.objects.filter(work_center=center).order_by("from_family", "to_family")
    return {(row.from_family, row.to_family): row.minutes for row in rows}


def families_of(center: WorkCenter) -> list[str]:
    """The setup families of what routings do at the center and of its changeovers, by name."""
    steps = RoutingOperation.objects.filter(work_center=center)
    found = set(steps.values_list("setup_family", flat=True).distinct())
    for pair in changeovers_of(center):
        found.update(pair)
    return sorted(found - {""})


def prices_at(supplier: Supplier) -> QuerySet[SupplierPrice]:
    return (
        SupplierPrice.objects.filter(supplier=supplier)
        .select_related("item")
        .order_by("item__code", "-valid_from")
    )


def customers() -> QuerySet[Customer]:
    return Customer.objects.order_by("code")


def exchange_rates() -> QuerySet[ExchangeRate]:
    """All rates, the newest of each pair first."""
    return ExchangeRate.objects.order_by("source", "target", "-valid_from")


def suppliers() -> QuerySet[Supplier]:
    return Supplier.objects.annotate(
        price_count=Count("prices", filter=Q(prices__isnull=False))
    ).order_by("code")


def counts(models: Sequence[type[Model]]) -> list[int]:
    """Rows of each model."""
    return [model._default_manager.count() for model in models]
