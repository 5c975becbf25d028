"""What may be done with a maintenance order; each refusal says why not."""

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from common.errors import Refused
from common.models import User
from mes.enums import MaintenanceState
from mes.models import MaintenanceOrder

# Nobody books more than a day at once: it is a slip of the finger.
MOST_MINUTES = 1440


class CannotMaintain(Refused):
    """The maintenance order does not allow it."""


def check_can_order(title: str, starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raise CannotMaintain without words, or for a span that is over or none."""
    if not title.strip():
        raise CannotMaintain(_("Say what is to be done."))
    check_span(starts_at, ends_at, now)


def check_span(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if ends_at <= starts_at:
        raise CannotMaintain(_("The end has to be later than the start."))
    if ends_at <= now:
        raise CannotMaintain(_("This span is over already."))


def check_is_open(order: MaintenanceOrder) -> None:
    """Raise CannotMaintain once it is completed or cancelled."""
    if order.state not in MaintenanceState.open():
        raise CannotMaintain(
            _("%(number)s is over: %(state)s.")
            % {"number": order.number, "state": order.get_state_display()}
        )


def check_can_assign(order: MaintenanceOrder, owner: User) -> None:
    """Raise CannotMaintain once the work has begun, or for somebody who is gone."""
    check_is_open(order)
    if order.state == MaintenanceState.IN_PROGRESS:
        raise CannotMaintain(_("The work has begun already."))
    if not owner.is_active:
        raise CannotMaintain(_("This person works here no longer."))


def check_can_start(order: MaintenanceOrder) -> None:
    """Raise CannotMaintain unless it waits to be begun."""
    check_is_open(order)
    if order.state == MaintenanceState.IN_PROGRESS:
        raise CannotMaintain(_("The work has begun already."))


def check_can_work(order: MaintenanceOrder) -> None:
    """Raise CannotMaintain unless somebody is at it: only then parts and time are booked."""
    check_is_open(order)
    if order.state != MaintenanceState.IN_PROGRESS:
        raise CannotMaintain(_("Begin the work first."))


def check_part(quantity: Decimal) -> None:
    if not quantity.is_finite() or quantity <= 0:
        raise CannotMaintain(_("Say how many."))


def check_minutes(minutes: int) -> None:
    if not 1 <= minutes <= MOST_MINUTES:
        raise CannotMaintain(_("Say the minutes: 1 to %(most)s.") % {"most": MOST_MINUTES})


def check_can_complete(order: MaintenanceOrder, result: str) -> None:
    """Raise CannotMaintain before the work has begun, or without what was done."""
    check_can_work(order)
    if not result.strip():
        raise CannotMaintain(_("Say what was done."))


def check_can_cancel(order: MaintenanceOrder, reason: str) -> None:
    """Raise CannotMaintain once the work has begun, or without a reason."""
    check_is_open(order)
    if order.state == MaintenanceState.IN_PROGRESS:
        raise CannotMaintain(_("The work has begun already."))
    if not reason.strip():
        raise CannotMaintain(_("Say why."))
