"""What a piece of an ordered item is known to cost, to compare an order's price with."""

from decimal import Decimal
from zoneinfo import ZoneInfo

from erp.enums import PurchaseReceiptKind
from erp.models import PurchaseOrder, PurchaseReceipt
from masterdata import selectors as masterdata


def known_prices(order: PurchaseOrder) -> dict[int, Decimal]:
    """By item id, in the order's currency at the rate of its day; four queries at most.

    The highest of the supplier's own price, what was last paid for the item, and its standard cost:
    whoever orders may change one of them. Items of which nothing is known are left out, and so is
    what is known in a currency without a rate.
    """
    items = {line.item_id: line.item for line in order.lines.select_related("item")}
    day = order.ordered_at.astimezone(ZoneInfo(order.site.time_zone)).date()
    found = [(pk, item.standard_cost, order.site.currency) for pk, item in items.items()]
    for pk, terms in masterdata.supplier_terms(on=day, item_ids=items).items():
        found += [(pk, t.price, t.currency) for t in terms if t.supplier_id == order.supplier_id]
    paid = PurchaseReceipt.objects.filter(
        line__item__in=items, kind=PurchaseReceiptKind.ACCEPTED, line__unit_price__gt=0
    ).exclude(line__order=order)
    found += (
        paid.order_by("line__item", "-at", "-pk")
        .distinct("line__item")
        .values_list("line__item", "line__unit_price", "line__order__currency")
    )
    money = masterdata.exchange(into=order.currency, on=day)
    known: dict[int, Decimal] = {}
    for pk, price, currency in found:
        if price > 0 and money.knows(currency):
            known[pk] = max(known.get(pk, Decimal(0)), money.convert(price, currency))
    return known
