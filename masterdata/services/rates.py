"""What an hour of a work center costs, from which day on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.concurrency import check_version
from common.errors import Refused
from common.models import User
from masterdata import policies
from masterdata.enums import RateKind
from masterdata.models import CostRate, WorkCenter


class InvalidRate(Refused):
    """An amount is negative, or two rates of a kind begin on the same day."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate as typed."""

    kind: str
    amount_per_hour: Decimal
    currency: str
    valid_from: date


def save(
    *, center: WorkCenter, rates: Sequence[Rate], version: int, by: User | None, now: datetime
) -> WorkCenter:
    """Give the center exactly these rates; raise StaleWrite, InvalidRate, CannotPayIn."""
    _check(rates)
    with transaction.atomic():
        locked = WorkCenter.objects.select_for_update(no_key=True).get(pk=center.pk)
        check_version(locked, opened=version)
        for rate in rates:
            day = max(rate.valid_from, now.date())
            policies.check_can_pay_in(rate.currency, on=day, site=locked.site)
        before = _described(locked)
        stored = {(row.kind, row.valid_from): row for row in locked.rates.all()}
        wanted = {(rate.kind, rate.valid_from): rate for rate in rates}
        gone = [row.pk for key, row in stored.items() if key not in wanted]
        locked.rates.filter(pk__in=gone).delete()
        for key, rate in wanted.items():
            row = stored.get(key) or CostRate(
                work_center=locked, kind=rate.kind, valid_from=rate.valid_from
            )
            row.amount_per_hour, row.currency = rate.amount_per_hour, rate.currency
            row.save()
        locked.version += 1
        locked.save(update_fields=["version"])
        changes = audit.difference({"rates": before}, {"rates": _described(locked)})
        audit.record(
            action="masterdata.cost_rates.save", target=locked, by=by, now=now, changes=changes
        )
    return locked


def _check(rates: Sequence[Rate]) -> None:
    seen: set[tuple[str, date]] = set()
    for rate in rates:
        if rate.amount_per_hour < 0:
            raise InvalidRate(_("An hour cannot cost less than nothing."))
        key = (rate.kind, rate.valid_from)
        if key in seen:
            raise InvalidRate(
                _("%(kind)s has two rates from %(day)s on.")
                % {"kind": RateKind(rate.kind).label, "day": rate.valid_from.isoformat()}
            )
        seen.add(key)


def _described(center: WorkCenter) -> list[str]:
    rows = CostRate.objects.filter(work_center=center).order_by("kind", "valid_from")
    return [
        f"{row.kind} {row.valid_from.isoformat()} {row.amount_per_hour.normalize():f}"
        f" {row.currency}"
        for row in rows
    ]
