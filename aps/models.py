"""Schedule runs, what they planned, and how far the floor has moved on since."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from aps.enums import RunKind, RunState


class PlanState(models.Model):
    """What the planner knows of a site: a counter of changes, so that a stale plan shows."""

    site = models.OneToOneField("masterdata.Site", on_delete=models.CASCADE, related_name="+")
    # Counts every change that a schedule should know of.
    change = models.PositiveBigIntegerField(default=0)
    changed_at = models.DateTimeField(null=True)
    last_version = models.PositiveIntegerField(default=0)
    # What starts within so many minutes stays where it is when a plan is made anew by itself.
    frozen_minutes = models.PositiveIntegerField(default=0)
    # A start that shifts by no more minutes than this has not moved: it is not counted, and it
    # makes no scenario stale.
    tolerance_minutes = models.PositiveIntegerField(default=5)

    def __str__(self) -> str:
        return f"{self.site_id}: {self.change}"


class ScheduleRun(models.Model):
    """One attempt to plan a site; a published one is the live schedule with a version number.

    A scenario is a run that is not live yet: changes on top of a version (docs/adr/0004).
    """

    kind = models.CharField(max_length=8, choices=RunKind, default=RunKind.LIVE)
    # What a person calls the scenario.
    name = models.CharField(max_length=80, blank=True)
    site = models.ForeignKey("masterdata.Site", on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=12, choices=RunState, default=RunState.QUEUED)
    version = models.PositiveIntegerField(null=True)
    # "conversion", "report", "manual": why it was asked for.
    cause = models.CharField(max_length=60)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_at = models.DateTimeField()
    # PlanState.change that its problem was built from.
    base_change = models.PositiveBigIntegerField(null=True)
    # mes.IncidentEntry: the last one it reckoned with; null where no job made it.
    last_incident_entry = models.PositiveBigIntegerField(null=True)
    solve_seconds = models.FloatField(default=10)
    seed = models.PositiveIntegerField(default=1)
    solved_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    # Figures of the solution: weighted_tardiness_minutes, late_orders, setup_minutes, ...
    figures = models.JSONField(default=dict)
    # {"phase": "improving", "percent": 40, "weighted_tardiness_minutes": 120}
    progress = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    # The version that a scenario, or the repair of the live plan, started from; 0 for none.
    base_version = models.PositiveIntegerField(null=True)
    # What a scenario changes, in order, each as aps.services.changes writes it ...
    changes = models.JSONField(default=list)
    # ... and how many of them count: the rest are undone and may be redone.
    cursor = models.PositiveIntegerField(default=0)
    # What it means against its base: aps.services.comparison.
    comparison = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "requested_by"],
                condition=Q(
                    kind=RunKind.EDIT, state__in=[state.value for state in RunState.open()]
                ),
                name="%(app_label)s_%(class)s_one_draft_per_planner",
            ),
            models.UniqueConstraint(
                fields=["site"],
                condition=Q(state=RunState.PUBLISHED),
                name="%(app_label)s_%(class)s_one_published_per_site",
            ),
            models.UniqueConstraint(
                fields=["site", "version"], name="%(app_label)s_%(class)s_once_per_version"
            ),
        ]
        indexes = [models.Index(fields=["site", "-requested_at"], name="run_recent")]

    def __str__(self) -> str:
        return f"run {self.pk}"


class OperationLock(models.Model):
    """A planner's word on an operation that no plan may override until it starts or is unlocked.

    With a start it is fixed there; without one it is kept out of the plan, and what waits for it.
    """

    operation = models.OneToOneField(
        "mes.WorkOrderOperation", on_delete=models.CASCADE, related_name="+"
    )
    # Null for outside work, and for what is kept out.
    work_unit = models.ForeignKey(
        "masterdata.WorkUnit", null=True, on_delete=models.CASCADE, related_name="+"
    )
    starts_at = models.DateTimeField(null=True)
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    locked_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at__isnull=False) | Q(work_unit__isnull=True),
                name="%(app_label)s_%(class)s_kept_out_is_nowhere",
            )
        ]

    def __str__(self) -> str:
        return f"{self.operation_id}"


class ScheduledOperation(models.Model):
    """Where and when a run puts an operation; a subcontracted one has no work unit."""

    run = models.ForeignKey(ScheduleRun, on_delete=models.CASCADE, related_name="operations")
    operation = models.ForeignKey(
        "mes.WorkOrderOperation", on_delete=models.CASCADE, related_name="+"
    )
    work_unit = models.ForeignKey(
        "masterdata.WorkUnit", null=True, on_delete=models.CASCADE, related_name="+"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "operation"], name="%(app_label)s_%(class)s_once_per_run"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gte=F("starts_at")),
                name="%(app_label)s_%(class)s_interval_well_formed",
            ),
        ]
        indexes = [models.Index(fields=["run", "work_unit", "starts_at"], name="scheduled_lane")]

    def __str__(self) -> str:
        return f"{self.operation_id} {self.starts_at:%m-%d %H:%M}"
