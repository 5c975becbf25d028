"""Bills of material of all days at once, and suppliers' terms: what requirements planning reads."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Q

from masterdata.enums import Supply
from masterdata.models import Bom, BomLine, Item, SupplierPrice


@dataclass(frozen=True, slots=True)
class BillLine:
    """So much of an item goes into one piece, on days [valid_from, valid_to)."""

    item_id: int
    quantity_per: Decimal
    scrap_rate: Decimal
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What an item costs at a supplier today, and how it is delivered."""

    supplier_id: int
    item_id: int
    price: Decimal
    currency: str
    lead_time_days: int
    minimum: Decimal
    maximum: Decimal | None


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """How an item is planned."""

    item_id: int
    supply: str
    uom: str
    lead_time_days: int
    scrap_rate: Decimal
    lot_policy: str
    lot_size: Decimal | None
    lot_period_days: int | None
    safety_stock: Decimal
    is_active: bool


@dataclass(slots=True)
class Bills:
    """Every made item's bills from a day on; a reading of any later day costs no query."""

    # By item, the latest first, as ``structures`` takes them.
    _boms: dict[int, list[tuple[date, date | None, int]]] = field(default_factory=dict)
    _lines: dict[int, list[BillLine]] = field(default_factory=dict)

    def of(self, item_id: int, day: date) -> list[BillLine]:
        """The components that are valid on the day."""
        for valid_from, valid_to, bom in self._boms.get(item_id, []):
            if valid_from <= day and (valid_to is None or day < valid_to):
                return [line for line in self._lines.get(bom, []) if _valid(line, day)]
        return []

    def below(self) -> dict[int, set[int]]:
        """The components of each item on any of the days."""
        found: dict[int, set[int]] = {}
        for item_id, boms in self._boms.items():
            lines = (line for *_days, bom in boms for line in self._lines.get(bom, []))
            found[item_id] = {line.item_id for line in lines}
        return found


def bills(since: date) -> Bills:
    """The bills of material that are valid on ``since`` or later; two queries."""
    still = Q(valid_to__isnull=True) | Q(valid_to__gt=since)
    boms: dict[int, list[tuple[date, date | None, int]]] = defaultdict(list)
    rows = Bom.objects.filter(still, item__supply=Supply.MAKE)
    for pk, item_id, valid_from, valid_to in rows.order_by(
        "item_id", "-valid_from", "-pk"
    ).values_list("pk", "item_id", "valid_from", "valid_to"):
        boms[item_id].append((valid_from, valid_to, pk))
    lines: dict[int, list[BillLine]] = defaultdict(list)
    for bom, item_id, per, scrap, begins, ends in (
        BomLine.objects.filter(still, bom__in=[b for found in boms.values() for *_d, b in found])
        .order_by("bom_id", "position")
        .values_list(
            "bom_id", "component_id", "quantity_per", "scrap_rate", "valid_from", "valid_to"
        )
    ):
        lines[bom].append(BillLine(item_id, per, scrap, begins, ends))
    return Bills(dict(boms), dict(lines))


def planned_items(needed: Collection[int]) -> list[PlannedItem]:
    """All active items and those ``needed`` besides, by id; one query."""
    rows = Item.objects.filter(Q(is_active=True) | Q(pk__in=list(needed))).order_by("pk")
    return [
        PlannedItem(*values)
        for values in rows.values_list(
            "pk",
            "supply",
            "uom",
            "lead_time_days",
            "scrap_rate",
            "lot_policy",
            "lot_size",
            "lot_period_days",
            "safety_stock",
            "is_active",
        )
    ]


def supplier_terms(*, on: date, item_ids: Iterable[int] | None = None) -> dict[int, list[Terms]]:
    """Each item's valid terms, one per active supplier, the newest; one query."""
    rows = SupplierPrice.objects.filter(valid_from__lte=on, supplier__is_active=True)
    if item_ids is not None:
        rows = rows.filter(item__in=list(item_ids))
    found: dict[int, dict[int, Terms]] = defaultdict(dict)
    for values in rows.order_by("item_id", "supplier_id", "-valid_from").values_list(
        "supplier_id",
        "item_id",
        "price",
        "currency",
        "lead_time_days",
        "min_order_quantity",
        "max_order_quantity",
    ):
        terms = Terms(*values)
        found[terms.item_id].setdefault(terms.supplier_id, terms)
    return {item_id: list(by_supplier.values()) for item_id, by_supplier in found.items()}


def _valid(line: BillLine, day: date) -> bool:
    begun = line.valid_from is None or line.valid_from <= day
    return begun and (line.valid_to is None or day < line.valid_to)
