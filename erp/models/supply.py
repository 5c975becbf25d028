"""What will come: the one table of supply that planning reads beside stock."""

from django.db import models
from django.db.models import Q

from erp.enums import SupplyKind
from erp.models.quantities import QUANTITY


class Supply(models.Model):
    """The open quantity of a work order or of a purchase order line.

    Written by whoever owns the source, in the transaction that changes it (docs/adr/0005). A row
    is gone as soon as nothing more is to come.
    """

    kind = models.CharField(max_length=16, choices=SupplyKind)
    # The work order's or the purchase order line's primary key.
    source_id = models.BigIntegerField()
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    quantity = models.DecimalField(**QUANTITY)
    due_at = models.DateTimeField()
    # For people: "WO-100007" or "PO-100003".
    reference = models.CharField(max_length=60, db_index=True)
    # Not firm: a work order that still gathers demand, a purchase order that nobody sent.
    is_firm = models.BooleanField(default=True)
    # Under way: it cannot be made smaller any more.
    is_started = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "source_id"], name="%(app_label)s_%(class)s_once_per_source"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="%(app_label)s_%(class)s_quantity_positive"
            ),
        ]
        indexes = [models.Index(fields=["site", "item", "due_at"], name="supply_due")]

    def __str__(self) -> str:
        return f"{self.reference}: {self.quantity}"
