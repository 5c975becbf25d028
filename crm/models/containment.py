"""What was stopped because of a suspect, and the exercises that show how fast we would be."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Containment(models.Model):
    """Everything that a cause reached and that was still in our hands, held with one click.

    ``counts`` are the lists as of then; only the release is filled in later.
    """

    # What was suspected, as people say it, and as ids: {"lots": {"12": true}, "units": [...]}.
    title = models.CharField(max_length=200)
    cause = models.JSONField()
    reason = models.CharField(max_length=200)
    # {"shipped": [confirmed, possible], …}
    counts = models.JSONField()
    # Of traceability.Hold.
    hold_ids = ArrayField(models.BigIntegerField())
    placed_at = models.DateTimeField()
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    release_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(released_at__isnull=True) | ~Q(release_reason=""),
                name="%(app_label)s_%(class)s_release_has_a_reason",
            )
        ]

    def __str__(self) -> str:
        return self.title


class RecallDrill(models.Model):
    """An exercise: how long until the list of a lot is there, and is it complete.

    It touches no stock. Append-only.
    """

    lot = models.ForeignKey("traceability.Lot", on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.lot_id} {self.started_at:%Y-%m-%d %H:%M}"


class DrillResult(models.Model):
    """How a drill ended, signed by who ended it. Append-only."""

    drill = models.OneToOneField(
        RecallDrill, primary_key=True, on_delete=models.PROTECT, related_name="outcome"
    )
    listed_at = models.DateTimeField()
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    # What the system took to make the list, of all the time from start to list.
    computed_ms = models.PositiveIntegerField()
    # The lists and the comparison (services.drills).
    lists = models.JSONField()
    remark = models.CharField(max_length=200, blank=True)
    signature = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(signature=""), name="%(app_label)s_%(class)s_is_signed"
            )
        ]

    def __str__(self) -> str:
        return f"{self.drill_id} {self.share}"

    @property
    def clock(self) -> str:
        """From start to list, as a stopwatch shows it: "0:42", "1:05:09"."""
        seconds = int((self.listed_at - self.drill.started_at).total_seconds())
        minutes, rest = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

    @property
    def share(self) -> str:
        """How much of what a plain walk finds was listed: "100 %"."""
        return f"{self.lists['completeness']:g} %"

    @property
    def is_complete(self) -> bool:
        """Whether the list is exactly what a plain walk finds, certainty included."""
        return not any(self.lists[name] for name in ("missing", "extra", "uncertain"))
