"""States of what carries a number: lots and serial units."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# The keys of one graph: which kind a thing is follows from its id.
FIRST_KIT_ID = 2**40
FIRST_UNIT_ID = 2**41


class NodeKind(models.TextChoices):
    """What a node of the genealogy is."""

    LOT = "lot", _("Lot")
    KIT = "kit", _("Kit")
    UNIT = "unit", _("Unit")


def kind_of(node: int) -> NodeKind:
    """The kind of a node, from its id."""
    if node < FIRST_KIT_ID:
        return NodeKind.LOT
    return NodeKind.KIT if node < FIRST_UNIT_ID else NodeKind.UNIT


class IdentityState(models.TextChoices):
    """Where a unit is in its life; of a lot, what is left of it, or how the last of it went."""

    IN_PROCESS = "in_process", _("In process")
    AVAILABLE = "available", _("Available")
    ON_HOLD = "on_hold", pgettext_lazy("stock", "On hold")
    # Between two sites of ours.
    IN_TRANSIT = "in_transit", _("In transit")
    CONSUMED = "consumed", _("Consumed")
    SHIPPED = "shipped", _("Shipped")
    RETURNED = "returned", _("Returned")
    SCRAPPED = "scrapped", _("Scrapped")

    @classmethod
    def gone(cls) -> list["IdentityState"]:
        """States in which nothing of it lies in our store."""
        return [cls.CONSUMED, cls.SHIPPED, cls.RETURNED, cls.SCRAPPED]


_S = IdentityState
# What has left may come back: a component from a work order, goods from a customer, a piece that a
# count finds again. Who is on hold leaves only to the supplier or as scrap.
IDENTITY_TRANSITIONS: dict[IdentityState, frozenset[IdentityState]] = {
    _S.IN_PROCESS: frozenset({_S.AVAILABLE, _S.ON_HOLD, _S.SCRAPPED}),
    _S.AVAILABLE: frozenset(
        {_S.ON_HOLD, _S.IN_TRANSIT, _S.CONSUMED, _S.SHIPPED, _S.RETURNED, _S.SCRAPPED}
    ),
    _S.ON_HOLD: frozenset({_S.IN_PROCESS, _S.AVAILABLE, _S.IN_TRANSIT, _S.RETURNED, _S.SCRAPPED}),
    # What does not arrive is scrapped; a count that finds it brings it back.
    _S.IN_TRANSIT: frozenset({_S.AVAILABLE, _S.ON_HOLD, _S.SCRAPPED}),
    _S.CONSUMED: frozenset({_S.AVAILABLE, _S.ON_HOLD, _S.SCRAPPED}),
    _S.SHIPPED: frozenset({_S.AVAILABLE, _S.ON_HOLD, _S.RETURNED}),
    _S.RETURNED: frozenset({_S.AVAILABLE, _S.ON_HOLD, _S.SCRAPPED}),
    _S.SCRAPPED: frozenset({_S.AVAILABLE, _S.ON_HOLD}),
}


class EventKind(models.TextChoices):
    """What became of lots and units (EPCIS: object, transformation, association events)."""

    RECEIPT = "receipt", _("Received")
    # To a work order.
    ISSUE = "issue", _("Issued")
    BUILD = "build", pgettext_lazy("genealogy", "Made")
    PROCESS = "process", _("Processed")
    SPLIT = "split", _("Split")
    MERGE = "merge", _("Merged")
    REWORK = "rework", _("Reworked")
    DISASSEMBLY = "disassembly", _("Taken apart")
    REPLACEMENT = "replacement", _("Part replaced")
    SHIPMENT = "shipment", _("Shipped")
    RETURN = "return", _("Returned")
    SCRAP = "scrap", _("Scrapped")
    CORRECTION = "correction", _("Corrected")


class LinkRole(models.IntegerChoices):
    """How the parent got into the child."""

    CONSUME = 1, _("consumed")
    SPLIT = 2, _("split off")
    MERGE = 3, _("merged")
    REWORK = 4, _("added in rework")
    INSTALL = 5, _("installed in service")


class Certainty(models.IntegerChoices):
    """Whether exactly this lot went in, or one of several at a change-over."""

    EXACT = 1, _("exact")
    ONE_OF = 2, _("one of several")


class LinkEndWhy(models.IntegerChoices):
    """Why a link holds no more."""

    REMOVED = 1, _("taken out")
    WRONG = 2, _("recorded wrongly")


class Verdict(models.IntegerChoices):
    """What a reading says."""

    NONE = 0, _("not judged")
    PASS = 1, _("within limits")
    FAIL = 2, _("out of limits")


class DocumentKind(models.TextChoices):
    """By what goods changed hands."""

    RECEIPT = "receipt", _("Receipt")
    SHIPMENT = "shipment", _("Shipment")
    RETURN = "return", pgettext_lazy("goods", "Return")
    SUPPLIER_RETURN = "to_supplier", _("Return to supplier")
    # Issued to it, brought back from it, made by it.
    WORK_ORDER = "work_order", _("Work order")
    TRANSFER = "transfer", pgettext_lazy("between sites", "Transfer")
    # The books were put right.
    COUNT = "count", _("Count")
    OPENING = "opening", _("Opening balance")
    SCRAP = "scrap", _("Scrap")
    # A lot was split, or lots were put together: what went out of one, and into another.
    LOT_OUT = "lot_out", _("Out of a lot")
    LOT_IN = "lot_in", _("Into a lot")


def direction(kind: EventKind, document: DocumentKind) -> int:
    """What a handover does to what lies in our stores: 1 into one, -1 out of one, 0 neither."""
    if document in (DocumentKind.LOT_OUT, DocumentKind.LOT_IN):
        return 1 if document == DocumentKind.LOT_IN else -1
    if kind == EventKind.RETURN:
        return -1 if document == DocumentKind.SUPPLIER_RETURN else 1
    if kind == EventKind.SCRAP and document == DocumentKind.TRANSFER:
        # It was under way and did not arrive.
        return 0
    if kind in (EventKind.ISSUE, EventKind.SHIPMENT, EventKind.SCRAP, EventKind.CORRECTION):
        return -1
    return 1 if kind == EventKind.RECEIPT else 0
