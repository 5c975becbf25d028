"""The cost ledger: what an order cost, entry by entry, each with the fact behind it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from erp.enums import CostKind, VarianceCause
from erp.models.quantities import QUANTITY


class CostEntry(models.Model):
    """An amount that a fact put on (or took off) a work order; never altered.

    Work in progress is the sum over a work order. Its output is taken off at the standard, what is
    left when it closes is taken off as variances, so a closed work order sums to zero.
    """

    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=CostKind)
    is_setup = models.BooleanField(default=False)
    # Of a variance: why.
    cause = models.CharField(max_length=12, choices=VarianceCause, blank=True)
    # Whole cents; above zero it went into the order, below zero it came out of it.
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    currency = models.CharField(max_length=3)
    # Pieces, hours or kWh at a price per piece, hour or kWh; null of a variance.
    quantity = models.DecimalField(**QUANTITY, null=True)
    price = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    # The component of a material entry, else what the order makes.
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    work_order = models.CharField(max_length=20, db_index=True)
    operation_sequence = models.PositiveIntegerField(null=True)
    # "SO-100001/10" where the whole work order is for one line; else its pegs say the shares.
    order_line = models.CharField(max_length=60, blank=True, db_index=True)
    # The row that is the fact: "time:815", "move:4711", "close:WO-100001"; "time:815#1" corrects.
    source = models.CharField(max_length=60)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "kind", "cause"],
                name="%(app_label)s_%(class)s_once_per_fact",
            ),
            models.CheckConstraint(
                condition=Q(kind=CostKind.VARIANCE, cause__gt="")
                | (~Q(kind=CostKind.VARIANCE) & Q(cause="")),
                name="%(app_label)s_%(class)s_only_variances_have_a_cause",
            ),
            models.CheckConstraint(
                condition=~Q(amount=0), name="%(app_label)s_%(class)s_books_something"
            ),
        ]
        indexes = [models.Index(fields=["site", "at"], name="costentry_site_at")]

    def __str__(self) -> str:
        return f"{self.work_order} {self.kind} {self.amount}"
