"""What does not conform: what is concerned, how it is contained, what becomes of it."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from mes.enums import (
    ConcessionState,
    ContainmentState,
    DispositionKind,
    DispositionState,
    NonconformanceSource,
    NonconformanceState,
)
from mes.models.operation import WorkOrderOperation
from mes.models.work_order import QUANTITY, WorkOrder


class Nonconformance(models.Model):
    """A requirement is not met (ISO 9000), from the notice until somebody verified the remedy."""

    number = models.CharField(max_length=20, unique=True)
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey("masterdata.Item", on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=10, choices=NonconformanceSource)
    # What it came from: tickets, a work order, a purchase order.
    references = ArrayField(models.CharField(max_length=60), default=list)
    problem = models.CharField(max_length=300)
    # The code that tickets know it by.
    symptom = models.CharField(max_length=40, blank=True)
    # Of goods in our hands to decide on, in the item's unit; none where nothing of it is left.
    quantity = models.DecimalField(**QUANTITY, default=0)
    state = models.CharField(
        max_length=14, choices=NonconformanceState, default=NonconformanceState.OPEN
    )
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=0), name="%(app_label)s_%(class)s_quantity_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False)
                | ~Q(state="closed") & Q(closed_at__isnull=True),
                name="%(app_label)s_%(class)s_closed_has_its_moment",
            ),
        ]
        indexes = [models.Index(fields=["state", "-opened_at"], name="nonconformance_recent")]

    def __str__(self) -> str:
        return self.number


class ConcernedThing(models.Model):
    """A lot, a serial unit or a work order that a nonconformance is about, and its hold."""

    nonconformance = models.ForeignKey(
        Nonconformance, on_delete=models.CASCADE, related_name="things"
    )
    lot = models.ForeignKey(
        "traceability.Lot", null=True, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(
        "traceability.SerialUnit", null=True, on_delete=models.PROTECT, related_name="+"
    )
    work_order = models.ForeignKey(WorkOrder, null=True, on_delete=models.PROTECT, related_name="+")
    hold = models.ForeignKey(
        "traceability.Hold", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(lot__isnull=False, unit__isnull=True, work_order__isnull=True)
                | Q(lot__isnull=True, unit__isnull=False, work_order__isnull=True)
                | Q(lot__isnull=True, unit__isnull=True, work_order__isnull=False),
                name="%(app_label)s_%(class)s_is_one_thing",
            ),
            models.UniqueConstraint(
                fields=["nonconformance", "lot", "unit", "work_order"],
                name="%(app_label)s_%(class)s_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.nonconformance_id}: {self.lot_id or self.unit_id or self.work_order_id}"


class ContainmentCount(models.Model):
    """Suspect goods at one place, and what was found of them.

    Suspect = found + cleared + shipped + missing, before another person verifies it.
    """

    nonconformance = models.ForeignKey(
        Nonconformance, on_delete=models.CASCADE, related_name="containment"
    )
    # Where it was looked: "Store", "Line 2", a customer's plant.
    place = models.CharField(max_length=120)
    suspect = models.DecimalField(**QUANTITY)
    # Segregated, looked at and good, with customers, not to be found.
    found = models.DecimalField(**QUANTITY, default=0)
    cleared = models.DecimalField(**QUANTITY, default=0)
    shipped = models.DecimalField(**QUANTITY, default=0)
    missing = models.DecimalField(**QUANTITY, default=0)
    state = models.CharField(
        max_length=10, choices=ContainmentState, default=ContainmentState.IN_PLACE
    )
    counted_at = models.DateTimeField(null=True)
    counted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    verified_at = models.DateTimeField(null=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(
                fields=["nonconformance", "place"], name="%(app_label)s_%(class)s_once_per_place"
            ),
            models.CheckConstraint(
                condition=Q(suspect__gte=0, found__gte=0, cleared__gte=0)
                & Q(shipped__gte=0, missing__gte=0),
                name="%(app_label)s_%(class)s_quantities_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(state="in_place")
                | Q(suspect=F("found") + F("cleared") + F("shipped") + F("missing")),
                name="%(app_label)s_%(class)s_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(state="in_place")
                | Q(verified_by__isnull=False, counted_by__isnull=False)
                & ~Q(verified_by=F("counted_by")),
                name="%(app_label)s_%(class)s_verified_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.nonconformance_id}: {self.place}"


class Disposition(models.Model):
    """What becomes of a part of the goods; those of a nonconformance sum to its quantity."""

    nonconformance = models.ForeignKey(
        Nonconformance, on_delete=models.CASCADE, related_name="dispositions"
    )
    kind = models.CharField(max_length=10, choices=DispositionKind)
    quantity = models.DecimalField(**QUANTITY)
    # The lot it is taken from, or the units by their serial numbers.
    lot = models.ForeignKey(
        "traceability.Lot", null=True, on_delete=models.PROTECT, related_name="+"
    )
    unit_ids = ArrayField(models.BigIntegerField(), default=list)
    # Pieces in process there; none: goods in the store.
    operation = models.ForeignKey(
        WorkOrderOperation, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # What it is from now on, where it is regraded.
    regraded_to = models.ForeignKey(
        "masterdata.Item", null=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=200)
    state = models.CharField(
        max_length=10, choices=DispositionState, default=DispositionState.DECIDED
    )
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    executed_at = models.DateTimeField(null=True)
    executed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # What was done, in words: who looked at the reworked pieces again.
    result = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="%(app_label)s_%(class)s_of_something"
            ),
            models.CheckConstraint(
                condition=Q(kind="regrade", regraded_to__isnull=False)
                | ~Q(kind="regrade") & Q(regraded_to__isnull=True),
                name="%(app_label)s_%(class)s_regrade_says_to_what",
            ),
            models.CheckConstraint(
                condition=Q(state="executed", executed_at__isnull=False)
                | Q(state="decided", executed_at__isnull=True),
                name="%(app_label)s_%(class)s_executed_has_its_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.nonconformance_id}: {self.kind} {self.quantity}"

    @property
    def needs_concession(self) -> bool:
        """Whether it still does not conform afterwards."""
        return self.kind in DispositionKind.needing_concession()


class Concession(models.Model):
    """Leave to use or release what does not conform: so much, until a day, or these units."""

    disposition = models.OneToOneField(
        Disposition, on_delete=models.CASCADE, related_name="concession"
    )
    quantity = models.DecimalField(**QUANTITY)
    # The last day on which it may be used; none: the quantity alone bounds it.
    valid_until = models.DateField(null=True)
    reason = models.CharField(max_length=300)
    state = models.CharField(
        max_length=10, choices=ConcessionState, default=ConcessionState.REQUESTED
    )
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decision_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="%(app_label)s_%(class)s_of_something"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="%(app_label)s_%(class)s_decided_by_another",
            ),
            models.CheckConstraint(
                condition=Q(state="requested", decided_at__isnull=True)
                | ~Q(state="requested") & Q(decided_at__isnull=False, decided_by__isnull=False),
                name="%(app_label)s_%(class)s_decided_has_its_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.disposition_id}: {self.quantity}"
