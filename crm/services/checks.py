"""The promise check of an order as it stands."""

from datetime import datetime

from aps.services import promises
from crm.models import SalesOrder, SalesOrderLine


def answers_of(
    order: SalesOrder, *, now: datetime
) -> list[tuple[SalesOrderLine, promises.LineAnswer]]:
    """Each line with its answer by the live schedule, in order; writes nothing."""
    lines = list(order.lines.select_related("item").order_by("position"))
    answers = promises.check(
        site_id=order.site_id,
        customer_id=order.customer_id,
        lines=[
            promises.LineRequest(
                item_id=line.item_id, quantity=line.quantity, requested_date=line.requested_date
            )
            for line in lines
        ],
        now=now,
    )
    return list(zip(lines, answers, strict=True))
