"""What machines say: raw events as they came, and the states derived from them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from mes.enums import MachineEventKind, MachineStatus


class MachineEvent(models.Model):
    """One message of a machine, kept as it came; the database refuses to change or delete it."""

    work_unit = models.ForeignKey("masterdata.WorkUnit", on_delete=models.PROTECT, related_name="+")
    # Who sent it, and its own number of the message: the same one counts once.
    source = models.CharField(max_length=80)
    event_id = models.CharField(max_length=80)
    kind = models.CharField(max_length=9, choices=MachineEventKind)
    status = models.CharField(max_length=8, choices=MachineStatus, blank=True)
    good = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    scrap = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    name = models.CharField(max_length=60, blank=True)
    value = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    # By the machine's clock, and by ours.
    at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "event_id"], name="%(app_label)s_%(class)s_once_per_source"
            ),
            models.CheckConstraint(
                condition=Q(kind="state", status__gt="")
                | Q(
                    kind="count",
                    good__isnull=False,
                    good__gte=0,
                    scrap__isnull=False,
                    scrap__gte=0,
                )
                | Q(kind="parameter", name__gt="", value__isnull=False)
                | Q(kind="program", name__gt=""),
                name="%(app_label)s_%(class)s_says_something",
            ),
        ]
        indexes = [
            models.Index(
                fields=["work_unit", "at"], condition=Q(kind="state"), name="machine_state_events"
            ),
            models.Index(
                fields=["work_unit", "at"],
                condition=Q(kind="program"),
                name="machine_program_events",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"


class MachineSource(models.Model):
    """A name that machine events come under over HTTP, and the account that it belongs to.

    Whose it is was decided by the first batch; a supervisor may free it.
    """

    name = models.CharField(max_length=80, unique=True)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class MachineBacklog(models.Model):
    """From when on the states of a work unit have to be derived again; gone once they are."""

    work_unit = models.ForeignKey("masterdata.WorkUnit", on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.work_unit_id} {self.since}"


class MachineState(models.Model):
    """What a machine did over a span, flickers left out; derived, and derived again."""

    work_unit = models.ForeignKey("masterdata.WorkUnit", on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=8, choices=MachineStatus)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="%(app_label)s_%(class)s_interval_well_formed",
            ),
            models.UniqueConstraint(
                fields=["work_unit"],
                condition=Q(ends_at__isnull=True),
                name="%(app_label)s_%(class)s_one_open_per_unit",
            ),
        ]
        indexes = [models.Index(fields=["work_unit", "starts_at"], name="machine_state_of_unit")]

    def __str__(self) -> str:
        return f"{self.work_unit_id} {self.status}"
