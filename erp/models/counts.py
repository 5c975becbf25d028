"""Counting the store: a session, its lines, and what differs."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q

from erp.enums import CountState
from erp.models.places import Bin
from erp.models.quantities import QUANTITY


class CountSession(models.Model):
    """One count of some bins by one person; posted as a whole."""

    number = models.CharField(max_length=20, unique=True)
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=CountState, default=CountState.OPEN)
    # What it is about, for people: "Rack A, cycle count".
    title = models.CharField(max_length=80, blank=True)
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    submitted_at = models.DateTimeField(null=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )

    def __str__(self) -> str:
        return self.number


class CountLine(models.Model):
    """What was counted in a place, next to what the books said at that moment."""

    session = models.ForeignKey(CountSession, on_delete=models.CASCADE, related_name="lines")
    bin = models.ForeignKey(Bin, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(
        "traceability.Lot", null=True, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(
        "traceability.SerialUnit", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # The books when it was counted: what moved since is no variance.
    expected = models.DecimalField(**QUANTITY)
    counted = models.DecimalField(**QUANTITY)
    counted_at = models.DateTimeField()
    counted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "bin", "item", "lot", "unit"],
                nulls_distinct=False,
                name="%(app_label)s_%(class)s_once_per_place",
            ),
            models.CheckConstraint(
                condition=Q(counted__gte=0), name="%(app_label)s_%(class)s_counted_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id}: {self.counted}"

    @property
    def difference(self) -> Decimal:
        """What was counted less what the books said."""
        return self.counted - self.expected

    @property
    def difference_text(self) -> str:
        """The same with its sign: "+5", "-1,200"."""
        return f"{self.difference.normalize():+,f}"
