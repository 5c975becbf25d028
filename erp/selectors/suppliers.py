"""How suppliers do: punctual, sound, dear."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, QuerySet, Sum

from erp.enums import PurchaseOrderState, PurchaseReceiptKind
from erp.models import PurchaseOrderLine, PurchaseReceipt
from masterdata import selectors as masterdata

ZERO = Decimal(0)
# Receipts that a supplier is judged by.
JUDGED_DAYS = 365


@dataclass(frozen=True, slots=True)
class Performance:
    """How a supplier did over the last year; None where nothing can be said."""

    receipts: int
    on_time: Decimal | None
    rejected: Decimal | None
    returned: Decimal | None
    # Paid above (positive) or below the standard cost, as a share of it.
    against_standard: Decimal | None
    # Currencies whose receipts are left out of that: nobody entered what they are worth.
    missing_rates: tuple[str, ...]
    open_orders: int
    overdue_lines: int


def supplier_performance(
    *, supplier_id: int, since: date, today: date, site_id: int | None = None
) -> Performance:
    """How the supplier did since a day, at a site or (None) at all of them.

    Four queries, and one per site paid in foreign money.
    """
    receipts = PurchaseReceipt.objects.filter(line__order__supplier=supplier_id, day__gte=since)
    lines = PurchaseOrderLine.objects.filter(
        order__supplier=supplier_id,
        order__state__in=PurchaseOrderState.on_order(),
        quantity__gt=F("received") + F("rejected"),
    )
    if site_id is not None:
        receipts = receipts.filter(line__order__site=site_id)
        lines = lines.filter(order__site=site_id)
    came = Q(kind__in=[PurchaseReceiptKind.ACCEPTED, PurchaseReceiptKind.REJECTED])
    sums = receipts.aggregate(
        receipts=Count("pk", filter=came),
        on_time=Count("pk", filter=came & Q(day__lte=F("promised_date"))),
        accepted=Sum("quantity", filter=Q(kind=PurchaseReceiptKind.ACCEPTED)),
        rejected=Sum("quantity", filter=Q(kind=PurchaseReceiptKind.REJECTED)),
        returned=Sum("quantity", filter=Q(kind=PurchaseReceiptKind.RETURNED)),
    )
    accepted, rejected = sums["accepted"] or ZERO, sums["rejected"] or ZERO
    came_all = accepted + rejected
    against_standard, missing = _against_standard(receipts)
    return Performance(
        receipts=sums["receipts"],
        on_time=_share(Decimal(sums["on_time"]), Decimal(sums["receipts"])),
        rejected=_share(rejected, came_all),
        returned=_share(sums["returned"] or ZERO, came_all),
        against_standard=against_standard,
        missing_rates=missing,
        open_orders=lines.values("order").distinct().count(),
        overdue_lines=lines.filter(due_date__lt=today).count(),
    )


def _against_standard(
    receipts: QuerySet[PurchaseReceipt],
) -> tuple[Decimal | None, tuple[str, ...]]:
    """Paid above the standard cost, as a share of it, and the currencies nobody can convert.

    Standards are in the money of the site; foreign prices are at the rate of the day they came.
    """
    money = DecimalField(max_digits=24, decimal_places=8)
    rows = (
        receipts.filter(kind=PurchaseReceiptKind.ACCEPTED, line__item__standard_cost__gt=0)
        .order_by()
        .values_list("line__order__site__currency", "line__order__currency", "day")
        .annotate(
            paid=Sum(ExpressionWrapper(F("quantity") * F("line__unit_price"), output_field=money)),
            standard=Sum(
                ExpressionWrapper(
                    F("quantity") * F("line__item__standard_cost"), output_field=money
                )
            ),
        )
    )
    rates: dict[str, masterdata.ExchangeByDay] = {}
    paid = standard = ZERO
    missing = set()
    for here, currency, day, amount, standards in rows:
        money_here = rates.setdefault(here, masterdata.exchange_by_day(into=here)).on(day)
        if not money_here.knows(currency):
            missing.add(currency)
            continue
        paid += money_here.convert(amount, currency)
        standard += standards
    return _share(paid - standard, standard), tuple(sorted(missing))


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return part / whole if whole else None
