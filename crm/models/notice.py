"""What customers are told when a delivery comes on another day than they count on."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from crm.enums import NoticeState
from crm.models.order import SalesOrderLine


class DelayNotice(models.Model):
    """One line's day moved: from, to, why; a draft for sales until it is sent or dismissed."""

    line = models.ForeignKey(SalesOrderLine, on_delete=models.CASCADE, related_name="notices")
    state = models.CharField(max_length=10, choices=NoticeState, default=NoticeState.DRAFT)
    # What the customer counts on: the day told last, else the promise or the first estimate.
    old_date = models.DateField()
    new_date = models.DateField()
    promised_date = models.DateField()
    # Customer-safe words; empty where nothing but the plan changed.
    reason = models.CharField(max_length=200, blank=True)
    reason_zh = models.CharField(max_length=200, blank=True)
    incident_number = models.CharField(max_length=20, blank=True)
    schedule_version = models.PositiveIntegerField(null=True)
    # What sales wrote instead of the usual text.
    text = models.TextField(blank=True)
    # Sent by the customer's rule, not by a person.
    is_by_rule = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # When the mail server took it.
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line"],
                condition=Q(state="draft"),
                name="%(app_label)s_%(class)s_one_draft_per_line",
            ),
            models.CheckConstraint(
                condition=~Q(old_date=F("new_date")), name="%(app_label)s_%(class)s_day_moves"
            ),
            models.CheckConstraint(
                condition=Q(state="draft", decided_at__isnull=True)
                | (~Q(state="draft") & Q(decided_at__isnull=False)),
                name="%(app_label)s_%(class)s_decided_has_its_moment",
            ),
        ]
        indexes = [models.Index(fields=["state", "-created_at"], name="notice_by_state")]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.old_date} → {self.new_date}"

    @property
    def is_later(self) -> bool:
        """Whether it is bad news."""
        return self.new_date > self.old_date


class DelayNoticeAttempt(models.Model):
    """One attempt to mail a notice; written whether it went well or not."""

    notice = models.ForeignKey(DelayNotice, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    recipients = models.CharField(max_length=500)
    # Empty where the mail server took it.
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.notice_id} {self.at:%Y-%m-%d %H:%M}"


class NoticeRule(models.Model):
    """A customer whose delay notices are sent at once, without a person of ours."""

    customer = models.OneToOneField(
        "masterdata.Customer", on_delete=models.CASCADE, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.customer_id}"
