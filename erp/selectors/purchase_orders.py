"""Purchase orders as pages show them, and whom another day of theirs hurts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import (
    Count,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.functions import Round
from django.utils import timezone

from erp.enums import MoveKind, PurchaseOrderState
from erp.models import PurchaseOrder, PurchaseOrderLine, PurchaseReceipt, Requirement, StockMove
from erp.selectors.planning import local_day
from erp.selectors.purchasing import material_dates
from erp.selectors.quants import delivered_of, quants

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Affected:
    """A requirement whose material comes at another moment if a line's day changes."""

    requirement_id: int
    reference: str
    item_code: str
    due_at: datetime
    # None: it lies in the store.
    before: datetime | None
    after: datetime | None

    @property
    def is_late(self) -> bool:
        return self.after is not None and self.after > self.due_at

    @property
    def before_on(self) -> date | None:
        """The day of ``before``, as a supplier says it: the end of a day is that day."""
        return _day(self.before)

    @property
    def after_on(self) -> date | None:
        return _day(self.after)

    @property
    def was_late(self) -> bool:
        return self.before is not None and self.before > self.due_at


def purchase_orders(
    *,
    group: str = "",
    text: str = "",
    today: date | None = None,
    site_id: int | None = None,
) -> QuerySet[PurchaseOrder]:
    """Purchase orders, the newest first, with line_count, value, next_due and has_overdue.

    Of a site, or of all. ``group``: draft, to_approve, on_order, overdue, over, or all where empty.
    """
    open_lines = Q(lines__quantity__gt=F("lines__received") + F("lines__rejected"))
    overdue = PurchaseOrderLine.objects.filter(
        order=OuterRef("pk"),
        due_date__lt=today or date.min,
        quantity__gt=F("received") + F("rejected"),
        order__state__in=PurchaseOrderState.on_order(),
    )
    value = ExpressionWrapper(
        Round(F("lines__quantity") * F("lines__unit_price"), precision=2),
        output_field=DecimalField(max_digits=20, decimal_places=2),
    )
    found = PurchaseOrder.objects.annotate(
        line_count=Count("lines"),
        value=Sum(value),
        next_due=Min("lines__due_date", filter=open_lines),
        has_overdue=Exists(overdue),
    )
    if site_id is not None:
        found = found.filter(site=site_id)
    if text.strip():
        matching = PurchaseOrderLine.objects.filter(
            order=OuterRef("pk"), item__code__icontains=text.strip()
        )
        found = found.filter(
            Q(number__icontains=text.strip())
            | Q(supplier_reference__icontains=text.strip())
            | Q(supplier__code__icontains=text.strip())
            | Q(supplier__name__icontains=text.strip())
            | Q(supplier__name_zh__icontains=text.strip())
            | Exists(matching)
        )
    return (
        found.filter(_group(group))
        .select_related("supplier", "site")
        .order_by("-ordered_at", "-pk")
    )


def purchase_counts(*, today: date, site_id: int | None) -> dict[str, int]:
    """How many orders of a site each group of the list has; two queries."""
    states = PurchaseOrder.objects.filter(site=site_id).aggregate(
        all=Count("pk"),
        **{name: Count("pk", filter=_group(name)) for name in ("draft", "to_approve", "on_order")},
        over=Count("pk", filter=_group("over")),
    )
    overdue = PurchaseOrderLine.objects.filter(
        order__site=site_id,
        due_date__lt=today,
        quantity__gt=F("received") + F("rejected"),
        order__state__in=PurchaseOrderState.on_order(),
    )
    return states | {"overdue": overdue.values("order").distinct().count()}


def _group(name: str) -> Q:
    on_order = PurchaseOrderState.on_order()
    return {
        "draft": Q(state=PurchaseOrderState.DRAFT),
        "to_approve": Q(state=PurchaseOrderState.TO_APPROVE),
        "on_order": Q(state__in=on_order),
        "overdue": Q(state__in=on_order, has_overdue=True),
        "over": Q(
            state__in=[
                PurchaseOrderState.RECEIVED,
                PurchaseOrderState.CLOSED,
                PurchaseOrderState.CANCELLED,
            ]
        ),
    }.get(name, Q(pk__isnull=False))


def purchase_order(number: str) -> PurchaseOrder | None:
    """The order with its lines, their items and receipts; three queries."""
    receipts = PurchaseReceipt.objects.select_related("by").order_by("at", "pk")
    lines = (
        PurchaseOrderLine.objects.select_related("item")
        .prefetch_related(Prefetch("receipts", queryset=receipts))
        .order_by("position")
    )
    return (
        PurchaseOrder.objects.filter(number=number)
        .select_related("supplier", "site", "ordered_by", "approved_by")
        .prefetch_related(Prefetch("lines", queryset=lines))
        .first()
    )


def affected_by(
    *, order: PurchaseOrder, moments: Mapping[int, datetime], now: datetime
) -> list[Affected]:
    """Whose material date changes if lines (by id) come at other moments, by when it hurts."""
    items = {line.item_id for line in order.lines.all() if line.pk in moments}
    before = material_dates(site_id=order.site_id, now=now, item_ids=items)
    after = material_dates(site_id=order.site_id, now=now, item_ids=items, moved=moments)
    changed = [pk for pk, date_ in after.items() if before[pk].at != date_.at]
    rows = Requirement.objects.filter(pk__in=changed).select_related("item")
    return [
        Affected(
            requirement_id=row.pk,
            reference=row.reference,
            item_code=row.item.code,
            due_at=row.due_at,
            before=before[row.pk].at,
            after=after[row.pk].at,
        )
        for row in rows.order_by("due_at", "pk")
    ]


def lots_to_return(line: PurchaseOrderLine) -> list[tuple[str, str]]:
    """The lots of a line that came with its order and lie here: number, and how much there is."""
    order = line.order
    came = delivered_of(item_id=line.item_id, site_id=order.site_id, reference=order.number)
    lots = [lot for (lot, _unit), left in came.items() if lot and left > 0]
    rows = (
        quants(site_id=order.site_id, item_id=line.item_id)
        .filter(lot__in=lots)
        .order_by("lot__number")
        .values_list("lot__number")
        .annotate(there=Sum("quantity"))
    )
    return [(number, f"{number} · {there.normalize():f} {line.item.uom}") for number, there in rows]


def units_to_return(line: PurchaseOrderLine, *, most: int) -> list[str]:
    """The first serial numbers of a line that came with its order and lie here."""
    order = line.order
    moves = StockMove.objects.filter(
        item=line.item_id, site=order.site_id, reference=order.number, kind=MoveKind.RECEIPT
    )
    here = quants(site_id=order.site_id, item_id=line.item_id).filter(unit__in=moves.values("unit"))
    return list(here.order_by("unit__number").values_list("unit__number", flat=True)[:most])


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else local_day(moment, timezone.get_current_timezone())
