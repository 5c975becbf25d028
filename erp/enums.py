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
    # What was issued by mistake comes back and is needed again; so is what a work order that was
    # completed by mistake had given up.
    RequirementState.FULFILLED: frozenset({RequirementState.OPEN}),
    RequirementState.CANCELLED: frozenset({RequirementState.OPEN}),
}


class SupplyKind(models.TextChoices):
    """Where it will come from."""

    WORK_ORDER = "work_order", _("Work order")
    PURCHASE_ORDER = "purchase_order", _("Purchase order")
    # On its way from another site.
    TRANSFER = "transfer", pgettext_lazy("between sites", "Transfer")

    @classmethod
    def bought(cls) -> list["SupplyKind"]:
        """What brings items that are not made here, without anybody's doing at this site."""
        return [cls.PURCHASE_ORDER, cls.TRANSFER]


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
    CUSTOMER = "customer", _("Back from the customer")
    PUT_AWAY = "put_away", _("Put away")
    PICK = "pick", _("Pick")
    STAGE = "stage", _("Stage")
    TRANSFER = "transfer", _("Transfer")
    DISPATCH = "dispatch", _("Sent to another site")
    ARRIVAL = "arrival", _("Came from another site")
    COUNT = "count", _("Count")
    ADJUSTMENT = "adjustment", _("Adjustment")
    SCRAP = "scrap", _("Scrap")
    # Of lots: the goods stay where they lie.
    SPLIT = "split", pgettext_lazy("lot", "Split")
    MERGE = "merge", pgettext_lazy("lots", "Put together")

    @classmethod
    def relabelling(cls) -> list["MoveKind"]:
        """What changes the number of goods and nothing else."""
        return [cls.SPLIT, cls.MERGE]

    @classmethod
    def coming(cls) -> list["MoveKind"]:
        """What brings new pieces, which weigh in the average price of those that are there."""
        return [
            cls.OPENING,
            cls.RECEIPT,
            cls.PRODUCTION,
            cls.RETURN,
            cls.CUSTOMER,
            cls.ARRIVAL,
            cls.COUNT,
            cls.ADJUSTMENT,
        ]

    @classmethod
    def on_orders(cls) -> list["MoveKind"]:
        """What work orders pay for, or get back."""
        return [cls.ISSUE, cls.BACKFLUSH, cls.RETURN]


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


class TransferState(models.TextChoices):
    """Goods on their way to another site."""

    DRAFT = "draft", _("Being packed")
    IN_TRANSIT = "in_transit", _("In transit")
    PARTLY_RECEIVED = "partly_received", _("Partly received")
    RECEIVED = "received", _("Received")
    CANCELLED = "cancelled", _("Cancelled")

    @classmethod
    def on_the_way(cls) -> list["TransferState"]:
        """States in which something is still to arrive."""
        return [cls.IN_TRANSIT, cls.PARTLY_RECEIVED]


_TRANSFER = TransferState
TRANSFER_TRANSITIONS: dict[TransferState, frozenset[TransferState]] = {
    _TRANSFER.DRAFT: frozenset({_TRANSFER.IN_TRANSIT, _TRANSFER.CANCELLED}),
    # Called back: all of it lies at its sender again.
    _TRANSFER.IN_TRANSIT: frozenset(
        {_TRANSFER.PARTLY_RECEIVED, _TRANSFER.RECEIVED, _TRANSFER.CANCELLED}
    ),
    _TRANSFER.PARTLY_RECEIVED: frozenset({_TRANSFER.RECEIVED}),
    _TRANSFER.RECEIVED: frozenset(),
    _TRANSFER.CANCELLED: frozenset(),
}


class MrpRunState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class MrpCause(models.TextChoices):
    """Why a run of requirements planning was asked for."""

    PERSON = "person", pgettext_lazy("why a run was made", "Asked for")
    CHANGES = "changes", _("After changes")
    NIGHT = "night", _("Nightly")


