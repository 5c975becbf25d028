"""What lies in the store, what of it is free, and how it came there."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db.models import DecimalField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Abs, Coalesce

from erp.enums import CountState, MoveKind, PurchaseOrderState, SupplyKind
from erp.models import CountSession, PurchaseOrderLine, StockBalance, StockMove, Supply

ZERO = Decimal(0)


def free_stock(*, site_id: int, item_ids: Iterable[int]) -> dict[int, Decimal]:
    """On hand less what is held and reserved, by item id; 0 where there is none.

    Safety stock counts as free: keeping it up is a matter of purchasing, not of saying no.
    """
    free = dict.fromkeys(item_ids, ZERO)
    rows = StockBalance.objects.filter(site_id=site_id, item__in=list(free))
    free.update(rows.values_list("item_id", F("on_hand") - F("held") - F("reserved")))
    return free


def balances(*, site_id: int | None = None, text: str = "") -> QuerySet[StockBalance]:
    """The stock list by item code, each row with ``free``, ``on_order`` and ``in_transit``."""
    found = StockBalance.objects.select_related("item", "site").order_by("item__code", "site__code")
    if site_id is not None:
        found = found.filter(site_id=site_id)
    if text.strip():
        found = found.filter(
            Q(item__code__icontains=text)
            | Q(item__name__icontains=text)
            | Q(item__name_zh__icontains=text)
        )
    return found.annotate(
        free=F("on_hand") - F("held") - F("reserved"),
        on_order=_on_order(),
        in_transit=_in_transit(),
    )


def moves_of(*, item_id: int, site_id: int) -> QuerySet[StockMove]:
    """How an item's stock changed, newest first."""
    return (
        StockMove.objects.filter(item_id=item_id, site_id=site_id)
        .select_related("by", "bin", "lot", "unit")
        .order_by("-at", "-pk")
    )


def moves_of_identity(
    *, lot_id: int | None = None, unit_id: int | None = None
) -> QuerySet[StockMove]:
    """How a lot or a unit moved, newest first."""
    rows = (
        StockMove.objects.filter(lot=lot_id) if lot_id else StockMove.objects.filter(unit=unit_id)
    )
    return rows.select_related("by", "bin__warehouse__site").order_by("-at", "-pk")


def corrected(*, item_id: int, site_id: int, since: datetime) -> Decimal:
    """The pieces of an item that were corrected at a site since a moment, up or down.

    By counts as well, unless another person approved them.
    """
    alone = CountSession.objects.filter(
        Q(closed_by=F("submitted_by")) | Q(closed_by=None),
        site=site_id,
        state=CountState.POSTED,
        closed_at__gte=since,
    )
    moves = StockMove.objects.filter(
        Q(kind=MoveKind.ADJUSTMENT) | Q(kind=MoveKind.COUNT, document__in=alone.values("number")),
        item=item_id,
        site=site_id,
        at__gte=since,
    )
    return moves.aggregate(total=Sum(Abs("quantity")))["total"] or ZERO


def in_transit(*, item_id: int, site_id: int) -> Decimal:
    """What of the item is on its way to the site from another one."""
    rows = Supply.objects.filter(item=item_id, site=site_id, kind=SupplyKind.TRANSFER)
    return rows.aggregate(total=Sum("quantity"))["total"] or ZERO


def _in_transit() -> Coalesce:
    coming = (
        Supply.objects.filter(
            item=OuterRef("item"), site=OuterRef("site"), kind=SupplyKind.TRANSFER
        )
        .order_by()
        .values("item")
        .annotate(total=Sum("quantity"))
        .values("total")
    )
    return Coalesce(Subquery(coming), ZERO, output_field=DecimalField())


def _on_order() -> Coalesce:
    lines = (
        PurchaseOrderLine.objects.filter(
            item=OuterRef("item"),
            order__site=OuterRef("site"),
            order__state__in=PurchaseOrderState.on_order(),
        )
        .order_by()
        .values("item")
        .annotate(open=Sum(F("quantity") - F("received") - F("rejected")))
        .values("open")
    )
    return Coalesce(Subquery(lines), ZERO, output_field=DecimalField())


def came_in(reference: str) -> tuple[list[int], list[int]]:
    """Ids of the lots and of the units that were received or made under a document's number."""
    rows = StockMove.objects.filter(
        reference=reference,
        kind__in=[MoveKind.RECEIPT, MoveKind.PRODUCTION],
        quantity__gt=0,
    )
    pairs = set(rows.values_list("lot_id", "unit_id"))
    lots = {lot for lot, _unit in pairs if lot is not None}
    return sorted(lots), sorted({unit for _lot, unit in pairs if unit is not None})
