"""What may be done to master data that others build on; each check raises with the reason."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from common.errors import Refused
from masterdata import selectors
from masterdata.enums import Tracking
from masterdata.models import RoutingOperation, Site, Supplier, WorkCenter, WorkUnit

_NAMED = 5
_ASKED_OF_LOTS = ("supplier_lot_required", "expiry_required", "shelf_life_days")


class CannotDeactivate(Refused):
    """Something that is in use names the record."""


class CannotMove(Refused):
    """The record belongs to its place; what stands on it would move along."""


class CannotPayIn(Refused):
    """What is paid in this currency could not be reckoned with."""


def check_can_pay_in(currency: str, *, on: date, site: Site | None = None) -> None:
    """Raise CannotPayIn without an exchange rate of the day into the site's currency.

    Without a site any of ours will do. So a cost is never found missing on the day it arises.
    """
    sites = Site.objects.order_by("currency").values_list("currency", flat=True).distinct()
    homes = [site.currency] if site else list(sites)
    if homes and not any(selectors.exchange(into=home, on=on).knows(currency) for home in homes):
        raise CannotPayIn(
            _("There is no exchange rate from %(source)s to %(target)s: enter it first.")
            % {"source": currency, "target": ", ".join(homes)}
        )


def check_can_deactivate_supplier(supplier: Supplier, on: date) -> None:
    """Raise CannotDeactivate, naming the items, while routings of that day or later send work
    to the supplier."""
    going = Q(routing__valid_to__isnull=True) | Q(routing__valid_to__gt=on)
    used = RoutingOperation.objects.filter(going, subcontractor=supplier)
    codes = used.values_list("routing__item__code", flat=True).distinct()
    found = list(codes.order_by("routing__item__code")[: _NAMED + 1])
    if found:
        shown = ", ".join(found[:_NAMED]) + (" …" if len(found) > _NAMED else "")
        raise CannotDeactivate(
            _("Routings send work to this supplier: %(items)s. Change them first.")
            % {"items": shown}
        )


def tracking_faults(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields of an item, with sentences, that its tracking does not allow."""
    is_tracked = item.get("tracking") not in (None, "", Tracking.NONE)
    if item.get("may_be_negative") and is_tracked:
        yield "may_be_negative", _("A lot or a piece that is not there cannot be taken out.")
    for name in _ASKED_OF_LOTS:
        if item.get(name) and not is_tracked:
            yield name, _("Only items with lots or serial numbers have it.")


def check_can_move_center(center: WorkCenter) -> None:
    """Raise CannotMove while the center has work units: its work is planned at its site."""
    count = WorkUnit.objects.filter(work_center=center).count()
    if count:
        raise CannotMove(
            _("%(center)s has %(count)s work units; it stays at its site. Make a new work center.")
            % {"center": center.code, "count": count}
        )
