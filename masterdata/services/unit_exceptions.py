"""One work unit closed or kept open for a while, whatever its calendar says."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.errors import Refused
from common.models import User
from masterdata.models import UnitException, WorkUnit


class CannotChange(Refused):
    """The span ends before it begins."""


def add(
    *,
    work_unit_id: int,
    starts_at: datetime,
    ends_at: datetime,
    is_working: bool,
    reason: str,
    by: User | None,
    now: datetime,
) -> UnitException:
    """Close a work unit (or open it: overtime) from a moment until another; raise CannotChange.

    Where both are said of a minute, it is closed. Planning reads it with its next problem.
    """
    if ends_at <= starts_at:
        raise CannotChange(_("The end has to be later than the start."))
    with transaction.atomic():
        unit = WorkUnit.objects.get(pk=work_unit_id)
        row = UnitException.objects.create(
            work_unit=unit,
            starts_at=starts_at,
            ends_at=ends_at,
            is_working=is_working,
            reason=reason[:200],
        )
        span = f"{starts_at.isoformat()} – {ends_at.isoformat()}"
        audit.record(
            action="masterdata.work_unit.open" if is_working else "masterdata.work_unit.close",
            target=unit,
            by=by,
            now=now,
            reason=reason,
            changes={"span": [None, span]},
        )
    return row
