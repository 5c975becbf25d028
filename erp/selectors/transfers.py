"""Consignments between sites: which are under way, and what is in them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Count, DecimalField, F, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from erp.enums import TransferState
from erp.models import Bin, StockQuant, StockTransfer, TransferLine
from masterdata import selectors as masterdata
from masterdata.enums import Tracking
from traceability import selectors as traceability

if TYPE_CHECKING:
    from masterdata.models import Item, Site
    from traceability.models import Lot

ZERO = Decimal(0)
TRANSFER_GROUPS = ("draft", "under_way", "over")


@dataclass(frozen=True, slots=True)
class Content:
    """What of an item (of one lot) was packed from one bin; units of an item are one row."""

    item: "Item"
    lot: "Lot | None"
    bin: Bin
    # The line; of serial units, which have one each, the first.
    line_id: int
    quantity: Decimal
    received: Decimal
    missing: Decimal
    unit_cost: Decimal

    @property
    def left(self) -> Decimal:
        return self.quantity - self.received - self.missing

    @property
    def left_text(self) -> str:
        """As it is typed: 5, not 5.0000."""
        return f"{self.left.normalize():f}"

    @property
    def has_serials(self) -> bool:
        return self.item.tracking == Tracking.SERIAL

    @property
    def value(self) -> Decimal:
        return self.quantity * self.unit_cost

    @property
    def lost_value(self) -> Decimal:
        return self.missing * self.unit_cost


def all_sites() -> "list[Site]":
    """Between which goods may go."""
    return masterdata.sites()


def transfers(*, group: str = "", text: str = "") -> QuerySet[StockTransfer]:
    """Consignments, the newest first, with ``items`` and ``missing``."""
    found = StockTransfer.objects.select_related("from_site", "to_site", "created_by")
    states = {
        "draft": [TransferState.DRAFT],
        "under_way": TransferState.on_the_way(),
        "over": [TransferState.RECEIVED, TransferState.CANCELLED],
    }.get(group)
    if states is not None:
        found = found.filter(state__in=states)
    if text.strip():
        lines = TransferLine.objects.filter(
            Q(item__code__icontains=text.strip()) | Q(lot__number__icontains=text.strip())
        )
        found = found.filter(
            Q(number__icontains=text.strip())
            | Q(note__icontains=text.strip())
            | Q(pk__in=lines.values("transfer"))
        )
    return found.annotate(
        items=Count("lines__item", distinct=True),
        missing=Coalesce(Sum("lines__missing"), ZERO, output_field=DecimalField()),
    ).order_by("-created_at", "-pk")


def transfer(number: str) -> StockTransfer | None:
    """The consignment of that number, with its sites."""
    rows = StockTransfer.objects.select_related(
        "from_site", "to_site", "created_by", "dispatched_by"
    )
    return rows.filter(number=number).first()


def transfer_contents(transfer: StockTransfer) -> list[Content]:
    """What is in it, by item and lot; four queries however many serial units."""
    sums = list(
        transfer.lines.order_by()
        .values("item", "lot", "from_bin")
        .annotate(
            # First: the sums after it hide the columns they are of.
            cost=Sum(F("quantity") * F("unit_cost"), output_field=DecimalField()),
            quantity=Sum("quantity"),
            received=Sum("received"),
            missing=Sum("missing"),
            first=Min("pk"),
        )
    )
    items = masterdata.items_by_id({row["item"] for row in sums})
    lots = traceability.lots({row["lot"] for row in sums if row["lot"]})
    bins = Bin.objects.select_related("warehouse").in_bulk([row["from_bin"] for row in sums])
    found = [
        Content(
            item=items[row["item"]],
            lot=lots.get(row["lot"]),
            bin=bins[row["from_bin"]],
            line_id=row["first"],
            quantity=row["quantity"],
            received=row["received"],
            missing=row["missing"],
            unit_cost=row["cost"] / row["quantity"],
        )
        for row in sums
    ]
    return sorted(found, key=lambda row: (row.item.code, row.lot.number if row.lot else ""))


def open_transfer_lines(transfer: StockTransfer) -> QuerySet[TransferLine]:
    """What is still under way of it."""
    return transfer.lines.filter(quantity__gt=F("received") + F("missing")).order_by("pk")


# By the unit where there is one: that is unique, and ten thousand lines may be of one bin and item.
_CANNOT_LEAVE = """
SELECT line.id AS line, quant.id FROM erp_transferline AS line
LEFT JOIN erp_stockquant AS quant
    ON quant.unit_id = line.unit_id AND quant.bin_id = line.from_bin_id
WHERE line.transfer_id = %(transfer)s AND line.unit_id IS NOT NULL
    AND (quant.id IS NULL OR quant.is_held OR quant.quantity - quant.staged < line.quantity)
UNION ALL
SELECT line.id, quant.id FROM erp_transferline AS line
LEFT JOIN erp_stockquant AS quant
    ON quant.bin_id = line.from_bin_id AND quant.item_id = line.item_id
    AND quant.unit_id IS NULL AND quant.lot_id IS NOT DISTINCT FROM line.lot_id
WHERE line.transfer_id = %(transfer)s AND line.unit_id IS NULL
    AND (quant.id IS NULL OR quant.is_held OR quant.quantity - quant.staged < line.quantity)
ORDER BY line LIMIT 1
"""


def cannot_leave(transfer: StockTransfer) -> tuple[TransferLine, StockQuant | None] | None:
    """The first line that is not all there any more, is held or stands ready for somebody.

    With what lies there of it; None where all may go. One query, three where there is one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CANNOT_LEAVE, {"transfer": transfer.pk})
        found = cursor.fetchone()
    if found is None:
        return None
    line = TransferLine.objects.select_related("item", "lot", "unit", "from_bin").get(pk=found[0])
    return line, StockQuant.objects.filter(pk=found[1]).first()


def open_units(transfer: StockTransfer, numbers: list[str]) -> dict[str, list[int]]:
    """Lines under way by normalised serial number, of those that are named; one query."""
    wanted = {traceability.normalised(number) for number in numbers}
    rows = open_transfer_lines(transfer).filter(unit__number_norm__in=wanted)
    found: dict[str, list[int]] = {}
    for pk, norm in rows.values_list("pk", "unit__number_norm"):
        found.setdefault(norm, []).append(pk)
    return found


def units_under_way(transfer: StockTransfer, *, most: int) -> list[str]:
    """The first serial numbers that have not arrived yet, for people."""
    rows = open_transfer_lines(transfer).filter(unit__isnull=False)
    return list(rows.values_list("unit__number", flat=True)[:most])
