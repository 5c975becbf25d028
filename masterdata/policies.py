"""What may be done to master data that others build on; each check raises with the reason."""

from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _

from common.errors import Refused
from masterdata.models import RoutingOperation, Supplier, WorkCenter, WorkUnit

_NAMED = 5


class CannotDeactivate(Refused):
    """Something that is in use names the record."""


class CannotMove(Refused):
    """The record belongs to its place; what stands on it would move along."""


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


def check_can_move_center(center: WorkCenter) -> None:
    """Raise CannotMove while the center has work units: its work is planned at its site."""
    count = WorkUnit.objects.filter(work_center=center).count()
    if count:
        raise CannotMove(
            _("%(center)s has %(count)s work units; it stays at its site. Make a new work center.")
            % {"center": center.code, "count": count}
        )
