"""Reads of the cost ledger."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet, Sum
from django.db.models.functions import Coalesce

from erp.enums import CostKind
from erp.models import CostEntry, StockBalance

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class CostTotal:
    """All entries of a work order of one kind, operation and (of material) component."""

    kind: str
    is_setup: bool
    operation_sequence: int | None
    # The component of a material, null of everything else.
    item_id: int | None
    quantity: Decimal
    amount: Decimal


def cost_totals(work_order: str) -> list[CostTotal]:
    """The ledger of a work order, summed; one query."""
    rows = (
        CostEntry.objects.filter(work_order=work_order)
        .order_by()
        .values("kind", "is_setup", "operation_sequence", "item_id")
        .annotate(total=Sum("amount"), pieces=Coalesce(Sum("quantity"), ZERO))
    )
    merged: dict[tuple[str, bool, int | None, int | None], CostTotal] = {}
    for row in rows:
        is_material = row["kind"] == CostKind.MATERIAL
        operation = None if is_material else row["operation_sequence"]
        item = row["item_id"] if is_material else None
        key = (row["kind"], row["is_setup"], operation, item)
        old = merged.get(key)
        merged[key] = CostTotal(
            *key,
            quantity=row["pieces"] + (old.quantity if old else ZERO),
            amount=row["total"] + (old.amount if old else ZERO),
        )
    return list(merged.values())


@dataclass(frozen=True, slots=True)
class BookedTime:
    """What the ledger holds of one booking of a person: hours, and how many entries they are."""

    hours: Decimal
    amount: Decimal
    price: Decimal
    entries: int


def booked_labour(work_orders: Collection[str]) -> dict[str, BookedTime]:
    """Labour of the work orders by the booking behind it ("time:815"); one query.

    Corrections ("time:815#1") count with what they correct.
    """
    rows = CostEntry.objects.filter(
        work_order__in=list(work_orders), kind=CostKind.LABOUR, source__startswith="time:"
    ).order_by("pk")
    found: dict[str, BookedTime] = {}
    for source, hours, amount, price in rows.values_list("source", "quantity", "amount", "price"):
        root = source.split("#")[0]
        old = found.get(root)
        found[root] = BookedTime(
            hours=(hours or ZERO) + (old.hours if old else ZERO),
            amount=amount + (old.amount if old else ZERO),
            price=old.price if old else price or ZERO,
            entries=1 + (old.entries if old else 0),
        )
    return found


def variances_of(work_order: str) -> list[tuple[str, Decimal]]:
    """Cause and amount of each variance of a closed work order, the largest first; one query."""
    rows = CostEntry.objects.filter(work_order=work_order, kind=CostKind.VARIANCE).order_by()
    # What came back after the closing is booked beside the variance that it belongs to.
    found = list(rows.values_list("cause").annotate(total=Sum("amount")))
    return sorted(found, key=lambda row: (-abs(row[1]), row[0]))


def amounts_by_kind(work_orders: Collection[str]) -> dict[str, dict[str, Decimal]]:
    """The ledger's amounts of work orders by number and kind; one query."""
    rows = (
        CostEntry.objects.filter(work_order__in=list(work_orders))
        .order_by()
        .values_list("work_order", "kind")
        .annotate(total=Sum("amount"))
    )
    found: dict[str, dict[str, Decimal]] = {number: {} for number in work_orders}
    for number, kind, total in rows:
        found[number][kind] = total
    return found


def amounts_by_currency(work_orders: Collection[str]) -> dict[str, Decimal]:
    """All that is booked on work orders, by currency; one query."""
    rows = CostEntry.objects.filter(work_order__in=list(work_orders)).order_by()
    return dict(rows.values_list("currency").annotate(total=Sum("amount")))


def cost_entries(work_order: str) -> QuerySet[CostEntry]:
    """The ledger of a work order, entry by entry, oldest first."""
    return (
        CostEntry.objects.filter(work_order=work_order)
        .select_related("item", "by")
        .order_by("at", "pk")
    )


def average_costs(item_ids: Collection[int], *, site_id: int) -> dict[int, Decimal]:
    """What a piece on stock cost on average, by item id; the standard cost where unknown."""
    rows = StockBalance.objects.filter(item__in=list(item_ids), site_id=site_id)
    return {
        item: average or standard
        for item, average, standard in rows.values_list(
            "item_id", "average_cost", "item__standard_cost"
        )
    }
