"""Maintenance orders: a machine stands for a while, somebody works on it and uses parts."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from mes.enums import MaintenanceKind, MaintenanceState
from mes.models.problem import QualityAction


class MaintenanceOrder(models.Model):
    """Work on a machine: its span closes the machine for the schedule until it is over."""

    number = models.CharField(max_length=20, unique=True)
    work_unit = models.ForeignKey("masterdata.WorkUnit", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=MaintenanceKind)
    title = models.CharField(max_length=200)
    task = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=MaintenanceState, default=MaintenanceState.OPEN)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    # The row that closes the machine; none once it is over, or somebody removed it.
    closure = models.ForeignKey(
        "masterdata.UnitException", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # What asked for it; by hand without one.
    action = models.ForeignKey(
        QualityAction, null=True, on_delete=models.SET_NULL, related_name="maintenance_orders"
    )
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="%(app_label)s_%(class)s_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=~Q(state=MaintenanceState.COMPLETED)
                | Q(started_at__isnull=False, completed_at__isnull=False, result__gt=""),
                name="%(app_label)s_%(class)s_completed_says_what_was_done",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[MaintenanceState.ASSIGNED, MaintenanceState.IN_PROGRESS])
                | Q(owner__isnull=False),
                name="%(app_label)s_%(class)s_has_somebody",
            ),
        ]
        indexes = [models.Index(fields=["state", "starts_at"], name="maintenance_state_starts")]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        """Whether something is left to do."""
        return self.state in MaintenanceState.open()

    @property
    def site_id(self) -> int:
        """Where the machine stands."""
        return self.work_unit.work_center.site_id


class MaintenancePart(models.Model):
    """A part for the work: a requirement of the store, planned and issued like any other."""

    order = models.ForeignKey(MaintenanceOrder, on_delete=models.CASCADE, related_name="parts")
    requirement = models.OneToOneField(
        "erp.Requirement", on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.order_id}: {self.requirement_id}"


class MaintenanceTime(models.Model):
    """Somebody's time at it, at the labour rate of the machine's work center on that day.

    It is not on the cost ledger of any work order: the machine's hourly rate pays for its
    maintenance already.
    """

    order = models.ForeignKey(MaintenanceOrder, on_delete=models.CASCADE, related_name="times")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    minutes = models.PositiveIntegerField()
    # Whole cents of the site's currency.
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(minutes__gte=1, minutes__lte=1440),
                name="%(app_label)s_%(class)s_within_a_day",
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.minutes} min"
