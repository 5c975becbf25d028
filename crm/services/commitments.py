"""Promised dates: every change is a revision with cause, author, old and new day."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from common import bulk
from common.models import User
from crm.enums import PromiseCause
from crm.models import PromiseRevision, SalesOrderLine
from erp.services import requirements
from masterdata import selectors as masterdata
from masterdata.services.shipping import ShippingCalendar


def promise(
    dates: Mapping[SalesOrderLine, date], *, cause: PromiseCause, by: User | None, now: datetime
) -> None:
    """Commit to a day per line, in the caller's transaction; planning aims at it from now on."""
    revisions = [
        PromiseRevision(
            line=line, old_date=line.promised_date, new_date=day, cause=cause, by=by, at=now
        )
        for line, day in dates.items()
        if line.promised_date != day
    ]
    for revision in revisions:
        revision.line.promised_date = revision.new_date
    bulk.save([revision.line for revision in revisions], ["promised_date"])
    PromiseRevision.objects.bulk_create(revisions, batch_size=1000)
    _aim_at([revision.line for revision in revisions if revision.line.requirement_id])


def due_at(line: SalesOrderLine, calendar: ShippingCalendar) -> datetime:
    """The latest readiness that keeps what we promised, or what was wished while nothing is."""
    return calendar.latest_ready_at(
        day=line.promised_date or line.requested_date,
        transit_days=line.order.customer.transit_days,
    )


def _aim_at(lines: Sequence[SalesOrderLine]) -> None:
    """One lateness for all: the schedule's due moment follows the promise."""
    calendars = {
        site_id: ShippingCalendar(masterdata.site(site_id))
        for site_id in {line.order.site_id for line in lines}
    }
    requirements.move_due(
        {
            line.requirement_id: due_at(line, calendars[line.order.site_id])
            for line in lines
            if line.requirement_id is not None
        }
    )
