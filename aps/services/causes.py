"""What happened since a plan was made, counted by kind: why another one differs from it."""

from datetime import datetime

from django.db.models import Count

from common.models import Event

# Facts that move a plan; others of the site are told elsewhere.
TOPICS = (
    "crm.order.changed",
    "crm.order.converted",
    "crm.order.cancelled",
    "erp.stock.received",
    "mes.work_orders.changed",
    "mes.operation.started",
    "mes.operation.reported",
    "mes.operation.finished",
)


def since(*, site_id: int, after: datetime) -> dict[str, int]:
    """How many facts of each topic the site has published after a moment; one query."""
    rows = (
        Event.objects.filter(at__gt=after, topic__in=TOPICS, payload__site_id=site_id)
        .order_by()
        .values_list("topic")
        .annotate(count=Count("pk"))
    )
    return dict(rows)
