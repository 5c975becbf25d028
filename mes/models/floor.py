"""Who and what worked on an operation from when to when, and the reasons that people tap."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.models import BilingualName
from mes.enums import BookingKind, ReasonKind
from mes.models.operation import WorkOrderOperation


class FloorReason(BilingualName):
    """A tile on the terminal: why work stopped, why a piece is scrap or has to be reworked."""

    kind = models.CharField(_("kind"), max_length=8, choices=ReasonKind)
    code = models.SlugField(_("code"), max_length=30)
    position = models.PositiveIntegerField(_("position"), default=10)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "code"], name="%(app_label)s_%(class)s_once_per_code"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}/{self.code}"


class TimeBooking(models.Model):
    """Time of one person or one work unit at an operation, [starts_at, ends_at); open without end.

    The only record of time. What overlaps for a person is shared by ``mes.services.time``.
    """

    operation = models.ForeignKey(
        WorkOrderOperation, on_delete=models.CASCADE, related_name="bookings"
    )
    kind = models.CharField(max_length=6, choices=BookingKind)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    work_unit = models.ForeignKey(
        "masterdata.WorkUnit", null=True, on_delete=models.PROTECT, related_name="+"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    # Of a pause.
    reason = models.ForeignKey(FloorReason, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")),
                name="%(app_label)s_%(class)s_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=True, work_unit__isnull=False)
                | Q(person__isnull=False, work_unit__isnull=True),
                name="%(app_label)s_%(class)s_person_or_work_unit",
            ),
            # People do not pause at an operation: they leave it.
            models.CheckConstraint(
                condition=~Q(kind="pause") | Q(person__isnull=True),
                name="%(app_label)s_%(class)s_pause_is_of_a_unit",
            ),
            models.CheckConstraint(
                condition=Q(kind="pause") | Q(reason__isnull=True),
                name="%(app_label)s_%(class)s_reason_is_of_a_pause",
            ),
            models.UniqueConstraint(
                fields=["operation", "person"],
                condition=Q(ends_at__isnull=True, person__isnull=False),
                name="%(app_label)s_%(class)s_one_open_per_person",
            ),
            models.UniqueConstraint(
                fields=["operation", "work_unit"],
                condition=Q(ends_at__isnull=True, work_unit__isnull=False),
                name="%(app_label)s_%(class)s_one_open_per_unit",
            ),
            # A machine works on one operation at a time; several may be paused on it.
            models.UniqueConstraint(
                fields=["work_unit"],
                condition=Q(ends_at__isnull=True, work_unit__isnull=False)
                & Q(kind__in=["setup", "run"]),
                name="%(app_label)s_%(class)s_unit_works_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["person", "starts_at"],
                condition=Q(person__isnull=False),
                name="booking_person",
            ),
            models.Index(
                fields=["work_unit", "starts_at"],
                condition=Q(work_unit__isnull=False),
                name="booking_unit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation_id} {self.kind} {self.starts_at:%H:%M}"
