"""Purchase orders with what is received; the open rest is expected.

Written in bulk here, since erp has no service yet that takes whole purchase orders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from common import audit
from crm.services.dataset import documents
from crm.services.dataset.context import Context
from crm.services.dataset.documents import Document
from crm.services.dataset.parse import Cells
from erp.enums import PurchaseOrderState
from erp.models import PurchaseOrder, PurchaseOrderLine
from masterdata.models import Item, Site, Supplier

_FILE = "purchase_order_lines.csv"
_BATCH = 2000


@dataclass(frozen=True, slots=True)
class _Head:
    supplier_id: int
    ordered: date


@dataclass(frozen=True, slots=True)
class _Line:
    position: int
    item_id: int
    quantity: Decimal
    unit_price: Decimal
    due_date: date
    accepted: Decimal
    rejected: Decimal

    @property
    def open(self) -> Decimal:
        return self.quantity - self.accepted - self.rejected


_Order = Document[_Head, _Line]


def import_purchase_orders(context: Context) -> None:
    """Orders by number; those that are there already are left alone."""
    table = context.table(_FILE)
    suppliers = dict(Supplier.objects.values_list("code", "pk"))
    items = dict(Item.objects.values_list("code", "pk"))
    seen: set[tuple[str, int]] = set()

    def read(cells: Cells, heads: dict[str, tuple[_Head, int]]) -> tuple[_Head, _Line]:
        head = _Head(cells.known("supplier", suppliers, _("supplier")), cells.day("order_date"))
        number = cells.row.cells["purchase_order"]
        first, at = heads.get(number, (head, cells.row.line))
        cells.same("supplier", head, first, at)
        line = _read_line(cells, items)
        if (number, line.position) in seen:
            cells.same("line", line.position, None, at)
        seen.add((number, line.position))
        return head, line

    found, bad = documents.gather(context, table, number="purchase_order", read=read)
    there = set(
        PurchaseOrder.objects.filter(number__in=[d.number for d in found]).values_list(
            "number", flat=True
        )
    )
    new = [document for document in found if document.number not in there]
    _write(context, new)
    kept = sum(len(document.lines) for document in found if document.number in there)
    lines = list(documents.lines_of(new))
    context.count("purchase order lines", documents.outcome(len(lines), kept, bad))
    expected = [line for line in documents.lines_of(found) if line.open > 0]
    late = sum(1 for line in expected if line.due_date < context.now.date())
    context.summary.assume(
        _(
            "Rejected pieces are part of what was received; %(count)s purchase order lines have an"
            " open rest, %(late)s of them overdue today."
        )
        % {"count": len(expected), "late": late}
    )


def _read_line(cells: Cells, items: dict[str, int]) -> _Line:
    received, rejected = cells.number("received"), cells.number("rejected")
    return _Line(
        position=cells.integer("line"),
        item_id=cells.known("item_number", items, _("item")),
        quantity=cells.number("quantity", positive=True),
        unit_price=cells.number("unit_price"),
        due_date=cells.day("due_date"),
        # The data count rejected pieces as received.
        accepted=max(Decimal(0), received - rejected),
        rejected=rejected,
    )


def _state(lines: Sequence[_Line]) -> PurchaseOrderState:
    if all(line.open <= 0 for line in lines):
        return PurchaseOrderState.RECEIVED
    if any(line.accepted or line.rejected for line in lines):
        return PurchaseOrderState.PARTLY_RECEIVED
    return PurchaseOrderState.CONFIRMED


def _write(context: Context, new: list[_Order]) -> None:
    site = Site.objects.get(code=context.options.site)
    zone = ZoneInfo(site.time_zone)
    orders = PurchaseOrder.objects.bulk_create(
        [
            PurchaseOrder(
                number=document.number,
                supplier_id=document.head.supplier_id,
                site=site,
                state=_state([line for _row, line in document.lines]),
                ordered_at=datetime.combine(document.head.ordered, time(12), tzinfo=zone),
            )
            for document in new
        ],
        batch_size=_BATCH,
    )
    PurchaseOrderLine.objects.bulk_create(
        [
            PurchaseOrderLine(
                order=order,
                position=line.position,
                item_id=line.item_id,
                quantity=line.quantity,
                received=line.accepted,
                rejected=line.rejected,
                unit_price=line.unit_price,
                due_date=line.due_date,
            )
            for order, document in zip(orders, new, strict=True)
            for _row, line in document.lines
        ],
        batch_size=_BATCH,
    )
    audit.record_many(
        action="erp.purchase_order.import",
        targets=orders,
        by=context.by,
        now=context.now,
        reason=_FILE,
    )
