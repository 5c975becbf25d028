"""What a work order should cost, frozen on the day that the work begins."""

from django.db import models
from django.db.models import Q

from erp.enums import CostKind
from mes.models.work_order import WorkOrder


class CostStandard(models.Model):
    """One element of the standard: a component, or hours of an operation, at the day's price."""

    work_order = models.ForeignKey(
        WorkOrder, on_delete=models.CASCADE, related_name="cost_standards"
    )
    kind = models.CharField(max_length=12, choices=CostKind)
    # Setup stands for the order as a whole, run for each piece.
    is_setup = models.BooleanField(default=False)
    # Of a material the component, else null.
    item = models.ForeignKey(
        "masterdata.Item", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Of everything else the operation, else null.
    operation_sequence = models.PositiveIntegerField(null=True)
    # Money per piece, hour or kWh, in the site's currency.
    price = models.DecimalField(max_digits=14, decimal_places=4)
    per_order = models.DecimalField(max_digits=22, decimal_places=12, default=0)
    per_piece = models.DecimalField(max_digits=22, decimal_places=12, default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(price__gte=0, per_order__gte=0, per_piece__gte=0),
                name="%(app_label)s_%(class)s_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.work_order_id} {self.kind} {self.price}"
