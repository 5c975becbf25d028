"""What can leave for customers, and what is on its way to them."""

from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Count, Exists, F, Min, OuterRef, Prefetch, Q, QuerySet

from crm.enums import OrderState
from crm.models import SalesOrder, SalesOrderLine, Shipment
from erp import selectors as erp

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

_SEARCHED = (
    "number",
    "customer_reference",
    "customer__code",
    "customer__name",
    "customer__name_zh",
)


class _Ready(TypedDict):
    ready: Decimal


def to_ship(*, site_id: int | None, text: str = "") -> QuerySet[SalesOrder]:
    """Orders of the site for which goods lie ready, the first promised first.

    With ``due``, the first promise of what lies ready, ``line_count`` and ``ready_count`` of the
    lines that still want something, and ``ready_lines``, each with ``ready`` in its item's unit.
    """
    wanting = _wanting(site_id)
    found = SalesOrder.objects.filter(
        Exists(wanting.filter(order=OuterRef("pk"), ready__gt=Decimal(0)))
    )
    if text:
        found = found.filter(_of_order("", text))
    wants = Q(lines__in=wanting)
    whole = Q(lines__in=wanting.filter(ready__gte=F("quantity") - F("shipped")))
    ready = Q(lines__in=wanting.filter(ready__gt=Decimal(0)))
    lines = wanting.filter(ready__gt=Decimal(0)).select_related("item").order_by("position")
    return (
        found.select_related("customer")
        .annotate(
            due=Min("lines__promised_date", filter=ready),
            line_count=Count("lines", filter=wants),
            ready_count=Count("lines", filter=whole),
        )
        .prefetch_related(Prefetch("lines", queryset=lines, to_attr="ready_lines"))
        .order_by(F("due").asc(nulls_last=True), "pk")
    )


def under_way(*, site_id: int | None, text: str = "") -> QuerySet[Shipment]:
    """Shipments of the site that have left and not arrived, the longest under way first."""
    found = Shipment.objects.filter(order__site=site_id, delivered_at__isnull=True)
    if text:
        found = found.filter(
            Q(number__icontains=text)
            | Q(tracking_code__icontains=text)
            | _of_order("order__", text)
        )
    return (
        found.select_related("order__customer")
        .prefetch_related("lines__line__item")
        .order_by("shipped_at", "pk")
    )


def _wanting(site_id: int | None) -> "QuerySet[WithAnnotations[SalesOrderLine, _Ready]]":
    """Lines of open orders that are not shipped whole, with the stock that is kept for each."""
    lines = SalesOrderLine.objects.filter(
        order__site=site_id,
        order__state__in=OrderState.open(),
        is_cancelled=False,
        shipped__lt=F("quantity"),
    )
    return lines.annotate(ready=erp.reserved_for("requirement"))


def _of_order(path: str, text: str) -> Q:
    found = Q()
    for field in _SEARCHED:
        found |= Q(**{f"{path}{field}__icontains": text})
    return found
