"""What the job ledger runs for the floor."""

from datetime import datetime

from common.jobs import JobKind, register
from common.models import User
from mes.services import readiness, work_orders


@register("mes.refresh_readiness", kind=JobKind.DATABASE)
def refresh_readiness(*, site_id: int, by: User | None, now: datetime) -> None:
    """Bring WAITING and READY of a site's operations up to date."""
    readiness.refresh(site_id=site_id, now=now)


@register("mes.close_work_order", kind=JobKind.DATABASE)
def close_work_order(*, work_order_id: int, by: User | None, now: datetime) -> None:
    """Close a completed work order, if nobody did meanwhile or took its last report back."""
    work_orders.close_if_completed(work_order_id=work_order_id, by=by, now=now)
