"""What the job ledger runs for the floor."""

from datetime import datetime

from common.jobs import JobKind, register
from common.models import User
from mes.services import covering, planned_orders, readiness


@register("mes.refresh_readiness", kind=JobKind.DATABASE)
def refresh_readiness(*, site_id: int, by: User | None, now: datetime) -> None:
    """Bring WAITING and READY of a site's operations up to date."""
    readiness.refresh(site_id=site_id, now=now)


@register("mes.carry_out_proposals", kind=JobKind.DATABASE)
def carry_out_proposals(*, site_id: int, by: User | None, now: datetime) -> None:
    """Make and change the work orders that planning proposed and somebody accepted."""
    planned_orders.carry_out(site_id=site_id, by=by, now=now)


@register("mes.cover_again", kind=JobKind.DATABASE)
def cover_again(*, site_id: int, by: User | None, now: datetime) -> None:
    """Plan anew what a hold or a count took from the needs of a site."""
    covering.cover_again(site_id=site_id, by=by, now=now)
