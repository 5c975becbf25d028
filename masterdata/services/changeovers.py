"""Changeover times of a work center: how long a machine takes from one family to another."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.concurrency import check_version
from common.errors import Refused
from common.models import User
from masterdata.models import Changeover, WorkCenter
from masterdata.services import capacity, limits

# (from family, to family); "" stands for any other one.
Pair = tuple[str, str]


class InvalidChangeover(Refused):
    """The minutes are negative, or more than a week."""


def save(
    *,
    center: WorkCenter,
    minutes: Mapping[Pair, int],
    version: int,
    by: User | None,
    now: datetime,
) -> WorkCenter:
    """Give the center exactly these changeovers and tell its site's schedule.

    Raises StaleWrite where somebody saved the center after it was opened, InvalidChangeover.
    """
    for value in minutes.values():
        check_minutes(value)
    with transaction.atomic():
        locked = WorkCenter.objects.select_for_update(no_key=True).get(pk=center.pk)
        check_version(locked, opened=version)
        before = _described(locked)
        stored = {(row.from_family, row.to_family): row for row in locked.changeovers.all()}
        gone = [row.pk for pair, row in stored.items() if pair not in minutes]
        locked.changeovers.filter(pk__in=gone).delete()
        for (one, other), value in minutes.items():
            row = stored.get((one, other)) or Changeover(
                work_center=locked, from_family=one, to_family=other
            )
            if row.pk is None or row.minutes != value:
                row.minutes = value
                row.save()
        locked.version += 1
        locked.save(update_fields=["version"])
        changes = audit.difference({"changeovers": before}, {"changeovers": _described(locked)})
        audit.record(
            action="masterdata.changeovers.save", target=locked, by=by, now=now, changes=changes
        )
        if changes:
            capacity.changed(site_ids={locked.site_id}, by=by, now=now)
    return locked


def check_minutes(minutes: int) -> None:
    """Raise InvalidChangeover for what no changeover can take."""
    if minutes < 0:
        raise InvalidChangeover(_("A changeover cannot take less than no time."))
    if minutes > limits.MAX_CHANGEOVER:
        raise InvalidChangeover(
            _("A changeover takes at most %(most)s minutes, a week.")
            % {"most": limits.MAX_CHANGEOVER}
        )


def _described(center: WorkCenter) -> list[str]:
    rows = Changeover.objects.filter(work_center=center).order_by("from_family", "to_family")
    return [f"{row.from_family or '*'} → {row.to_family or '*'}: {row.minutes}" for row in rows]
