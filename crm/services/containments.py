"""Hold everything that a cause reached and that is still in our hands; lift it again together."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.concurrency import Lock, lock
from common.errors import Refused
from common.models import User
from crm.models import Containment
from crm.trace import impact
from erp.services import holds
from masterdata import selectors as masterdata
from traceability import selectors as ledger

__all__ = ["CannotContain", "contain", "open_of", "release"]


class CannotContain(Refused):
    """There is nothing to hold, or nothing to lift."""


def cause_of(start: ledger.Start) -> dict[str, Any]:
    """A start as it is kept: which lots, which of them surely, which units."""
    return {
        "lots": {str(pk): sure for pk, sure in sorted(start.lots.items())},
        "units": sorted(start.units),
    }


def open_of(start: ledger.Start) -> list[Containment]:
    """What is held because of just this cause, the newest first."""
    found = Containment.objects.filter(cause=cause_of(start), released_at__isnull=True)
    return list(found.select_related("placed_by").order_by("-pk"))


def contain(
    *, start: ledger.Start, title: str, reason: str, by: User | None, now: datetime
) -> Containment:
    """Hold every lot and unit that the start reached and that is not shipped or gone.

    What this cause holds already is not held twice. Raise CannotContain where nothing is left to
    hold, CannotHold without a reason or where a unit left a moment ago.
    """
    with transaction.atomic():
        # Two at once: the second one sees what the first one holds, and nothing moves meanwhile.
        for site_id in masterdata.site_ids():
            lock(Lock.SUPPLY, site_id)
        lots, units = impact.stoppable(start)
        held = _held([pk for row in open_of(start) for pk in row.hold_ids])
        lots, units = [pk for pk in lots if pk not in held], [pk for pk in units if pk not in held]
        if not lots and not units:
            raise CannotContain(
                _("Everything that can be stopped is on hold already.")
                if held
                else _("Nothing of it can be stopped: all of it has left.")
            )
        summary = impact.summary(start)
        hold_ids = holds.hold(lot_ids=lots, unit_ids=units, reason=reason, by=by, now=now)
        row = Containment.objects.create(
            title=title[:200],
            cause=cause_of(start),
            reason=reason.strip()[:200],
            counts={
                where.value: [count.confirmed, count.possible]
                for where, count in summary.by_list.items()
            },
            hold_ids=hold_ids,
            placed_at=now,
            placed_by=by,
        )
        audit.record(
            action="crm.containment.place",
            target=row,
            by=by,
            now=now,
            reason=reason,
            changes={"lots": [0, len(lots)], "units": [0, len(units)]},
        )
    return row


def release(*, containment: Containment, reason: str, by: User | None, now: datetime) -> None:
    """Lift all holds of a containment that are still there; other holds stay.

    Raise CannotContain where it was lifted before, CannotHold without a reason.
    """
    with transaction.atomic():
        row = Containment.objects.select_for_update(no_key=True).get(pk=containment.pk)
        if row.released_at is not None:
            raise CannotContain(_("This is lifted already."))
        if not reason.strip():
            raise holds.CannotHold(_("Say why."))
        left = [hold.pk for hold in ledger.holds(row.hold_ids) if hold.released_at is None]
        if left:
            holds.release(hold_ids=left, reason=reason, by=by, now=now)
        row.released_at, row.released_by = now, by
        row.release_reason = reason.strip()[:200]
        row.save(update_fields=["released_at", "released_by", "release_reason"])
        audit.record(action="crm.containment.release", target=row, by=by, now=now, reason=reason)


def _held(hold_ids: Collection[int]) -> set[int]:
    """Lots and units on which one of these holds still lies; their ids differ."""
    rows = [hold for hold in ledger.holds(hold_ids) if hold.released_at is None]
    return {hold.lot_id or hold.unit_id or 0 for hold in rows}
