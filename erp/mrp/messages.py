"""What planning says of what comes already: earlier, later, less, not at all."""

from datetime import date, timedelta
from decimal import Decimal

from erp.mrp.facts import ZERO, Item, Message, Need, Receipt
from erp.mrp.sizing import best_offer, sized


def messages_about(
    receipt: Receipt,
    uses: list[tuple[Need, Decimal]],
    *,
    item: Item,
    today: date,
    tolerance_days: int,
) -> list[Message]:
    """What to do with a receipt of which the needs use these quantities; empty: it is right."""
    used = sum((quantity for _need, quantity in uses), ZERO)
    day = max(receipt.day, today)
    if not used:
        if receipt.is_started:
            return []
        return [Message(receipt.key, item.id, "cancel", ZERO, day)]
    found = []
    # Safety stock hurts nobody: it neither hurries nor delays what comes.
    dated = [need for need, _quantity in uses if not need.is_safety]
    first = min(dated, key=lambda need: need.day, default=None)
    tolerance = timedelta(days=tolerance_days)
    if first is not None and day - first.day > tolerance:
        found.append(
            Message(receipt.key, item.id, "expedite", receipt.quantity, first.day, first.origin)
        )
    elif first is not None and first.day - day > tolerance:
        found.append(
            Message(receipt.key, item.id, "defer", receipt.quantity, first.day, first.origin)
        )
    if not receipt.is_started and used < receipt.quantity:
        target = sized(item, used, best_offer(item, used, day, today))[1]
        if target < receipt.quantity:
            found.append(Message(receipt.key, item.id, "reduce", target, day))
    return found
