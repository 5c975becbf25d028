"""Requirements, the one table of demand, and the stock that is kept for them."""

from django.db import models
from django.db.models import F, Q

from erp.enums import RequirementKind, RequirementState
from erp.models.quantities import QUANTITY
from erp.models.stock import StockBalance, StockQuant


class Requirement(models.Model):
    """Somebody needs a quantity of an item at a moment: the one table of demand.

    Covered by reservations of stock (here) and by pegged work orders (mes); what is left of a
    bought item waits for purchases.
    """

    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=RequirementKind)
    state = models.CharField(max_length=10, choices=RequirementState, default=RequirementState.OPEN)
    quantity = models.DecimalField(**QUANTITY)
    # Left the stock for it: issued to the work order or shipped to the customer.
    issued = models.DecimalField(**QUANTITY, default=0)
    # When it is needed; of a sales requirement the end of the promised production.
    due_at = models.DateTimeField()
    # How much a late day hurts (0 for components: their parents carry it).
    weight = models.PositiveIntegerField(default=0)
    # Whose order line it is; components and stock are nobody's.
    customer = models.ForeignKey(
        "masterdata.Customer", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Who asks, for people: "SO-100001/10" or "WO-100007".
    reference = models.CharField(max_length=60, db_index=True)
    # Its work order is closed: what comes back is explained at once, and nothing is needed again.
    is_settled = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=0, issued__gte=0),
                name="%(app_label)s_%(class)s_quantities_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(issued__lte=F("quantity")),
                name="%(app_label)s_%(class)s_issued_within_quantity",
            ),
        ]
        indexes = [
            models.Index(
                fields=["site", "item", "due_at"],
                condition=Q(state=RequirementState.OPEN),
                name="requirement_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.reference}: {self.quantity}"


class Reservation(models.Model):
    """Stock kept for a requirement; released when it is issued or no longer needed."""

    requirement = models.ForeignKey(
        Requirement, on_delete=models.CASCADE, related_name="reservations"
    )
    balance = models.ForeignKey(StockBalance, on_delete=models.PROTECT, related_name="reservations")
    quantity = models.DecimalField(**QUANTITY)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["requirement", "balance"],
                name="%(app_label)s_%(class)s_once_per_requirement",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="%(app_label)s_%(class)s_quantity_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requirement_id}: {self.quantity}"


class Staging(models.Model):
    """So much of a quant stands ready for a requirement: picked, or staged to its work order.

    A part of what is reserved for it; an issue takes this first.
    """

    requirement = models.ForeignKey(Requirement, on_delete=models.CASCADE, related_name="stagings")
    quant = models.ForeignKey(StockQuant, on_delete=models.PROTECT, related_name="stagings")
    quantity = models.DecimalField(**QUANTITY)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["requirement", "quant"], name="%(app_label)s_%(class)s_once_per_quant"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="%(app_label)s_%(class)s_quantity_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requirement_id} from {self.quant_id}: {self.quantity}"
