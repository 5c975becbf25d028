"""Purchase orders with what is received; the open rest is expected."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from crm.services.dataset import documents
from crm.services.dataset.context import Context
from crm.services.dataset.documents import Document
from crm.services.dataset.parse import Cells
from erp.services import opening_orders
from masterdata import selectors as masterdata

_FILE = "purchase_order_lines.csv"


@dataclass(frozen=True, slots=True)
class _Head:
    supplier_id: int
    ordered: date


_Order = Document[_Head, opening_orders.OpeningLine]


def import_purchase_orders(context: Context) -> None:
    """Orders by number; those that are there already are left alone."""
    table = context.table(_FILE)
    suppliers = masterdata.supplier_ids()
    items = masterdata.item_ids()
    seen: set[tuple[str, int]] = set()

    def read(
        cells: Cells, heads: dict[str, tuple[_Head, int]]
    ) -> tuple[_Head, opening_orders.OpeningLine]:
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
    there = opening_orders.known(document.number for document in found)
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


def _read_line(cells: Cells, items: dict[str, int]) -> opening_orders.OpeningLine:
    received, rejected = cells.number("received"), cells.number("rejected")
    return opening_orders.OpeningLine(
        position=cells.integer("line"),
        item_id=cells.known("item_number", items, _("item")),
        quantity=cells.number("quantity", positive=True),
        unit_price=cells.number("unit_price"),
        due_date=cells.day("due_date"),
        # The data count rejected pieces as received.
        accepted=max(Decimal(0), received - rejected),
        rejected=rejected,
    )


def _write(context: Context, new: list[_Order]) -> None:
    site = masterdata.site_by_code(context.options.site)
    zone = ZoneInfo(site.time_zone)
    opening_orders.record(
        [
            opening_orders.OpeningOrder(
                number=document.number,
                supplier_id=document.head.supplier_id,
                ordered_at=datetime.combine(document.head.ordered, time(12), tzinfo=zone),
                lines=[line for _row, line in document.lines],
            )
            for document in new
        ],
        site_id=site.pk,
        reference=_FILE,
        by=context.by,
        now=context.now,
    )
