"""Goods on their way from one site to another."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from erp.enums import TransferState
from erp.models.places import Bin
from erp.models.quantities import QUANTITY


class StockTransfer(models.Model):
    """A consignment between two sites: packed, under way, and received in one part or several.

    While it is under way its goods lie at neither site; ``erp.Supply`` says what is to come.
    """

    number = models.CharField(max_length=20, unique=True)
    from_site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    to_site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, choices=TransferState, default=TransferState.DRAFT)
    # The day on which it is counted on at the other site.
    arrives_on = models.DateField()
    # Lorry, consignment note: for people.
    note = models.CharField(max_length=60, blank=True)
    # Of the unit costs of its lines: the sender's.
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    dispatched_at = models.DateTimeField(null=True)
    dispatched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)
    # Why less arrived than was sent.
    difference_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(from_site=F("to_site")),
                name="%(app_label)s_%(class)s_between_two_sites",
            )
        ]
        indexes = [models.Index(fields=["state", "-created_at"], name="stocktransfer_state")]

    def __str__(self) -> str:
        return self.number


class TransferLine(models.Model):
    """So much of an item, of one lot or one unit where it is tracked, in a consignment."""

    transfer = models.ForeignKey(StockTransfer, on_delete=models.CASCADE, related_name="lines")
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(
        "traceability.Lot", null=True, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(
        "traceability.SerialUnit", null=True, on_delete=models.PROTECT, related_name="+"
    )
    from_bin = models.ForeignKey(Bin, on_delete=models.PROTECT, related_name="+")
    quantity = models.DecimalField(**QUANTITY)
    received = models.DecimalField(**QUANTITY, default=0)
    # Will not arrive: lost, broken, or never sent.
    missing = models.DecimalField(**QUANTITY, default=0)
    # What a piece cost the sender on average when it left.
    unit_cost = models.DecimalField(max_digits=16, decimal_places=6, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transfer", "item", "lot", "unit", "from_bin"],
                nulls_distinct=False,
                name="%(app_label)s_%(class)s_once_per_place",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, received__gte=0, missing__gte=0)
                & Q(quantity__gte=F("received") + F("missing")),
                name="%(app_label)s_%(class)s_quantities_conserved",
            ),
        ]
        indexes = [models.Index(fields=["unit"], name="transferline_unit")]

    def __str__(self) -> str:
        return f"{self.transfer_id}/{self.item_id}: {self.quantity}"

    @property
    def open_quantity(self) -> Decimal:
        """What is still under way of it."""
        return self.quantity - self.received - self.missing
