"""Stock: what lies where, what of it is kept for whom, and how it came there."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from erp.enums import MoveKind
from erp.models.places import Bin
from erp.models.quantities import QUANTITY


class StockBalance(models.Model):
    """Quantity of an item at a site, in the item's unit: the one figure that planning reads.

    ``on_hand`` is the sum of the quants of the site and of its moves. What is free:
    ``on_hand - held - reserved``.
    """

    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    on_hand = models.DecimalField(**QUANTITY, default=0)
    # The sum of its reservations.
    reserved = models.DecimalField(**QUANTITY, default=0)
    # The sum of its quants that a hold, the quarantine or their expiry keeps from everybody.
    held = models.DecimalField(**QUANTITY, default=0)
    # The item's policy when it last moved.
    allows_negative = models.BooleanField(default=False)
    # What a piece cost on average, in the site's currency: bought ones as received, made ones at
    # the standard of their work orders.
    average_cost = models.DecimalField(max_digits=16, decimal_places=6, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "site"], name="%(app_label)s_%(class)s_once_per_site"
            ),
            models.CheckConstraint(
                condition=Q(on_hand__gte=0) | Q(allows_negative=True),
                name="%(app_label)s_%(class)s_on_hand_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, held__gte=0)
                & (Q(reserved__lte=F("on_hand") - F("held")) | Q(reserved=0, held=0)),
                name="%(app_label)s_%(class)s_reserved_within_on_hand",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.on_hand}"


class StockQuant(models.Model):
    """So much of an item, of one lot or one unit where it is tracked, lies in a bin.

    Empty quants are deleted; a quant below zero (items whose stock may be negative) has neither
    lot nor unit.
    """

    bin = models.ForeignKey(Bin, on_delete=models.PROTECT, related_name="quants")
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(
        "traceability.Lot", null=True, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(
        "traceability.SerialUnit", null=True, on_delete=models.PROTECT, related_name="+"
    )
    quantity = models.DecimalField(**QUANTITY)
    # The part that stands ready for a requirement: the sum of its stagings.
    staged = models.DecimalField(**QUANTITY, default=0)
    # It lies in quarantine, or its lot or unit is on hold or has expired.
    is_held = models.BooleanField(default=False)
    allows_negative = models.BooleanField(default=False)
    # Since when something of it lies there: of what keeps equally long the oldest goes first.
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bin", "item", "lot", "unit"],
                nulls_distinct=False,
                name="%(app_label)s_%(class)s_once_per_place",
            ),
            models.UniqueConstraint(
                fields=["unit"], name="%(app_label)s_%(class)s_unit_in_one_place"
            ),
            models.CheckConstraint(
                condition=Q(unit__isnull=True) | Q(quantity__gte=0, quantity__lte=1),
                name="%(app_label)s_%(class)s_unit_is_one_piece",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=0)
                | Q(allows_negative=True, lot__isnull=True, unit__isnull=True),
                name="%(app_label)s_%(class)s_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(staged=0) | Q(staged__gt=0, staged__lte=F("quantity"), is_held=False),
                name="%(app_label)s_%(class)s_staged_within_quantity",
            ),
        ]
        indexes = [models.Index(fields=["item", "bin"], name="stockquant_item")]

    def __str__(self) -> str:
        return f"{self.bin_id}/{self.item_id}: {self.quantity}"


class StockMove(models.Model):
    """A change of one quant; append-only in the database."""

    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    bin = models.ForeignKey(Bin, on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(
        "traceability.Lot", null=True, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(
        "traceability.SerialUnit", null=True, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=12, choices=MoveKind)
    quantity = models.DecimalField(**QUANTITY)  # signed
    # What it was for: "WO-100001", "SH-100004", a delivery note.
    reference = models.CharField(max_length=60)
    # What was moved together has one number: the two rows of a transfer, a count.
    document = models.CharField(max_length=20, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(quantity=0), name="%(app_label)s_%(class)s_moves_something"
            )
        ]
        indexes = [
            models.Index(fields=["item", "site", "at"], name="stockmove_item"),
            models.Index(
                fields=["lot", "at"], condition=Q(lot__isnull=False), name="stockmove_lot"
            ),
            models.Index(
                fields=["unit", "at"], condition=Q(unit__isnull=False), name="stockmove_unit"
            ),
            models.Index(fields=["document"], condition=~Q(document=""), name="stockmove_document"),
            # What a work order used and made, for its genealogy.
            models.Index(
                fields=["reference"],
                condition=Q(lot__isnull=False) | Q(unit__isnull=False),
                name="stockmove_traced",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.quantity}"
