"""Purchase orders: what we asked of suppliers, and what came of it."""

from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q

from erp.enums import PurchaseOrderState, PurchaseReceiptKind
from erp.models.quantities import QUANTITY


class PurchaseOrder(models.Model):
    """What we asked of a supplier."""

    number = models.CharField(max_length=20, unique=True)
    supplier = models.ForeignKey("masterdata.Supplier", on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=16, choices=PurchaseOrderState, default=PurchaseOrderState.DRAFT
    )
    ordered_at = models.DateTimeField()
    currency = models.CharField(max_length=3, default="USD")
    # The supplier's own number of it.
    supplier_reference = models.CharField(max_length=60, blank=True)
    ordered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    sent_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    # Counts edits; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["state", "-ordered_at"], name="purchaseorder_state")]

    def __str__(self) -> str:
        return self.number


class PurchaseOrderLine(models.Model):
    """An item on order, due at our dock on a day."""

    order = models.ForeignKey(PurchaseOrder, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    # What is agreed now; a delivery within the tolerance brings it to what came.
    quantity = models.DecimalField(**QUANTITY)
    # What was first asked for; null: the same.
    ordered_quantity = models.DecimalField(**QUANTITY, null=True)
    received = models.DecimalField(**QUANTITY, default=0)
    # Came and was refused at the dock; it does not come again.
    rejected = models.DecimalField(**QUANTITY, default=0)
    # Went back after it had been received. What is to be replaced is not counted as received.
    returned = models.DecimalField(**QUANTITY, default=0)
    unit_price = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    # When it is counted on; the supplier's latest word.
    due_date = models.DateField()
    # The supplier's first word, which its punctuality is measured by.
    confirmed_date = models.DateField(null=True)
    # The day that planning would rather have; null: the day it has.
    wished_date = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "position"], name="%(app_label)s_%(class)s_once_per_position"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, received__gte=0, rejected__gte=0, returned__gte=0),
                name="%(app_label)s_%(class)s_quantities_well_formed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"

    @property
    def open_quantity(self) -> Decimal:
        """What is still to come of it."""
        return max(Decimal(0), self.quantity - self.received - self.rejected)

    @property
    def is_free(self) -> bool:
        """Its price is zero: it costs nothing, or nobody said what."""
        return not self.unit_price

    @property
    def value(self) -> Decimal:
        """In whole cents, as the supplier's invoice says it: lines on paper sum to the total."""
        return (self.quantity * self.unit_price).quantize(Decimal("0.01"), ROUND_HALF_UP)


class PurchaseReceipt(models.Model):
    """What came of a line, was refused, or went back, and when; never altered."""

    line = models.ForeignKey(PurchaseOrderLine, on_delete=models.PROTECT, related_name="receipts")
    kind = models.CharField(max_length=10, choices=PurchaseReceiptKind)
    quantity = models.DecimalField(**QUANTITY)
    at = models.DateTimeField()
    # The site's day, and the day on which it was due by the supplier's first word.
    day = models.DateField()
    promised_date = models.DateField()
    # Delivery note, or why it was refused.
    reference = models.CharField(max_length=60, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="%(app_label)s_%(class)s_quantity_positive"
            )
        ]
        indexes = [models.Index(fields=["line", "kind"], name="purchasereceipt_line")]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.quantity}"
