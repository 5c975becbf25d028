"""Checks of a work order's operation, frozen when it was planned, and the answers to them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common.models import BilingualName
from masterdata.enums import CheckFrequency, CheckKind
from mes.enums import Decision
from mes.models.operation import WorkOrderOperation


class WorkOrderCheck(BilingualName):
    """What has to be answered at the operation."""

    operation = models.ForeignKey(
        WorkOrderOperation, on_delete=models.CASCADE, related_name="checks"
    )
    position = models.PositiveIntegerField()
    # What machines call it when they send its value.
    code = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=10, choices=CheckKind, default=CheckKind.PASS)
    unit = models.CharField(max_length=12, blank=True)
    lower = models.DecimalField(max_digits=14, decimal_places=5, null=True)
    target = models.DecimalField(max_digits=14, decimal_places=5, null=True)
    upper = models.DecimalField(max_digits=14, decimal_places=5, null=True)
    is_required = models.BooleanField(default=True)
    frequency = models.CharField(
        max_length=10, choices=CheckFrequency, default=CheckFrequency.PER_ORDER
    )
    # Pieces, of EVERY_N.
    every = models.PositiveIntegerField(null=True)
    # Why it is asked: who answers reads it.
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="pass", lower__isnull=True, target__isnull=True)
                & Q(upper__isnull=True)
                | ~Q(kind="pass") & (Q(lower__isnull=False) | Q(upper__isnull=False)),
                name="%(app_label)s_%(class)s_limits_fit_the_kind",
            ),
            models.CheckConstraint(
                condition=Q(lower__isnull=True) | Q(upper__isnull=True) | Q(lower__lte=F("upper")),
                name="%(app_label)s_%(class)s_limits_in_order",
            ),
            models.CheckConstraint(
                condition=Q(frequency="every_n", every__isnull=False, every__gte=2)
                | ~Q(frequency="every_n") & Q(every__isnull=True),
                name="%(app_label)s_%(class)s_every_fits_the_frequency",
            ),
            models.UniqueConstraint(
                fields=["operation", "position"],
                name="%(app_label)s_%(class)s_once_per_position",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation_id} {self.position}"


class CheckResult(models.Model):
    """One answer. Measured again, a new row replaces it; nothing is overwritten.

    What is outside its limits waits for a decision: accepted as it is, or rejected (the piece is
    scrapped or reworked).
    """

    check_row = models.ForeignKey(WorkOrderCheck, on_delete=models.PROTECT, related_name="results")
    value = models.DecimalField(max_digits=14, decimal_places=5, null=True)
    is_good = models.BooleanField()
    replaces = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    is_from_machine = models.BooleanField(default=False)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decision = models.CharField(max_length=6, choices=Decision, blank=True)
    decision_reason = models.CharField(max_length=200, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_good=False) | Q(decision=""),
                name="%(app_label)s_%(class)s_only_faults_are_decided",
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True)
                | ~Q(decision="") & Q(decided_at__isnull=False),
                name="%(app_label)s_%(class)s_decided_at_some_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.check_row_id}: {self.value if self.value is not None else self.is_good}"