_RUN = MrpRunState
MRP_RUN_TRANSITIONS: dict[MrpRunState, frozenset[MrpRunState]] = {
    # Failed while it waits: its job was called off.
    _RUN.QUEUED: frozenset({_RUN.RUNNING, _RUN.FAILED}),
    # A worker that died is followed by another one: running begins again.
    _RUN.RUNNING: frozenset({_RUN.RUNNING, _RUN.DONE, _RUN.FAILED}),
    _RUN.DONE: frozenset(),
    _RUN.FAILED: frozenset(),
}


class ProposalAction(models.TextChoices):
    """What planning proposes (APICS action messages)."""

    MAKE = "make", _("Make")
    BUY = "buy", _("Buy")
    EXPEDITE = "expedite", _("Expedite")
    DEFER = "defer", _("Defer")
    REDUCE = "reduce", _("Reduce")
    CANCEL = "cancel", _("Cancel")

    @classmethod
    def orders(cls) -> list["ProposalAction"]:
        """Actions that make a new order; the others change one that exists."""
        return [cls.MAKE, cls.BUY]


class ProposalState(models.TextChoices):
    OPEN = "open", _("Open")
    ACCEPTED = "accepted", _("Accepted")
    DONE = "done", _("Done")


_PROPOSAL = ProposalState
PROPOSAL_TRANSITIONS: dict[ProposalState, frozenset[ProposalState]] = {
    _PROPOSAL.OPEN: frozenset({_PROPOSAL.ACCEPTED, _PROPOSAL.DONE}),
    # Back to open: the shop floor cannot do it and says why.
    _PROPOSAL.ACCEPTED: frozenset({_PROPOSAL.DONE, _PROPOSAL.OPEN}),
    _PROPOSAL.DONE: frozenset(),
}


class PurchaseReceiptKind(models.TextChoices):
    """What became of goods that a supplier brought."""

    ACCEPTED = "accepted", _("Accepted")
    REJECTED = "rejected", _("Refused")
    RETURNED = "returned", _("Returned")


class PurchaseOrderState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    TO_APPROVE = "to_approve", _("To be approved")
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
        return [cls.DRAFT, cls.TO_APPROVE, *cls.on_order()]


_PO = PurchaseOrderState
PURCHASE_ORDER_TRANSITIONS: dict[PurchaseOrderState, frozenset[PurchaseOrderState]] = {
    _PO.DRAFT: frozenset({_PO.TO_APPROVE, _PO.SENT, _PO.CANCELLED}),
    # Approving sends it; what is refused goes back to the buyer.
    _PO.TO_APPROVE: frozenset({_PO.SENT, _PO.DRAFT, _PO.CANCELLED}),
    _PO.SENT: frozenset({_PO.CONFIRMED, _PO.PARTLY_RECEIVED, _PO.RECEIVED, _PO.CANCELLED}),
    _PO.CONFIRMED: frozenset({_PO.PARTLY_RECEIVED, _PO.RECEIVED, _PO.CANCELLED}),
    _PO.PARTLY_RECEIVED: frozenset({_PO.RECEIVED, _PO.CLOSED}),
    # Returned goods that the supplier replaces are to come again.
    _PO.RECEIVED: frozenset({_PO.CLOSED, _PO.PARTLY_RECEIVED}),
    _PO.CLOSED: frozenset(),
    _PO.CANCELLED: frozenset(),
}


class CostKind(models.TextChoices):
    """What an entry of the cost ledger is for; the values are those of ``erp.services.costing``."""

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
    """Why an order cost more or less than its standard; values as in ``erp.services.costing``."""

    PRICE = "price", _("Price of material")
    USAGE = "usage", _("Usage of material")
    RATE = "rate", pgettext_lazy("cost variance", "Rate")
    EFFICIENCY = "efficiency", _("Efficiency")
    SETUP = "setup", pgettext_lazy("cost variance", "Setup and lot size")
    YIELD = "yield", _("Yield")
    ENERGY = "energy", _("Energy")
    OVERHEAD = "overhead", _("Overhead")
    SUBCONTRACT = "subcontract", _("Subcontract")
