"""States and kinds of stock, requirements and purchasing."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RequirementKind(models.TextChoices):
    """Who needs it: a customer's order line, or a work order's bill of material."""

    SALES = "sales", _("Order line")
    COMPONENT = "component", _("Component")


class RequirementState(models.TextChoices):
    OPEN = "open", _("Open")
    FULFILLED = "fulfilled", _("Fulfilled")
    CANCELLED = "cancelled", _("Cancelled")


REQUIREMENT_TRANSITIONS: dict[RequirementState, frozenset[RequirementState]] = {
    RequirementState.OPEN: frozenset({RequirementState.FULFILLED, RequirementState.CANCELLED}),
    # What was issued by mistake comes back and is needed again.
    RequirementState.FULFILLED: frozenset({RequirementState.OPEN}),
    RequirementState.CANCELLED: frozenset(),
}


class MoveKind(models.TextChoices):
    """Why stock changed."""

    OPENING = "opening", _("Opening balance")
    RECEIPT = "receipt", _("Receipt")
    PRODUCTION = "production", _("Production")
    ISSUE = "issue", _("Issue")
    BACKFLUSH = "backflush", _("Backflush")
    SHIPMENT = "shipment", _("Shipment")
    RETURN = "return", _("Return")
    SUPPLIER = "supplier", _("Back to the supplier")
    PUT_AWAY = "put_away", _("Put away")
    PICK = "pick", _("Pick")
    STAGE = "stage", _("Stage")
    TRANSFER = "transfer", _("Transfer")
    COUNT = "count", _("Count")
    ADJUSTMENT = "adjustment", _("Adjustment")
    SCRAP = "scrap", _("Scrap")


class BinKind(models.TextChoices):
    """What a bin is for; what lies in quarantine is kept from everybody."""

    STORAGE = "storage", _("Storage")
    RECEIVING = "receiving", _("Receiving")
    STAGING = "staging", _("Staging")
    PRODUCTION = "production", _("Production floor")
    SHIPPING = "shipping", _("Shipping")
    QUARANTINE = "quarantine", _("Quarantine")


class CountState(models.TextChoices):
    """A count: lines are entered, a variance above the limit waits for a second person."""

    OPEN = "open", _("Open")
    SUBMITTED = "submitted", _("Waits for approval")
    POSTED = "posted", _("Posted")
    CANCELLED = "cancelled", _("Cancelled")


COUNT_TRANSITIONS: dict[CountState, frozenset[CountState]] = {
    CountState.OPEN: frozenset({CountState.SUBMITTED, CountState.POSTED, CountState.CANCELLED}),
    CountState.SUBMITTED: frozenset({CountState.OPEN, CountState.POSTED, CountState.CANCELLED}),
    CountState.POSTED: frozenset(),
    CountState.CANCELLED: frozenset(),
}


class PurchaseOrderState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SENT = "sent", _("Sent")
    CONFIRMED = "confirmed", _("Confirmed")
    PARTLY_RECEIVED = "partly_received", _("Partly received")
    RECEIVED = "received", _("Received")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Cancelled")

    @classmethod
    def on_order(cls) -> list["PurchaseOrderState"]:
        """States in which goods are still to come."""
        return [cls.SENT, cls.CONFIRMED, cls.PARTLY_RECEIVED]


_PO = PurchaseOrderState
PURCHASE_ORDER_TRANSITIONS: dict[PurchaseOrderState, frozenset[PurchaseOrderState]] = {
    _PO.DRAFT: frozenset({_PO.SENT, _PO.CANCELLED}),
    _PO.SENT: frozenset({_PO.CONFIRMED, _PO.PARTLY_RECEIVED, _PO.RECEIVED, _PO.CANCELLED}),
    _PO.CONFIRMED: frozenset({_PO.PARTLY_RECEIVED, _PO.RECEIVED, _PO.CANCELLED}),
    _PO.PARTLY_RECEIVED: frozenset({_PO.RECEIVED, _PO.CLOSED}),
    _PO.RECEIVED: frozenset({_PO.CLOSED}),
    _PO.CLOSED: frozenset(),
    _PO.CANCELLED: frozenset(),
}
