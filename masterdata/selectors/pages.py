"""What the pages of this room show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Model, Q, QuerySet

from masterdata.models import (
    Bom,
    BomLine,
    Customer,
    Item,
    Routing,
    Supplier,
    SupplierPrice,
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


def routings_of(item: Item) -> QuerySet[Routing]:
    return (
        Routing.objects.filter(item=item)
        .order_by("-valid_from", "-pk")
        .prefetch_related(
            "operations__work_center",
            "operations__subcontractor",
            "operations__alternatives__work_unit",
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


def customers() -> QuerySet[Customer]:
    return Customer.objects.order_by("code")


def suppliers() -> QuerySet[Supplier]:
    return Supplier.objects.annotate(
        price_count=Count("prices", filter=Q(prices__isnull=False))
    ).order_by("code")


def counts(models: Sequence[type[Model]]) -> list[int]:
    """Rows of each model."""
    return [model._default_manager.count() for model in models]
