"""Sales orders, submitted and waiting for approval.

Written in bulk: crm.services.orders takes one at a time, gives its own numbers, and asks the
schedule for each line; an order that a customer sent long ago keeps its number and its date.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from common import audit
from crm.enums import MilestoneKind, OrderState
from crm.models import Milestone, SalesOrder, SalesOrderLine
from crm.services.dataset import documents
from crm.services.dataset.context import Context
from crm.services.dataset.documents import Document
from crm.services.dataset.parse import Cells
from masterdata import selectors as masterdata

_FILE = "sales_order_lines.csv"
_BATCH = 2000


@dataclass(frozen=True, slots=True)
class _Head:
    customer_id: int
    reference: str
    ordered: date


@dataclass(frozen=True, slots=True)
class _Line:
    item_id: int
    quantity: Decimal
    unit_price: Decimal
    requested: date


_Order = Document[_Head, _Line]


def import_sales_orders(context: Context) -> None:
    """Orders by number; those that are there are left alone, with a word where they differ."""
    table = context.table(_FILE)
    customers = masterdata.customer_ids()
    items = masterdata.item_ids()

    def read(cells: Cells, heads: dict[str, tuple[_Head, int]]) -> tuple[_Head, _Line]:
        head = _Head(
            cells.known("customer", customers, _("customer")),
            cells.text("customer_reference", 80, required=False),
            cells.day("order_date"),
        )
        first, at = heads.get(cells.row.cells["sales_order"], (head, cells.row.line))
        cells.same("customer", head, first, at)
        line = _Line(
            cells.known("item_number", items, _("item")),
            cells.number("quantity", positive=True),
            cells.number("unit_price"),
            cells.day("requested_date"),
        )
        return head, line

    found, bad = documents.gather(context, table, number="sales_order", read=read)
    numbers = [document.number for document in found]
    there = set(SalesOrder.objects.filter(number__in=numbers).values_list("number", flat=True))
    new = [document for document in found if document.number not in there]
    _write(context, new)
    kept = [document for document in found if document.number in there]
    lines = sum(1 for _line in documents.lines_of(kept))
    created = sum(1 for _line in documents.lines_of(new))
    context.count("sales orders", documents.outcome(len(new), len(kept), 0))
    context.count("sales order lines", documents.outcome(created, lines, bad))
    _say(context, found, kept)


def _write(context: Context, new: list[_Order]) -> None:
    site = masterdata.site_by_code(context.options.site)
    zone = ZoneInfo(site.time_zone)
    orders = []
    for document in new:
        moment = datetime.combine(document.head.ordered, time(12), tzinfo=zone)
        orders.append(
            SalesOrder(
                number=document.number,
                customer_id=document.head.customer_id,
                site=site,
                customer_reference=document.head.reference,
                state=OrderState.SUBMITTED,
                currency=context.options.currency,
                created_at=moment,
                submitted_at=moment,
                created_by=context.by,
            )
        )
    SalesOrder.objects.bulk_create(orders, batch_size=_BATCH)
    _write_lines(orders, new)
    Milestone.objects.bulk_create(
        [
            Milestone(order=order, kind=MilestoneKind.SUBMITTED, at=order.created_at)
            for order in orders
        ],
        batch_size=_BATCH,
    )
    audit.record_many(
        action="crm.order.import", targets=orders, by=context.by, now=context.now, reason=_FILE
    )


def _write_lines(orders: list[SalesOrder], new: list[_Order]) -> None:
    SalesOrderLine.objects.bulk_create(
        [
            SalesOrderLine(
                order=order,
                position=10 * number,
                item_id=line.item_id,
                quantity=line.quantity,
                unit_price=line.unit_price,
                requested_date=line.requested,
            )
            for order, document in zip(orders, new, strict=True)
            for number, (_row, line) in enumerate(document.lines, start=1)
        ],
        batch_size=_BATCH,
    )


def _say(context: Context, found: list[_Order], kept: list[_Order]) -> None:
    summary = context.summary
    summary.assume(
        _(
            "Sales orders are submitted, not approved, and were placed at noon of their day; they"
            " carry no promise yet."
        )
    )
    today = context.now.date()
    late = sum(1 for line in documents.lines_of(found) if line.requested < today)
    if late:
        summary.assume(
            _("%(count)s requested dates are in the past; --start-date moves all dates.")
            % {"count": late}
        )
    if context.folder.shift:
        sentence = _("All dates of the folder are moved by %(days)s days.")
        summary.assume(sentence % {"days": context.folder.shift.days})
    if different := _different(kept):
        sentence = _("%(count)s orders are there with other lines and were left alone:")
        summary.assume(sentence % {"count": len(different)}, different)


def _different(kept: list[_Order]) -> list[str]:
    """Numbers of orders whose items and quantities are no longer those of the file."""
    stored: dict[str, Counter[tuple[int, Decimal]]] = {}
    rows = SalesOrderLine.objects.filter(order__number__in=[d.number for d in kept])
    for number, item, quantity in rows.values_list("order__number", "item_id", "quantity"):
        stored.setdefault(number, Counter())[item, quantity] += 1
    return [
        document.number
        for document in kept
        if Counter((line.item_id, line.quantity) for _row, line in document.lines)
        != stored.get(document.number)
    ]
