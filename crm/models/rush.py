"""Sales asks planning to make room for a line."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from crm.enums import RushState
from crm.models.order import SalesOrderLine


class RushRequest(models.Model):
    """A wish for an earlier day than the plan gives, with what it would do to the others."""

    number = models.CharField(max_length=20, unique=True)
    line = models.ForeignKey(SalesOrderLine, on_delete=models.CASCADE, related_name="rushes")
    state = models.CharField(max_length=16, choices=RushState, default=RushState.DRAFT)
    wanted_date = models.DateField()
    reason = models.CharField(max_length=300)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_at = models.DateTimeField()
    # How much a late day of the line hurts from the approval on.
    weight = models.PositiveIntegerField()
    # It waits for a decision as soon as it is assessed.
    wants_decision = models.BooleanField(default=True)
    # The simulation: a scenario of kind "rush".
    run = models.ForeignKey(
        "aps.ScheduleRun", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # How often it was simulated; the job's key.
    simulations = models.PositiveIntegerField(default=0)
    # What the simulation says: crm.services.rush_assessing.Assessment.
    assessment = models.JSONField(default=dict)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=300, blank=True)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line"],
                condition=Q(state__in=[state.value for state in RushState.open()]),
                name="%(app_label)s_%(class)s_one_open_per_line",
            )
        ]
        indexes = [models.Index(fields=["state", "-requested_at"], name="rush_by_state")]

    def __str__(self) -> str:
        return self.number
