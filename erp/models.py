"""Stock, requirements with their reservations, and what is on order."""

from typing import TypedDict

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from erp.enums import MoveKind, PurchaseOrderState, RequirementKind, RequirementState


class Places(TypedDict):
    max_digits: int
    decimal_places: int


QUANTITY: Places = {"max_digits": 14, "decimal_places": 4}


class StockBalance(models.Model):
    """Quantity of an item at a site, in the item's unit; the sum of its moves."""

    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    on_hand = models.DecimalField(**QUANTITY, default=0)
    # The sum of its reservations.
    reserved = models.DecimalField(**QUANTITY, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "site"], name="%(app_label)s_%(class)s_once_per_site"
            ),
            models.CheckConstraint(
                condition=Q(on_hand__gte=0), name="%(app_label)s_%(class)s_on_hand_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, reserved__lte=F("on_hand")),
                name="%(app_label)s_%(class)s_reserved_within_on_hand",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.on_hand}"


class StockMove(models.Model):
    """A change of a balance; never altered."""

    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=MoveKind)
    quantity = models.DecimalField(**QUANTITY)  # signed
    # The document behind it: "WO-100001", "SH-100004".
    reference = models.CharField(max_length=60)
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
        indexes = [models.Index(fields=["item", "site", "at"], name="stockmove_item")]

    def __str__(self) -> str:
        return f"{self.reference} {self.quantity}"


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
