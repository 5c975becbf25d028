"""The history of dates and the milestones of an order."""

from django.conf import settings
from django.db import models

from crm.enums import MilestoneKind, ProjectionCause, PromiseCause
from crm.models.order import SalesOrder, SalesOrderLine


class PromiseRevision(models.Model):
    """A commitment given or changed: old and new day, cause, author."""

    line = models.ForeignKey(SalesOrderLine, on_delete=models.CASCADE, related_name="promises")
    old_date = models.DateField(null=True)
    new_date = models.DateField()
    cause = models.CharField(max_length=20, choices=PromiseCause)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.line_id}: {self.new_date}"


class Projection(models.Model):
    """A change of the projected day by a schedule version."""

    line = models.ForeignKey(SalesOrderLine, on_delete=models.CASCADE, related_name="projections")
    old_date = models.DateField(null=True)
    new_date = models.DateField(null=True)
    # A ProjectionCause.
    cause = models.CharField(max_length=60)
    schedule_version = models.PositiveIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["line", "-at"], name="projection_recent")]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.new_date}"

    @property
    def reason(self) -> str:
        """The cause in words; "" for one that nobody knows."""
        known = self.cause in ProjectionCause.values
        return str(ProjectionCause(self.cause).label) if known else ""


class Milestone(models.Model):
    """A step that an order has reached, written once by the fact that reached it."""

    order = models.ForeignKey(SalesOrder, on_delete=models.CASCADE, related_name="milestones")
    kind = models.CharField(max_length=20, choices=MilestoneKind)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "kind"], name="%(app_label)s_%(class)s_once_per_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.kind}"
