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
    RequirementState.FULFILLED: frozenset(),
    RequirementState.CANCELLED: frozenset(),
}


class SupplyKind(models.TextChoices):
    """Where it will come from."""

    WORK_ORDER = "work_order", _("Work order")
    PURCHASE_ORDER = "purchase_order", _("Purchase order")


class MoveKind(models.TextChoices):
    """Why stock changed."""

    OPENING = "opening", _("Opening balance")
    RECEIPT = "receipt", _("Receipt")
    PRODUCTION = "production", _("Production")
    ISSUE = "issue", _("Issue")
    SHIPMENT = "shipment", _("Shipment")
    ADJUSTMENT = "adjustment", _("Adjustment")


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

    @classmethod
    def counted(cls) -> list["PurchaseOrderState"]:
        """States in which planning reckons with the goods, ordered already or about to be."""
        return [cls.DRAFT, *cls.on_order()]


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
