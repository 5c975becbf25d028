"""Purchase orders: what we asked of suppliers."""

from django.db import models
from django.db.models import Q

from erp.enums import PurchaseOrderState
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

    def __str__(self) -> str:
        return self.number


class PurchaseOrderLine(models.Model):
    """An item on order, due at our dock on a day."""

    order = models.ForeignKey(PurchaseOrder, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    quantity = models.DecimalField(**QUANTITY)
    received = models.DecimalField(**QUANTITY, default=0)
    rejected = models.DecimalField(**QUANTITY, default=0)
    unit_price = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    due_date = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "position"], name="%(app_label)s_%(class)s_once_per_position"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, received__gte=0, rejected__gte=0),
                name="%(app_label)s_%(class)s_quantities_well_formed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"
