"""Alarms at machines and what they led to: one incident ties all of it together."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from common.enums import Role
from common.models import BilingualName
from mes.enums import AndonKind, AndonState, EntryKind, IncidentState, LossKind
from mes.models.operation import WorkOrderOperation


class Incident(models.Model):
    """What went wrong at a work unit, from the alarm until it is over."""

    number = models.CharField(max_length=20, unique=True)
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    work_unit = models.ForeignKey("masterdata.WorkUnit", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=AndonKind)
    state = models.CharField(max_length=6, choices=IncidentState, default=IncidentState.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    # When it last changed what the schedule may count on: a plan solved later reckons with it.
    capacity_changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at")),
                name="%(app_label)s_%(class)s_closes_after_opening",
            )
        ]
        indexes = [models.Index(fields=["site", "-opened_at"], name="incident_recent")]

    def __str__(self) -> str:
        return self.number


class IncidentEntry(models.Model):
    """A line in the story of an incident; written once, with the fact."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=12, choices=EntryKind)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # What belongs to the line: {"until": ISO moment, "roles": [...], "operation": "WO-1 / 10"}.
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return f"{self.incident_id} {self.kind}"


class AndonCall(models.Model):
    """Somebody at a work unit calls for help, until somebody else says that it is over."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="calls")
    work_unit = models.ForeignKey("masterdata.WorkUnit", on_delete=models.PROTECT, related_name="+")
    operation = models.ForeignKey(
        WorkOrderOperation, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    kind = models.CharField(max_length=12, choices=AndonKind)
    state = models.CharField(max_length=12, choices=AndonState, default=AndonState.RAISED)
    note = models.CharField(max_length=200, blank=True)
    # The machine itself said so; a person has to confirm.
    is_from_machine = models.BooleanField(default=False)
    # How many times more people were told because nobody answered.
    level = models.PositiveSmallIntegerField(default=0)
    raised_at = models.DateTimeField()
    raised_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["work_unit", "kind"],
                condition=Q(state__in=["raised", "acknowledged"]),
                name="%(app_label)s_%(class)s_one_open_per_unit_and_kind",
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_at__isnull=True) | Q(acknowledged_at__gte=F("raised_at")),
                name="%(app_label)s_%(class)s_answered_after_raised",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="resolved", resolved_at__isnull=False, resolved_at__gte=F("raised_at")
                )
                | (~Q(state="resolved") & Q(resolved_at__isnull=True)),
                name="%(app_label)s_%(class)s_resolved_has_its_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.work_unit_id}"


class AndonRule(models.Model):
    """Who is told of a call so many minutes after it was raised and while nobody answers.

    The rules of a work center replace those for all; where there are none at all, those of
    ``mes.services.andon_rules.DEFAULTS`` count.
    """

    kind = models.CharField(max_length=12, choices=AndonKind)
    work_center = models.ForeignKey(
        "masterdata.WorkCenter", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    after_minutes = models.PositiveIntegerField(default=0)
    roles = ArrayField(models.CharField(max_length=20, choices=Role.choices))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "work_center", "after_minutes"],
                name="%(app_label)s_%(class)s_once_per_moment",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.after_minutes} min"


class DowntimeReason(BilingualName):
    """Why a machine stands, as a tree; what a customer may read of it is a sentence of its own."""

    code = models.CharField(max_length=40, unique=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    loss = models.CharField(max_length=10, choices=LossKind, default=LossKind.UNPLANNED)
    # Customer-safe words; empty: those of the reason above.
    customer_text = models.CharField(max_length=200, blank=True)
    customer_text_zh = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("pk")),
                name="%(app_label)s_%(class)s_not_its_own_parent",
            )
        ]

    def __str__(self) -> str:
        return self.code


class Downtime(models.Model):
    """A span in which a work unit stands: ``[starts_at, ends_at)``, open while it lasts."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="downtimes")
    work_unit = models.ForeignKey("masterdata.WorkUnit", on_delete=models.PROTECT, related_name="+")
    reason = models.ForeignKey(
        DowntimeReason, null=True, on_delete=models.PROTECT, related_name="+"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    estimated_ends_at = models.DateTimeField(null=True)
    # The span that the schedule keeps free of work; none before there is an estimate.
    exception = models.ForeignKey(
        "masterdata.UnitException", null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")),
                name="%(app_label)s_%(class)s_interval_well_formed",
            ),
            models.CheckConstraint(
                condition=Q(estimated_ends_at__isnull=True)
                | Q(estimated_ends_at__gt=F("starts_at")),
                name="%(app_label)s_%(class)s_estimate_after_start",
            ),
            models.UniqueConstraint(
                fields=["work_unit"],
                condition=Q(ends_at__isnull=True),
                name="%(app_label)s_%(class)s_one_open_per_unit",
            ),
        ]
        indexes = [models.Index(fields=["work_unit", "starts_at"], name="downtime_of_unit")]

    def __str__(self) -> str:
        return f"{self.work_unit_id} {self.starts_at:%Y-%m-%d %H:%M}"
