"""States and kinds of stock, requirements and purchasing."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


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


class CostKind(models.TextChoices):
    """What an entry of the cost ledger is for; the values are those of ``erp.costing``."""

    MATERIAL = "material", _("Material")
    LABOUR = "labour", _("Labour")
    MACHINE = "machine", _("Machine")
    ENERGY = "energy", _("Energy")
    SUBCONTRACT = "subcontract", _("Subcontract")
    OVERHEAD = "overhead", _("Overhead")
    OUTPUT = "output", _("Output at standard")
    VARIANCE = "variance", _("Variance")

    @classmethod
    def inputs(cls) -> list["CostKind"]:
        """What goes into an order."""
        return [cls.MATERIAL, cls.LABOUR, cls.MACHINE, cls.ENERGY, cls.SUBCONTRACT, cls.OVERHEAD]


class VarianceCause(models.TextChoices):
    """Why an order cost more or less than its standard; values as in ``erp.costing``."""

    PRICE = "price", _("Price of material")
    USAGE = "usage", _("Usage of material")
    RATE = "rate", pgettext_lazy("cost variance", "Rate")
    EFFICIENCY = "efficiency", _("Efficiency")
    SETUP = "setup", pgettext_lazy("cost variance", "Setup and lot size")
    YIELD = "yield", _("Yield")
    ENERGY = "energy", _("Energy")
    OVERHEAD = "overhead", _("Overhead")
    SUBCONTRACT = "subcontract", _("Subcontract")
