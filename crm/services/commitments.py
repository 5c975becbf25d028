"""Promised dates: every change is a revision with cause, author, old and new day."""

from collections.abc import Mapping
from datetime import date, datetime

from common import bulk
from common.models import User
from crm.enums import PromiseCause
from crm.models import PromiseRevision, SalesOrderLine


def promise(
    dates: Mapping[SalesOrderLine, date], *, cause: PromiseCause, by: User | None, now: datetime
) -> None:
    """Commit to a day per line, in the caller's transaction."""
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
