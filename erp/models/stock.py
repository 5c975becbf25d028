"""Stock: what lies where, and how it came there."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from erp.enums import MoveKind
from erp.models.quantities import QUANTITY


class StockBalance(models.Model):
    """Quantity of an item at a site, in the item's unit; the sum of its moves."""

    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    on_hand = models.DecimalField(**QUANTITY, default=0)
    # The sum of its reservations.
    reserved = models.DecimalField(**QUANTITY, default=0)
    # What a piece cost on average, in the site's currency: bought ones as received, made ones at
    # the standard of their work orders.
    average_cost = models.DecimalField(max_digits=16, decimal_places=6, default=0)

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
