"""One work unit closed or kept open for a while, whatever its calendar says."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.errors import Refused
from common.models import User
from masterdata.models import UnitException, WorkUnit
from masterdata.services import capacity, limits


class CannotChange(Refused):
    """The span ends before it begins, is over, or is not there any more."""


def coming(*, site_id: int, now: datetime) -> Sequence[UnitException]:
    """The spans of a site's work units that are not over, by their begin; one query."""
    rows = UnitException.objects.filter(work_unit__work_center__site_id=site_id, ends_at__gt=now)
    return list(rows.select_related("work_unit").order_by("starts_at", "work_unit__code", "pk"))


def add(
    *,
    work_unit_id: int,
    starts_at: datetime,
    ends_at: datetime,
    is_working: bool,
    reason: str,
    by: User | None,
    now: datetime,
    is_planned: bool = False,
) -> UnitException:
    """Close a work unit (or open it: overtime) from a moment until another; raise CannotChange.

    Where both are said of a minute, it is closed. The schedule is made anew, unless the one that
    is being published reckons with it (``is_planned``).
    """
    if ends_at <= starts_at:
        raise CannotChange(_("The end has to be later than the start."))
    if ends_at <= now and not is_planned:
        raise CannotChange(_("This span is over already."))
    # Whatever reads the hours of the site would fail on a moment that other zones cannot say.
    for moment in (starts_at, ends_at):
        try:
            limits.check_day(moment.date())
        except ValueError as error:
            raise CannotChange(str(error)) from None
    with transaction.atomic():
        unit = WorkUnit.objects.select_related("work_center").get(pk=work_unit_id)
        row = UnitException.objects.create(
            work_unit=unit,
            starts_at=starts_at,
            ends_at=ends_at,
            is_working=is_working,
            reason=reason[:200],
        )
        audit.record(
            action="masterdata.work_unit.open" if is_working else "masterdata.work_unit.close",
            target=unit,
            by=by,
            now=now,
            reason=reason,
            changes={"span": [None, _span(row)]},
        )
        if not is_planned:
            capacity.changed(site_ids=[unit.work_center.site_id], by=by, now=now)
    return row


def remove(
    *, exception_id: int, by: User | None, now: datetime, is_planned: bool = False
) -> UnitException:
    """Let the calendar of its work unit count again; raise CannotChange where it is gone or over.

    The schedule is made anew as by ``add``.
    """
    with transaction.atomic():
        rows = UnitException.objects.select_for_update(no_key=True, of=("self",))
        row = rows.select_related("work_unit__work_center").filter(pk=exception_id).first()
        if row is None:
            raise CannotChange(_("Somebody else has removed it already."))
        if row.ends_at <= now:
            raise CannotChange(_("This span is over already."))
        audit.record(
            action="masterdata.work_unit.ordinary",
            target=row.work_unit,
            by=by,
            now=now,
            reason=row.reason,
            changes={"span": [_span(row), None]},
        )
        site_id = row.work_unit.work_center.site_id
        row.delete()
        if not is_planned:
            capacity.changed(site_ids=[site_id], by=by, now=now)
    return row


def end_at(
    *, exception_id: int, ends_at: datetime, by: User | None, now: datetime, reason: str = ""
) -> UnitException | None:
    """Let a span end at another moment, or at once; the schedule is made anew.

    None where it is gone: somebody has removed it, or it would end before it begins.
    """
    with transaction.atomic():
        rows = UnitException.objects.select_for_update(no_key=True, of=("self",))
        row = rows.select_related("work_unit__work_center").filter(pk=exception_id).first()
        if row is None:
            return None
        if row.ends_at <= now and ends_at <= now:
            return row  # Over for the schedule already.
        before = _span(row)
        row.ends_at = ends_at
        is_left = row.ends_at > row.starts_at
        audit.record(
            action="masterdata.work_unit.close_until",
            target=row.work_unit,
            by=by,
            now=now,
            reason=reason or row.reason,
            changes={"span": [before, _span(row) if is_left else None]},
        )
        site_id = row.work_unit.work_center.site_id
        if is_left:
            row.save(update_fields=["ends_at"])
        else:
            row.delete()
        capacity.changed(site_ids=[site_id], by=by, now=now)
    return row if is_left else None


def _span(row: UnitException) -> str:
    return f"{row.starts_at.isoformat()} – {row.ends_at.isoformat()}"
