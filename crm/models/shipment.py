"""What left for the customer."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from crm.models.order import QUANTITY, SalesOrder, SalesOrderLine


class Shipment(models.Model):
    """A consignment of an order."""

    number = models.CharField(max_length=20, unique=True)
    order = models.ForeignKey(SalesOrder, on_delete=models.PROTECT, related_name="shipments")
    carrier = models.CharField(max_length=80, blank=True)
    tracking_code = models.CharField(max_length=80, blank=True)
    shipped_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    shipped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    def __str__(self) -> str:
        return self.number


class ShipmentLine(models.Model):
    """A quantity of an order line in a shipment."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(SalesOrderLine, on_delete=models.PROTECT, related_name="shipments")
    quantity = models.DecimalField(**QUANTITY)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "line"], name="%(app_label)s_%(class)s_once_per_line"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="%(app_label)s_%(class)s_quantity_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shipment_id}: {self.quantity}"
