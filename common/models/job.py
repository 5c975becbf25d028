"""Facts and the work they ask for; the truth that Celery messages only wake up (DESIGN §5)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.enums import AttemptOutcome, JobState


class Event(models.Model):
    """A fact an app has published; written in the transaction that made it true."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    topic = models.CharField(max_length=80)
    payload = models.JSONField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.topic


class Job(models.Model):
    """One piece of work that must happen exactly once in effect; ids ascend in creation order."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=80)
    arguments = models.JSONField(default=dict)
    # The business identity, such as "convert:12:1"; the same thing is never asked twice.
    key = models.CharField(max_length=200, unique=True)
    # Jobs of one group run in order of creation, one at a time.
    group_key = models.CharField(max_length=120, blank=True)
    # Waiting jobs with this flag and the same name and group are one: the next one joins the
    # waiting row, or (two transactions at once) is merged into it when that is claimed.
    coalesce = models.BooleanField(default=False)
    merged_into = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    queue = models.CharField(max_length=20, default="default")
    state = models.CharField(max_length=12, choices=JobState, default=JobState.QUEUED)
    run_at = models.DateTimeField()
    # When a wake-up was last sent (or is about to be, on commit); keeps re-sending in bounds.
    woken_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    # Whether the attempt that runs holds the lock of common.jobs.signs for as long as it lives.
    has_sign_of_life = models.BooleanField(default=False, db_default=False)
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=8)
    last_error = models.TextField(blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=JobState.RUNNING) | Q(lease_until__isnull=False),
                name="%(app_label)s_%(class)s_running_has_lease",
            ),
        ]
        indexes = [
            models.Index(fields=["run_at"], condition=Q(state=JobState.QUEUED), name="job_due"),
            models.Index(
                fields=["lease_until"],
                condition=Q(state=JobState.RUNNING),
                name="job_leased",
            ),
            models.Index(
                fields=["group_key", "id"],
                condition=Q(state__in=[JobState.QUEUED, JobState.RUNNING]),
                name="job_group_open",
            ),
            # Not unique: a unique index would make one transaction wait for the other's commit,
            # and deadlock with it (docs/adr/0001-job-ledger.md).
            models.Index(
                fields=["name", "group_key"],
                condition=Q(state=JobState.QUEUED, coalesce=True),
                name="job_waiting_equal",
            ),
            models.Index(fields=["state", "id"], name="job_state"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.key}"


class JobAttempt(models.Model):
    """One try at a job: who ran it, how long, how it ended."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts")
    attempt = models.PositiveIntegerField()
    worker = models.CharField(max_length=120, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(
        max_length=10, choices=AttemptOutcome, default=AttemptOutcome.RUNNING
    )
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job", "attempt"],
                name="%(app_label)s_%(class)s_once_per_number",
            )
        ]

    def __str__(self) -> str:
        return f"{self.job_id} #{self.attempt}"


class Heartbeat(models.Model):
    """When a process of a kind (dispatcher) was last seen alive."""

    name = models.CharField(primary_key=True, max_length=40)
    at = models.DateTimeField()
    # Wake-ups that could not be sent to the broker since the last success.
    failures = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.name
