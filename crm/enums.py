"""States of sales orders, their lines and what happens to them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class OrderState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Submitted")
    APPROVED = "approved", _("Approved")
    IN_PRODUCTION = "in_production", _("In production")
    READY_TO_SHIP = "ready_to_ship", _("Ready to ship")
    PARTLY_SHIPPED = "partly_shipped", _("Partly shipped")
    SHIPPED = "shipped", _("Shipped")
    DELIVERED = "delivered", _("Delivered")
    CLOSED = "closed", _("Closed")
    ON_HOLD = "on_hold", _("On hold")
    CANCELLED = "cancelled", _("Cancelled")

    @classmethod
    def open(cls) -> list["OrderState"]:
        """Approved and not yet wholly shipped: states with dates that move."""
        return [cls.APPROVED, cls.IN_PRODUCTION, cls.READY_TO_SHIP, cls.PARTLY_SHIPPED]


_O = OrderState
ORDER_TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    _O.DRAFT: frozenset({_O.SUBMITTED, _O.CANCELLED}),
    # Rejection sends a submitted order back to draft, with the reason.
    _O.SUBMITTED: frozenset({_O.APPROVED, _O.DRAFT, _O.ON_HOLD, _O.CANCELLED}),
    _O.APPROVED: frozenset(
        {
            _O.IN_PRODUCTION,
            _O.READY_TO_SHIP,
            _O.PARTLY_SHIPPED,
            _O.SHIPPED,
            _O.ON_HOLD,
            _O.CANCELLED,
        }
    ),
    _O.IN_PRODUCTION: frozenset(
        {_O.READY_TO_SHIP, _O.PARTLY_SHIPPED, _O.SHIPPED, _O.ON_HOLD, _O.CANCELLED}
    ),
    _O.READY_TO_SHIP: frozenset(
        {_O.IN_PRODUCTION, _O.PARTLY_SHIPPED, _O.SHIPPED, _O.ON_HOLD, _O.CANCELLED}
    ),
    _O.PARTLY_SHIPPED: frozenset({_O.SHIPPED, _O.ON_HOLD, _O.CLOSED}),
    _O.SHIPPED: frozenset({_O.DELIVERED}),
    _O.DELIVERED: frozenset({_O.CLOSED}),
    _O.CLOSED: frozenset(),
    _O.ON_HOLD: frozenset(
        {
            _O.SUBMITTED,
            _O.APPROVED,
            _O.IN_PRODUCTION,
            _O.READY_TO_SHIP,
            _O.PARTLY_SHIPPED,
            _O.CANCELLED,
        }
    ),
    _O.CANCELLED: frozenset(),
}


class ConversionState(models.TextChoices):
    """How far a line is on its way to work orders."""

    NONE = "none", _("Not asked for")
    WAITING = "waiting", _("Waiting")
    CONVERTED = "converted", _("Converted")
    FAILED = "failed", _("Failed")


class PromiseCause(models.TextChoices):
    """Why a promised date came to be what it is."""

    FIRST = "first", _("First promise")
    CUSTOMER_CHANGE = "customer_change", _("Change by the customer")
    RESCHEDULE = "reschedule", _("New plan")
    RUSH = "rush", _("Rush order")
    CORRECTION = "correction", _("Correction")


class MilestoneKind(models.TextChoices):
    SUBMITTED = "submitted", _("Submitted")
    APPROVED = "approved", _("Approved")
    WORK_ORDERS_CREATED = "work_orders_created", _("Work orders created")
    SCHEDULED = "scheduled", _("Scheduled")
    STARTED = "started", pgettext_lazy("milestone", "Started")
    FINISHED = "finished", _("Finished")
    SHIPPED = "shipped", _("Shipped")
    DELIVERED = "delivered", _("Delivered")
