"""What will come, kept up to date by those who make it come.

``mes`` and purchasing call this in the transaction that changes a work order or a purchase order
line; thousands of rows are one statement.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F, Min, Q, Sum

from common import bulk, statistics
from erp.enums import PurchaseOrderState, SupplyKind, TransferState
from erp.models import PurchaseOrderLine, Supply, TransferLine
from traceability.services import identities

__all__ = [
    "Coming",
    "arrival",
    "forget_purchases",
    "note_held",
    "note_purchases",
    "note_transfers",
    "put",
]

_UPSERT = """
    INSERT INTO erp_supply AS old (kind, source_id, item_id, site_id, quantity, due_at, reference,
                                   is_firm, is_started)
    SELECT %s, source_id, item_id, site_id, quantity, due_at, reference, is_firm, is_started
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[], %s::timestamptz[],
                %s::text[], %s::boolean[], %s::boolean[])
        AS new (source_id, item_id, site_id, quantity, due_at, reference, is_firm, is_started)
    ON CONFLICT (kind, source_id) DO UPDATE SET
        item_id = excluded.item_id, site_id = excluded.site_id, quantity = excluded.quantity,
        due_at = excluded.due_at, reference = excluded.reference, is_firm = excluded.is_firm,
        is_started = excluded.is_started
    WHERE (old.item_id, old.site_id, old.quantity, old.due_at, old.reference, old.is_firm,
           old.is_started)
        IS DISTINCT FROM (excluded.item_id, excluded.site_id, excluded.quantity, excluded.due_at,
                          excluded.reference, excluded.is_firm, excluded.is_started)
"""


@dataclass(frozen=True, slots=True)
class Coming:
    """What is still to come of one source; a quantity of zero or below: nothing any more."""

    source_id: int
    item_id: int
    site_id: int
    quantity: Decimal
    due_at: datetime
    reference: str
    is_firm: bool = True
    is_started: bool = False


def put(kind: SupplyKind, rows: Sequence[Coming]) -> None:
    """Write what is to come of the sources; two statements at most, however many rows."""
    gone = [row.source_id for row in rows if row.quantity <= 0]
    if gone:
        Supply.objects.filter(kind=kind, source_id__in=gone).delete()
    open_rows = sorted((row for row in rows if row.quantity > 0), key=lambda row: row.source_id)
    if not open_rows:
        return
    columns = zip(
        *(
            (
                row.source_id,
                row.item_id,
                row.site_id,
                row.quantity,
                row.due_at,
                row.reference,
                row.is_firm,
                row.is_started,
            )
            for row in open_rows
        ),
        strict=True,
    )
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [str(kind), *(list(column) for column in columns)])
    statistics.analyze_later(Supply, rows=len(open_rows))


def arrival(due: date, zone: str) -> datetime:
    """When something due at our dock on a day is counted on: the end of that day at the site."""
    # Nobody may save the last day that there is, but a page may ask whom it would hurt.
    due = min(due, date.max - timedelta(days=1))
    return datetime.combine(due + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))


def note_purchases(order_ids: Collection[int]) -> None:
    """Bring the rows of these purchase orders' lines up to date; three statements at most."""
    lines = PurchaseOrderLine.objects.filter(order__in=list(order_ids)).annotate(
        left=F("quantity") - F("received") - F("rejected")
    )
    counted = PurchaseOrderState.counted()
    put(
        SupplyKind.PURCHASE_ORDER,
        [
            Coming(
                source_id=pk,
                item_id=item_id,
                site_id=site_id,
                quantity=left if state in counted else Decimal(0),
                due_at=arrival(due, zone),
                reference=number,
                is_firm=state in PurchaseOrderState.on_order(),
            )
            for pk, item_id, site_id, left, due, zone, number, state in lines.values_list(
                "pk",
                "item_id",
                "order__site_id",
                "left",
                "due_date",
                "order__site__time_zone",
                "order__number",
                "order__state",
            )
        ],
    )


def forget_purchases(line_ids: Collection[int]) -> None:
    """Nothing comes of these lines any more: they are about to go."""
    Supply.objects.filter(kind=SupplyKind.PURCHASE_ORDER, source_id__in=list(line_ids)).delete()


def note_transfers(transfer_ids: Collection[int]) -> None:
    """Bring the rows of these transfers up to date: one per item, under its first line's id.

    What is held on the way counts for nobody.
    """
    lines = TransferLine.objects.filter(transfer__in=list(transfer_ids))
    held_lots, held_units = identities.held(
        lot_ids=set(lines.filter(lot__isnull=False).values_list("lot_id", flat=True)),
        unit_ids=set(lines.filter(unit__isnull=False).values_list("unit_id", flat=True)),
    )
    is_free = Q(lot__isnull=True) | ~Q(lot__in=held_lots)
    is_free &= Q(unit__isnull=True) | ~Q(unit__in=held_units)
    coming = is_free & Q(transfer__state__in=TransferState.on_the_way())
    left = F("quantity") - F("received") - F("missing")
    rows = lines.order_by().values_list(
        "item_id",
        "transfer__to_site_id",
        "transfer__arrives_on",
        "transfer__to_site__time_zone",
        "transfer__number",
    )
    put(
        SupplyKind.TRANSFER,
        [
            Coming(
                source_id=first,
                item_id=item_id,
                site_id=site_id,
                quantity=quantity or Decimal(0),
                due_at=arrival(day, zone),
                reference=number,
                is_started=True,
            )
            for item_id, site_id, day, zone, number, first, quantity in rows.annotate(
                first=Min("pk"), total=Sum(left, filter=coming)
            )
        ],
    )


def note_held(*, lot_ids: Collection[int], unit_ids: Collection[int]) -> list[int]:
    """A hold was laid on these lots and units, or lifted: what of them is under way changes.

    Return the sites that wait for it.
    """
    under_way = TransferLine.objects.filter(
        bulk.either(lot=lot_ids, unit=unit_ids),
        transfer__state__in=TransferState.on_the_way(),
    )
    sites = dict(under_way.values_list("transfer_id", "transfer__to_site_id"))
    if sites:
        note_transfers(sites)
    return sorted(set(sites.values()))
