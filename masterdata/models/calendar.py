"""Working calendars: weekly shifts in local time, and what departs from them."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from common.models import BilingualName


class Calendar(BilingualName):
    """Weekly shifts and exceptions in one time zone; work units, sites and shipping use one."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    time_zone = models.CharField(_("time zone"), max_length=40, default="UTC")
    # Counts edits, those of shifts and exceptions too; a form opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("calendar")

    def __str__(self) -> str:
        return self.code


class Shift(models.Model):
    """Working time on one weekday. An end not after the start lies on the next day."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="shifts")
    weekday = models.PositiveSmallIntegerField(_("weekday"))  # 0 is Monday
    starts_at = models.TimeField(_("from"))
    ends_at = models.TimeField(_("until"))  # 00:00 is midnight at the end of the day

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__lte=6), name="%(app_label)s_%(class)s_weekday_exists"
            ),
            models.UniqueConstraint(
                fields=["calendar", "weekday", "starts_at"],
                name="%(app_label)s_%(class)s_once_per_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.weekday} {self.starts_at:%H:%M}–{self.ends_at:%H:%M}"


class CalendarException(models.Model):
    """A holiday or maintenance (not working) or overtime (working)."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="exceptions")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    is_working = models.BooleanField(_("working"), default=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="%(app_label)s_%(class)s_ends_after_start",
            )
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d} {self.reason}"


class UnitException(models.Model):
    """A span in which one work unit is closed (down) or open (overtime), whatever its calendar."""

    work_unit = models.ForeignKey(
        "masterdata.WorkUnit", on_delete=models.CASCADE, related_name="exceptions"
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    is_working = models.BooleanField(_("working"), default=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="%(app_label)s_%(class)s_ends_after_start",
            )
        ]
        indexes = [models.Index(fields=["work_unit", "ends_at"], name="unit_exception_recent")]

    def __str__(self) -> str:
        return f"{self.work_unit_id} {self.starts_at:%Y-%m-%d} {self.reason}"
