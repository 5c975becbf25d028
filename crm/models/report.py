"""Reports on a product's history as customers got them, and by which links they read them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from crm.enums import ReportTier
from crm.models.ticket import Ticket


class TraceReport(models.Model):
    """A report as it was sent. Append-only."""

    number = models.CharField(max_length=20, unique=True)
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="reports")
    customer = models.ForeignKey("masterdata.Customer", on_delete=models.PROTECT, related_name="+")
    # A lot or unit of the genealogy.
    thing = models.BigIntegerField()
    serial = models.CharField(max_length=60)
    language = models.CharField(max_length=10)
    tier = models.CharField(max_length=10, choices=ReportTier)
    # What it says, and the SHA-256 over it in its canonical form.
    content = models.JSONField()
    content_digest = models.CharField(max_length=64)
    pdf = models.BinaryField()
    pdf_digest = models.CharField(max_length=64)
    # Of the page where anybody who holds the paper can see whether it is ours.
    verify_code = models.CharField(max_length=32, unique=True)
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )

    def __str__(self) -> str:
        return self.number


class ReportShare(models.Model):
    """A link by which who has it reads the report, until it expires or is taken back."""

    report = models.ForeignKey(TraceReport, on_delete=models.PROTECT, related_name="shares")
    # SHA-256 of the link's secret, which nobody can be shown twice.
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    openings = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")),
                name="%(app_label)s_%(class)s_expires_later",
            )
        ]

    def __str__(self) -> str:
        return f"{self.report_id} {self.expires_at:%Y-%m-%d}"


class ReportAccess(models.Model):
    """A customer who is told more or less of a product's history than others."""

    customer = models.OneToOneField(
        "masterdata.Customer", on_delete=models.CASCADE, related_name="+"
    )
    tier = models.CharField(max_length=10, choices=ReportTier)

    def __str__(self) -> str:
        return f"{self.customer_id} {self.tier}"
